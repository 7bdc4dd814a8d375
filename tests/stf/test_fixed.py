"""Named rounding."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollup.errors import InvalidTransaction
from rollup.stf.fixed import clamp, div_ceil, div_floor, require_range
from rollup.types.limits import CASH_BOUND
from rollup.types.reasons import Reason

integers = st.integers(-(2**200), 2**200)
positive = st.integers(1, 2**100)


@given(integers, positive)
def test_division_rounds_as_named(numerator: int, denominator: int) -> None:
    """Towards minus and plus infinity, for either sign."""
    exact = Fraction(numerator, denominator)
    assert div_floor(numerator, denominator) == floor(exact)
    assert div_ceil(numerator, denominator) == ceil(exact)


@given(integers, positive)
def test_clamp_keeps_within_the_bound(value: int, bound: int) -> None:
    """Values inside stay, others become the nearer end."""
    assert clamp(value, bound) == sorted((-bound, value, bound))[1]


def test_the_range_of_cash_is_open() -> None:
    """±2^62 themselves are out."""
    require_range(CASH_BOUND - 1, 1 - CASH_BOUND, 0)
    for wrong in (CASH_BOUND, -CASH_BOUND):
        with pytest.raises(InvalidTransaction) as refusal:
            require_range(0, wrong)
        assert refusal.value.reason is Reason.CASH_RANGE
