"""What the embedded L1 has mined, as plain values for quick answers: blocks, transactions, receipts, logs."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from eth.abc import BlockHeaderAPI, SignedTransactionAPI

from rollup.l1.logs import LogFilter


@dataclass(frozen=True, slots=True)
class MinedLog:
    """A log without its place, which the entry around it tells."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class MinedTransaction:
    """A transaction with its receipt. `first_log` is the index of its first log within the block."""

    hash: bytes
    transaction: SignedTransactionAPI
    sender: bytes
    success: bool
    gas_used: int
    cumulative_gas: int
    gas_price: int
    contract_address: bytes | None
    bloom: int
    first_log: int
    logs: tuple[MinedLog, ...]


@dataclass(frozen=True, slots=True)
class MinedBlock:
    """A header with what its block held."""

    header: BlockHeaderAPI
    transactions: tuple[MinedTransaction, ...]

    @property
    def number(self) -> int:
        """Height."""
        return self.header.block_number

    @property
    def hash(self) -> bytes:
        """Block hash."""
        return bytes(self.header.hash)


@dataclass(frozen=True, slots=True)
class PlacedLog:
    """A log and where it stands."""

    block: MinedBlock
    tx_index: int
    index: int
    log: MinedLog


class Ledger:
    """The canonical chain by number and hash. Used only from the event loop."""

    def __init__(self, genesis: MinedBlock) -> None:
        self._blocks = [genesis]
        self._numbers = {genesis.hash: 0}
        self._places: dict[bytes, tuple[int, int]] = {}
        self._with_logs: list[int] = []  # numbers of blocks that hold logs: most blocks of a devnet are empty

    @property
    def head(self) -> MinedBlock:
        """The newest block."""
        return self._blocks[-1]

    def append(self, block: MinedBlock) -> None:
        """Extend the chain by one block."""
        assert block.number == len(self._blocks), "blocks come in order"
        self._blocks.append(block)
        self._numbers[block.hash] = block.number
        for index, transaction in enumerate(block.transactions):
            self._places[transaction.hash] = (block.number, index)
        if any(t.logs for t in block.transactions):
            self._with_logs.append(block.number)

    def truncate(self, number: int) -> list[MinedBlock]:
        """Forget all blocks above `number` and return them."""
        removed = self._blocks[number + 1 :]
        del self._blocks[number + 1 :]
        for block in removed:
            del self._numbers[block.hash]
            for transaction in block.transactions:
                del self._places[transaction.hash]
        del self._with_logs[bisect_right(self._with_logs, number) :]
        return removed

    def block_at(self, number: int) -> MinedBlock | None:
        """Block by height."""
        return self._blocks[number] if 0 <= number < len(self._blocks) else None

    def block_by_hash(self, block_hash: bytes) -> MinedBlock | None:
        """Canonical block by hash."""
        number = self._numbers.get(block_hash)
        return None if number is None else self._blocks[number]

    def transaction(self, tx_hash: bytes) -> tuple[MinedBlock, int] | None:
        """Block that holds a transaction, and the transaction's index in it."""
        place = self._places.get(tx_hash)
        return None if place is None else (self._blocks[place[0]], place[1])

    def logs(self, wanted: LogFilter, first: int, last: int, limit: int) -> list[PlacedLog] | None:
        """Matching logs of blocks `first..last`; None if they are more than `limit`."""
        found: list[PlacedLog] = []
        begin, end = bisect_left(self._with_logs, first), bisect_right(self._with_logs, last)
        for number in self._with_logs[begin:end]:
            found += _matching(self._blocks[number], wanted)
            if len(found) > limit:
                return None
        return found


def _matching(block: MinedBlock, wanted: LogFilter) -> list[PlacedLog]:
    return [
        PlacedLog(block, tx_index, mined.first_log + position, log)
        for tx_index, mined in enumerate(block.transactions)
        for position, log in enumerate(mined.logs)
        if wanted.matches(log.address, log.topics)
    ]
