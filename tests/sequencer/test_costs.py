"""Average prices of positions: what they were traded at, kept over restarts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollup.crypto.signatures import recover
from rollup.derive.inbox import Inbox
from rollup.errors import StoreError
from rollup.sequencer.margins import account_view
from rollup.sequencer.risk.costs import PREFIX, Costs, prefix_of
from rollup.sequencer.risk.ranking import ranked
from rollup.sequencer.risk.register import Candidate
from rollup.sequencer.withdrawn import reinstate, withdraw
from rollup.stf.block import execute_block
from rollup.store.changes import Notes
from rollup.types.genesis import BTC, MarketConfig
from rollup.types.leaves import MarketKind
from rollup.types.messages import List, encode_message
from rollup.types.reasons import Reason
from tests.stf.venue import combo, leg
from tests.stf.world import SEPARATOR, USD
from tests.support.desk import new_store
from tests.support.pit import CALL, LOT, PERP, PUT, SERIES, P, Pit, pit, pit_genesis

COIN = 1_000_000


def test_an_average_price_follows_trades_combos_and_a_restart() -> None:
    """Enlarging mixes, shrinking keeps, turning starts over."""
    desk = pit()
    desk.trade(0, 1, PERP, COIN, P)
    desk.trade(0, 1, PERP, COIN, P + 100 * USD)
    assert desk.desk.costs.average(0, PERP, 2 * COIN) == P + 50 * USD
    desk.trade(2, 0, PERP, COIN, P + 200 * USD)
    assert desk.desk.costs.average(0, PERP, COIN) == P + 50 * USD
    desk.trade(2, 0, PERP, 2 * COIN, P + 300 * USD)
    assert desk.desk.costs.average(0, PERP, -COIN) == P + 300 * USD
    desk.submit(combo(3, 4, 1, [leg(CALL, COIN, desk.mark(CALL)), leg(PUT, COIN, desk.mark(PUT), sell=True)]))
    assert desk.desk.costs.average(3, PUT, -COIN) == desk.mark(PUT)
    desk.flush()
    desk.desk.move(0)
    assert desk.desk.costs.average(0, PERP, -COIN) == P + 300 * USD
    shown = {position.market: position for position in account_view(desk.desk, 0).positions}
    assert (shown[PERP].average, shown[PERP].gain) == (P + 300 * USD, 300 * USD)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-50, 50).filter(bool), st.integers(1, 1_000)), max_size=12))
def test_profit_by_average_prices_is_what_trading_really_gained(trades: list[tuple[int, int]]) -> None:
    """Closing everything at a price gains what the averages said, up to their rounding."""
    costs, size, paid, realised = Costs(), 0, 0, 0
    for bought, price in trades:
        average = costs.average(7, 1, size)
        closed = min(abs(bought), abs(size)) if bought * size < 0 else 0
        if closed and average is not None:
            realised += (closed if size > 0 else -closed) * (price - average)
        costs.trade(7, 1, bought, price)
        size, paid = size + bought, paid + bought * price
    average = costs.average(7, 1, size)
    open_gain = size * (500 - average) if average is not None and size else 0
    assert abs(size * 500 - paid - realised - open_gain) <= 60 * len(trades) + 60


def test_records_restore_what_was_noted_and_what_is_gone() -> None:
    """One record an account and block; also of an account that has nothing any more."""
    costs = Costs()
    costs.trade(1, 4, 5, 1_000)
    costs.trade(2, 4, -5, 1_000)
    records = costs.take_records(7)
    assert sorted(records) == [PREFIX + bytes((0, 0, n, 0, 0, 0, 0, 7)) for n in (1, 2)]
    again = Costs(lambda account: records.get(prefix_of(account) + (7).to_bytes(5, "big")))
    assert (again.average(2, 4, -5), again.average(3, 4, -5)) == (1_000, None)
    assert costs.take_records(8) == {}
    costs.trade(2, 4, 5, 900)
    (record,) = costs.take_records(9).values()
    assert Costs(lambda _: record).average(2, 4, -5) is None
    with pytest.raises(StoreError, match="torn"):
        Costs(lambda _: b"\xc1").average(2, 4, 5)


def test_average_prices_go_back_with_the_blocks_that_are_taken_back() -> None:
    """And return with those that are put back."""
    desk = pit()
    desk.trade(0, 1, PERP, COIN, P)
    desk.flush()
    before = desk.store.committed
    desk.trade(0, 1, PERP, COIN, P + 100 * USD)
    desk.flush()
    desk.trade(1, 0, PERP, 2 * COIN, P)
    desk.trade(2, 3, PERP, COIN, P)
    desk.flush()
    gone = withdraw(desk.store.records, before, desk.store.committed)
    assert desk.desk.costs.average(0, PERP, COIN) is None
    desk.store.rollback(before, Notes(entries=gone))
    desk.desk.move(0)
    assert desk.desk.costs.average(0, PERP, COIN) == P
    assert desk.desk.costs.average(2, PERP, COIN) is None
    inbox = Inbox(desk.desk.inbox_index, desk.desk.inbox_hash)
    assert reinstate(desk.store, inbox, 0, SEPARATOR, recover) == 2
    desk.desk.move(0)
    assert desk.desk.costs.average(0, PERP, COIN) is None
    assert desk.desk.costs.average(2, PERP, COIN) == P


def test_the_largest_profit_times_leverage_gives_first() -> None:
    """Then smaller ones, then those without, the least loss of the least leverage last … and never oneself."""
    costs = Costs()
    for account, price in ((1, 100), (2, 100), (3, 140), (4, 200), (9, 100)):
        costs.trade(account, 6, -10, price)
    rows = [
        Candidate(1, -10, 1_000.0, 1_000.0),
        Candidate(2, -10, 100.0, 1_000.0),
        Candidate(3, -10, 1_000.0, 1_000.0),
        Candidate(4, -10, 500.0, 1_000.0),
        Candidate(5, -10, 1_000.0, 1_000.0),
        Candidate(9, -10, 1.0, 1_000.0),
    ]
    assert ranked(rows, 6, 120, costs, but=9) == [4, 3, 5, 2, 1]


def many(desk: Pit, count: int) -> list[int]:
    """So many more calls, listed through the inbox."""
    items = [
        MarketConfig(
            100 + n, BTC, tick=100_000, lot=LOT, kind=MarketKind.CALL, series=SERIES,
            strike=(30_000 + 250 * n) * USD, band=500_000,
        )
        for n in range(count)
    ]  # fmt: skip
    desk.desk.take_messages([encode_message(List(desk.time, item)) for item in items])
    desk.flush()
    return [item.number for item in items]


def test_a_block_that_has_drawn_all_it_may_is_sealed_and_the_next_goes_on() -> None:
    """Ninety options traded between two words of the oracle, twice: more than one block may price or load."""
    desk = pit(accounts=6, max_orders=200)
    markets = many(desk, 90)
    for _ in range(2):
        for place, market in enumerate(markets):
            buyer = place % 3
            assert desk.trade(buyer, buyer + 3, market, 10 * LOT).status == "filled"
        desk.now()
    desk.flush()
    other = new_store(pit_genesis().leaves())
    for record in desk.records():
        result = execute_block(other.read, record.header, record.txs, record.messages, SEPARATOR)
        assert result.reason is Reason.NONE
        assert other.stage(result.writes).root == record.header.state_root
    assert desk.check()
    assert len(desk.account(0).positions) == 30
