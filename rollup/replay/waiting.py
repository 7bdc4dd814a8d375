"""Waiting for what another process decides about: asked again and again, for it tells nobody when it has happened."""

from __future__ import annotations

from collections.abc import Callable

import trio

from rollup.errors import L1Error


async def wait_until(happened: Callable[[], bool], what: str, *, step: float, patience: float = 600.0) -> None:
    """Return once `happened()`, asked every `step` seconds; a retryable `L1Error` if not within `patience` seconds."""
    with trio.move_on_after(patience):
        while not happened():  # noqa: ASYNC110 - see the module: nobody sets an event
            await trio.sleep(step)
        return
    raise L1Error(f"gave up after {patience:g} s waiting until {what}", retryable=True)
