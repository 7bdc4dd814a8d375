"""A small JSON-RPC client for Trio, over WebSocket or HTTP.

    async with connect_ws("ws://127.0.0.1:8080/ws") as rpc:
        ticker = await rpc.call("public/get_ticker", {"instrument_name": "BTC-PERP"})
        await rpc.subscribe("trades.BTC-PERP")
        async for note in rpc.notifications():
            print(note.channel, note.data)

Calls from several tasks share a WebSocket and are answered in any order; `send` starts a call without waiting for it.
"""

from rollup.rpc.answers import Notification, NotificationsLost, Reply, RpcDisconnected, RpcError, RpcUnreachable
from rollup.rpc.http_client import HttpRpc, connect_http
from rollup.rpc.ws_client import WsRpc, connect_ws

__all__ = [
    "HttpRpc",
    "Notification",
    "NotificationsLost",
    "Reply",
    "RpcDisconnected",
    "RpcError",
    "RpcUnreachable",
    "WsRpc",
    "connect_http",
    "connect_ws",
]
