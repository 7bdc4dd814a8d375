"""L1 nodes for tests: the embedded one, and anvil where it is installed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import pytest
import trio

from rollup.l1.account import L1Account
from rollup.l1.anvil import find_anvil, run_anvil
from rollup.l1.artifacts import Artifact, parse_artifact
from rollup.l1.client import L1Client
from rollup.l1.devkeys import dev_key
from rollup.l1.embedded import EmbeddedL1Config, run_embedded_l1

PROBE_PATH = Path(__file__).resolve().parents[1] / "l1" / "probe" / "Probe.json"


@cache
def probe_artifact() -> Artifact:
    """The contract that L1 tests probe nodes with; see `tests/l1/probe/Probe.sol`."""
    return parse_artifact(PROBE_PATH.read_bytes(), str(PROBE_PATH))


@asynccontextmanager
async def serve_embedded(config: EmbeddedL1Config | None = None) -> AsyncIterator[str]:
    """Run an embedded L1 that mines with transactions only, unless told otherwise; yields its URL."""
    settings = config or EmbeddedL1Config(block_interval=None)
    async with trio.open_nursery() as nursery:
        yield await nursery.start(lambda task_status: run_embedded_l1(config=settings, task_status=task_status))
        nursery.cancel_scope.cancel()


@pytest.fixture
async def embedded_url() -> AsyncIterator[str]:
    """URL of a fresh embedded L1."""
    async with serve_embedded() as url:
        yield url


@pytest.fixture
async def embedded(embedded_url: str) -> AsyncIterator[L1Client]:
    """Client of a fresh embedded L1."""
    async with L1Client(embedded_url) as client:
        yield client


@pytest.fixture(params=["embedded", pytest.param("anvil", marks=pytest.mark.anvil)])
async def l1_url(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """URL of a fresh L1: each test runs on the embedded one and on anvil."""
    if request.param == "embedded":
        async with serve_embedded() as url:
            yield url
        return
    if find_anvil() is None:
        pytest.skip("anvil is not installed: run `npm ci`")
    async with run_anvil() as url:
        yield url


@pytest.fixture
async def l1(l1_url: str) -> AsyncIterator[L1Client]:
    """Client of a fresh L1, embedded and anvil in turn."""
    async with L1Client(l1_url) as client:
        yield client


@pytest.fixture
def alice(l1: L1Client) -> L1Account:
    """A funded account on `l1`."""
    return L1Account(l1, dev_key(0))


@pytest.fixture
def bob(l1: L1Client) -> L1Account:
    """Another funded account on `l1`."""
    return L1Account(l1, dev_key(1))
