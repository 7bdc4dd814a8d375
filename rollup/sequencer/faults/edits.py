"""Faults of single blocks: what was sealed honestly is changed before it becomes the head."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from rollup.crypto.signatures import sign
from rollup.errors import BlockFull, InvalidTransaction
from rollup.sequencer.faults.ledger import DishonestLedger, Edit, changed
from rollup.stf import combo
from rollup.stf.builder import SealedBlock
from rollup.types.keys import GLOBALS, KeyKind, kind_of, market_key
from rollup.types.leaves import Account, Globals, Market, Underlying
from rollup.types.transactions import (
    Cancel,
    ComboTrade,
    FreshOrder,
    SetSigner,
    Trade,
    Transaction,
    Transfer,
    Withdraw,
    decode_transactions,
    encode_transaction,
)

_DOLLAR: Final = 1_000_000
_FORGER: Final = b"\x01" * 32
"""A key that owns nothing; public, as everything in this module."""


def _wrong_root(_: DishonestLedger, sealed: SealedBlock) -> SealedBlock:
    totals = Globals.decode(sealed.writes[GLOBALS])
    return _with(sealed, GLOBALS, replace(totals, insurance=totals.insurance + _DOLLAR).encode())


def _stolen_cash(_: DishonestLedger, sealed: SealedBlock) -> SealedBlock | None:
    for key, value in sealed.writes.items():
        if kind_of(key) is KeyKind.ACCOUNT:
            account = Account.decode(value)
            return _with(sealed, key, replace(account, cash=account.cash + 1_000 * _DOLLAR).encode())
    return None


def _wrong_funding(_: DishonestLedger, sealed: SealedBlock) -> SealedBlock | None:
    for key, value in sealed.writes.items():
        if kind_of(key) is KeyKind.UNDERLYING:
            underlying = Underlying.decode(value)
            index = underlying.funding_index + 1_000 * _DOLLAR
            return _with(sealed, key, replace(underlying, funding_index=index).encode())
    return None


def _ignored_inbox(ledger: DishonestLedger, sealed: SealedBlock) -> SealedBlock | None:
    if not sealed.messages:
        return None
    builder = ledger.again(sealed)
    kept = []
    for transaction in decode_transactions(sealed.txs):
        try:
            builder.apply(transaction)
        except (InvalidTransaction, BlockFull):
            continue  # it needed the money of an ignored deposit
        kept.append(transaction)
    without = builder.finish()
    totals = Globals.decode(without.writes.get(GLOBALS) or ledger.store.read(GLOBALS))
    advanced = replace(totals, inbox_index=sealed.inbox_index, inbox_hash=sealed.inbox_hash, time=sealed.timestamp)
    return replace(sealed, txs=_join(kept), writes={**without.writes, GLOBALS: advanced.encode()})


def _forged_signature(_: DishonestLedger, sealed: SealedBlock) -> SealedBlock | None:
    transactions = list(decode_transactions(sealed.txs))
    forged = sign(b"\x02" * 32, _FORGER)
    for index, transaction in enumerate(transactions):
        if isinstance(transaction, Cancel | Withdraw | Transfer | SetSigner):
            transactions[index] = replace(transaction, signature=forged)
            return replace(sealed, txs=_join(transactions))
        if isinstance(transaction, Trade) and isinstance(transaction.taker, FreshOrder):
            transactions[index] = replace(transaction, taker=replace(transaction.taker, signature=forged))
            return replace(sealed, txs=_join(transactions))
    return None


def _overfill(_: DishonestLedger, sealed: SealedBlock) -> SealedBlock | None:
    transactions = list(decode_transactions(sealed.txs))
    for index, transaction in enumerate(transactions):
        if isinstance(transaction, Trade) and isinstance(transaction.taker, FreshOrder):
            transactions[index] = replace(transaction, fill=transaction.fill + transaction.taker.size)
            return replace(sealed, txs=_join(transactions))
    return None


def _replayed_order(_: DishonestLedger, sealed: SealedBlock) -> SealedBlock | None:
    transactions = list(decode_transactions(sealed.txs))
    for transaction in transactions:
        if isinstance(transaction, Trade):
            return replace(sealed, txs=_join([*transactions, transaction]))
    return None


def _undecodable(_: DishonestLedger, sealed: SealedBlock) -> SealedBlock:
    return replace(sealed, txs=sealed.txs + b"\xff")


def _wrong_combo_leg(ledger: DishonestLedger, sealed: SealedBlock) -> SealedBlock | None:
    """Fill the first leg of the first combo a tick above its price; the state is right but for the signatures."""
    transactions = list(decode_transactions(sealed.txs))
    for index, transaction in enumerate(transactions):
        if isinstance(transaction, ComboTrade):
            first, *others = transaction.legs
            tick = Market.decode(ledger.store.read(market_key(first.market))).tick
            legs = (replace(first, price=first.price + tick), *others)
            transactions[index] = replace(transaction, legs=legs)
            with changed((combo, "authorise", _believe)):
                return ledger.rerun(sealed, transactions)
    return None


def _believe(*_: object, session: bool) -> None:
    """Any signature is good."""


EDITS: Final[Mapping[str, Edit]] = {
    "wrong-root": Edit(_wrong_root),
    "stolen-cash": Edit(_stolen_cash),
    "wrong-funding": Edit(_wrong_funding),
    "ignored-inbox": Edit(_ignored_inbox),
    "forged-signature": Edit(_forged_signature),
    "overfill": Edit(_overfill),
    "replayed-order": Edit(_replayed_order),
    "undecodable": Edit(_undecodable),
    "wrong-combo-leg": Edit(_wrong_combo_leg),
}
"""By kind of fault."""


def _with(sealed: SealedBlock, key: int, value: bytes) -> SealedBlock:
    return replace(sealed, writes={**sealed.writes, key: value})


def _join(transactions: list[Transaction]) -> bytes:
    return b"".join(encode_transaction(transaction) for transaction in transactions)
