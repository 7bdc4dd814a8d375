"""Rounding gains nobody anything, however small the trades and however many."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rollup.types.transactions import Settle
from tests.stf.venue import CALL, FUTURE, LOT, PERP, PUT, P, dated, surface
from tests.stf.world import USD, price, trade


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from((PERP, FUTURE, CALL, PUT)), st.booleans(), st.integers(-9, 9), st.integers(0, 7)),
        min_size=1, max_size=40,
    ),
    st.integers(30_000, 50_000),
)  # fmt: skip
def test_no_sequence_of_dust_trades_gains_by_rounding(steps: list[tuple[int, bool, int, int]], settlement: int) -> None:
    """Two accounts of one owner trade single lots while funding runs, then settle and close: they have no µUSD more."""
    venue = dated(3, 50_000 * USD)
    for market in (PERP, FUTURE, CALL, PUT):
        venue.change_market(market, taker_fee=0, maker_fee=0, tick=1_000)
    venue.change_underlying(max_basis=10**6)
    before = sum(venue.account(n).cash for n in (0, 1))
    nonce = 0
    for market, buys, away, seconds in steps:
        now = venue.now + seconds
        if seconds:
            venue.must(price(now, P, P * (1_000 + away) // 1_000), surface(now, P), at=now)
        nonce += 1
        at = (venue.mark(market) * (1_000 + away) // 1_000 + 7_000) // 1_000 * 1_000
        venue.must(trade(LOT, at, nonce, buyer=int(not buys), seller=int(buys), market=market))
        venue.check()
    venue.change_series(settlement=settlement * USD + 333_333)
    for account in (0, 1):
        for position in venue.account(account).positions:
            if position.market == PERP and account == 0:
                nonce += 1
                buyer = int(position.size > 0)
                venue.must(trade(abs(position.size), P, nonce, buyer=buyer, seller=1 - buyer))
    for account in (0, 1):
        if venue.account(account).positions:
            venue.must(Settle(account))
    assert venue.account(0).positions == venue.account(1).positions == ()
    assert sum(venue.account(n).cash for n in (0, 1)) <= before
    venue.check()
