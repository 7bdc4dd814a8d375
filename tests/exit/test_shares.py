"""The shares that a plan foretells, for any equities and any pot."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rollup.exit.plan import share_of

MONEY = st.integers(min_value=1, max_value=2**96 - 1)


@given(st.lists(MONEY, min_size=1, max_size=8), st.integers(min_value=0, max_value=2**97))
def test_shares_never_exceed_the_pot_nor_the_equity(equities: list[int], pot: int) -> None:
    """Whole if the pot suffices; else in proportion, and what rounding leaves is less than a unit each."""
    registered = sum(equities)
    shares = [share_of(equity, registered, pot) for equity in equities]
    assert all(0 <= share <= equity for share, equity in zip(shares, equities, strict=True))
    assert sum(shares) <= max(pot, 0)
    if pot >= registered:
        assert shares == equities
    else:
        assert pot - sum(shares) < len(equities)
