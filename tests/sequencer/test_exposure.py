"""Open orders are margined at their worst: what is let in could all be filled, in any choice and order."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollup.errors import Rejected
from rollup.sequencer.rejections import REFUSALS
from rollup.stf.holdings import held, with_size
from rollup.stf.margin import initial, margin
from rollup.stf.settlement import settle
from rollup.types.leaves import Account, MarketKind
from rollup.types.reasons import Reason
from rollup.types.transactions import FLAG_IMMEDIATE, FLAG_REDUCE_ONLY, FreshOrder
from tests.stf.world import USD
from tests.support.pit import CALL, EXPIRY, FAR_CALL, FUTURE, PERP, PUT, P, Pit, pit, surface

COIN = 1_000_000
MARKETS = (PERP, FUTURE, CALL, PUT, FAR_CALL)


@pytest.fixture
def desk() -> Pit:
    """Fresh prices of 40,000 dollars, accounts of 100,000."""
    return pit()


def filled(desk: Pit, account: Account, order: FreshOrder) -> Account:
    """The settled account after an order was filled in full at its price."""
    view = desk.desk.ledger.begin().view
    market = view.market(order.market)
    signed = -order.size if order.is_sell else order.size
    index = view.underlying(market.underlying).funding_index if market.kind == MarketKind.PERP else 0
    cash = account.cash - signed * order.price // COIN
    return with_size(account, order.market, held(account, order.market) + signed, index, cash)


Wish = tuple[int, int, int]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.sampled_from(MARKETS), st.integers(-60, 60).filter(bool), st.integers(-4, 4)), max_size=6),
    st.lists(st.tuples(st.sampled_from(MARKETS), st.integers(-20, 20).filter(bool), st.just(0)), max_size=3),
    st.integers(0, 2**12 - 1),
)
def test_whatever_rests_may_fill_in_any_choice(orders: list[Wish], holdings: list[Wish], choice: int) -> None:
    """An account with positions places orders around the mark; any subset of what was let in leaves initial margin."""
    desk = pit(accounts=3)
    for market, tenths, _ in holdings:
        size = tenths * COIN // 10
        desk.trade(*((0, 1) if size > 0 else (1, 0)), market, abs(size))
    for market, tenths, ticks in orders:
        price = max(100_000, desk.mark(market) + ticks * 500 * 100_000)
        try:
            desk.rest(0, market, tenths * COIN // 10, price)
        except Rejected:
            continue
    view = desk.desk.ledger.begin().view
    account = settle(view, view.account(0))
    open_orders = [order.fresh for order in desk.desk.orders.of_account(0)]
    for bit, order in enumerate(open_orders):
        if choice >> bit & 1:
            account = filled(desk, account, order)
    equity, maintenance = margin(view, account)
    if len(open_orders) > 1 or choice & 1:
        assert equity >= initial(maintenance)
    view.drop()


def test_a_hedge_is_let_in_where_the_position_alone_is_too_much(desk: Pit) -> None:
    """A put for every coin: the order makes the account safer, and is valued by what it does."""
    desk.trade(0, 1, PERP, 9 * COIN)
    with pytest.raises(REFUSALS[Reason.MARGIN]):
        desk.rest(0, PERP, COIN)
    assert desk.rest(0, PUT, COIN).status == "open"


def test_two_orders_that_are_fine_alone_are_refused_together(desk: Pit) -> None:
    """Naked calls in two markets, each of which the account could bear."""
    size = -7 * COIN
    for market in (CALL, FAR_CALL):
        fresh = pit()
        assert fresh.rest(0, market, size).status == "open"
    desk.rest(0, CALL, size)
    with pytest.raises(REFUSALS[Reason.MARGIN]):
        desk.rest(0, FAR_CALL, size)


def test_orders_that_hedge_each_other_do_not_count_as_hedged_before_they_fill(desk: Pit) -> None:
    """Short perpetuals against long ones: one of the two may fill alone."""
    desk.rest(0, PERP, 8 * COIN, 39_900 * USD)
    with pytest.raises(REFUSALS[Reason.MARGIN]):
        desk.rest(0, FUTURE, 9 * COIN, 39_900 * USD)
    assert desk.rest(0, FUTURE, -8 * COIN, 40_100 * USD).status == "open"


def test_a_halt_lets_in_only_what_shrinks(desk: Pit) -> None:
    """Trades during a halt must make the position smaller, and so must orders."""
    desk.trade(0, 1, PERP, COIN)
    desk.crash(P * 82 // 100, 2)
    with pytest.raises(REFUSALS[Reason.HALTED]):
        desk.rest(2, PERP, COIN)
    with pytest.raises(REFUSALS[Reason.HALTED]):
        desk.rest(0, PERP, COIN // 10)
    assert desk.rest(0, PERP, -COIN // 2, extra=FLAG_REDUCE_ONLY).status == "open"
    assert desk.rest(1, PERP, COIN // 2).status == "filled"


def test_a_resting_order_that_a_halt_forbids_leaves_when_it_is_met(desk: Pit) -> None:
    """Its maker is at fault, not who wants to get out."""
    desk.trade(0, 1, PERP, COIN)
    desk.rest(2, PERP, COIN, 32_900 * USD)
    desk.crash(P * 82 // 100, 2)
    desk.rest(1, PERP, COIN // 2, 32_800 * USD)
    report = desk.rest(0, PERP, -COIN // 2, 32_800 * USD, extra=FLAG_IMMEDIATE)
    assert (report.status, report.trades[0].maker) == ("filled", 1)
    assert desk.desk.orders.count(2) == 0


def test_orders_in_markets_without_a_fresh_price_wait(desk: Pit) -> None:
    """Nothing could be filled, and nothing valued."""
    desk.time += 400
    desk.flush()
    desk.desk.ledger.refresh()
    with pytest.raises(REFUSALS[Reason.ORACLE_STALE]):
        desk.rest(0, CALL, COIN, 1_000 * USD)
    with pytest.raises(REFUSALS[Reason.ORACLE_STALE]):
        desk.rest(0, PERP, COIN, P)


def test_expired_markets_take_no_orders(desk: Pit) -> None:
    """Neither before settlement nor after it."""
    desk.flush()
    desk.time = EXPIRY + 1
    desk.submit(surface(desk.time, P))
    with pytest.raises(REFUSALS[Reason.MARKET_EXPIRED]):
        desk.rest(0, FUTURE, COIN, P)


def test_fees_of_options_are_reported_as_they_were_paid(desk: Pit) -> None:
    """A share of the forward, at most an eighth of the premium."""
    report = desk.trade(0, 1, CALL, COIN)
    assert report.trades[0].taker_fee == P * 300 // COIN
    cheap = desk.trade(0, 1, FAR_CALL, COIN, 1_000 * USD) if desk.mark(FAR_CALL) < 1_001 * USD else report
    assert cheap.trades[0].taker_fee <= cheap.trades[0].price // 8
