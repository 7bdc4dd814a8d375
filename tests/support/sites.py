"""Fixtures: the deployed contracts and an honest poster, for each test anew. A conftest imports what it offers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from rollup.l1.client import L1Client
from tests.support.deployed import Site, open_site, prepare_site
from tests.support.poster import Poster, start_poster


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """The contracts on an embedded L1 of the test's own."""
    async with open_site() as opened:
        yield opened


@pytest.fixture
async def poster(site: Site) -> Poster:
    """An honest poster on `site`, with two accounts opened on L1."""
    honest = await start_poster(site)
    await honest.open(2)
    return honest


@pytest.fixture
async def any_site(l1: L1Client) -> Site:
    """The contracts on each kind of node in turn."""
    return Site(l1.url, l1, await prepare_site(l1))
