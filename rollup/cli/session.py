"""A trading session of one command: the sequencer's RPC, the wallet, the account acted for.

Nothing that the sequencer answers decides what a signature is good for: the chain and the contract signed for come from
the user's own configuration, and a sequencer that serves another deployment gets no signature at all.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import msgspec
import trio
from cyclopts import Parameter

from rollup.cli.addresses import read_address
from rollup.cli.options import Common
from rollup.cli.wallet import Wallet
from rollup.config import ClientConfig, L1Config, Settings
from rollup.errors import ConfigError, PlumblineError
from rollup.l1.deployment import Deployment
from rollup.rpc.client import RpcError, RpcUnreachable, WsRpc, connect_ws


class RequestFailed(PlumblineError):  # noqa: N818 - what happened
    """The sequencer refused a request, or did not answer in time."""


Rpc = Annotated[str | None, Parameter(help="the sequencer's WebSocket, ws://…/ws")]
Key = Annotated[str | None, Parameter(help="signs: file:PATH or dev:N")]
Account = Annotated[int | None, Parameter(help="account number acted for")]


class WrongDeployment(PlumblineError):  # noqa: N818 - what was found
    """The sequencer serves another deployment than the one to sign for; nothing was signed."""


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Signing:
    """What is signed for: a deployment file, or chain and contract by themselves."""

    deployment: Annotated[Path | None, Parameter(help="file written by `rollup deploy`: what is signed for")] = None
    chain_id: Annotated[int | None, Parameter(help="L1 chain signed for; default: from the file")] = None
    rollup: Annotated[str | None, Parameter(help="Rollup contract signed for; default: from the file")] = None


SIGNING = Signing()
"""No flag given."""


@dataclass(frozen=True, slots=True)
class Domain:
    """The one deployment that signatures are good for; `markets` as far as its file is at hand."""

    chain_id: int
    rollup: bytes
    markets: Mapping[str, int] = field(default_factory=dict)

    @property
    def shown(self) -> str:
        """In words."""
        return f"Rollup 0x{self.rollup.hex()} on chain {self.chain_id}"


class Served(msgspec.Struct, frozen=True):
    """What of public/status names the deployment."""

    chain_id: int
    rollup: str


class Terms(msgspec.Struct, frozen=True):
    """What of public/get_instrument goes into an order."""

    market: Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
    tick_size: str


@dataclass(frozen=True, slots=True)
class Session:
    """An open connection; `call` turns refusals into one clear line."""

    rpc: WsRpc
    config: ClientConfig
    settings: Settings
    signing: Signing

    async def call(self, method: str, params: dict[str, Any] | None = None, result_type: Any = Any) -> Any:
        """One request. `RequestFailed` with the sequencer's reason and code, or if its answer is no `result_type`."""
        try:
            with trio.fail_after(self.config.timeout):
                return await self.rpc.call(method, params, result_type)
        except RpcError as error:
            raise RequestFailed(f"{method}: {error.message} (code {error.code}) {error.data or ''}".strip()) from error
        except trio.TooSlowError as error:
            raise RequestFailed(f"{method}: no answer within {self.config.timeout:g} s") from error
        except msgspec.ValidationError as error:
            raise RequestFailed(f"{method}: the sequencer's answer makes no sense: {error}") from error

    async def wallet(self) -> Wallet:
        """The key on the configured deployment, once the sequencer has said that it serves that one.

        `ConfigError` if key or deployment is not configured, `WrongDeployment` if the sequencer serves another.
        """
        if self.config.key is None:
            raise ConfigError("client.key: no key to sign with (--key file:PATH or dev:N)")
        domain = self.domain()
        served: Served = await self.call("public/status", result_type=Served)
        if (served.chain_id, served.rollup.lower()) != (domain.chain_id, f"0x{domain.rollup.hex()}"):
            said = f"Rollup {served.rollup[:42]} on chain {served.chain_id}"
            raise WrongDeployment(
                f"nothing signed: the sequencer at {self.config.rpc} serves {said}, "
                f"and signatures are configured for {domain.shown}"
            )
        return Wallet(self.config.key.private_key(), domain.chain_id, domain.rollup)

    async def terms(self, instrument: str) -> Terms:
        """An instrument's terms. `WrongDeployment` for another number than in the deployment file, if there is one."""
        found: Terms = await self.call("public/get_instrument", {"instrument_name": instrument}, Terms)
        markets = self.domain().markets
        if markets and markets.get(instrument) != found.market:
            listed = f"market {markets[instrument]}" if instrument in markets else "no market"
            raise WrongDeployment(
                f"nothing signed: the sequencer says that {instrument} is market {found.market}, "
                f"and in the deployment file it is {listed}"
            )
        return found

    def domain(self) -> Domain:
        """What is signed for: client.chain_id and client.rollup, and the deployment file for what they leave open."""
        chain_id, rollup = self.config.chain_id, self.config.rollup
        address = None if rollup is None else read_address(rollup, "client.rollup")
        if chain_id is not None and address is not None:
            return Domain(chain_id, address)
        found = Deployment.load(self.settings.role(L1Config, deployment=self.signing.deployment).deployment)
        return Domain(chain_id or found.chain_id, address or found.rollup, found.markets)

    def account(self) -> int:
        """The account acted for. `ConfigError` if none is configured."""
        if self.config.account is None:
            raise ConfigError("client.account: which account? (--account N)")
        return self.config.account


@asynccontextmanager
async def open_session(
    common: Common,
    *,
    rpc: str | None = None,
    key: str | None = None,
    account: int | None = None,
    signing: Signing = SIGNING,
) -> AsyncIterator[Session]:
    """Connect to the configured sequencer. `RequestFailed` if it cannot be reached."""
    settings = common.settings()
    config = settings.role(
        ClientConfig, rpc=rpc, key=key, account=account, chain_id=signing.chain_id, rollup=signing.rollup
    )
    try:
        async with connect_ws(config.rpc) as connection:
            yield Session(connection, config, settings, signing)
    except RpcUnreachable as error:
        raise RequestFailed(f"no sequencer at {config.rpc}: {error}") from error
