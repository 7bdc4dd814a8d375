"""The processes of a devnet or demo: which command each one is, with which key.

Every flag that matters is given, so that a configuration file or environment of the user's changes nothing here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import trio

from rollup.devnet.processes import GRACE, Event, Role, run_role

BANKER: Final = 0
"""Development key that deploys, pays for deposits, and claims; its money is worth nothing."""
SEQUENCER: Final = 1
CHALLENGER: Final = 2
ADMIN: Final = 3
"""Lists markets."""
FEEDERS: Final = 10
"""First of the feeders' development keys."""
TRADERS: Final = 30
"""First of the traders' development keys."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where a devnet lives: its folder, its L1, the file with its contracts' addresses."""

    folder: Path
    l1_url: str
    deployment: Path

    def log(self, name: str) -> Path:
        """The log file of a role."""
        return self.folder / "logs" / f"{name}.log"


def l1_role(folder: Path, port: int, block_seconds: float = 1.0) -> Role:
    """The embedded L1."""
    arguments = ["l1", "--port", str(port), "--block-interval", str(block_seconds), "--json"]
    return Role("l1", "rollup", arguments, folder / "logs" / "l1.log")


def sequencer_role(
    site: Site,
    key: int,
    *,
    name: str = "sequencer",
    port: int = 0,
    block_seconds: float = 0.25,
    batch_seconds: float = 4.0,
    fault: str | None = None,
) -> Role:
    """A sequencer with a database named after it; `fault` makes it dishonest."""
    arguments = ["sequencer", "--l1", site.l1_url, "--deployment", str(site.deployment), "--port", str(port)]
    arguments += ["--data", str(site.folder / name), "--key", f"dev:{key}", "--confirmations", "0"]
    arguments += ["--block-seconds", str(block_seconds), "--batch-seconds", str(batch_seconds), "--verbose", "--json"]
    if fault is not None:
        arguments += ["--fault", fault]
    return Role(name, "rollup", arguments, site.log(name))


def challenger_role(site: Site, key: int, *, poll_seconds: float = 0.5, audit_ppm: int = 100_000) -> Role:
    """A challenger that defends; it executes a share of the honest blocks in py-evm as well."""
    arguments = ["watch", "--l1", site.l1_url, "--deployment", str(site.deployment), "--mode", "defend"]
    arguments += ["--data", str(site.folder / "challenger"), "--key", f"dev:{key}", "--confirmations", "0"]
    arguments += ["--poll-seconds", str(poll_seconds), "--audit-ppm", str(audit_ppm), "--json"]
    return Role("challenger", "challenger.cli", arguments, site.log("challenger"))


@asynccontextmanager
async def running(
    role: Role, on_event: Callable[[Event], None], *, ready: str = "listening", grace: float = GRACE
) -> AsyncIterator[Event]:
    """Run a role for the time of the block, which gets its first event named `ready`.

    Leaving the block stops it in good order. Raises RoleFailed, in a group, when it ends by itself.
    """
    async with trio.open_nursery() as nursery:
        event: Event = await nursery.start(partial(run_role, role, on_event, ready=ready, grace=grace))
        yield event
        nursery.cancel_scope.cancel()
