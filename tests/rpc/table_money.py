"""Withdrawals, transfers, session signers and prices."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.rpc.entry import WRONG_SIGNER, Entry, Make, Params, Special, abroad, less, with_
from tests.rpc.hostile import AMOUNT, UNKNOWN_ACCOUNT, Kind, text
from tests.rpc.kinds import ACCOUNT, ADDRESS, DECIMAL, GOOGOL, NATURAL, NUMBER, SIGNED, choice
from tests.rpc.requests import FRESH, MAKER_KEY, MARK, STRANGER_KEY, USD, Signer

MISFIT_AMOUNT, STALE_NONCE, MARGIN, SELF = 11044, 11025, 11043, 11019
BAD_PRICE, WRONG_TIME, TOO_FAR, WRONG_SIGNERS, NO_COIN = 11047, 11046, 11048, 11049, 11018


def withdraw(signer: Signer) -> Params:
    """Ten dollars."""
    return signer.withdraw(signer.maker, MAKER_KEY)


def transfer(signer: Signer) -> Params:
    """Ten dollars to the other."""
    return signer.transfer(signer.maker, MAKER_KEY, signer.taker)


def set_signer(signer: Signer) -> Params:
    """A session key."""
    return signer.set_signer(signer.maker, MAKER_KEY)


def price(signer: Signer) -> Params:
    """A price of now."""
    return signer.price()


def cash(make: Make, sign: Callable[..., Params], other: int = WRONG_SIGNER) -> Special:
    """What withdrawals and transfers have in common; `sign(signer, **terms)` signs others."""
    return {
        **abroad(make),
        "another amount": (with_(make, micro_amount=11 * USD), WRONG_SIGNER),
        "another nonce": (with_(make, nonce=FRESH + 1), WRONG_SIGNER),
        "another account": (lambda s: make(s) | {"subaccount_id": s.taker}, other),
        "nothing": (with_(make, micro_amount=0), MISFIT_AMOUNT),
        "2^62": (with_(make, micro_amount=2**62), MISFIT_AMOUNT),
        "amount twice": (with_(make, amount="10"), AMOUNT),
        "a nonce that was used": (lambda s: sign(s, nonce=5), STALE_NONCE),
        "nonce zero": (lambda s: sign(s, nonce=0), STALE_NONCE),
        "more than there is": (lambda s: sign(s, amount=200_000 * USD), MARGIN),
        "nearly 2^62": (lambda s: sign(s, amount=2**62 - 1), MARGIN),
    }


def decimals(make: Make) -> Make:
    """The amount as decimal text."""
    return lambda signer: less(make, "micro_amount")(signer) | {"amount": "10"}


RECIPIENT = ACCOUNT.without("the last")
"""As receiver the last number is the insurance fund."""
MICRO = NATURAL.beyond(MISFIT_AMOUNT).needed(AMOUNT)
SIGNED_BY_OWNER: Mapping[str, Kind] = {"subaccount_id": ACCOUNT, "nonce": NATURAL, "signature": SIGNED}
CASH_KINDS: Mapping[str, Kind] = {**SIGNED_BY_OWNER, "micro_amount": MICRO}
TEXT_KINDS: Mapping[str, Kind] = {**SIGNED_BY_OWNER, "amount": DECIMAL.needed(AMOUNT)}
SIGNATURES = {f"[{name}]": (b"[" + raw + b"]", code) for name, (raw, code) in SIGNED.hostile.items()}
PRICE = NATURAL.beyond(BAD_PRICE)
PRICED = {**NUMBER.hostile, "minus one": (b"-1", BAD_PRICE), "googol": (GOOGOL, BAD_PRICE)}

MONEY: tuple[Entry, ...] = (
    Entry(
        "private/withdraw",
        withdraw,
        CASH_KINDS,
        cash(withdraw, lambda s, **terms: s.withdraw(s.maker, MAKER_KEY, **terms)),
        writes=True,
    ),
    Entry("private/withdraw", decimals(withdraw), TEXT_KINDS, variant="in decimals", writes=True),
    Entry(
        "private/transfer",
        transfer,
        {**CASH_KINDS, "recipient_subaccount_id": RECIPIENT},
        {
            **cash(transfer, lambda s, **terms: s.transfer(s.maker, MAKER_KEY, s.taker, **terms), other=SELF),
            "to oneself": (lambda s: s.transfer(s.maker, MAKER_KEY, s.maker), SELF),
            "to nobody": (lambda s: s.transfer(s.maker, MAKER_KEY, 999), UNKNOWN_ACCOUNT),
            "to oneself, signed for another": (lambda s: transfer(s) | {"recipient_subaccount_id": s.maker}, SELF),
            "another key": (lambda s: s.transfer(s.maker, STRANGER_KEY, s.taker), WRONG_SIGNER),
        },
        writes=True,
    ),
    Entry(
        "private/transfer",
        decimals(transfer),
        {**TEXT_KINDS, "recipient_subaccount_id": RECIPIENT},
        variant="in decimals",
        writes=True,
    ),
    Entry(
        "private/set_signer",
        set_signer,
        {"subaccount_id": ACCOUNT, "signer": ADDRESS, "nonce": NATURAL, "signature": SIGNED},
        {
            **abroad(set_signer),
            "another signer": (with_(set_signer, signer="0x" + "78" * 20), WRONG_SIGNER),
            "another key": (lambda s: s.set_signer(s.maker, STRANGER_KEY), WRONG_SIGNER),
            "a nonce that was used": (lambda s: s.set_signer(s.maker, MAKER_KEY, nonce=5), STALE_NONCE),
        },
        writes=True,
    ),
    Entry(
        "oracle/update",
        price,
        {
            "underlying": Kind({**PRICED, "unknown": (b"999", NO_COIN)}),
            "time": Kind(PRICED),
            "spot": PRICE,
            "mark": PRICE,
            "signers": Kind(
                {**PRICED, "none": (b"0", WRONG_SIGNERS), "two": (b"3", WRONG_SIGNERS), "256": (b"256", BAD_PRICE)}
            ),
            "signatures": Kind(
                {
                    **choice().hostile,
                    **SIGNATURES,
                    "none": (b"[]", WRONG_SIGNERS),
                    "twice": (b"[" + text("0x" + "5a" * 64) + b"," + text("0x" + "5a" * 64) + b"]", WRONG_SIGNERS),
                    "seven thousand": (b"[" + b",".join([text("0x" + "5a" * 64)] * 7_000) + b"]", WRONG_SIGNERS),
                }
            ).without("list"),
        },
        {
            **abroad(price),
            "another spot": (with_(price, spot=MARK + USD), WRONG_SIGNER),
            "a stranger's": (lambda s: s.price(key=STRANGER_KEY), WRONG_SIGNER),
            "a feeder that is not": (lambda s: s.price() | {"signers": 128}, WRONG_SIGNERS),
            "an old price": (lambda s: s.price(age=3_000), WRONG_TIME),
            "a price of tomorrow": (lambda s: s.price(age=-86_400), WRONG_TIME),
            "twice the price": (lambda s: s.price(spot=2 * MARK), TOO_FAR),
            "nothing": (lambda s: s.price(spot=0), BAD_PRICE),
            "the mark too far off": (lambda s: s.price(mark=MARK * 3 // 2), BAD_PRICE),
        },
        writes=True,
    ),
)
