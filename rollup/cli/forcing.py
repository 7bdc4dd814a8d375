"""What the commands that force something through L1 share: their flags, and the state of the chain by L1 alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from rollup.cli.addresses import read_address
from rollup.cli.options import Common, ExportFlag
from rollup.cli.output import Output, show
from rollup.cli.verify import watching_progress
from rollup.config import ClientConfig, L1Config, Settings
from rollup.derive.mirror import Mirror, open_mirror
from rollup.errors import ConfigError, PlumblineError
from rollup.exit.payloads import account_of
from rollup.l1.account import L1Account
from rollup.l1.client import L1Client
from rollup.l1.deployment import Deployment
from rollup.types.leaves import Account


class NotYours(PlumblineError):  # noqa: N818 - what was found
    """The key may not do this for the account."""


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Forcing:
    """The chain, the account, and who acts. Nothing but an L1 node is asked."""

    account: Annotated[int | None, Parameter(help="account acted for; default: the configured one")] = None
    key: Annotated[str | None, Parameter(help="the account's owner: file:PATH or dev:N")] = None
    payer: Annotated[str | None, Parameter(help="pays on L1, if another key than the owner's: file:PATH or dev:N")] = (
        None
    )
    wallet: Annotated[
        str | None, Parameter(help="a contract that owns the account: tell what it must call, and send nothing")
    ] = None
    l1: Annotated[str | None, Parameter(help="HTTP endpoint of an Ethereum node")] = None
    rollup: Annotated[str | None, Parameter(help="address of the Rollup contract; default: from the file")] = None
    deployment: Annotated[Path | None, Parameter(help="file written by `rollup deploy`")] = None
    export: ExportFlag = None


Waiting = Annotated[
    Literal["consumed", "final"] | None, Parameter(help="wait until a batch takes it, or until that is final")
]
Patience = Annotated[float | None, Parameter(help="seconds after which waiting ends; default: never")]


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Sending:
    """What may be sent without asking, and what is waited for."""

    yes: Annotated[bool, Parameter(negative=(), help="send without asking")] = False
    dry_run: Annotated[bool, Parameter(negative=(), help="explain and estimate, send nothing")] = False
    wait: Waiting = None
    patience: Patience = None


FORCING = Forcing()
SENDING = Sending()


@dataclass(slots=True)
class Force:
    """An open connection to L1, the state rebuilt from it, and who acts."""

    mirror: Mirror
    client: L1Client
    output: Output
    number: int | None
    key: bytes | None
    payer: L1Account | None
    wallet: bytes | None

    @property
    def separator(self) -> bytes:
        """Domain of all signatures."""
        return self.mirror.pipeline.replica.origin.separator

    @property
    def inbox(self) -> bytes:
        """Address of the inbox."""
        return self.mirror.pipeline.replica.origin.inbox

    @property
    def sender(self) -> bytes:
        """Who will have sent the message on L1."""
        if self.wallet is not None:
            return self.wallet
        assert self.payer is not None, "one of the two was required"
        return self.payer.address

    def require_account(self) -> int:
        """The account acted for; `ConfigError` if none is configured."""
        if self.number is None:
            raise ConfigError("client.account: which account? (--account N)")
        return self.number

    def signing_key(self, account: int, *, session: bool = False) -> bytes | None:
        """The key that must sign for the account; None if its L1 sender is enough. `NotYours` if neither may.

        With `session` its session signer may as well.
        """
        found = account_of(self.mirror, account)
        allowed = {found.owner, found.signer} - {bytes(20)} if session else {found.owner}
        if self.sender in allowed:
            return None
        if self.key is not None and L1Account(self.client, self.key).address in allowed:
            return self.key
        raise NotYours(
            f"account {account} belongs to {show(found.owner)}: {_who(found, session)}, not {show(self.sender)}"
        )


@asynccontextmanager
async def open_force(flags: Forcing, common: Common, *, acting: bool = True) -> AsyncIterator[Force]:
    """Connect to L1 and rebuild the state from it, with progress. Without `acting` it takes no key."""
    settings, output = common.settings(), common.output()
    chain = settings.role(L1Config, url=flags.l1, deployment=flags.deployment, export=flags.export)
    config = settings.role(ClientConfig, key=flags.key, account=flags.account)
    wallet = read_address(flags.wallet, "--wallet") if flags.wallet else None
    if acting and config.key is None and flags.payer is None and wallet is None:
        raise ConfigError("client.key: no key to act with (--key file:PATH or dev:N), and no --wallet")
    key = None if config.key is None else config.key.private_key()
    paying = _payer(settings, flags) or key
    address = read_address(flags.rollup, "--rollup") if flags.rollup else Deployment.load(chain.deployment).rollup
    async with L1Client(chain.url, timeout=chain.timeout) as client:
        with watching_progress(output) as watch:
            async with open_mirror(client, address, export=chain.export, on_progress=watch) as mirror:
                await mirror.advance()
                payer = None if paying is None or wallet is not None else L1Account(client, paying)
                yield Force(mirror, client, output, config.account, key, payer, wallet)


def _payer(settings: Settings, flags: Forcing) -> bytes | None:
    source = settings.role(ClientConfig, key=flags.payer).key if flags.payer else None
    return None if source is None else source.private_key()


def _who(account: Account, session: bool) -> str:
    signer = session and account.signer != bytes(20)
    return f"that key or its signer {show(account.signer)} must act" if signer else "that key must act"
