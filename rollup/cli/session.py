"""A trading session of one command: the sequencer's RPC, the wallet, the account acted for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import trio
from cyclopts import Parameter

from rollup.cli.options import Common
from rollup.cli.wallet import Wallet
from rollup.config import ClientConfig
from rollup.errors import ConfigError, PlumblineError
from rollup.rpc.client import RpcError, RpcUnreachable, WsRpc, connect_ws


class RequestFailed(PlumblineError):  # noqa: N818 - what happened
    """The sequencer refused a request, or did not answer in time."""


Rpc = Annotated[str | None, Parameter(help="the sequencer's WebSocket, ws://…/ws")]
Key = Annotated[str | None, Parameter(help="signs: file:PATH or dev:N")]
Account = Annotated[int | None, Parameter(help="account number acted for")]


@dataclass(frozen=True, slots=True)
class Session:
    """An open connection; `call` turns refusals into one clear line."""

    rpc: WsRpc
    config: ClientConfig

    async def call(self, method: str, params: dict[str, Any] | None = None) -> Any:
        """One request. `RequestFailed` with the sequencer's reason and code."""
        try:
            with trio.fail_after(self.config.timeout):
                return await self.rpc.call(method, params)
        except RpcError as error:
            raise RequestFailed(f"{method}: {error.message} (code {error.code}) {error.data or ''}".strip()) from error
        except trio.TooSlowError as error:
            raise RequestFailed(f"{method}: no answer within {self.config.timeout:g} s") from error

    async def wallet(self) -> Wallet:
        """The key on the deployment that the sequencer serves. `ConfigError` if no key is configured."""
        if self.config.key is None:
            raise ConfigError("client.key: no key to sign with (--key file:PATH or dev:N)")
        status = await self.call("public/status")
        return Wallet(self.config.key.private_key(), status["chain_id"], bytes.fromhex(status["rollup"][2:]))

    def account(self) -> int:
        """The account acted for. `ConfigError` if none is configured."""
        if self.config.account is None:
            raise ConfigError("client.account: which account? (--account N)")
        return self.config.account


@asynccontextmanager
async def open_session(
    common: Common, *, rpc: str | None = None, key: str | None = None, account: int | None = None
) -> AsyncIterator[Session]:
    """Connect to the configured sequencer. `RequestFailed` if it cannot be reached."""
    config = common.settings().role(ClientConfig, rpc=rpc, key=key, account=account)
    try:
        async with connect_ws(config.rpc) as connection:
            yield Session(connection, config)
    except RpcUnreachable as error:
        raise RequestFailed(f"no sequencer at {config.rpc}: {error}") from error
