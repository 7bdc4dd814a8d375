"""The kinds of parameters that the exchange takes, each with what it must refuse."""
# ruff: noqa: RUF001 - look-alikes of digits and letters are the point

from __future__ import annotations

from typing import Final

from tests.rpc.hostile import (
    AMOUNT,
    BOOLEANS,
    CONTAINERS,
    INVALID,
    INVALID_SIGNATURE,
    MALFORMED_SIGNATURE,
    NUMBERS,
    ODD_NUMBERS,
    SIGNATURE,
    TEXTS,
    UNKNOWN_ACCOUNT,
    UNKNOWN_INSTRUMENT,
    Kind,
    coded,
    text,
)

ORDER_OF_CURVE: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
GOOGOL: Final = b"1" + b"0" * 100

NUMBER: Final = Kind(coded(INVALID, ODD_NUMBERS, CONTAINERS, TEXTS, BOOLEANS))
"""A JSON integer, of whatever range."""

ACCOUNT: Final = Kind(
    {
        **NUMBER.hostile,
        **coded(
            AMOUNT, {"minus one": b"-1", "2^24": b"16777216", "2^32": b"4294967296", "2^64": b"18446744073709551616"}
        ),
        **coded(AMOUNT, {"googol": GOOGOL, "minus googol": b"-1" + b"0" * 100}),
        **coded(UNKNOWN_ACCOUNT, {"nobody": b"999", "the last": b"16777215"}),
    }
)

NATURAL: Final = Kind(
    {
        **coded(INVALID, ODD_NUMBERS, CONTAINERS, BOOLEANS),
        **coded(INVALID, {n: raw for n, raw in TEXTS.items() if n != "digits"}),
        **coded(
            INVALID,
            {
                "digits and a line": text("7\n"),
                "spaces": text(" 7 "),
                "sign": text("-7"),
                "plus": text("+7"),
                "hexadecimal": text("0x7"),
                "underscore": text("7_000"),
                "full-width digits": text("７"),
                "Arabic digits": text("٧"),
                "superscript": text("²"),
                "fraction as text": text("7.0"),
                "21 digits": text("9" * 21),
                "NaN as text": text("NaN"),
            },
        ),
        **coded(
            AMOUNT, {"minus one": b"-1", "2^64": b"18446744073709551616", "2^64 as text": text("18446744073709551616")}
        ),
        **coded(AMOUNT, {"googol": GOOGOL, "minus googol": b"-1" + b"0" * 100}),
    }
)
"""An integer or its digits."""

DECIMAL: Final = Kind(
    {
        **coded(INVALID, CONTAINERS, BOOLEANS, NUMBERS, ODD_NUMBERS, {"201 characters": text("1" * 201)}),
        **coded(INVALID, {"long text": TEXTS["long text"]}),
        **coded(
            AMOUNT,
            {
                "empty text": b'""',
                "NaN as text": text("NaN"),
                "infinity as text": text("inf"),
                "exponent": text("1e3"),
                "seventh decimal": text("1.0000001"),
                "spaces": text(" 1 "),
                "line": text("1\n"),
                "comma": text("1,5"),
                "point at the end": text("1."),
                "two points": text("1.2.3"),
                "plus": text("+1"),
                "two signs": text("--1"),
                "full-width digits": text("１"),
                "Arabic digits": text("٣"),
                "21 digits": text("9" * 21),
                "hexadecimal": text("0x1"),
                "zero byte": text("1\0"),
            },
        ),
    }
)
"""Decimal text."""


def bytes_kind(size: int) -> Kind:
    """`0x` and hexadecimal digits."""
    digits = "ab" * size
    return Kind(
        {
            **coded(INVALID, NUMBERS, ODD_NUMBERS, CONTAINERS, BOOLEANS, {"long text": TEXTS["long text"]}),
            **coded(
                SIGNATURE,
                {
                    "empty text": b'""',
                    "0x alone": text("0x"),
                    "no prefix": text(digits),
                    "capital prefix": text("0X" + digits),
                    "one digit less": text("0x" + digits[1:]),
                    "one byte less": text("0x" + digits[2:]),
                    "one byte more": text("0x" + digits + "ab"),
                    "no hexadecimal": text("0x" + "zz" * size),
                    "spaces between": text("0x" + " ".join(["ab"] * size)[: 2 * size]),
                    "spaces around": text("0x " + digits + " "),
                    "line at the end": text("0x" + digits + "\n"),
                    "full-width digits": text("0x" + "１" * 2 * size),
                    "zero bytes": text("0x" + "\0" * 2 * size),
                },
            ),
        }
    )


def _both(r: int, s: int) -> bytes:
    return text(f"0x{r:064x}{s:064x}")


_SIGNATURES: Final = {
    **coded(
        INVALID_SIGNATURE,
        {
            "all zero": _both(0, 0),
            "r zero": _both(0, 1),
            "s zero": _both(1, 0),
            "r too big": _both(ORDER_OF_CURVE, 1),
            "r all ones": _both(2**256 - 1, 1),
            "garbage": _both(int("5a" * 32, 16), int("3c" * 32, 16)),
            "65 bytes of garbage": text("0x" + "5a" * 32 + "3c" * 32 + "1b"),
        },
    ),
    **coded(
        MALFORMED_SIGNATURE,
        {
            "high s": _both(1, ORDER_OF_CURVE // 2 + 1),
            "highest s": _both(1, 2**255 - 1),
            "high s with parity": _both(1, 2**256 - 1),
        },
    ),
    **coded(
        SIGNATURE,
        {
            "high s in 65 bytes": text(f"0x{1:064x}{ORDER_OF_CURVE - 1:064x}1b"),
            "recovery 2": text("0x" + "5a" * 32 + "3c" * 32 + "02"),
            "recovery 26": text("0x" + "5a" * 32 + "3c" * 32 + "1a"),
            "recovery 255": text("0x" + "5a" * 32 + "3c" * 32 + "ff"),
            "65 bytes, spaces between": text("0x" + " ".join(["ab"] * 65)[:130]),
        },
    ),
}

ADDRESS: Final = bytes_kind(20)
HASH: Final = bytes_kind(32)
SIGNED: Final = Kind({**bytes_kind(64).without("one byte more").hostile, **_SIGNATURES})
"""A signature that must be that of somebody in particular."""

INSTRUMENT: Final = Kind(
    {
        **coded(INVALID, CONTAINERS, BOOLEANS, NUMBERS, ODD_NUMBERS),
        **coded(INVALID, {"201 characters": text("x" * 201), "long text": TEXTS["long text"]}),
        **coded(
            UNKNOWN_INSTRUMENT,
            {
                "empty text": b'""',
                "unknown": text("DOGE-PERP"),
                "small letters": text("btc-perp"),
                "space at the end": text("BTC-PERP "),
                "line at the end": text("BTC-PERP\n"),
                "zero byte": text("BTC-PERP\0"),
                "full-width": text("ＢＴＣ-PERP"),
                "right to left": text("\u202eBTC-PERP"),
                "emoji": text("🪙" * 100),
                "number": text("1"),
                "path": text("../../etc/passwd"),
                "markup": text("<script>{{7*7}}%s%n</script>"),
            },
        ),
    }
)

FLAG: Final = Kind(coded(INVALID, CONTAINERS, TEXTS, NUMBERS, ODD_NUMBERS))
"""True or false."""

LABEL: Final = Kind(
    coded(
        INVALID,
        CONTAINERS,
        BOOLEANS,
        NUMBERS,
        ODD_NUMBERS,
        {"65 characters": text("é" * 65)},
        {"long": TEXTS["long text"]},
    )
)


SECONDS: Final = Kind(
    {**NUMBER.hostile, **coded(AMOUNT, {"minus one": b"-1", "2^40": b"1099511627776", "googol": GOOGOL})}
)
"""A Unix time."""


def bounded(*bad: int) -> Kind:
    """An integer whose bounds its type states; `bad` are just outside."""
    outside = {f"{value}": str(value).encode() for value in (*bad, -(10**100), 10**100)}
    return Kind({**NUMBER.hostile, **coded(INVALID, outside)})


def choice() -> Kind:
    """One of some words."""
    words = {
        "unknown word": text("sideways"),
        "capitals": text("BUY"),
        "space": text("buy "),
        "zero byte": text("buy\0"),
    }
    return Kind(coded(INVALID, CONTAINERS, BOOLEANS, NUMBERS, ODD_NUMBERS, TEXTS, words))
