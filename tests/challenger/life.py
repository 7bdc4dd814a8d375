"""A challenger at work for a test, and an ear for what it tells."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trio

from challenger.service import Challenger, Options, run_challenger
from rollup.l1.devkeys import dev_key
from tests.support.deployed import Site

PATIENCE = 180.0
"""Seconds after which something awaited will not happen any more; py-evm may be slow on a busy machine."""


@dataclass
class Heard:
    """The events that a challenger told."""

    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __call__(self, name: str, _text: str, /, **fields: Any) -> None:
        """Take one event."""
        self.events.append((name, fields))

    @property
    def names(self) -> set[str]:
        """What kinds of event there were, beside the beginning."""
        return {name for name, _ in self.events} - {"watching", "serving", "ready"}

    def all(self, name: str) -> list[dict[str, Any]]:
        """The fields of every event of this name."""
        return [fields for heard, fields in self.events if heard == name]

    async def wait(self, name: str, count: int = 1) -> dict[str, Any]:
        """Wait until there are so many events of this name, and return the last."""
        await until(lambda: len(self.all(name)) >= count)
        return self.all(name)[-1]


async def until(condition: Callable[[], object]) -> None:
    """Wait until the condition holds."""
    with trio.fail_after(PATIENCE):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await trio.sleep(0.005)


@asynccontextmanager
async def challenging(
    site: Site, folder: Path, key: int | None = None, *, audit_ppm: int = 0, **changes: Any
) -> AsyncIterator[tuple[Challenger, Heard]]:
    """A challenger that has read L1 to its head; without a key it watches. It stops with the block."""
    heard = Heard()
    options = Options(
        url=site.url,
        rollup=site.deployment.rollup,
        data=folder,
        key=None if key is None else dev_key(key),
        poll_seconds=0.01,
        audit_ppm=audit_ppm,
        **changes,
    )
    async with trio.open_nursery() as nursery:
        yield await nursery.start(run_challenger, options, heard), heard
        nursery.cancel_scope.cancel()


async def nonces(site: Site, *keys: int) -> list[int]:
    """How many transactions these development accounts have sent."""
    return [await site.l1.get_nonce(site.account(key).address) for key in keys]


async def until_sent(site: Site, *keys: int) -> None:
    """Wait until each of these accounts has a transaction in L1's pool."""
    with trio.fail_after(PATIENCE):
        for key in keys:
            address = site.account(key).address
            while await site.l1.get_nonce(address, "pending") == await site.l1.get_nonce(address):  # noqa: ASYNC110 - as above
                await trio.sleep(0.005)


async def until_gone(pid: int) -> None:
    """Wait until a process that may not be our child has ended."""
    with trio.fail_after(PATIENCE):
        while is_running(pid):  # noqa: ASYNC110 - as above
            await trio.sleep(0.01)


def is_running(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
