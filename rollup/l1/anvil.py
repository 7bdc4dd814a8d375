"""anvil, the external development node from `node_modules`: a hundred times as fast as the embedded L1."""

from __future__ import annotations

import os
import platform
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import trio

from rollup.errors import ConfigError, L1Error
from rollup.l1.client import L1Client
from rollup.l1.retry import RetryPolicy

START_SECONDS: Final = 60.0
ATTEMPTS: Final = 3
"""Somebody else may take the port between its choice and anvil's start; anvil ends then."""
_ARCHITECTURES: Final = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def find_anvil() -> Path | None:
    """The anvil executable: `PLUMBLINE_ANVIL`, or the one in `node_modules` of the checkout; None if absent."""
    if override := os.environ.get("PLUMBLINE_ANVIL"):
        return Path(override)
    package = f"anvil-{platform.system().lower()}-{_ARCHITECTURES.get(platform.machine().lower(), 'unknown')}"
    path = Path(__file__).resolve().parents[2] / "node_modules" / "@foundry-rs" / package / "bin" / "anvil"
    return path if path.is_file() else None


@asynccontextmanager
async def run_anvil(
    *,
    chain_id: int = 31_337,
    block_interval: int | None = None,
    genesis_time: int | None = None,
    options: Sequence[str] = (),
) -> AsyncIterator[str]:
    """Run anvil on a free loopback port under Prague's rules, and yield its URL; it is killed on leaving.

    `ConfigError` if there is no anvil, `L1Error` if it does not come up. It enforces neither the gas nor the size
    limit of a transaction; our client does.
    """
    executable = find_anvil()
    if executable is None:
        raise ConfigError("anvil is not installed: run `npm ci`, or set PLUMBLINE_ANVIL")
    command = [str(executable), "--host", "127.0.0.1", "--silent", "--hardfork", "prague"]
    command += ["--chain-id", str(chain_id), "--slots-in-an-epoch", "1", "--gas-limit", "60000000"]
    if block_interval is not None:
        command += ["--block-time", str(block_interval), "--mixed-mining"]
    if genesis_time is not None:
        command += ["--timestamp", str(genesis_time)]
    for attempt in range(1, ATTEMPTS + 1):
        port = _free_port()
        url = f"http://127.0.0.1:{port}"
        process = await trio.lowlevel.open_process([*command, "--port", str(port), *options], stdin=None)
        try:
            if await _is_up(url, process, may_end=attempt < ATTEMPTS):
                yield url
                return
        finally:
            process.kill()
            with trio.CancelScope(shield=True):
                await process.wait()


async def _is_up(url: str, process: trio.Process, *, may_end: bool) -> bool:
    """Wait until anvil answers; False if it ended and may, L1Error if it does not come up."""
    patience = RetryPolicy(attempts=1)
    async with L1Client(url, timeout=2.0, retry_policy=patience) as client:
        with trio.move_on_after(START_SECONDS):
            while process.poll() is None:
                try:
                    await client.chain_id()
                except L1Error:
                    await trio.sleep(0.05)
                else:
                    return True
    if may_end and process.poll() is not None:
        return False
    raise L1Error(f"anvil did not come up; exit code {process.poll()}", retryable=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
