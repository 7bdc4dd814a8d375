"""L1 time: what a transaction sent now would see, and waiting for it to pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import trio

from rollup.errors import L1Error
from rollup.exit.errors import L1StandsStill
from rollup.l1.client import L1Client

_TELL_TIME: Final = bytes.fromhex("4260005260206000f3")
"""Creation code that returns TIMESTAMP; executed as a call it creates nothing."""
PATIENCE: Final = 180.0
"""Seconds without a new time until L1 counts as standing still; Ethereum makes a block every 12."""
POLL: Final = 2.0
"""Seconds between two looks at L1 while others may act."""
RARELY: Final = 6
"""So many times longer between two looks if only time can change anything: about an L1 block."""


async def time_ahead(client: L1Client, newest: int) -> int:
    """L1 time (s) of the next block as the node expects it, at least `newest`, the time of the last one.

    A node that does not say so leaves it at `newest`, which at worst means to wait for one block more.
    """
    try:
        output = await client.call(None, _TELL_TIME, block="pending")
    except L1Error as error:
        if error.retryable:
            raise
        return newest
    expected = int.from_bytes(output, "big") if len(output) == 32 else 0
    return max(newest, expected)


async def await_time(
    client: L1Client,
    after: int,
    what: str,
    *,
    tell: Callable[[int], None] = lambda _now: None,
    patience: float = PATIENCE,
    poll: float = POLL,
    since_block: int | None = None,
) -> None:
    """Wait until L1 time is past `after`, or L1 has a block after `since_block`; `tell` hears the time at each look.

    `L1StandsStill` if it does not move for `patience` seconds, as on a development node without new transactions.
    """
    seen, since = -1, trio.current_time()
    while True:
        head = await client.get_block()
        if head is None:
            raise L1Error("the node has no newest block", retryable=True)
        now = await time_ahead(client, head.timestamp)
        tell(now)
        if now > after or (since_block is not None and head.number > since_block):
            return
        if now > seen:
            seen, since = now, trio.current_time()
        elif trio.current_time() - since >= patience:
            raise L1StandsStill(what, after, now, patience)
        await trio.sleep(poll if since_block is not None else min((after + 1 - now) / 2, RARELY * poll))
