"""`rollup claim`: withdrawn money paid out on L1, from L1 alone.

The state is rebuilt from L1 up to the last final batch; the account's leaf in it is the claim. No answer of the
sequencer is needed or used.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from rollup.cli.addresses import read_address
from rollup.cli.amounts import plain_usd, show_usd
from rollup.cli.claims import Planned, Vault, await_claimable
from rollup.cli.options import DEFAULT, Common, ExportFlag
from rollup.cli.output import show
from rollup.cli.session import Key
from rollup.cli.verify import watching_progress
from rollup.config import ClientConfig, L1Config
from rollup.derive.mirror import open_mirror
from rollup.errors import ConfigError
from rollup.exit.amounts import show_cost
from rollup.exit.contracts import find_contracts
from rollup.l1.account import L1Account
from rollup.l1.client import L1Client
from rollup.l1.deployment import Deployment


async def claim(
    number: Annotated[
        int | None, Parameter(name="account", help="account to claim for; default: the configured one")
    ] = None,
    *,
    dry_run: Annotated[
        bool, Parameter(negative=(), help="show what would be claimed and what it costs, send nothing")
    ] = False,
    wait: Annotated[float, Parameter(help="seconds to wait for the withdrawal to become final")] = 0.0,
    l1: Annotated[str | None, Parameter(help="HTTP endpoint of an Ethereum node")] = None,
    rollup: Annotated[str | None, Parameter(help="address of the Rollup contract; default: from the file")] = None,
    deployment: Annotated[Path | None, Parameter(help="file written by `rollup deploy`")] = None,
    key: Key = None,
    export: ExportFlag = None,
    common: Common = DEFAULT,
) -> None:
    """Collect on L1 what an account has withdrawn. Anyone may pay for it; the money goes to the account's owner.

    Tells what it pays and costs, and sends: it can do nothing but pay the owner. With --dry-run it only tells.
    """
    settings = common.settings()
    chain = settings.role(L1Config, url=l1, deployment=deployment, export=export)
    config = settings.role(ClientConfig, key=key, account=number)
    if config.key is None or config.account is None:
        raise ConfigError("client: a claim needs --key (it pays for gas) and an account number")
    address = read_address(rollup, "--rollup") if rollup else Deployment.load(chain.deployment).rollup
    output = common.output()
    async with L1Client(chain.url, timeout=chain.timeout) as client:
        contracts = await find_contracts(client, address)
        vault, payer = Vault(client, contracts.vault.address), L1Account(client, config.key.private_key())
        with watching_progress(output) as watch:
            async with open_mirror(client, address, export=chain.export, on_progress=watch) as mirror:
                proof = await await_claimable(mirror, vault, config.account, patience=wait)
        planned = await vault.plan(payer, proof)
        output.note(
            f"claims {show_usd(planned.amount)} USD for {show(planned.owner)}, the owner of account {config.account}; "
            f"costs about {show_cost(planned.cost)} ETH, and the key holds {show_cost(planned.balance)} ETH"
        )
        if dry_run:
            output.result(_describe(config.account, planned, proof.batch) | {"status": "planned"})
            output.note("nothing was sent: this was a dry run")
            return
        paid = await vault.claim(payer, proof)
    output.result(
        {
            "account": paid.account,
            "owner": paid.owner,
            "amount": plain_usd(paid.amount),
            "micro_amount": paid.amount,
            "batch": paid.batch,
            "transaction": paid.transaction,
            "gas": paid.gas,
        }
    )


def _describe(account: int, planned: Planned, batch: int) -> dict[str, Any]:
    return {
        "account": account,
        "owner": planned.owner,
        "amount": plain_usd(planned.amount),
        "micro_amount": planned.amount,
        "batch": batch,
        "gas": planned.gas,
        "cost_wei": planned.cost,
    }
