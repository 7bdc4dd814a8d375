"""`rollup deposit`: money from L1 into an account of the rollup."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from rollup.cli.addresses import read_address
from rollup.cli.amounts import plain_usd, read_usd
from rollup.cli.funding import Bank
from rollup.cli.options import DEFAULT, Common
from rollup.config import ClientConfig, L1Config
from rollup.errors import ConfigError
from rollup.l1.account import L1Account
from rollup.l1.client import L1Client
from rollup.l1.deployment import Deployment


async def deposit(
    amount: Annotated[str, Parameter(help="USD, up to six decimals")],
    *,
    account: Annotated[int | None, Parameter(help="account to pay into; without it a new one is opened")] = None,
    owner: Annotated[str | None, Parameter(help="owner of the new account; default: the key's address")] = None,
    mint: Annotated[bool, Parameter(help="create the money first (devnet token only)", negative=())] = False,
    l1: Annotated[str | None, Parameter(help="URL of the L1 node")] = None,
    key: Annotated[str | None, Parameter(help="pays on L1: file:PATH or dev:N")] = None,
    common: Common = DEFAULT,
) -> None:
    """Deposit money from L1 and tell the account's number. The sequencer credits it with the next blocks."""
    settings = common.settings()
    chain, client_config = settings.role(L1Config, url=l1), settings.role(ClientConfig, key=key)
    if client_config.key is None:
        raise ConfigError("client.key: no key to pay with (--key file:PATH or dev:N)")
    if account is not None and owner is not None:
        raise ConfigError("--owner goes with a new account, --account names an old one: give one of them")
    micro_usd = read_usd(amount)
    deployment = Deployment.load(chain.deployment)
    async with L1Client(chain.url, timeout=chain.timeout) as client:
        payer = L1Account(client, client_config.key.private_key())
        bank = Bank(payer, deployment)
        if mint:
            await bank.mint(micro_usd)
        if account is None:
            funded = await bank.open(read_address(owner, "owner") if owner else payer.address, micro_usd)
        else:
            funded = await bank.deposit(account, micro_usd)
    common.output().result(
        {
            "account": funded.account,
            "amount": plain_usd(funded.amount),
            "micro_amount": funded.amount,
            "inbox_index": funded.inbox_index,
            "gas": funded.gas,
        }
    )
