"""What of a chain is listed, and whose orders its books become."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollup.errors import ConfigError, NoSurface
from rollup.quant.chain import Chain, read_chain
from rollup.replay.chain.desks import SHARING, draw_desks, levels_of
from rollup.replay.chain.plan import LOT, TICK, make_plan
from rollup.replay.chain.settings import cut_chain
from rollup.types.limits import MAX_POSITIONS, MILLION
from rollup.types.listing import MarketConfig, SeriesConfig, fault_of
from tests.replay.chain.market import EXPIRIES, STRIKES, write_chain


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    """The made-up chain."""
    return read_chain(write_chain(tmp_path / "chain.csv"))


def test_everything_is_listed_once_and_admissible(chain: Chain) -> None:
    """Series first, so that no market refers to one that is not there yet; the slices are those of the marks."""
    plan = make_plan(chain)
    items = plan.items()
    series = [item for item in items if isinstance(item, SeriesConfig)]
    markets = [item for item in items if isinstance(item, MarketConfig)]
    assert items == [*series, *markets]
    assert [item.expiry for item in series] == sorted(EXPIRIES)
    assert sorted(plan.options) == [item.number for item in markets]
    assert len(set(plan.options)) == len(EXPIRIES) * 2 * len(STRIKES)
    assert [fault_of(item) for item in items] == [None] * len(items)
    for dated in plan.dated:
        forward, svi = EXPIRIES[dated.expiry.expiry]
        assert dated.surface.forward == round(forward * MILLION)
        assert dated.fit.rmse < 1e-4
        assert float(dated.surface.svi.floats().volatility(0.0)) == pytest.approx(float(svi.volatility(0.0)), abs=1e-4)


def test_a_cut_keeps_what_is_nearest_to_the_money(chain: Chain) -> None:
    """The first expiries, and of each the strikes around its forward."""
    cut = cut_chain(chain, 1, 3)
    assert [expiry.expiry for expiry in cut.expiries] == [min(EXPIRIES)]
    assert sorted({quote.strike for quote in cut.expiries[0].quotes}) == [
        8_500 * MILLION,
        9_000 * MILLION,
        9_500 * MILLION,
    ]
    assert cut_chain(chain, None, None) == chain
    with pytest.raises(ConfigError, match="at least one"):
        cut_chain(chain, 0, None)


def test_an_expiry_that_cannot_be_fitted_is_named(chain: Chain) -> None:
    """Of a file with many expiries the user must know which one to leave out."""
    with pytest.raises(NoSurface, match=r"^expiry \d{4}-\d\d-\d\d of the chain: fewer than 5 strikes$"):
        make_plan(cut_chain(chain, None, 3))


def test_desks_share_every_level_and_hold_no_more_markets_than_an_account_may(tmp_path: Path) -> None:
    """Fifty options of one expiry take two groups of desks; nothing is quoted twice and nothing left out."""
    strikes = tuple(range(6_000, 12_250, 250))
    plan = make_plan(read_chain(write_chain(tmp_path / "wide.csv", strikes)))
    desks = draw_desks(plan, 1)
    assert len(desks) == len(plan.dated) * 2 * SHARING
    assert all(len({level.market for level in desk.levels}) <= MAX_POSITIONS for desk in desks)
    quoted = sorted((level for desk in desks for level in desk.levels), key=repr)
    wanted = [
        level
        for dated in plan.dated
        for number, quote in dated.options.items()
        for level in levels_of(number, quote, dated)
    ]
    assert quoted == sorted(wanted, key=repr)
    assert len({desk.key for desk in desks}) == len(desks)
    assert draw_desks(plan, 1) == desks


def test_a_book_in_dollars_is_on_its_grid_and_does_not_cross(chain: Chain) -> None:
    """Bids go down to a tick and asks up."""
    for dated in make_plan(chain).dated:
        for number, quote in dated.options.items():
            levels = levels_of(number, quote, dated)
            bids = [level.wish.price for level in levels if not level.wish.sell]
            asks = [level.wish.price for level in levels if level.wish.sell]
            assert max(bids) < min(asks)
            assert all(price % TICK == 0 for price in bids + asks)
            assert all(level.wish.size % LOT == 0 and level.wish.post_only for level in levels)
            assert max(bids) <= quote.bids[0].price * dated.surface.forward
            assert min(asks) >= quote.asks[0].price * dated.surface.forward
