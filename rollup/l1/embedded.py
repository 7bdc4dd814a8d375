"""The embedded L1: an Ethereum node inside this process, for devnets, demos and tests.

It follows Prague's rules with mainnet's limits on a transaction, funds the public development accounts, and speaks
JSON-RPC over HTTP. **Its state is in memory only**: when the process ends, the chain is gone.
"""

from __future__ import annotations

import trio

from rollup.l1.listening import open_listeners
from rollup.l1.node.config import EmbeddedL1Config
from rollup.l1.node.http import HttpServer
from rollup.l1.node.methods import Methods
from rollup.l1.node.node import EmbeddedNode
from rollup.l1.node.rpc import answer

__all__ = ["EmbeddedL1Config", "run_embedded_l1"]


async def run_embedded_l1(
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    config: EmbeddedL1Config | None = None,
    task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run the node until cancelled; started with its URL. Port 0 takes any free one.

    Whoever reaches the port controls the chain, so the default is loopback. `ConfigError` if the port is taken.
    """
    config = config or EmbeddedL1Config()
    node = await trio.to_thread.run_sync(EmbeddedNode, config)
    methods = Methods(node)
    server = HttpServer(lambda body: answer(methods, body))
    listeners = await open_listeners(host, port)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(node.run_miner)
        if config.block_interval is not None:
            nursery.start_soon(node.run_ticker, config.block_interval)
        await nursery.start(trio.serve_listeners, server.handle, listeners)
        bound_port = listeners[0].socket.getsockname()[1]
        task_status.started(f"http://{host}:{bound_port}")
