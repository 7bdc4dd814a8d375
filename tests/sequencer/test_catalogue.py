"""Instruments come with a listing and go at their expiry; what is shown of them follows the state."""

from __future__ import annotations

import pytest

from rollup.l1.devkeys import dev_address
from rollup.sequencer.catalogue import Catalogue, listed_leaves
from rollup.sequencer.journal import decode_trades, trade_prefix
from rollup.sequencer.margins import ticker_view
from rollup.sequencer.oracle import oracle_view
from rollup.sequencer.rejections import REFUSALS, UnknownInstrument
from rollup.sequencer.trading_status import Trading as Status
from rollup.sequencer.trading_status import trading_status
from rollup.types.genesis import BTC, MarketConfig, SeriesConfig
from rollup.types.leaves import MarketKind
from rollup.types.limits import CLOSING
from rollup.types.messages import Forced, List, encode_message
from rollup.types.reasons import Reason
from rollup.types.transactions import encode_transaction
from tests.stf.world import USD, price, trade
from tests.support.pit import CALL, EXPIRY, FUTURE, LOT, PERP, PUT, SERIES, P, Pit, pit, surface

DAY = 86_400
COIN = 1_000_000


@pytest.fixture
def desk() -> Pit:
    """Fresh prices."""
    return pit()


def status(desk: Pit, market: int) -> Status:
    """What a market does now."""
    return trading_status(desk.desk.ledger.begin().view, desk.desk.catalogue.by_number(market)).trading


def test_instruments_are_named_by_coin_expiry_strike_and_type(desk: Pit) -> None:
    """As traders write them."""
    names = [instrument.name for instrument in desk.desk.catalogue]
    assert names == [
        "BTC-PERP", "ETH-PERP", "BTC-20231214", "BTC-20231214-40000-C", "BTC-20231214-40000-P", "BTC-20231214-46000-C"
    ]  # fmt: skip
    assert desk.desk.catalogue.by_number(PUT).option_type == "P"


def test_a_listing_is_tradable_once_executed_and_a_refused_one_never_shows(desk: Pit) -> None:
    """New series and market through the inbox; the same number again changes nothing."""
    catalogue, opens = desk.desk.catalogue, desk.time + 100
    series = SeriesConfig(BTC, 2, EXPIRY + 7 * DAY)
    market = MarketConfig(40, BTC, tick=100_000, lot=LOT, kind=MarketKind.PUT, series=2, strike=35_000 * USD)
    again = MarketConfig(40, BTC, tick=100_000, lot=LOT, kind=MarketKind.CALL, series=2, strike=99_000 * USD)
    desk.desk.take_messages([encode_message(List(opens, item)) for item in (series, market, again)])
    found = catalogue.by_name("BTC-20231221-35000-P")
    assert (found.number, found.expiry, found.market.opens) == (40, EXPIRY + 7 * DAY, opens)
    with pytest.raises(UnknownInstrument):
        catalogue.by_name("BTC-20231221-99000-C")
    assert [each.number for each in desk.desk.unit.listed] == [40]
    desk.flush()
    assert status(desk, 40) is Status.CLOSED
    with pytest.raises(REFUSALS[Reason.MARKET_CLOSED]):
        desk.rest(0, 40, LOT, 100 * USD)
    desk.time = opens
    desk.desk.ledger.refresh()
    assert status(desk, 40) is Status.STALE
    desk.submit(surface(desk.time, P, series=2))
    assert status(desk, 40) is Status.OPEN
    assert desk.rest(0, 40, LOT, 100 * USD).status == "open"
    desk.flush()
    reloaded = Catalogue.of_leaves(listed_leaves(desk.store))
    assert [each.name for each in reloaded] == [each.name for each in catalogue]


def test_an_expired_instrument_leaves_and_its_orders_with_it(desk: Pit) -> None:
    """At the first second of no more trading; its name stays known for those who hold it."""
    desk.rest(0, CALL, LOT, 100 * USD, expiry=EXPIRY + DAY)
    desk.rest(1, PERP, LOT, 30_000 * USD, expiry=EXPIRY + DAY)
    desk.flush()
    desk.time = EXPIRY
    desk.desk.ledger.refresh()
    desk.desk.expire()
    assert [order.fresh.market for order in desk.desk.orders] == [PERP]
    assert [report.status for report in desk.desk.unit.orders] == ["expired"]
    assert {each.number for each in desk.desk.catalogue.active(EXPIRY)} == {1, 2}
    assert status(desk, CALL) is Status.EXPIRED
    with pytest.raises(REFUSALS[Reason.MARKET_EXPIRED]):
        desk.rest(0, CALL, LOT, 100 * USD)
    desk.flush()
    desk.desk.move(0)
    assert [order.fresh.market for order in desk.desk.orders] == [PERP]


def test_a_halted_market_says_until_when(desk: Pit) -> None:
    """And one without a new price that it is stale."""
    desk.time += 30
    desk.submit(price(desk.time, P * 111 // 110))
    desk.crash(P * 4 // 5, steps=2)
    view = desk.desk.ledger.begin().view
    found = trading_status(view, desk.desk.catalogue.by_number(PERP))
    assert (found.trading, found.until) == (Status.HALTED, view.underlying(BTC).halted_until)
    desk.flush()
    desk.time += 400
    desk.desk.ledger.refresh()
    assert status(desk, PERP) is Status.STALE


def test_a_ticker_shows_mark_forward_volatility_and_greeks(desk: Pit) -> None:
    """Of an option they are those of Black and the slice; a future has a delta of one."""
    option = ticker_view(desk.desk, desk.desk.catalogue.by_number(CALL), 0)
    future = ticker_view(desk.desk, desk.desk.catalogue.by_number(FUTURE), 0)
    perp = ticker_view(desk.desk, desk.desk.catalogue.by_number(PERP), 0)
    assert option.forward == future.mark == P
    assert abs(option.mark - desk.mark(CALL)) < 100_000
    assert option.volatility is not None
    assert 0.5 < option.volatility < 0.6
    assert option.greeks.delta is not None
    assert 0.5 < option.greeks.delta < 0.6
    assert (future.greeks.delta, future.volatility, perp.forward) == (1.0, None, 0)


def test_a_settled_market_shows_what_it_paid(desk: Pit) -> None:
    """Its mark is the payout, its Greeks are unknown."""
    desk.flush()
    desk.wait(EXPIRY - 30)
    desk.now(P * 101 // 100, 1)
    desk.time = EXPIRY + 1
    desk.submit(surface(desk.time, P * 102 // 100))
    view = ticker_view(desk.desk, desk.desk.catalogue.by_number(CALL), 0)
    assert view.settlement > P
    assert view.mark == view.settlement - 40_000 * USD
    assert view.greeks.delta is None


def test_the_oracle_shows_a_series_for_as_long_as_anybody_needs_it(desk: Pit) -> None:
    """While feeders may price it, and for an hour after it settled; one that they forgot, until it closes by itself."""
    desk.wait(EXPIRY - 30)
    desk.now(P)
    desk.flush()
    pair = (BTC, SERIES)
    for time, is_shown in ((EXPIRY + CLOSING - 1, True), (EXPIRY + CLOSING, False)):
        desk.time = time
        desk.desk.ledger.refresh()
        assert (pair in oracle_view(desk.desk).series) is is_shown
    desk.time = EXPIRY + 1
    desk.desk.ledger.refresh()
    desk.now(P, 0)
    desk.flush()
    for time, is_shown in ((EXPIRY + 3_599, True), (EXPIRY + 3_600, False)):
        desk.time = time
        desk.desk.ledger.refresh()
        assert (pair in oracle_view(desk.desk).series) is is_shown
    assert sorted(oracle_view(desk.desk).underlyings) == [1, 2]


def test_a_trade_forced_through_l1_is_told_like_any_other(desk: Pit) -> None:
    """With its number, its book and its place among the trades of its market."""
    desk.flush()
    forced = Forced(dev_address(0), encode_transaction(trade(COIN, P, 1, buyer=0, seller=1)))
    desk.desk.take_messages([encode_message(forced)])
    unit = desk.flush()
    (report,) = unit.trades
    assert (report.market, report.maker, report.taker, report.size, report.price) == (PERP, 1, 0, COIN, P)
    assert (report.block, report.index, report.taker_sells, report.time) == (desk.store.committed, 0, False, desk.time)
    assert report.taker_fee == 12 * USD
    assert PERP in unit.markets
    assert list(decode_trades(record for _, record in desk.store.records.indexes(trade_prefix(PERP)))) == [report]
    assert desk.desk.costs.average(0, PERP, COIN) == P
    refused = Forced(dev_address(0), encode_transaction(trade(COIN, P, 1, buyer=0, seller=1)))
    desk.desk.take_messages([encode_message(refused)])
    assert desk.flush().trades == []
