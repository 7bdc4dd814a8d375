"""DISHONEST ON PURPOSE. What a fraudulent sequencer would do, so that challengers can be seen to stop it.

Nothing here runs unless an operator asks for `--fault KIND`. Each kind posts one wrong block, the first from `fault_at`
on that allows it, and behaves honestly otherwise:

    wrong-root       the insurance fund grows by a dollar in the claimed state
    stolen-cash      an account of the block has a thousand dollars more
    wrong-funding    an underlying's funding index is off
    ignored-inbox    inbox messages are consumed and not executed
    forged-signature a transaction is signed by somebody else
    overfill         a trade fills more than its orders allow
    replayed-order   a trade stands in the block twice
    undecodable      a byte that is no transaction ends the block
    skipped-margin   orders are filled that their accounts cannot bear (somebody has to send one)
    over-meter       a block holds more than 32 transactions (somebody has to send as many within one block interval)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from rollup.crypto.signatures import Recover, sign
from rollup.errors import BlockFull, ConfigError, InvalidTransaction
from rollup.sequencer.ledger import Ledger
from rollup.sequencer.options import Clock, SequencerOptions
from rollup.stf import meters
from rollup.stf import trade as trade_rules
from rollup.stf.builder import BlockBuilder, SealedBlock
from rollup.stf.context import Context
from rollup.stf.margin import Margin, margin
from rollup.store.state import StateStore
from rollup.types.keys import GLOBALS, KeyKind, kind_of
from rollup.types.leaves import Account, Globals, Underlying
from rollup.types.transactions import (
    Cancel,
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


class DishonestLedger(Ledger):
    """A ledger that seals one wrong block."""

    fault_at: int
    spoil: Callable[[DishonestLedger, SealedBlock], SealedBlock | None]
    done = False

    def _finish(self, builder: BlockBuilder) -> SealedBlock:
        sealed = builder.finish()
        if self.done or self.number + 1 < self.fault_at:
            return sealed
        spoiled = self.spoil(self, sealed)
        self.done = spoiled is not None
        return spoiled or sealed

    def again(self, sealed: SealedBlock) -> BlockBuilder:
        """A builder of the same block on the same state, with nothing in it."""
        return BlockBuilder(self.store.read, sealed.timestamp, self._separator, self._recover)


def make_ledger(
    options: SequencerOptions, store: StateStore, fork: int, separator: bytes, recover: Recover, clock: Clock
) -> Ledger:
    """The ledger that the options ask for: an honest one, unless a fault is named. `ConfigError` for unknown faults."""
    if options.fault is None:
        return Ledger(store, fork, separator, recover, clock)
    if options.fault not in FAULTS:
        raise ConfigError(f"no fault {options.fault!r}; there are {', '.join(FAULTS)}")
    ledger = DishonestLedger(store, fork, separator, recover, clock)
    ledger.fault_at = options.fault_at
    ledger.spoil = _SPOILERS.get(options.fault, _leave)
    if options.fault == "skipped-margin":
        ledger.enforces_margin = False
        setattr(trade_rules, "require_margin", _ignore_margin)  # noqa: B010 - it is no export of that module
    if options.fault == "over-meter":
        meters.LIMITS = (64, *meters.LIMITS[1:])  # type: ignore[misc]
    return ledger


def _ignore_margin(ctx: Context, _before: Account, after: Account, _shrinks: bool) -> Margin:
    """As the rule that it stands for, but nothing is refused."""
    return margin(ctx, after)


def _leave(_: DishonestLedger, __: SealedBlock) -> SealedBlock | None:
    """The fault is in the rules that the ledger runs, not in its last step."""
    return None


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


_SPOILERS: Final[dict[str, Callable[[DishonestLedger, SealedBlock], SealedBlock | None]]] = {
    "wrong-root": _wrong_root,
    "stolen-cash": _stolen_cash,
    "wrong-funding": _wrong_funding,
    "ignored-inbox": _ignored_inbox,
    "forged-signature": _forged_signature,
    "overfill": _overfill,
    "replayed-order": _replayed_order,
    "undecodable": _undecodable,
}

FAULTS: Final = (*_SPOILERS, "skipped-margin", "over-meter")
"""Every kind of dishonesty on offer."""


def _with(sealed: SealedBlock, key: int, value: bytes) -> SealedBlock:
    return replace(sealed, writes={**sealed.writes, key: value})


def _join(transactions: list[Transaction]) -> bytes:
    return b"".join(encode_transaction(transaction) for transaction in transactions)
