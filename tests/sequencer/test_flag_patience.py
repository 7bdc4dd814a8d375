"""With patience, a block with a price waits for the look at everybody that follows from it; without, it does not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from rollup.errors import ConfigError
from rollup.sequencer.commands import Submit
from rollup.sequencer.digests import digests_of
from rollup.sequencer.engine import Engine, Input
from rollup.sequencer.options import SequencerOptions
from rollup.sequencer.risk.register import Register
from rollup.sequencer.unit import Unit
from rollup.types.transactions import Flag, OracleUpdate, decode_transactions
from tests.stf.world import SEPARATOR, price
from tests.support.pit import PERP, P, Pit, pit

COIN = 1_000_000
INTERVAL = 0.01
PATIENCE = 5.0


def fallen() -> Pit:
    """Account 0 is nine coins long on 100,000 dollars, and the price has fallen nearly as far as it bears."""
    desk = pit()
    desk.trade(0, 1, PERP, 9 * COIN)
    desk.crash(P * 92 // 100)
    desk.look(start_over=True)
    desk.flush()
    return desk


@asynccontextmanager
async def engine(desk: Pit, patience: float) -> AsyncIterator[tuple[trio.MemorySendChannel[list[Input]], list[Unit]]]:
    """A running engine: what goes into it, and the units that it has sent on."""
    into, inputs = trio.open_memory_channel[list[Input]](16)
    units, sent_on = trio.open_memory_channel[Unit](16)
    sent: list[Unit] = []

    async def collect() -> None:
        async for unit in sent_on:
            sent.append(unit)  # noqa: PERF401 - it is looked at while it grows

    async with trio.open_nursery() as nursery:
        nursery.start_soon(collect)
        nursery.start_soon(Engine(desk.desk, inputs, units, INTERVAL, patience).run)
        yield into, sent
        nursery.cancel_scope.cancel()


async def drop(desk: Pit, into: trio.MemorySendChannel[list[Input]]) -> None:
    """The oracle says the price that takes account 0 below its margin."""
    desk.time += 60
    update = price(desk.time, P * 85 // 100)
    await into.send([Submit(update, digests_of(SEPARATOR, update))])


async def test_a_price_waits_for_the_flags_that_it_calls_for(autojump_clock: MockClock) -> None:
    """Both are in one block, and it is sealed as soon as they are."""
    assert autojump_clock.rate == 0
    desk = fallen()
    register = Register()
    register.look(desk.desk.risk.snapshot(start_over=True))
    async with engine(desk, PATIENCE) as (into, sent):
        await drop(desk, into)
        await trio.sleep(PATIENCE / 2)
        assert sent == []
        await into.send([register.look(desk.desk.risk.snapshot(start_over=False))])
        await trio.sleep(5 * INTERVAL)
        assert trio.current_time() < PATIENCE
        (block,) = [block for unit in sent for block in unit.blocks]
    assert [type(tx) for tx in decode_transactions(block.txs)] == [OracleUpdate, Flag]


async def test_patience_ends(autojump_clock: MockClock) -> None:
    """If nobody looks, the price goes on alone."""
    assert autojump_clock.rate == 0
    desk = fallen()
    async with engine(desk, PATIENCE) as (into, sent):
        await drop(desk, into)
        await trio.sleep(PATIENCE + 5 * INTERVAL)
        assert [[type(tx) for tx in decode_transactions(block.txs)] for unit in sent for block in unit.blocks] == [
            [OracleUpdate]
        ]


async def test_without_patience_a_price_goes_on_at_once(autojump_clock: MockClock) -> None:
    """As every other transaction."""
    assert autojump_clock.rate == 0
    desk = fallen()
    async with engine(desk, 0.0) as (into, sent):
        await drop(desk, into)
        await trio.sleep(5 * INTERVAL)
        assert len(sent) == 1


def test_negative_patience_is_refused() -> None:
    """As an operator's mistake."""
    with pytest.raises(ConfigError, match="flag_patience"):
        SequencerOptions(Path(), "", bytes(20), bytes(32), flag_patience=-1.0)
