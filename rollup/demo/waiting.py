"""Waiting for what other processes do: asked again and again, and given up with a clear word on what did not come."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import trio

from rollup.demo.report import Step
from rollup.errors import PlumblineError

T = TypeVar("T")

POLL: Final = 0.05
"""Seconds between two questions: the figures of the demo are measured with them."""


class GaveUp(PlumblineError):  # noqa: N818 - what happened
    """Something that was waited for did not come in time."""


async def until(step: Step, what: str, probe: Callable[[], Awaitable[T | None]], seconds: float) -> T:
    """The first answer of `probe` that is not None; GaveUp, naming `what`, after `seconds`."""
    step.waiting(what)
    with trio.move_on_after(seconds):
        while True:
            answer = await probe()
            if answer is not None:
                return answer
            await trio.sleep(POLL)
    raise GaveUp(f"waited {seconds:g} s for {what}, in vain")
