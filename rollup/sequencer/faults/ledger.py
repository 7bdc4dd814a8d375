"""A ledger that seals one wrong block, and everything that the kinds of fault need of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol

from rollup.errors import BlockFull, InvalidTransaction
from rollup.sequencer.ledger import Ledger, NewBlock
from rollup.stf.builder import BlockBuilder, SealedBlock
from rollup.types.transactions import Transaction, decode_transactions

Change = tuple[ModuleType, str, Any]
"""A name of a module, and what it stands for while the fault is on."""


class Fault(Protocol):
    """One kind of dishonesty."""

    def arm(self, ledger: DishonestLedger) -> None:
        """From now on blocks are built that may become the wrong one."""
        ...

    def spoil(self, ledger: DishonestLedger, sealed: SealedBlock) -> SealedBlock | None:
        """The wrong block in place of this one, after which all is honest; None if this one does not lend itself."""
        ...


class DishonestLedger(Ledger):
    """A ledger with a fault, which shows in the first block from `fault_at` on that allows it."""

    fault: Fault
    fault_at: int = 1
    wrong: int | None = None
    """The number of the wrong block."""
    _armed = False
    _ripe = False

    @property
    def posts(self) -> bool:
        """From `fault_at` on nothing is posted until the wrong block is durable."""
        if self.wrong is None:
            return self.store.committed + 1 < self.fault_at
        self._ripe = self._ripe or self.store.committed >= self.wrong
        return self._ripe

    def begin(self) -> BlockBuilder:
        """The open block; the first that may be wrong arms the fault."""
        if not self._armed and self.number + 1 >= self.fault_at:
            self._armed = True
            self.fault.arm(self)
        return super().begin()

    def seal(self) -> NewBlock:
        """As an honest ledger does; what a wrong block has looked at is not looked at again."""
        was_honest = self.wrong is None
        block = super().seal()
        if was_honest and self.wrong is not None:
            self._before = None
        return block

    def _finish(self, builder: BlockBuilder) -> SealedBlock:
        sealed = builder.finish()
        if self.wrong is not None or not self._armed:
            return sealed
        spoiled = self.fault.spoil(self, sealed)
        if spoiled is not None:
            self.wrong = self.number + 1
        return spoiled or sealed

    def again(self, sealed: SealedBlock) -> BlockBuilder:
        """A builder of the same block on the same state, with nothing in it."""
        return BlockBuilder(self.store.read, sealed.timestamp, self._separator, self._recover)

    def rerun(
        self, sealed: SealedBlock, transactions: Sequence[Transaction] | None = None, *more: Transaction
    ) -> SealedBlock | None:
        """The block by the rules as they now are, with other transactions or more of them; None if they refuse it."""
        builder = self.again(sealed)
        try:
            for message in sealed.messages:
                builder.take_message(message)
            for transaction in (*(decode_transactions(sealed.txs) if transactions is None else transactions), *more):
                builder.apply(transaction)
        except (InvalidTransaction, BlockFull):
            return None
        return builder.finish()


@dataclass(frozen=True, slots=True)
class Edit:
    """A fault that changes a block after it was built."""

    edit: Callable[[DishonestLedger, SealedBlock], SealedBlock | None]

    def arm(self, _: DishonestLedger) -> None:
        """It is built honestly."""

    def spoil(self, ledger: DishonestLedger, sealed: SealedBlock) -> SealedBlock | None:
        """The changed block."""
        return self.edit(ledger, sealed)


@contextmanager
def changed(*changes: Change) -> Iterator[None]:
    """For the time of the block, names stand for something else."""
    kept = change(*changes)
    try:
        yield
    finally:
        change(*kept)


def change(*changes: Change) -> tuple[Change, ...]:
    """Let names stand for something else from now on; returns what undoes it."""
    kept = tuple((module, name, getattr(module, name)) for module, name, _ in changes)
    for module, name, value in changes:
        setattr(module, name, value)
    return kept
