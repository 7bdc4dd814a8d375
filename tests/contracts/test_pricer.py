"""Where the verifier keeps its pricer, and that it judges surfaces and prices options as Python does."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollup.l1.artifacts import load_artifact
from rollup.l1.verdict import pricer_address
from rollup.stf import black76, surface, wad
from tests.support.chain import Chain, reverts
from tests.support.evm import Contract, contract

USD = 1_000_000
PRICES = st.integers(1, (1 << 47) - 1) | st.integers(1_000 * USD, 100_000 * USD)
SLICES = st.tuples(
    st.integers(0, 1 << 33), st.integers(0, 10**10), st.integers(-(10**9) + 1, 10**9 - 1),
    st.integers(-(10**10), 10**10), st.integers(1, 10**10),
)  # fmt: skip


@pytest.fixture(scope="module")
def pricer() -> Contract:
    """The committed pricer."""
    return contract("Pricer")


def test_verifier_creates_its_pricer_where_everybody_looks() -> None:
    """The code on the chain is the committed one, at an address that follows from the verifier's."""
    chain = Chain.create()
    verifier = chain.deploy(load_artifact("Verifier"), load_artifact("Pricer").bytecode)
    assert verifier.call("pricer") == pricer_address(verifier.address)
    assert chain.code(verifier.call("pricer")) == load_artifact("Pricer").deployed_bytecode
    assert chain.code(verifier.address) == load_artifact("Verifier").deployed_bytecode


@pytest.mark.parametrize("code", [b"", b"\xfe", b"\x00"], ids=["none", "invalid", "empty"])
def test_verifier_without_a_pricer_is_not_deployed(code: bytes) -> None:
    """Creation code that creates nothing."""
    chain = Chain.create()
    with reverts("NoPricer"):
        chain.deploy(load_artifact("Verifier"), code)


@settings(deadline=None, max_examples=200)
@given(
    is_call=st.booleans(), strike=PRICES, forward=PRICES, svi=SLICES, time=st.integers(0, 1 << 30),
    step=st.integers(1, 200_000), up=st.integers(0, 10**6), down=st.integers(0, 10**6),
)  # fmt: skip
def test_packed_grid_holds_the_prices_of_python(
    pricer: Contract, is_call: bool, strike: int, forward: int, svi: tuple[int, ...], time: int, step: int, up: int,
    down: int,
) -> None:  # fmt: skip
    """Two a word, the mark once more at the end, from steps and timing that the pricer made itself."""
    steps, timing = pricer.call("makeSteps", step), pricer.call("makeTiming", time, up, down)
    words = pricer.call("drawGrid", is_call, strike, forward, svi, *timing, steps)
    x = wad.ln_ratio(forward, strike)
    spreads = black76.deviations(
        surface.volatility(surface.Slice(*svi), -x), surface.root_time(time), *surface.shock(time, up, down)
    )
    prices = black76.grid(is_call, forward, strike, x, spreads, black76.make_steps(step))
    halves = [half for word in words for half in (word & ((1 << 128) - 1), word >> 128)]
    assert tuple(halves) == (*prices, prices[1])
