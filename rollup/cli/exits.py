"""What the commands of the way out share: their flags, the connection, and the question before anything is sent."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import trio
from cyclopts import Parameter
from cyclopts.validators import Number

from rollup.cli.addresses import read_address
from rollup.cli.options import Common, ExportFlag
from rollup.cli.telling import Teller
from rollup.config import ClientConfig, L1Config
from rollup.derive.mirror import Mirror, open_mirror
from rollup.errors import ConfigError
from rollup.exit.amounts import show_cost
from rollup.exit.contracts import Contracts, find_contracts
from rollup.exit.errors import NotConfirmed
from rollup.exit.walking import Manner, Planned
from rollup.l1.account import L1Account
from rollup.l1.client import L1Client
from rollup.l1.deployment import Deployment


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Where:
    """The chain to leave, and who pays for gas. Nothing else is needed or asked."""

    l1: Annotated[str | None, Parameter(help="HTTP endpoint of an Ethereum node")] = None
    rollup: Annotated[str | None, Parameter(help="address of the Rollup contract; default: from the file")] = None
    deployment: Annotated[Path | None, Parameter(help="file written by `rollup deploy`")] = None
    key: Annotated[str | None, Parameter(help="pays for gas: file:PATH or dev:N")] = None
    export: ExportFlag = None


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Consent:
    """What may be sent without asking, and how long it may take."""

    yes: Annotated[bool, Parameter(negative=(), help="send without asking")] = False
    dry_run: Annotated[bool, Parameter(negative=(), help="show what would be sent and what it costs, send nothing")] = (
        False
    )
    wait: Annotated[bool, Parameter(negative=(), help="wait for L1's time, to the end")] = False
    patience: Annotated[float, Parameter(help="seconds of L1 standing still after which waiting ends")] = 180.0


Accounts = Annotated[
    tuple[int, ...],
    Parameter(
        negative=(), help="account to get out, whoever owns it; may be repeated", validator=Number(gte=0, lt=2**24)
    ),
]
HERE = Where()
ASKING = Consent()


@dataclass(frozen=True, slots=True)
class Exit:
    """An open way out: who pays, on which contracts, and who tells of it."""

    payer: L1Account
    contracts: Contracts
    teller: Teller
    export: Path | None

    def mirror(self) -> AbstractAsyncContextManager[Mirror]:
        """The state rebuilt from L1, from the export where L1 has let go of its logs."""
        client, rollup = self.contracts.client, self.contracts.rollup.address
        return open_mirror(client, rollup, export=self.export, on_progress=self.teller.watch)


@asynccontextmanager
async def open_exit(where: Where, common: Common) -> AsyncIterator[Exit]:
    """Connect to L1 and find the contracts. `ConfigError` without a key or an address, `L1Error` if L1 fails."""
    settings = common.settings()
    chain = settings.role(L1Config, url=where.l1, deployment=where.deployment, export=where.export)
    config = settings.role(ClientConfig, key=where.key)
    if config.key is None:
        raise ConfigError("client.key: no key to pay for gas with (--key file:PATH or dev:N)")
    address = read_address(where.rollup, "--rollup") if where.rollup else Deployment.load(chain.deployment).rollup
    secret = config.key.private_key()
    async with L1Client(chain.url, timeout=chain.timeout) as client:
        contracts = await find_contracts(client, address)
        with Teller(common.output()) as teller:
            yield Exit(L1Account(client, secret), contracts, teller, chain.export)


def manner_of(consent: Consent, teller: Teller) -> Manner:
    """How to walk, as the flags say."""

    async def agree(planned: Planned) -> bool:
        if consent.dry_run:
            return False
        if not consent.yes:
            await _ask(planned)
        return True

    return Manner(wait=consent.wait and not consent.dry_run, agree=agree, tell=teller.tell, patience=consent.patience)


async def _ask(planned: Planned) -> None:
    """`NotConfirmed` unless somebody at a terminal agrees."""
    if not sys.stdin.isatty():
        raise NotConfirmed("nothing sent: there is no terminal to ask at; --yes sends without asking")
    held, cost = show_cost(planned.quote.balance), show_cost(planned.quote.cost)
    print(f"Send this, for about {cost} ETH in all (the key holds {held})? [y/N] ", end="", file=sys.stderr, flush=True)
    answer = await trio.to_thread.run_sync(sys.stdin.readline, abandon_on_cancel=True)
    if answer.strip().lower() not in {"y", "yes"}:
        raise NotConfirmed("nothing sent, as you wish")
