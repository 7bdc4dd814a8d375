"""Derivation of a deployed rollup, ready to be stepped by a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rollup.derive.chain import DerivedBatch
from rollup.derive.follower import RANGE, Follower
from rollup.derive.origin import read_origin
from rollup.derive.pipeline import Pipeline
from rollup.derive.replica import OnBlock, Replica
from rollup.derive.source import L1Source
from rollup.l1.client import L1Client
from rollup.store.identity import ChainIdentity
from rollup.store.state import StateStore
from tests.support.deployed import Site
from tests.support.prover import trying_to_prove

LIES = 8
"""Attempts to prove each derived block wrong, others for each block."""


async def derive(
    site: Site,
    *,
    l1: L1Client | None = None,
    store: StateStore | None = None,
    span: int = RANGE,
    confirmations: int = 0,
    on_batch: Callable[[DerivedBatch], None] = lambda _: None,
    on_block: OnBlock | None = None,
) -> Pipeline:
    """A pipeline that has read nothing yet, in memory and through the site's client unless told otherwise.

    Unless the test listens to the blocks itself, each is tried to be proven wrong.
    """
    client = l1 or site.l1
    origin = await read_origin(client, site.deployment.rollup)
    hear = on_block or trying_to_prove(origin.separator, attempts=LIES)
    kept = store or StateStore.in_memory(ChainIdentity(origin.chain_id, origin.rollup))
    replica = Replica(kept, origin, on_block=hear)
    follower = Follower(L1Source(client, origin), anchor=replica.anchor, confirmations=confirmations, span=span)
    return Pipeline(follower, replica, on_batch=on_batch)


async def try_every_block(l1: L1Client, rollup: bytes) -> int:
    """Try to prove every block of a rollup wrong; returns how many there are."""
    origin = await read_origin(l1, rollup)
    store = StateStore.in_memory(ChainIdentity(origin.chain_id, origin.rollup))
    replica = Replica(store, origin, on_block=trying_to_prove(origin.separator, attempts=LIES))
    pipeline = Pipeline(Follower(L1Source(l1, origin)), replica)
    await pipeline.advance()
    assert replica.fraud is None
    return store.committed


def leaves_of(pipeline: Pipeline) -> dict[int, bytes]:
    """The whole derived state, as committed."""
    return dict(pipeline.replica.store.iterate_leaves())


class Liar(L1Client):
    """A client of a node that lies: `distort(method, params, result)` changes what the honest node answered."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.distort: Callable[[str, tuple[Any, ...], Any], Any] = lambda _method, _params, result: result

    async def request(self, method: str, *params: Any, timeout: float | None = None) -> Any:  # noqa: ASYNC109 - of one attempt
        """Ask the honest node, and distort its answer."""
        return self.distort(method, params, await super().request(method, *params, timeout=timeout))
