"""The computation that payments are held against: it agrees with the rules, and notices what is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rollup.demo.escape.reckoning import STRIKES, Prices, check_options, shares, worth
from rollup.demo.markets import SMILE, SPOT
from rollup.demo.report import NotVerified
from rollup.demo.setting import CALL, FAR_CALL, FAR_STRIKE, FUTURE, PUT, SERIES, STRIKE
from rollup.types.genesis import BTC, BTC_PERP
from rollup.types.keys import market_key, series_key, underlying_key
from rollup.types.leaves import MarketKind, Position
from tests.support.ending import NOW, coin, expiry, holder, instrument, state_of

MONTH = 30 * 86_400
OWNER = b"\7" * 20
KINDS = {BTC_PERP: MarketKind.PERP, FUTURE: MarketKind.FUTURE, CALL: MarketKind.CALL, PUT: MarketKind.PUT,
         FAR_CALL: MarketKind.CALL}  # fmt: skip

prices = st.builds(
    Prices,
    perps=st.fixed_dictionaries({BTC_PERP: st.integers(10**9, 10**11)}),
    forward=st.integers(10**9, 10**11),
    svi=st.just(SMILE),
    seconds=st.integers(0, 2 * MONTH),
)
positions = st.dictionaries(
    st.sampled_from(sorted(KINDS)), st.integers(-(10**9), 10**9).filter(bool), max_size=len(KINDS)
)


@given(prices, positions, st.integers(-(10**15), 10**15))
def test_an_account_is_worth_what_margin_finds(given_prices: Prices, held: dict[int, int], cash: int) -> None:
    """The state transition's margin, which is the twin of what the Appraiser does on L1, finds the same to the unit."""
    assume(given_prices.seconds > 0)  # what has expired is closed first, position by position
    svi = given_prices.svi
    slice_ = {"a": svi.a, "b": svi.b, "rho": svi.rho, "m": svi.m, "sigma": svi.sigma}
    strikes = {market: strike for market, (_, strike) in STRIKES.items()}
    more = {
        underlying_key(BTC): coin(mark=given_prices.perps[BTC_PERP]).encode(),
        series_key(BTC, SERIES): expiry(
            expiry=NOW + given_prices.seconds, forward=given_prices.forward, **slice_
        ).encode(),
    }
    for market, kind in KINDS.items():
        series = 0 if kind is MarketKind.PERP else SERIES
        more[market_key(market)] = instrument(kind, BTC, series, strikes.get(market, 0)).encode()
    leaf = holder(OWNER, cash, positions=[Position(market, size, 0) for market, size in sorted(held.items())])
    assert worth(cash, held, given_prices) == state_of({1: leaf}, more).equity(1)


@given(prices)
def test_option_prices_lie_beside_the_formula(given_prices: Prices) -> None:
    """However far the forward is from the strikes and however near the expiry."""
    assert check_options(given_prices) <= 1 + given_prices.forward / 10**9


class Wrong(Prices):
    """Prices of which one is a cent off."""

    def of(self, market: int) -> int:
        """As the rules have it, but for the put."""
        return super().of(market) + 10_000 * (market == PUT)


def test_an_option_price_that_is_off_is_noticed() -> None:
    """By a cent."""
    with pytest.raises(NotVerified, match=f"price of market {PUT}"):
        check_options(Wrong({BTC_PERP: SPOT}, SPOT, SMILE, MONTH))


def test_calls_and_puts_differ_by_the_forward_and_the_strike() -> None:
    """And at the expiry both are what exercising gives."""
    now = Prices({BTC_PERP: SPOT}, SPOT * 11 // 10, SMILE, MONTH)
    assert now.of(CALL) - now.of(PUT) == now.forward - STRIKE
    ended = replace(now, seconds=0)
    assert (ended.of(CALL), ended.of(PUT)) == (ended.forward - STRIKE, 0)
    assert ended.of(FAR_CALL) == ended.forward - FAR_STRIKE == 0


def test_equity_is_rounded_down_once() -> None:
    """Two positions of half a unit each are a unit, and a debt of half a unit is one."""
    two = Prices({1: 500_000, 2: 500_000}, SPOT, SMILE, MONTH)
    assert worth(0, {1: 1, 2: 1}, two) == 1
    assert worth(0, {1: 1}, two) == 0
    assert worth(0, {1: -1}, two) == -1


@given(st.dictionaries(st.integers(0, 100), st.integers(-(10**15), 10**15), min_size=1), st.integers(0, 2 * 10**15))
def test_shares_are_in_full_or_pro_rata(equities: dict[int, int], pot: int) -> None:
    """Nobody gets more than he has, who owes gets nothing, and rounding leaves less than a unit each."""
    paid, total = shares(equities, pot), sum(equity for equity in equities.values() if equity > 0)
    assert paid.keys() == equities.keys()
    if total <= pot:
        assert paid == {account: max(0, equity) for account, equity in equities.items()}
        return
    assert pot - len(equities) < sum(paid.values()) <= pot
    for account, equity in equities.items():
        assert paid[account] * total <= max(0, equity) * pot < (paid[account] + 1) * total
