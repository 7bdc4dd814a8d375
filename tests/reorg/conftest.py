"""Fixture: a scene on anvil; tests skip where there is no anvil."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rollup.l1.anvil import find_anvil, run_anvil
from rollup.l1.client import L1Client
from tests.reorg.scene import Scene, open_scene
from tests.support.deployed import Site, prepare_site


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """Two accounts with 10,000 dollars each, a price, everything posted; a challenger that defends."""
    if find_anvil() is None:
        pytest.skip("anvil is not installed: run `npm ci`")
    async with run_anvil() as url, L1Client(url) as l1:
        site = Site(url, l1, await prepare_site(l1))
        async with open_scene(site, tmp_path) as opened:
            yield opened
