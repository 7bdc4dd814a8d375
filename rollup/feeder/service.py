"""A feeder's process: one or more keys, its sources, and either the lead or an endpoint for those who lead, or both.

sources ─► opinion ─┬─► leader ─► panel ─► own keys
                    │               └────► peers' endpoints
                    └─► judge  ◄─ endpoint ◄─ other leaders
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final

import structlog
import trio

from rollup.errors import ConfigError
from rollup.feeder.endpoint import Follower, register_follower
from rollup.feeder.judge import Judge
from rollup.feeder.opinion import Opinion
from rollup.feeder.panel import OwnKey, Panel, Peer, Signer
from rollup.feeder.rounds import Keep, Leader, Tell
from rollup.feeder.venue import Known, Venue, VenueSilent
from rollup.rpc.client import HttpRpc, RpcDisconnected, RpcError, RpcUnreachable, WsRpc, connect_http, connect_ws
from rollup.rpc.dispatch import Dispatcher
from rollup.rpc.server import RpcAddress, run_rpc_server

log = structlog.get_logger(__name__)

AWAY_SECONDS: Final = 1.0
"""Pause before a sequencer that is away is tried again."""


@dataclass(frozen=True, slots=True)
class FeederOptions:
    """A feeder. `rpc` is a node's ws:// or http:// URL, `listen` where it follows (None: it does not).

    It leads every `seconds`, asking `peers` too, unless `leads` is False. `tolerance` in ppm. `standby` and `keep` as
    in `Leader`.
    """

    rpc: str
    separator: bytes
    keys: tuple[bytes, ...]
    opinion: Opinion
    clock: Callable[[], float]
    seconds: float = 1.0
    leads: bool = True
    standby: float = 0.0
    peers: tuple[str, ...] = ()
    listen: tuple[str, int] | None = None
    tolerance: int = 5_000
    keep: Keep | None = None


async def run_feeder(
    options: FeederOptions, tell: Tell, *, task_status: trio.TaskStatus[RpcAddress | None] = trio.TASK_STATUS_IGNORED
) -> None:
    """Serve until cancelled, the node away or not; started with the endpoint's address, if there is one."""
    if options.listen is not None and len(options.keys) != 1:
        raise ConfigError("a feeder that signs for others holds exactly one key")
    async with trio.open_nursery() as nursery:
        judge = Judge(options.opinion, lambda: look(options.rpc), options.clock, options.tolerance)
        address: RpcAddress | None = None
        if options.listen is not None:
            dispatcher = Dispatcher()
            register_follower(dispatcher, Follower(options.keys[0], options.separator, judge))
            host, port = options.listen
            serve = lambda task_status: run_rpc_server(dispatcher, host, port, task_status=task_status)  # noqa: E731
            address = await nursery.start(serve)
        if options.leads:
            nursery.start_soon(_lead, options, judge, tell)
        task_status.started(address)


async def look(rpc: str) -> Known:
    """The oracle's part of the state, on a connection of its own."""
    async with open_rpc(rpc) as connection:
        return await Venue(connection).known()


def open_rpc(url: str) -> AbstractAsyncContextManager[WsRpc | HttpRpc]:
    """A connection to ws://host:port[/ws] or http://host:port; `ConfigError` for anything else."""
    if url.startswith("ws://"):
        return connect_ws(url if url.removeprefix("ws://").count("/") else f"{url}/ws")
    if url.startswith("http://"):
        return connect_http(url if url.endswith("/") else f"{url}/")
    raise ConfigError(f"{url[:60]!r} is neither ws://… nor http://…")


async def _lead(options: FeederOptions, judge: Judge, tell: Tell) -> None:
    """Lead on one connection after the other. Several keys in one process share its judge as they share its opinion."""
    signers: list[Signer] = [OwnKey(key, judge) for key in options.keys]
    panel = Panel(options.separator, [*signers, *map(Peer, options.peers)])
    leader: Leader | None = None
    while True:
        try:
            async with open_rpc(options.rpc) as connection:
                venue = Venue(connection)
                leader = leader or Leader(
                    venue, panel, options.opinion, tell, options.standby, options.keep, options.clock
                )
                leader.connect(venue)
                await leader.lead(options.seconds)
        except* (RpcDisconnected, RpcError, RpcUnreachable, VenueSilent) as gone:
            log.warning("sequencer_away", errors=[str(each) for each in gone.exceptions])
        if leader is not None:
            leader.connect(None)
            # Holders may need these prices the more: `rollup force prices` brings them through L1.
            await leader.go_alone(int(options.clock()))
        await trio.sleep(max(AWAY_SECONDS, options.seconds))
