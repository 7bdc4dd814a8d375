"""The state transition in Python: building blocks as a sequencer does, and replaying them as anybody does."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Final

from rollup.bench.crowd import NOW, SEPARATOR, Crowd, make_crowd
from rollup.bench.figures import Report, Scale, timed
from rollup.crypto.keccak import keccak
from rollup.crypto.witness import build_witness
from rollup.derive.ahead import Ahead
from rollup.errors import BlockFull
from rollup.stf.block import execute_block
from rollup.stf.builder import BlockBuilder, SealedBlock
from rollup.types.blocks import Header
from rollup.types.limits import MAX_ACCOUNTS
from rollup.types.reasons import Reason
from rollup.types.transactions import Trade

BATCH: Final = 50
"""Blocks of a full batch."""


@dataclass(frozen=True, slots=True)
class BuiltBlock:
    """A block of trades: header, bytes, how many trades, and the witness if it was asked for."""

    header: Header
    txs: bytes
    trades: int
    witness: bytes = b""


def measure_execution(report: Report, scale: Scale) -> None:
    """Trades executed in a small and in a large state, with roots; blocks replayed with their signatures."""
    small, large = scale.accounts
    blocks = _measure_building(report, make_crowd(small), scale, "execute_small")
    _measure_replay(report, make_crowd(small), blocks)
    _measure_building(report, make_crowd(large), scale, "execute_large")


def _measure_building(report: Report, crowd: Crowd, scale: Scale, name: str) -> list[BuiltBlock]:
    trades = list(islice(crowd.trades(Random(2), remember=True), scale.blocks * MAX_ACCOUNTS // 2))  # noqa: S311
    blocks: list[BuiltBlock] = []
    seconds = timed(lambda: blocks.extend(build_blocks(crowd, trades)))
    about = f"trades executed with state roots among {crowd.accounts:,} accounts, signatures known"
    report.rate(name, about, len(trades), seconds)
    return blocks


def _measure_replay(report: Report, crowd: Crowd, blocks: list[BuiltBlock]) -> None:
    with Ahead(SEPARATOR) as ahead:
        ahead.start()  # as in a challenger that has been running for a second
        seconds = timed(lambda: replay(crowd, blocks, ahead))
    report.rate("replay_blocks", "blocks replayed with signatures and state roots", len(blocks), seconds)
    trades = sum(block.trades for block in blocks)
    report.rate("replay_trades", "the same, counted in trades of two fresh orders", trades, seconds)


def build_blocks(crowd: Crowd, trades: list[Trade]) -> list[BuiltBlock]:
    """Put all trades into blocks, each as full as the meters allow."""
    blocks: list[BuiltBlock] = []
    waiting = iter(trades)
    trade = next(waiting, None)
    while trade is not None:
        builder = BlockBuilder(crowd.read, NOW, SEPARATOR, crowd.memo.recover)
        try:
            while trade is not None:
                builder.apply(trade)
                trade = next(waiting, None)
        except BlockFull:
            assert builder.count, "a trade fits an empty block"
        blocks.append(seal(crowd, builder.finish()))
    return blocks


def seal(crowd: Crowd, sealed: SealedBlock, *, witness: bool = False) -> BuiltBlock:
    """Close a block on the state, which goes on from it."""
    before = crowd.tree.root
    proof = build_witness(crowd.tree, sealed.pre) if witness else b""
    header = Header(
        number=1, fork=0, parent_root=before, timestamp=NOW, inbox_index=0, inbox_hash=bytes(32),
        txs_hash=keccak(sealed.txs), state_root=crowd.write(sealed.writes),
    )  # fmt: skip
    return BuiltBlock(header, sealed.txs, len(sealed.receipts), proof)


def replay(crowd: Crowd, blocks: list[BuiltBlock], ahead: Ahead) -> None:
    """Execute blocks as a replica does, trusting nothing, in batches as L1 has them."""
    for start in range(0, len(blocks), BATCH):
        _replay_batch(crowd, blocks[start : start + BATCH], ahead)


def _replay_batch(crowd: Crowd, blocks: list[BuiltBlock], ahead: Ahead) -> None:
    ahead.begin([block.txs for block in blocks])
    for block in blocks:
        ahead.next_block()
        result = execute_block(crowd.read, block.header, block.txs, (), SEPARATOR, ahead.recover)
        assert result.reason is Reason.NONE, f"a block of ours is invalid: {result.reason.name}"
        assert crowd.write(result.writes) == block.header.state_root, "a block of ours leads elsewhere"


def typical_block(accounts: int) -> BuiltBlock:
    """Twenty trades between random accounts, with its witness."""
    crowd = make_crowd(accounts)
    builder = BlockBuilder(crowd.read, NOW, SEPARATOR, crowd.memo.recover)
    for trade in islice(crowd.trades(Random(3), remember=True), MAX_ACCOUNTS // 2):  # noqa: S311 - repeatable
        builder.apply(trade)
    return seal(crowd, builder.finish(), witness=True)
