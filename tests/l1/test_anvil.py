"""Starting and stopping anvil."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollup.errors import ConfigError, L1Error
from rollup.l1.anvil import find_anvil, run_anvil
from rollup.l1.client import L1Client
from rollup.l1.retry import RetryPolicy

ONCE = RetryPolicy(attempts=1)


async def fail_inside(urls: list[str]) -> None:
    """Look at a running anvil, tell its URL, and fail."""
    async with run_anvil(chain_id=777, genesis_time=1_640_995_200) as url:
        urls.append(url)
        async with L1Client(url) as client:
            assert await client.chain_id() == 777
            genesis = await client.get_block(0)
            assert genesis is not None
            assert genesis.timestamp == 1_640_995_200
        raise LookupError


@pytest.mark.anvil
@pytest.mark.skipif(find_anvil() is None, reason="anvil is not installed: run `npm ci`")
async def test_anvil_is_gone_after_the_block_even_if_it_failed() -> None:
    """The process is killed whatever happens inside; its settings were ours."""
    urls: list[str] = []
    with pytest.raises(LookupError):
        await fail_inside(urls)
    (url,) = urls
    async with L1Client(url, retry_policy=ONCE) as client:
        with pytest.raises(L1Error):
            await client.chain_id()


async def test_anvil_that_is_not_installed_is_a_configuration_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says how to get it."""
    monkeypatch.setattr("rollup.l1.anvil.find_anvil", lambda: None)
    with pytest.raises(ConfigError, match="npm ci"):
        async with run_anvil():
            pass


async def test_an_anvil_that_ends_at_once_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken executable does not leave us waiting."""
    monkeypatch.setenv("PLUMBLINE_ANVIL", "/bin/false")
    assert find_anvil() == Path("/bin/false")
    with pytest.raises(L1Error, match="did not come up"):
        async with run_anvil():
            pass
