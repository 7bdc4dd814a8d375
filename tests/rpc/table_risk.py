"""Surfaces, liquidation, settlement, Greeks and requests for quotes."""

from __future__ import annotations

from typing import Any

from tests.rpc.entry import WRONG_SIGNER, Entry, Params, abroad, with_
from tests.rpc.hostile import AMOUNT, INVALID, Kind, coded, text
from tests.rpc.kinds import ACCOUNT, GOOGOL, INSTRUMENT, LABEL, NATURAL, NUMBER, SECONDS, SIGNED, bounded, choice
from tests.rpc.requests import FRESH, MAKER_KEY, STRANGER_KEY, TAKER_KEY, Signer
from tests.rpc.table_money import SIGNATURES, WRONG_SIGNERS

NO_SERIES, BAD_SURFACE, WRONG_TIME, BAD_PRICE = 11053, 11054, 11046, 11047
NOT_LIQUIDATABLE, NOTHING, NOT_FLAGGED, SELF, BAD_FRACTION = 11056, 11055, 11058, 11019, 11044
NO_RFQ, NO_QUOTE, BAD_LEGS, BAD_LOT, CONTRADICTION = 11114, 11115, 11063, 11034, 11112

ID = Kind(
    {
        **{name: value for name, value in LABEL.hostile.items() if name not in ("65 characters", "é")},
        **coded(
            NO_RFQ, {"empty text": b'""', "unknown": text("ab" * 16), "zero byte": text("\0"), "path": text("../")}
        ),
    }
)
"""What names a request for quotes."""
SIGNED_NUMBER = Kind(
    {
        name: value
        for name, value in NATURAL.hostile.items()
        if name not in ("minus one", "sign", "2^64", "2^64 as text", "googol", "minus googol")
    }
    | coded(AMOUNT, {"2^63": b"9223372036854775808", "-2^63 - 1": b"-9223372036854775809", "googol": GOOGOL})
)
FIELD = {**NUMBER.hostile, "googol": (GOOGOL, BAD_SURFACE)}
UNSIGNED = {**FIELD, "minus one": (b"-1", BAD_SURFACE)}


def surface(signer: Signer) -> Params:
    """A slice of now."""
    return signer.surface()


def bid(signer: Signer) -> Params:
    """For half of the maker, who is not flagged."""
    return signer.bid(signer.taker, TAKER_KEY, signer.maker)


def ask(_: Signer, **changes: Any) -> Params:
    """A tenth of a coin."""
    leg = {"instrument_name": "BTC-PERP", "direction": "buy", "amount": "0.1"}
    return {"subaccount_id": _.taker, "legs": [leg], "label": "mine", "seconds": 5, **changes}


def legs(*changed: dict[str, Any]) -> list[dict[str, Any]]:
    """Legs of a request, with these changes."""
    return [{"instrument_name": "BTC-PERP", "direction": "buy", "amount": "0.1"} | each for each in changed]


LEGS = Kind(
    {
        **choice().without("list", "list of one").hostile,
        **coded(
            INVALID,
            {
                "empty list": b"[]",
                "a list of lists": b"[[]]",
                "a list of numbers": b"[1]",
                "five": b"[" + b",".join([b"{}"] * 5) + b"]",
                "nothing in it": b"[{}]",
            },
        ),
    }
)
SIGNING = {"nonce": NATURAL, "signature_expiry_sec": SECONDS, "signature": SIGNED}

RISK: tuple[Entry, ...] = (
    Entry(
        "oracle/surface",
        surface,
        {
            "underlying": Kind({**UNSIGNED, "unknown": (b"999", 11018)}),
            "series": Kind({**UNSIGNED, "unknown": (b"999", NO_SERIES)}),
            "time": Kind(UNSIGNED),
            "forward": Kind(UNSIGNED),
            "a": Kind(FIELD),
            "b": Kind(UNSIGNED),
            "rho": Kind(FIELD),
            "m": Kind(FIELD),
            "sigma": Kind(UNSIGNED),
            "confidence": Kind(UNSIGNED),
            "signers": Kind({**UNSIGNED, "none": (b"0", WRONG_SIGNERS), "256": (b"256", BAD_SURFACE)}),
            "signatures": Kind({**choice().hostile, **SIGNATURES, "none": (b"[]", WRONG_SIGNERS)}).without("list"),
        },
        {
            **abroad(surface),
            "another forward": (with_(surface, forward=50_001 * 10**6), WRONG_SIGNER),
            "an old slice": (lambda s: s.surface(age=5_000), 11045),
            "a slice of tomorrow": (lambda s: s.surface(age=-86_400), WRONG_TIME),
            "a forward far off": (lambda s: s.surface(forward=90_000 * 10**6), BAD_PRICE),
            "no width": (with_(surface, sigma=0), BAD_SURFACE),
            "a correlation above one": (with_(surface, rho=10**9), BAD_SURFACE),
        },
        writes=True,
    ),
    Entry("public/get_oracle", lambda _: {}),
    Entry("public/get_live_auctions", lambda _: {}),
    Entry(
        "private/liquidate",
        bid,
        {
            "subaccount_id": ACCOUNT,
            "liquidated_subaccount_id": ACCOUNT,
            "fraction": Kind({**NUMBER.hostile, **coded(BAD_FRACTION, {"none": b"0", "too much": b"1000001"})}),
            "price_limit": SIGNED_NUMBER,
            **SIGNING,
        },
        {
            **abroad(bid),
            "another key": (lambda s: s.bid(s.taker, STRANGER_KEY, s.maker), WRONG_SIGNER),
            "another fraction": (with_(bid, fraction=1), WRONG_SIGNER),
            "of oneself": (lambda s: s.bid(s.taker, TAKER_KEY, s.taker), SELF),
            "expired": (with_(bid, signature_expiry_sec=1), 11023),
        },
        refused=NOT_FLAGGED,
    ),
    *(
        Entry(f"public/{name}", lambda s: {"subaccount_id": s.maker}, {"subaccount_id": ACCOUNT}, refused=code)
        for name, code in (("flag", NOT_LIQUIDATABLE), ("settle", NOTHING), ("write_off", NOT_FLAGGED))
    ),
    Entry(
        "public/deleverage",
        lambda s: {
            "subaccount_id": s.maker,
            "counterparty_subaccount_id": s.taker,
            "instrument_name": "BTC-PERP",
            "size": 1_000,
        },
        {
            "subaccount_id": ACCOUNT,
            "counterparty_subaccount_id": ACCOUNT,
            "instrument_name": INSTRUMENT,
            "size": NATURAL.without("2^64", "2^64 as text"),
        },
        refused=NOT_FLAGGED,
    ),
    Entry(
        "public/get_greeks",
        lambda _: {"instrument_name": "BTC-PERP"},
        {"instrument_name": INSTRUMENT.optional(nullable=True)},
        {"a coin too": (lambda _: {"instrument_name": "BTC-PERP", "currency": "BTC"}, INVALID)},
    ),
    Entry("private/get_greeks", lambda s: {"subaccount_id": s.maker}, {"subaccount_id": ACCOUNT}),
    Entry(
        "private/send_rfq",
        ask,
        {
            "subaccount_id": ACCOUNT,
            "legs": LEGS,
            "label": LABEL.optional(),
            "seconds": bounded(0, 601).optional(),
            "counterparties": Kind(
                {**choice().without("list", "list of one").hostile, "minus one": (b"[-1]", AMOUNT)}
            ).optional(),
        },
        {
            "two legs in one market": (lambda s: ask(s, legs=legs({}, {})), BAD_LEGS),
            "an unknown market": (lambda s: ask(s, legs=legs({"instrument_name": "X"})), 11102),
            "off the lot": (lambda s: ask(s, legs=legs({"amount": "0.1000001"})), AMOUNT),
            "half a lot": (lambda s: ask(s, legs=legs({"amount": "0.0000001"})), AMOUNT),
            "not a lot": (lambda s: ask(s, legs=legs({"amount": "0.000001"})), BAD_LOT),
            "nothing": (lambda s: ask(s, legs=legs({"amount": "0"})), 11020),
            "less than nothing": (lambda s: ask(s, legs=legs({"amount": "-0.1"})), AMOUNT),
            "sideways": (lambda s: ask(s, legs=legs({"direction": "sideways"})), INVALID),
            "a price": (lambda s: ask(s, legs=legs({"price": 1})), INVALID),
        },
    ),
    Entry(
        "private/poll_rfqs", lambda s: {"subaccount_id": s.maker}, {"subaccount_id": ACCOUNT.optional(nullable=True)}
    ),
    Entry("private/poll_quotes", lambda s: {"subaccount_id": s.maker}, {"subaccount_id": ACCOUNT}),
    Entry(
        "private/send_quote",
        lambda s: s.quote(s.maker, MAKER_KEY),
        {
            "subaccount_id": ACCOUNT.without("nobody", "the last"),
            "rfq_id": ID,
            "direction": choice(),
            "legs": LEGS,
            "nonce": Kind({n: v for n, v in NATURAL.hostile.items() if v[1] == INVALID}),
            "signature_expiry_sec": NUMBER,
            "signature": Kind({n: v for n, v in SIGNED.hostile.items() if v[1] in (INVALID, 11106)}),
            "label": LABEL.optional(),
        },
        refused=NO_RFQ,
    ),
    Entry(
        "private/execute_quote",
        lambda s: {
            "subaccount_id": s.taker,
            "rfq_id": "ab" * 16,
            "quote_id": "cd" * 16,
            "nonce": FRESH,
            "signature_expiry_sec": 2**33,
            "signature": "0x" + "5a" * 64,
        },
        {
            "subaccount_id": NUMBER,
            "rfq_id": ID,
            "quote_id": Kind({n: v for n, v in ID.hostile.items() if v[1] == INVALID}),
            "nonce": Kind({n: v for n, v in NATURAL.hostile.items() if v[1] == INVALID}),
            "signature_expiry_sec": NUMBER,
            "signature": Kind({n: v for n, v in SIGNED.hostile.items() if v[1] in (INVALID, 11106)}),
        },
        refused=NO_RFQ,
    ),
    Entry(
        "private/cancel_quote",
        lambda s: {name: value for name, value in s.cancel(s.maker, MAKER_KEY, FRESH).items() if name != "hard"},
        {"subaccount_id": ACCOUNT, "nonce": NATURAL, "signature": SIGNED},
        {
            "another key": (
                lambda s: {n: v for n, v in s.cancel(s.maker, STRANGER_KEY, FRESH).items() if n != "hard"},
                WRONG_SIGNER,
            ),
        },
        refused=NO_QUOTE,
    ),
)
