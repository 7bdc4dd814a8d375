"""What a trade does: money, fees, positions, slots, open interest, and the rule for accounts below their margin."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollup.l1.devkeys import dev_address
from rollup.stf.receipts import Fill
from rollup.types.leaves import Position, Slot
from rollup.types.reasons import Reason
from rollup.types.transactions import FLAG_REDUCE_ONLY, OrderRef, Trade
from tests.stf.world import COIN, FOREVER, START, USD, World, funded, order, price, set_signer, trade

P = 40_000 * USD
LOT = 1_000


def test_a_trade_moves_money_positions_and_fees() -> None:
    """The buyer pays, the seller receives, the taker's fee goes to the chain, both slots remember the fill."""
    world = funded()
    result = world.must(trade(COIN, P, 1))
    fee = 12 * USD
    assert result.receipts[0].detail == Fill(1, P, COIN, 1, 0, False, 1, 1, 0, fee, 0, 0)
    assert world.account(0).cash == 100_000 * USD - P - fee
    assert world.account(1).cash == 100_000 * USD + P
    assert world.account(0).positions == (Position(1, COIN, 0),)
    assert world.account(1).positions == (Position(1, -COIN, 0),)
    assert world.globals().fees == fee
    assert world.market().open_interest == COIN
    assert world.slot(0, 1) == Slot(1, 1, 0, COIN, P, FOREVER, COIN)
    world.check()


def test_the_price_is_the_makers() -> None:
    """A better limit of the taker is not taken from it."""
    world = funded()
    tx = Trade(order(1, True, COIN, P - USD, 1), order(0, False, COIN, P + USD, 1), COIN)
    detail = world.must(tx).receipts[0].detail
    assert isinstance(detail, Fill)
    assert detail.price == P - USD
    world = funded()
    tx = Trade(order(0, False, COIN, P + USD, 1), order(1, True, COIN, P - USD, 1), COIN)
    detail = world.must(tx).receipts[0].detail
    assert isinstance(detail, Fill)
    assert (detail.price, detail.taker_sells) == (P + USD, True)


def test_an_order_fills_in_parts_by_reference() -> None:
    """Its signature is needed once; afterwards the slot names it, on either side of a trade."""
    world = funded()
    world.must(Trade(order(1, True, 3 * LOT, P, 7), order(0, False, 3 * LOT, P, 7), LOT))
    result = world.must(Trade(OrderRef(1, 7), OrderRef(0, 7), LOT), Trade(OrderRef(0, 7), OrderRef(1, 7), LOT))
    assert result.usage.recoveries == 0
    assert world.slot(1, 7).filled == world.slot(0, 7).filled == 3 * LOT
    assert world.refusal(Trade(OrderRef(1, 7), OrderRef(0, 7), LOT)) is Reason.OVERFILL


def test_a_fresh_order_goes_on_where_its_slot_stands() -> None:
    """The same terms sent whole again do not fill twice."""
    world = funded()
    maker = order(1, True, 2 * LOT, P, 7)
    world.must(Trade(maker, order(0, False, LOT, P, 1), LOT), Trade(maker, order(0, False, LOT, P, 2), LOT))
    assert world.slot(1, 7).filled == 2 * LOT
    assert world.refusal(Trade(maker, order(0, False, LOT, P, 3), LOT)) is Reason.OVERFILL


def test_a_newer_nonce_takes_over_the_slot() -> None:
    """Nonces 8,192 apart share a slot; the newer one starts unfilled."""
    world = funded()
    world.must(trade(LOT, P, 5), trade(2 * LOT, P, 5 + 8192))
    assert (world.slot(0, 5).nonce, world.slot(0, 5).filled) == (5 + 8192, 2 * LOT)


def test_the_session_signer_may_trade() -> None:
    """Its signature stands for the owner's on orders."""
    world = funded()
    world.must(set_signer(0, dev_address(5), 1))
    world.must(Trade(order(1, True, LOT, P, 1), order(0, False, LOT, P, 1, key=5), LOT))
    world.must(Trade(order(1, True, LOT, P, 2), order(0, False, LOT, P, 2), LOT))


def test_a_position_goes_through_zero_to_the_other_side() -> None:
    """Open interest counts longs only; a closed position leaves the account."""
    world = funded()
    world.must(trade(2 * LOT, P, 1), trade(3 * LOT, P, 2, buyer=1, seller=0))
    assert (world.account(0).position_in(1), world.account(1).position_in(1)) == (-LOT, LOT)
    assert world.market().open_interest == LOT
    world.must(trade(LOT, P, 3))
    assert world.account(0).positions == world.account(1).positions == ()
    assert world.market().open_interest == 0
    world.check()


def test_positions_stay_in_order_of_their_markets() -> None:
    """Whatever the order in which they were opened."""
    world = funded()
    world.must(trade(10_000, P // 10, 1, market=2), trade(LOT, P, 2, market=1))
    assert [position.market for position in world.account(0).positions] == [1, 2]
    world.must(trade(LOT, P, 3, buyer=1, seller=0, market=1))
    assert [position.market for position in world.account(0).positions] == [2]
    world.check()


def test_a_reduce_only_order_may_close_exactly() -> None:
    """Down to zero, not beyond."""
    world = funded()
    world.must(trade(LOT, P, 1))
    closing = order(0, True, LOT, P, 2, extra=FLAG_REDUCE_ONLY)
    world.must(Trade(order(1, False, LOT, P, 2), closing, LOT))
    assert world.account(0).positions == ()


def test_open_interest_may_shrink_above_its_limit() -> None:
    """The limit stops growth, not the way out."""
    world = funded()
    world.must(trade(3 * LOT, P, 1))
    world.change_market(max_open_interest=LOT)
    assert world.refusal(trade(LOT, P, 2)) is Reason.OPEN_INTEREST
    assert world.refusal(trade(LOT, P, 2, buyer=2, seller=0)) is Reason.NONE
    assert world.refusal(trade(LOT, P, 2, buyer=1, seller=0)) is Reason.NONE


def test_a_position_above_its_limit_may_shrink() -> None:
    """As for open interest."""
    world = funded()
    world.must(trade(3 * LOT, P, 1))
    world.change_market(max_position=LOT)
    assert world.refusal(trade(LOT, P, 2, buyer=1, seller=0)) is Reason.NONE
    assert world.refusal(trade(LOT, P, 2, buyer=0, seller=2)) is Reason.POSITION_LIMIT
    assert world.refusal(trade(6 * LOT, P, 2, buyer=1, seller=0)) is Reason.POSITION_LIMIT


def stressed(equity: int) -> World:
    """Account 0 is long one coin with this equity (µUSD); its initial margin is 10,250 USD."""
    world = funded()
    world.must(trade(COIN, P, 1))
    world.change_account(0, cash=equity - P)
    return world


@pytest.mark.parametrize(
    ("equity", "at", "size", "reason"),
    [
        (10_000 * USD, P, -COIN // 2, Reason.NONE),  # shrinks at the mark: the ratio improves
        (10_000 * USD, P, -COIN, Reason.NONE),  # closes
        (10_000 * USD, P, LOT, Reason.MARGIN),  # enlarges
        (10_000 * USD, P, -2 * COIN, Reason.MARGIN),  # turns to the other side, as large as before
        (
            1_000 * USD,
            P * 96 // 100,
            -COIN // 2,
            Reason.MARGIN,
        ),  # halves the margin, but loses four fifths of the equity
        (1_000 * USD, P * 99 // 100, -COIN // 2, Reason.NONE),  # loses a fifth only
        (-USD, P, -COIN // 2, Reason.MARGIN),  # bankrupt: a smaller margin makes the ratio worse
        (-USD, P, -COIN, Reason.MARGIN),
    ],
)
def test_an_account_below_initial_margin_may_only_improve(equity: int, at: int, size: int, reason: Reason) -> None:
    """It may shrink if equity over maintenance does not fall; anything else needs initial margin."""
    world = stressed(equity)
    seller, buyer = (0, 2) if size < 0 else (2, 0)
    assert world.refusal(trade(abs(size), at, 2, buyer=buyer, seller=seller)) is reason


def test_a_ratio_that_stays_is_allowed() -> None:
    """Of no equity at all, half a position at the mark and without fee leaves none; a µUSD of fee is worse."""
    world = stressed(0)
    assert world.refusal(trade(COIN // 2, P, 2, buyer=2, seller=0)) is Reason.NONE
    world.change_market(maker_fee=1)
    assert world.refusal(trade(COIN // 2, P, 2, buyer=2, seller=0)) is Reason.MARGIN


def test_the_exact_initial_margin_is_enough() -> None:
    """20.5 % of notional is maintenance, a quarter more is initial: one µUSD less is refused."""
    world = funded()
    fee = 12 * USD
    need = P * 205 // 1000 * 5 // 4
    world.change_account(0, cash=need + fee)
    assert world.refusal(trade(COIN, P, 1)) is Reason.NONE
    world.change_account(0, cash=need + fee - 1)
    assert world.refusal(trade(COIN, P, 1)) is Reason.MARGIN


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(-500, 500), st.integers(1, 3)), min_size=1, max_size=8)
)
def test_trading_dust_to_and_fro_gains_nothing(fills: list[tuple[bool, bool, int, int]]) -> None:
    """Two accounts of one owner trade one lot of nearly nothing back and forth: together they never gain a µUSD."""
    world = funded(2, spot=10_000)
    world.change_market(tick=1_000, lot=1_000, band=500_000, maker_fee=1, taker_fee=1)
    together = sum(world.account(n).cash for n in (0, 1))
    for nonce, (buys, taker_sells, away, lots) in enumerate(fills, start=1):
        at = max(5_000, 10_000 + away // 100 * 1_000)
        buyer, seller = (0, 1) if buys else (1, 0)
        world.must(trade(lots * 1_000, at, nonce, buyer=buyer, seller=seller, taker_sells=taker_sells))
        now = sum(world.account(n).cash for n in (0, 1))
        assert now <= together - 2
        together = now
        world.check()


def test_rounding_of_funding_goes_against_both_sides() -> None:
    """Half a µUSD owed is paid as one, half a µUSD due is paid as none."""
    world = funded()
    world.must(trade(LOT, P, 1))
    position = world.account(0).positions[0]
    assert position == Position(1, LOT, 0)
    underlying = replace(world.underlying(), funding_index=500_000 + 1)
    world.leaves[(1 << 32) | 1] = underlying.encode()
    before = [world.account(n).cash for n in (0, 1)]
    fill = world.must(trade(LOT, P, 2, buyer=1, seller=0)).receipts[0].detail
    assert isinstance(fill, Fill)
    paid = {fill.maker: fill.maker_funding, fill.taker: fill.taker_funding}
    assert paid == {0: 1, 1: 0}
    assert world.market().pool == 1
    assert sum(before) - sum(world.account(n).cash for n in (0, 1)) == fill.taker_fee + 1
    world.check()


def test_a_price_in_the_same_block_counts_at_once() -> None:
    """Margin after an oracle update uses the new mark, not prices shocked before it."""
    world = funded()
    world.must(trade(2 * COIN, P, 1))
    world.leaves[(1 << 32) | 1] = replace(world.underlying(), halt_move=10**6).encode()
    later = START + 60
    crash = price(later, P * 82 // 100)
    more = trade(LOT, P * 82 // 100, 2)
    assert world.execute(trade(LOT, P, 3), crash, more, at=later, keep=False).reason is Reason.NONE
    world.change_account(0, cash=world.account(0).cash - 75_000 * USD)
    assert world.execute(trade(LOT, P, 3), at=later, keep=False).reason is Reason.NONE
    result = world.execute(trade(LOT, P, 3), crash, more, at=later, keep=False)
    assert (result.reason, result.index) == (Reason.MARGIN, 2)
