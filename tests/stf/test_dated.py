"""Futures and options: trading, fees, margin, and what holders are paid at expiry."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import ceil, floor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollup.stf.margin import margin
from rollup.stf.receipts import Fill
from rollup.stf.sheets import SCENARIOS, Sheet, option_grid, sheet_of
from rollup.types.leaves import Account, MarketKind, Position
from rollup.types.reasons import Reason
from rollup.types.transactions import Settle
from tests.stf.venue import CALL, EXPIRY, FAR_CALL, FUTURE, LOT, PERP, PUT, STRIKE, P, Venue, dated, surface
from tests.stf.world import COIN, START, USD, price, trade, withdraw

MARKETS = (PERP, FUTURE, CALL, PUT, FAR_CALL)


def refused(
    market: int, at: int | None = None, price_of: int | None = None, **changes: Any
) -> Callable[[Venue], Reason]:
    """The reason why a trade of a lot in `market` is refused after the series was changed."""

    def case(venue: Venue) -> Reason:
        shown = venue.mark(market) if price_of is None else price_of
        venue.change_series(**changes)
        return venue.refusal(trade(LOT, shown, 1, market=market), at=at)

    return case


def halted(venue: Venue) -> Reason:
    """The coin trades reduce-only."""
    venue.change_underlying(halted_until=START + 1)
    return venue.refusal(trade(LOT, P, 1))


def unlisted(venue: Venue) -> Reason:
    """The market's series is gone."""
    venue.change_market(FUTURE, series=9)
    return venue.refusal(trade(LOT, P, 1, market=FUTURE))


CASES: dict[str, tuple[Reason, Callable[[Venue], Reason]]] = {
    "no series": (Reason.SERIES_UNKNOWN, unlisted),
    "expired": (Reason.MARKET_EXPIRED, refused(FUTURE, expiry=START)),
    "no slice yet": (Reason.ORACLE_STALE, refused(FUTURE, time=0)),
    "old slice": (Reason.ORACLE_STALE, refused(FUTURE, time=START - 61)),
    "future above the band": (Reason.PRICE_BAND, refused(FUTURE, price_of=P * 11 // 10 + 1_000)),
    "put above the band": (Reason.PRICE_BAND, refused(PUT, price_of=P * 2 // 10)),
    "halted": (Reason.HALTED, halted),
    "future": (Reason.NONE, refused(FUTURE)),
    "call": (Reason.NONE, refused(CALL)),
    "put": (Reason.NONE, refused(PUT)),
    "last second": (Reason.NONE, refused(CALL, expiry=START + 1)),
    "nothing to settle": (Reason.NOTHING_TO_SETTLE, lambda v: v.refusal(Settle(0))),
    "settle: unknown account": (Reason.ACCOUNT_UNKNOWN, lambda v: v.refusal(Settle(9))),
    "settle: old slice": (
        Reason.ORACLE_STALE,
        lambda v: (
            v.but(lambda w: w.give(0, 1, {CALL: COIN}))
            .but(lambda w: w.change_series(time=START - 61))
            .refusal(Settle(0))
        ),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_transaction_in_a_dated_market_is_refused_for(name: str) -> None:
    """A single transaction makes its block invalid with exactly this reason."""
    reason, case = CASES[name]
    assert case(dated()) is reason


def test_an_option_trade_moves_premium_and_capped_fees() -> None:
    """The fee is a share of the forward, but never above an eighth of the premium."""
    venue = dated()
    near, far = venue.mark(CALL), venue.mark(FAR_CALL)
    fill = venue.done(Fill, trade(COIN, near, 1, market=CALL))
    assert fill.taker_fee == P * 300 // 10**6
    assert venue.account(0).cash == 100_000 * USD - near - fill.taker_fee
    assert venue.account(1).cash == 100_000 * USD + near
    venue.change_series(sigma=1, a=2_500_000, b=0)
    far = max(1_000, venue.mark(FAR_CALL))
    assert far < 8 * P * 300 // 10**6
    fill = venue.done(Fill, trade(LOT, far, 2, market=FAR_CALL))
    assert fill.taker_fee == ceil(Fraction(LOT * far, 8 * 10**6))
    venue.check()


def model(sheets: dict[int, Sheet], venue: Venue, account: Account) -> tuple[int, int]:
    """Equity and maintenance as the specification says, from the markets' prices in each scenario."""
    underlying, series = venue.underlying(), venue.series()
    doubt = ceil(Fraction(series.forward * (10**6 - series.confidence) * underlying.confidence_factor, 10**12))
    value = contingency = calls = 0
    profits = [0] * len(SCENARIOS)
    for position in account.positions:
        market, size, sheet = venue.market(position.market), position.size, sheets[position.market]
        value += size * sheet.mark
        for scenario, shift in enumerate(sheet.shifts):
            profits[scenario] += size * shift
        share = ceil(Fraction((series.forward if market.kind else underlying.mark) * market.contingency, 10**6))
        rate = share + doubt if market.kind != MarketKind.PERP else share
        if market.kind >= MarketKind.CALL and size > 0:
            rate = doubt
        contingency += abs(size) * rate
        calls += size if market.kind == MarketKind.CALL else 0
    contingency += max(0, -calls) * ceil(Fraction(series.forward * underlying.call_contingency, 10**6))
    loss = max(0, -min(profits))
    equity = account.cash + floor(Fraction(value, 10**6))
    return equity, ceil(Fraction(loss, 10**6)) + ceil(Fraction(contingency, 10**6))


sizes = st.integers(-(2**62), 2**62).filter(bool)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(MARKETS), sizes), st.integers(0, 10**6), st.integers(1, 200_000))
def test_margin_of_a_portfolio_is_that_of_the_model(held: dict[int, int], confidence: int, step: int) -> None:
    """Perpetual, future, calls and put together, for any sizes and any confidence of the feeders."""
    venue = dated(2)
    venue.change_series(confidence=confidence)
    venue.change_underlying(spot_step=step)
    positions = tuple(Position(market, held[market], 0) for market in sorted(held))
    account = Account(bytes(20), bytes(20), 0, 0, 0, 0, positions)
    ctx = venue.context()
    found = margin(ctx, account)
    sheets = {market: sheet_of(ctx, market) for market in MARKETS}
    assert found == model(sheets, venue, account)


def test_a_sheet_holds_the_option_under_every_scenario() -> None:
    """The mark is the unshocked price; volatility up is dearer than down; puts and calls differ by the forward."""
    venue = dated()
    ctx = venue.context()
    call, put = sheet_of(ctx, CALL), sheet_of(ctx, PUT)
    grid = option_grid(venue.market(CALL), venue.underlying(), venue.series(), START)
    assert call.mark == grid[1]
    assert [call.mark + shift for shift in call.shifts] == list(grid)
    assert grid[0] > grid[1] > grid[2]
    assert call.mark - put.mark == venue.series().forward - STRIKE
    assert (call.long_rate, put.long_rate, put.call_rate) == (0, 0, 0)
    assert call.short_rate == P * 5_000 // 10**6
    assert call.call_rate == P * 10_000 // 10**6
    assert ctx.meters.read().pricings == 2


def test_long_options_need_no_more_than_they_cost() -> None:
    """The worst that can happen to a bought option is that it is worth nothing."""
    venue = dated()
    for market in (CALL, PUT, FAR_CALL):
        sheet = sheet_of(venue.context(), market)
        position = Position(market, COIN, 0)
        found = margin(venue.context(), Account(bytes(20), bytes(20), 0, 0, 0, 0, (position,)))
        assert found.equity == sheet.mark
        assert found.maintenance <= sheet.mark


def test_a_covered_call_needs_less_than_a_naked_one() -> None:
    """Netting within the coin, and no call contingency where a long call of the series stands against it."""
    venue = dated()

    def needed(**held: int) -> int:
        positions = tuple(sorted((Position(int(m[1:]), s, 0) for m, s in held.items()), key=lambda p: p.market))
        return margin(venue.context(), Account(bytes(20), bytes(20), 0, 0, 0, 0, positions)).maintenance

    naked = needed(m4=-COIN)
    assert needed(m3=COIN, m4=-COIN) < naked
    assert needed(m4=-COIN, m6=COIN) < needed(m4=-COIN) + needed(m6=COIN)


def expired(venue: Venue, settlement: int) -> int:
    """Let the series expire and settle at about `settlement`; the time then."""
    venue.change_series(settlement=settlement)
    return venue.now


PAYOUTS = {FUTURE: 44_000, CALL: 4_000, PUT: 0, FAR_CALL: 0}


def test_holders_are_paid_what_the_settlement_price_says() -> None:
    """A future its price, a call what is above its strike, a put what is below; positions and open interest go."""
    venue = dated(2)
    venue.give(0, 1, dict.fromkeys(PAYOUTS, COIN))
    venue.check()
    expired(venue, 44_000 * USD)
    venue.must(Settle(0))
    assert venue.account(0).positions == ()
    assert venue.account(0).cash == 100_000 * USD + sum(PAYOUTS.values()) * USD
    assert [venue.market(m).pool for m in PAYOUTS] == [-payout * USD for payout in PAYOUTS.values()]
    assert [venue.market(m).open_interest for m in PAYOUTS] == [0] * 4
    venue.check()
    venue.must(Settle(1))
    assert venue.account(1).cash == 100_000 * USD - sum(PAYOUTS.values()) * USD
    assert [venue.market(m).pool for m in PAYOUTS] == [0] * 4
    venue.check()


def test_a_put_pays_below_its_strike() -> None:
    """And the call then pays nothing."""
    venue = dated(2)
    venue.give(0, 1, {CALL: COIN, PUT: 2 * COIN})
    expired(venue, 39_999 * USD)
    venue.must(Settle(0), Settle(1))
    assert venue.account(0).cash == 100_000 * USD + 2 * USD


def test_expired_positions_are_paid_out_by_whatever_touches_their_holder() -> None:
    """A withdrawal settles first; the slice may be old by then."""
    venue = dated(2)
    venue.give(0, 1, {CALL: COIN})
    expired(venue, 41_000 * USD)
    venue.must(withdraw(0, 1, 1), at=START + 10_000)
    assert venue.account(0).positions == ()
    assert venue.account(0).cash == 101_000 * USD - 1


def test_a_settlement_leaves_other_positions_alone() -> None:
    """Those still need a fresh price, and the account's status waits for somebody to look."""
    venue = dated(2)
    venue.give(0, 1, {CALL: COIN, PERP: COIN})
    expired(venue, 41_000 * USD)
    assert venue.refusal(Settle(0), at=START + 61) is Reason.ORACLE_STALE
    venue.must(Settle(0))
    assert [position.market for position in venue.account(0).positions] == [PERP]
    assert venue.account(0).status == 0


def test_who_owes_more_than_it_has_is_insolvent_once_settled() -> None:
    """An account without positions and with debt; the chain counts it."""
    venue = dated(2)
    venue.give(0, 1, {CALL: 10 * COIN})
    venue.set_cash(1, 5_000 * USD)
    expired(venue, 41_000 * USD)
    venue.must(Settle(1))
    assert (venue.account(1).status, venue.account(1).cash) == (2, -5_000 * USD)
    assert venue.globals().insolvent == 1
    venue.must(Settle(0))
    venue.check()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(*[st.integers(-5_000, 5_000)] * 3), min_size=4, max_size=4),
    st.integers(1, 2**37),
    st.permutations(range(4)),
)
def test_the_order_of_settlement_is_irrelevant(
    held: list[tuple[int, int, int]], settlement: int, order: list[int]
) -> None:
    """Every holder ends with the same cash, whoever is paid first; each rounding is against its own account."""
    venue = dated(5)
    for account, sizes_ in enumerate(held):
        venue.give(account, 4, {m: 7 * s + 1 for m, s in zip((FUTURE, CALL, PUT), sizes_, strict=True)})
    expired(venue, settlement)
    ends = []
    for turn in (range(5), [4, *order]):
        copy = Venue(dict(venue.leaves), venue.now)
        for account in turn:
            if copy.account(account).positions:
                copy.must(Settle(account))
                copy.check()
        ends.append([copy.account(account).cash for account in range(5)])
        assert all(copy.market(m).open_interest == 0 for m in (FUTURE, CALL, PUT))
        assert all(0 <= copy.market(m).pool < 5 for m in (FUTURE, CALL, PUT))
    assert ends[0] == ends[1]


def test_pricings_are_drawn_once_and_again_after_a_new_slice() -> None:
    """The meter counts drawings: not those that views make, not a second use, and not after an oracle update."""
    venue = dated()
    builder = venue.builder(START + 1)
    builder.margin_of(0)
    mark = venue.mark(CALL)
    builder.apply(trade(LOT, mark, 1, market=CALL))
    assert builder.usage.pricings == 1
    builder.margin_of(0)
    builder.apply(trade(LOT, mark, 2, market=CALL))
    builder.apply(price(START + 1, P))
    builder.apply(trade(LOT, mark, 3, market=CALL))
    assert builder.usage.pricings == 1
    builder.apply(surface(START + 1))
    builder.apply(trade(LOT, mark, 4, market=CALL))
    assert builder.usage.pricings == 2
    sealed = builder.finish()
    result = venue.replay(sealed)
    assert (result.reason, result.usage, result.writes) == (Reason.NONE, sealed.usage, sealed.writes)


def test_a_view_sees_a_new_slice_and_forgets_one_that_is_taken_back() -> None:
    """Sheets drawn for looking follow the block: forward with updates, back with a restored checkpoint."""
    venue = dated()
    venue.give(0, 1, {CALL: COIN})
    builder = venue.builder(START + 1)
    before = builder.margin_of(0)
    checkpoint = builder.checkpoint()
    builder.apply(surface(START + 1, P * 104 // 100))
    after = builder.margin_of(0)
    assert after.equity > before.equity
    builder.apply(trade(LOT, venue.mark(PUT), 1, market=PUT))
    assert builder.usage.pricings == 2
    builder.restore(checkpoint)
    assert builder.margin_of(0) == before
    assert builder.usage.pricings == 0


def test_sheets_of_a_refused_transaction_are_taken_back_with_their_meter() -> None:
    """Otherwise the sealed block would count fewer drawings than its replay."""
    venue = dated()
    builder = venue.builder()
    builder.apply(trade(LOT, P, 1))
    for _ in range(2):
        with pytest.raises(Exception, match=str(int(Reason.PRICE_BAND))):
            builder.apply(trade(LOT, P, 2, market=CALL))
        assert builder.usage.pricings == 0
    builder.apply(trade(LOT, venue.mark(CALL), 2, market=CALL))
    assert builder.usage.pricings == 1
    sealed = builder.finish()
    assert venue.replay(sealed).usage == sealed.usage


def test_expiry_ends_the_time_value() -> None:
    """At expiry the mark is what exercising pays."""
    venue = dated()
    venue.change_series(time=EXPIRY, forward=P * 103 // 100)
    venue.change_underlying(time=EXPIRY)
    ctx = venue.context(EXPIRY)
    assert sheet_of(ctx, CALL).mark == P * 3 // 100
    assert sheet_of(ctx, PUT).mark == 0
