"""The journal holds what was signed, whatever a sequencer does with it, so that somebody can bring it through L1."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import trio
from trio.testing import MockClock

from rollup.errors import ConfigError
from rollup.exit.prices import read_journal
from rollup.feeder.journal import Journal
from rollup.feeder.rounds import Leader
from rollup.feeder.statements import Statement, subject_of
from rollup.feeder.venue import VenueSilent
from rollup.rpc.answers import RpcDisconnected
from rollup.types.genesis import BTC, ETH
from rollup.types.prices import OracleUpdate, SurfaceUpdate
from tests.feeder.market import PRICE, START, Market, Scripted, opinion, panel


def leader(market: Market, kept: list[Statement]) -> Leader:
    """A leader with all keys that keeps what it has signed."""
    sources = opinion(Scripted(), Scripted(3_000 * 10**6))
    return Leader(market.venue, panel(), sources, lambda _: None, keep=kept.append, clock=market.clock)


async def test_what_is_kept_is_what_was_submitted(autojump_clock: MockClock) -> None:
    """In full, with the signatures that count."""
    market, kept = Market(autojump_clock), list[Statement]()
    feeding = leader(market, kept)
    for _ in range(3):
        await feeding.go_round()
        await trio.sleep(1)
    assert {subject_of(each) for each in kept} == {(BTC, 0), (ETH, 0), (BTC, 1), (BTC, 2)}
    assert sorted(map(repr, kept)) == sorted(map(repr, market.updates))


async def test_what_a_sequencer_refuses_is_kept_all_the_same(autojump_clock: MockClock) -> None:
    """A new one each round; it stays within the limits of the state's price, so that L1 can bring any of them."""
    market, kept = Market(autojump_clock), list[Statement]()
    feeding = leader(market, kept)
    await feeding.go_round()
    market.closed = True
    kept.clear()
    for _ in range(3):
        await trio.sleep(60)
        await feeding.go_round()
    assert [each.time for each in kept if isinstance(each, OracleUpdate) and each.underlying == BTC] == [
        START + 60, START + 120, START + 180
    ]  # fmt: skip
    assert len(market.prices()) == 1
    market.closed = False
    for update in kept[-4:]:
        await market.submit(update)


async def test_a_feeder_whose_sequencer_is_gone_signs_on_by_what_it_knew(autojump_clock: MockClock) -> None:
    """Prices and slices; they follow the state that it saw last."""
    market, kept = Market(autojump_clock), list[Statement]()
    feeding = leader(market, kept)
    await feeding.go_round()
    kept.clear()
    market.away = True
    with pytest.raises(RpcDisconnected):
        await feeding.go_round()
    feeding.connect(None)
    await trio.sleep(3_600)
    await feeding.go_alone(market.time)
    assert {(type(each), each.time) for each in kept} == {
        (OracleUpdate, START + 3_600),
        (SurfaceUpdate, START + 3_600),
    }
    assert len(market.prices()) == 1
    for update in sorted(kept, key=subject_of):
        await market.submit(update)
    assert not market.refused


async def test_a_sequencer_whose_time_stands_still_counts_as_gone(autojump_clock: MockClock) -> None:
    """Else it could keep prices from being signed by saying that no second has passed."""
    market, kept = Market(autojump_clock), list[Statement]()
    feeding = Leader(
        market.venue, panel(), opinion(Scripted()), lambda _: None, keep=kept.append,
        clock=lambda: START + market.clock() - START + 31 * (market.clock() > START + 1),
    )  # fmt: skip
    await feeding.go_round()
    await trio.sleep(2)
    with pytest.raises(VenueSilent, match="stands"):
        await feeding.go_round()


async def test_a_leader_that_knows_nothing_or_keeps_nothing_signs_nothing_alone(autojump_clock: MockClock) -> None:
    """It has no state to follow, or nobody who would get it."""
    market, kept = Market(autojump_clock), list[Statement]()
    await leader(market, kept).go_alone(market.time)
    assert not kept
    plain = Leader(market.venue, panel(), opinion(Scripted()), lambda _: None)
    await plain.go_round()
    before = len(market.updates)
    await plain.go_alone(market.time + 60)
    assert len(market.updates) == before


def update(time: int) -> OracleUpdate:
    """A price with two signatures of nobody."""
    return OracleUpdate(BTC, time, PRICE, PRICE, 0b11, (b"\1" * 64, b"\2" * 64))


def test_a_journal_is_read_as_it_was_written(tmp_path: Path) -> None:
    """A line each; a feeder that comes back goes on behind them."""
    file = tmp_path / "deep" / "journal"
    for time in (1, 2):
        journal = Journal(file)
        journal.keep(update(time))
        journal.close()
    assert read_journal(file) == [update(1), update(2)]
    first = msgspec.json.decode(file.read_bytes().splitlines()[0])
    assert (first["underlying"], first["series"], first["time"]) == (BTC, 0, 1)
    assert first["hex"].startswith("0x06")


def test_a_journal_makes_room_for_itself(tmp_path: Path) -> None:
    """The newest stay in the file, those before them beside it."""
    file = tmp_path / "journal"
    journal = Journal(file, limit=1_000)
    for time in range(1, 9):
        journal.keep(update(time))
    journal.close()
    now, before = read_journal(file), read_journal(tmp_path / "journal.1")
    assert [each.time for each in before + now][-len(before) - len(now) :] == list(range(9 - len(before + now), 9))
    assert before
    assert now


def test_a_journal_that_is_none_is_refused_by_its_line(tmp_path: Path) -> None:
    """But for a last line that is being written."""
    file = tmp_path / "journal"
    journal = Journal(file)
    journal.keep(update(1))
    journal.close()
    whole = file.read_bytes()
    file.write_bytes(whole + whole[:-40])
    assert read_journal(file) == [update(1)]
    for bad in (b"nonsense", b'{"hex":"0x06"}', b'{"hex":"zz"}', b'{"hex":"0x0700000a"}', whole.strip()[:-2] + b'00"}'):
        file.write_bytes(whole + bad + b"\n" + whole)
        with pytest.raises(ConfigError, match="line 2"):
            read_journal(file)
    with pytest.raises(ConfigError, match="journal"):
        read_journal(tmp_path / "none")
    with pytest.raises(ConfigError, match="journal"):
        Journal(tmp_path)
