"""What a submitted transaction's signatures sign, once its numbers are known to fit the fields that carry them."""

from __future__ import annotations

from rollup.crypto import eip712
from rollup.sequencer.checks import check_account, check_expiry, check_nonce, check_range
from rollup.sequencer.commands import UserTransaction
from rollup.sequencer.oracle import oracle_digests
from rollup.sequencer.rejections import refusal
from rollup.types.limits import MAX_LEGS, MILLION, PRICE_BOUND
from rollup.types.reasons import Reason
from rollup.types.transactions import (
    Bid,
    Cancel,
    ComboTrade,
    Deleverage,
    Flag,
    Leg,
    OracleUpdate,
    SetSigner,
    Settle,
    SurfaceUpdate,
    Transfer,
    Withdraw,
    WriteOff,
)

_I64 = 1 << 63
_U48 = (1 << 48) - 1
_U16 = (1 << 16) - 1

Digests = tuple[tuple[bytes, bytes], ...]
"""(digest, signature) pairs."""


def digests_of(separator: bytes, transaction: UserTransaction) -> Digests:
    """(digest, signature) of each signature; BadAmount or Refused for numbers that no field holds."""
    match transaction:
        case Cancel(account, cancel_all, nonce, signature):
            check_account(account)
            digest = eip712.cancel_digest(separator, account, cancel_all, check_nonce(nonce))
        case Withdraw(account, amount, nonce, signature):
            check_account(account)
            digest = eip712.withdraw_digest(separator, account, amount, check_nonce(nonce))
        case Transfer(sender, recipient, amount, nonce, signature):
            check_account(sender)
            check_account(recipient)
            digest = eip712.transfer_digest(separator, sender, recipient, amount, check_nonce(nonce))
        case SetSigner(account, signer, nonce, signature):
            check_account(account)
            digest = eip712.set_signer_digest(separator, account, signer, check_nonce(nonce))
        case OracleUpdate() | SurfaceUpdate():
            return oracle_digests(separator, transaction)
        case Bid():
            digest, signature = bid_digest(separator, transaction), transaction.signature
        case ComboTrade():
            return combo_digests(separator, transaction)
        case Settle() | Flag() | WriteOff() | Deleverage():
            _check_unsigned(transaction)
            return ()
    return ((digest, signature),)


def bid_digest(separator: bytes, bid: Bid) -> bytes:
    """What a liquidator signs."""
    check_account(bid.account)
    check_account(bid.liquidator)
    if not 0 < bid.fraction <= MILLION:
        raise refusal(Reason.AMOUNT)
    check_range(bid.limit + _I64, 2 * _I64 - 1, "price_limit")
    nonce, expiry = check_nonce(bid.nonce), check_expiry(bid.expiry)
    return eip712.bid_digest(separator, bid.account, bid.liquidator, bid.fraction, bid.limit, nonce, expiry)


def legs_digest(legs: tuple[Leg, ...]) -> bytes:
    """The hash of a combo's legs; COMBO_LEGS unless they are 1 … 4 by market ascending, ORDER_INVALID for a bad one."""
    if not 1 <= len(legs) <= MAX_LEGS or [leg.market for leg in legs] != sorted({leg.market for leg in legs}):
        raise refusal(Reason.COMBO_LEGS)
    for leg in legs:
        check_range(leg.market, _U16, "market")
        if not 0 < leg.size <= _U48 or not 0 < leg.price < PRICE_BOUND:
            raise refusal(Reason.ORDER_INVALID)
    return eip712.legs_hash((leg.market, leg.flags, leg.size, leg.price) for leg in legs)


def combo_digests(separator: bytes, combo: ComboTrade) -> Digests:
    """What maker and taker of a combo sign."""
    check_account(combo.maker)
    check_account(combo.taker)
    legs = legs_digest(combo.legs)
    maker = (combo.maker, combo.taker, legs, check_nonce(combo.maker_nonce), check_expiry(combo.maker_expiry))
    taker = (combo.maker, combo.taker, legs, check_nonce(combo.taker_nonce), check_expiry(combo.taker_expiry))
    return (
        (eip712.quote_digest(separator, *maker), combo.maker_signature),
        (eip712.acceptance_digest(separator, *taker), combo.taker_signature),
    )


def _check_unsigned(transaction: Settle | Flag | WriteOff | Deleverage) -> None:
    check_account(transaction.account)
    if isinstance(transaction, Deleverage):
        check_account(transaction.counterparty)
        check_range(transaction.market, _U16, "market")
        check_range(transaction.size, _U48, "amount")
