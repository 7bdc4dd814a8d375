"""A batcher's parts on a stock of real blocks, and a client that fails where a test wants it to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import trio

from rollup.batcher.alarms import Alarms
from rollup.batcher.contracts import RollupContract
from rollup.batcher.post import Poster, Rhythm
from rollup.l1.account import L1Account
from rollup.l1.client import L1Client
from rollup.l1.devkeys import dev_key
from tests.support.deployed import SEQUENCER, Site
from tests.support.stock import Stock

AT_ONCE = Rhythm(0, 1, 1)
PATIENCE = 180.0
"""Seconds after which something awaited will not happen any more."""


class Died(Exception):  # noqa: N818 - what happened
    """The process ended here."""


class Fragile(L1Client):
    """A client that runs `hook` before or after each request."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.before: dict[str, Callable[[], Awaitable[None]]] = {}
        self.after: dict[str, Callable[[], Awaitable[None]]] = {}

    async def request(self, method: str, *params: Any, timeout: float | None = None) -> Any:  # noqa: ASYNC109
        """Ask the node."""
        if method in self.before:
            await self.before.pop(method)()
        answer = await super().request(method, *params, timeout=timeout)
        if method in self.after:
            await self.after.pop(method)()
        return answer


async def die() -> None:
    """End here."""
    raise Died


def poster_of(stock: Stock, client: L1Client, alarms: Alarms | None = None, **terms: Any) -> Poster:
    """A poster that posts at once, with a short patience."""
    account = L1Account(client, dev_key(SEQUENCER), **terms)
    contract = RollupContract(client, stock.site.deployment.rollup)
    return Poster(contract, account, stock.blocks, alarms or Alarms(), AT_ONCE, stuck_seconds=0.2)


async def tip(site: Site) -> tuple[int, int]:
    """The last batch on L1 and its last block."""
    rollup = site.contract("Rollup")
    index = await rollup.call("batchCount") - 1
    return index, (await rollup.call("batches", index))[5]


async def wait_for(condition: Callable[[], Awaitable[bool]]) -> None:
    """Until it is so."""
    with trio.fail_after(PATIENCE):
        while not await condition():  # noqa: ASYNC110 - it happens on the node
            await trio.sleep(0.02)


def standing(alarms: Alarms) -> set[str]:
    """Keys of the standing alarms."""
    return {text.split(":")[0] for text in alarms.texts()}
