"""Cases of what a trade leaves behind: positions, open interest, cash, margin."""
# ruff: noqa: D103 - a case is named after what happens in it, and its reason stands beside it

from __future__ import annotations

from rollup.types.reasons import Reason
from rollup.types.transactions import FLAG_REDUCE_ONLY, Trade
from tests.differential import world as w
from tests.differential.cases import LOT, PRICE, RANGE, Txs, buy, case, fill_account, sell
from tests.differential.world import COIN, DOLLAR, World


@case(Reason.REDUCE_ONLY)
def reduces_nothing(_: World) -> Txs:
    return [Trade(buy(flags=FLAG_REDUCE_ONLY), sell(), LOT)]


@case(Reason.REDUCE_ONLY)
def reduces_through_zero(world: World) -> Txs:
    world.hold(1, {w.BTC_PERP: LOT})
    return [Trade(buy(), sell(flags=FLAG_REDUCE_ONLY), 2 * LOT)]


@case(Reason.NONE)
def closes_exactly(world: World) -> Txs:
    world.hold(1, {w.BTC_PERP: LOT, w.ETH_PERP: -LOT})
    return [Trade(buy(), sell(flags=FLAG_REDUCE_ONLY), LOT)]


@case(Reason.POSITION_LIMIT)
def too_large_a_position(_: World) -> Txs:
    size = 3 * COIN
    return [Trade(buy(market=w.BTC_SMALL, size=size), sell(market=w.BTC_SMALL, size=size), 2 * COIN + LOT)]


@case(Reason.NONE)
def shrinks_above_the_limit(world: World) -> Txs:
    world.hold(1, {w.BTC_SMALL: 4 * COIN})
    return [Trade(buy(market=w.BTC_SMALL), sell(market=w.BTC_SMALL), COIN)]


@case(Reason.OPEN_INTEREST)
def too_much_open_interest(world: World) -> Txs:
    world.set_market(w.BTC_SMALL, open_interest=3 * COIN)
    return [Trade(buy(market=w.BTC_SMALL), sell(market=w.BTC_SMALL), LOT)]


@case(Reason.CASH_RANGE)
def maker_out_of_range(world: World) -> Txs:
    world.set_account(0, cash=RANGE - 1)
    world.set_account(1, cash=RANGE - 1)
    return [Trade(sell(0), buy(1), COIN)]


@case(Reason.CASH_RANGE)
def seller_out_of_range(world: World) -> Txs:
    world.set_account(1, cash=RANGE - 1)
    return [Trade(buy(), sell(), COIN)]


@case(Reason.CASH_RANGE)
def fees_out_of_range(world: World) -> Txs:
    world.set_globals(fees=RANGE - 1)
    return [Trade(buy(), sell(), COIN)]


@case(Reason.CASH_RANGE)
def pool_out_of_range(world: World) -> Txs:
    world.set_market(w.ETH_PERP, pool=RANGE - 1)
    world.hold(0, {w.ETH_PERP: COIN}, index=-2_000)
    return [Trade(buy(), sell(), LOT)]


@case(Reason.CASH_RANGE)
def funding_out_of_range(world: World) -> Txs:
    world.set_account(0, cash=RANGE - 1)
    world.hold(0, {w.BTC_PERP: COIN}, index=2_000)
    return [w.withdraw(0, DOLLAR, 1)]


@case(Reason.CASH_RANGE)
def recipient_out_of_range(world: World) -> Txs:
    world.set_account(1, cash=RANGE - DOLLAR)
    return [w.transfer(0, 1, DOLLAR, 1)]


@case(Reason.CASH_RANGE)
def withdrawals_out_of_range(world: World) -> Txs:
    world.set_globals(withdrawals=RANGE - DOLLAR)
    return [w.withdraw(0, DOLLAR, 1)]


@case(Reason.CASH_RANGE)
def withdrawn_out_of_range(world: World) -> Txs:
    world.set_account(0, withdrawn=RANGE - DOLLAR)
    return [w.withdraw(0, DOLLAR, 1)]


@case(Reason.MARGIN)
def maker_cannot_afford(_: World) -> Txs:
    return [Trade(buy(size=100 * COIN), sell(size=100 * COIN), 100 * COIN)]


@case(Reason.MARGIN)
def taker_cannot_afford(world: World) -> Txs:
    world.set_account(0, cash=10**9 * DOLLAR)
    return [Trade(buy(size=100 * COIN), sell(size=100 * COIN), 100 * COIN)]


@case(Reason.NONE)
def poor_account_shrinks(world: World) -> Txs:
    world.set_account(1, cash=-48_000 * DOLLAR)
    world.hold(1, {w.BTC_PERP: COIN})
    world.set_market(w.BTC_PERP, taker_fee=0, maker_fee=0, open_interest=COIN)
    return [Trade(buy(), sell(), COIN // 2)]


@case(Reason.MARGIN)
def poor_account_shrinks_too_dearly(world: World) -> Txs:
    world.set_account(1, cash=-48_000 * DOLLAR)
    world.hold(1, {w.BTC_PERP: COIN})
    world.set_market(w.BTC_PERP, open_interest=COIN)
    price = PRICE * 96 // 100
    return [Trade(buy(price=price), sell(price=price), COIN // 2)]


@case(Reason.MARGIN)
def insolvent_account_gives_away_its_hedge(world: World) -> Txs:
    world.hold(1, {w.BTC_PERP: COIN, w.BTC_FUTURE: -COIN})
    world.count_interest()
    # From -10 000 to -12 000 dollars, while maintenance margin rises from less than 3 000 to more than 10 000.
    price = PRICE * 102 // 100
    world.set_account(1, cash=-10_000 * DOLLAR + 100 * DOLLAR)
    return [Trade(sell(0, market=w.BTC_FUTURE, price=price), buy(1, market=w.BTC_FUTURE, price=price), COIN)]


@case(Reason.MARGIN)
def insolvent_account_drops_its_hedge_at_a_gain(world: World) -> Txs:
    world.hold(1, {w.BTC_PERP: COIN, w.BTC_FUTURE: -COIN})
    world.count_interest()
    world.set_account(1, cash=-10_000 * DOLLAR + 100 * DOLLAR, status=2, flagged=w.NOW)
    world.set_globals(insolvent=1)
    price = PRICE * 98 // 100
    return [Trade(sell(0, market=w.BTC_FUTURE, price=price), buy(1, market=w.BTC_FUTURE, price=price), COIN)]


@case(Reason.MARGIN)
def withdraws_its_margin(world: World) -> Txs:
    world.hold(0, {w.BTC_PERP: COIN, w.ETH_PERP: -COIN})
    return [w.withdraw(0, 99_000 * DOLLAR + 150_000 * DOLLAR, 1)]


@case(Reason.MARGIN)
def transfers_its_margin(world: World) -> Txs:
    world.hold(2, {w.BTC_PERP: -COIN})
    return [w.transfer(2, 3, 49_000 * DOLLAR, 1)]


@case(Reason.POSITIONS_FULL)
def thirty_third_position(world: World) -> Txs:
    fill_account(world, 0)
    return [Trade(buy(), sell(), LOT)]


@case(Reason.NONE)
def thirty_second_position_closed(world: World) -> Txs:
    fill_account(world, 0)
    return [Trade(buy(market=1_032), sell(market=1_032), LOT), Trade(sell(0, market=1_001, nonce=2), buy(1, market=1_001, nonce=2), LOT)]  # fmt: skip  # noqa: E501


@case(Reason.NONE)
def shrinks_at_zero_equity(world: World) -> Txs:
    world.set_account(1, cash=-50_000 * DOLLAR)
    world.hold(1, {w.BTC_PERP: COIN})
    world.set_market(w.BTC_PERP, taker_fee=0, maker_fee=0, open_interest=COIN)
    return [Trade(buy(), sell(), LOT)]


@case(Reason.NONE)
def closes_above_the_open_interest(world: World) -> Txs:
    world.hold(0, {w.BTC_SMALL: -COIN})
    world.hold(1, {w.BTC_SMALL: COIN})
    world.set_market(w.BTC_SMALL, open_interest=5 * COIN)
    return [Trade(buy(market=w.BTC_SMALL), sell(market=w.BTC_SMALL), LOT)]


@case(Reason.NONE)
def changes_hands_above_the_open_interest(world: World) -> Txs:
    world.hold(1, {w.BTC_SMALL: COIN})
    world.set_market(w.BTC_SMALL, open_interest=5 * COIN)
    return [Trade(buy(market=w.BTC_SMALL), sell(market=w.BTC_SMALL), LOT)]
