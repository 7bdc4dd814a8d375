"""The arithmetic that both twins must round alike."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.evm import Contract, contract

WIDE = st.integers(-(1 << 250), 1 << 250) | st.integers(-100, 100)
POSITIVE = st.integers(1, 1 << 120) | st.integers(1, 12)


@pytest.fixture(scope="module")
def libraries() -> Contract:
    """The libraries behind external functions."""
    return contract("StfLibraries")


@settings(deadline=None)
@given(numerator=WIDE, denominator=POSITIVE)
def test_division_rounds_to_the_named_side(libraries: Contract, numerator: int, denominator: int) -> None:
    """Floor goes to minus infinity and ceiling to +∞ whatever the sign."""
    assert libraries.call("divFloor", numerator, denominator) == numerator // denominator
    assert libraries.call("divCeil", numerator, denominator) == -(-numerator // denominator)


@settings(deadline=None)
@given(value=WIDE, bound=st.integers(0, 1 << 200))
def test_clamp_keeps_values_within_the_bound(libraries: Contract, value: int, bound: int) -> None:
    """Both ends of the range belong to it."""
    assert libraries.call("clamp", value, bound) == max(-bound, min(bound, value))
