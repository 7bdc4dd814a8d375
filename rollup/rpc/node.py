"""A whole node in one nursery: the sequencer, and the RPC that stands before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import trio

from rollup.rpc.dispatch import Dispatcher
from rollup.rpc.exchange import Feeds, register_exchange
from rollup.rpc.limits import Limits
from rollup.rpc.server import RpcAddress, run_rpc_server
from rollup.rpc.subscriptions import Subscriptions
from rollup.sequencer.options import SequencerOptions
from rollup.sequencer.service import Sequencer, run_sequencer


@dataclass(frozen=True, slots=True)
class Node:
    """A serving node."""

    address: RpcAddress
    sequencer: Sequencer
    dispatcher: Dispatcher


async def run_node(
    options: SequencerOptions,
    host: str,
    port: int,
    *,
    limits: Limits | None = None,
    task_status: trio.TaskStatus[Node] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until cancelled; started once clients can connect. Raises what `run_sequencer` and the port raise."""
    async with trio.open_nursery() as nursery:
        sequencer: Sequencer = await nursery.start(run_sequencer, options)
        bugs: list[BaseException] = []

        def stop_at(bug: BaseException) -> None:
            bugs.append(bug)
            nursery.cancel_scope.cancel()

        dispatcher = Dispatcher(fatal=stop_at)
        register_exchange(dispatcher, sequencer.exchange)
        subscriptions = Subscriptions()
        subscriptions.register(dispatcher)
        feeds = Feeds(sequencer.exchange, subscriptions)
        sequencer.batch_listeners.append(feeds.publish_progress)
        serve = partial(run_rpc_server, limits=limits, health=partial(health, sequencer))
        address: RpcAddress = await nursery.start(serve, dispatcher, host, port)
        task_status.started(Node(address, sequencer, dispatcher))
    if bugs:
        raise bugs[0]


def health(sequencer: Sequencer) -> Mapping[str, Any]:
    """The fields of GET /health."""
    status = sequencer.exchange.status()
    return {
        "head": status.number,
        "posted": status.posted,
        "finalised_batch": status.finalised_batch,
        "alarms": list(status.alarms),
    }
