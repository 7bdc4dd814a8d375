"""`rollup claim`: withdrawn money paid out on L1, from L1 alone.

The state is rebuilt from L1 up to the last final batch; the account's leaf in it is the claim. No answer of the
sequencer is needed or used.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import trio
from cyclopts import Parameter

from rollup.cli.amounts import show_usd
from rollup.cli.options import DEFAULT, Common
from rollup.cli.session import Key
from rollup.cli.verify import watching_progress
from rollup.config import ClientConfig, L1Config
from rollup.derive.follower import Follower
from rollup.derive.origin import read_origin
from rollup.derive.pipeline import Pipeline, Progress
from rollup.derive.replica import Replica
from rollup.derive.source import L1Source
from rollup.errors import ConfigError, L1Error
from rollup.l1.account import L1Account
from rollup.l1.artifacts import load_artifact
from rollup.l1.client import L1Client
from rollup.l1.contract import Contract
from rollup.l1.deployment import Deployment
from rollup.store.identity import ChainIdentity
from rollup.store.state import StateStore
from rollup.types.keys import account_key
from rollup.types.leaves import Account

POLL = 1.0
"""Seconds between two looks at whether a withdrawal is final."""


async def claim(
    number: Annotated[
        int | None, Parameter(name="account", help="account to claim for; default: the configured one")
    ] = None,
    *,
    wait: Annotated[float, Parameter(help="seconds to wait for the withdrawal to become final")] = 0.0,
    l1: Annotated[str | None, Parameter(help="HTTP endpoint of an Ethereum node")] = None,
    deployment: Annotated[Path | None, Parameter(help="file written by `rollup deploy`")] = None,
    key: Key = None,
    common: Common = DEFAULT,
) -> None:
    """Collect on L1 what an account has withdrawn. Anyone may pay for it; the money goes to the account's owner."""
    settings = common.settings()
    chain = settings.role(L1Config, url=l1, deployment=deployment)
    config = settings.role(ClientConfig, key=key, account=number)
    if config.key is None or config.account is None:
        raise ConfigError("client: a claim needs --key (it pays for gas) and an account number")
    where, output = Deployment.load(chain.deployment), common.output()
    async with L1Client(chain.url, timeout=chain.timeout) as client:
        vault = Contract(client, where.vault, load_artifact("Vault"))
        payer = L1Account(client, config.key.private_key())
        with watching_progress(output) as watch:
            pipeline = await open_pipeline(client, where, watch)
            due, batch, witness = await _await_due(pipeline, vault, config.account, wait)
        receipt = await vault.transact(payer, "claim", batch, witness)
    paid = next(event for event in vault.decode_events(receipt.logs) if event.name == "Claimed")
    output.result(
        {
            "account": config.account,
            "owner": paid.values["owner"],
            "amount": show_usd(paid.values["amount"]),
            "micro_amount": paid.values["amount"],
            "expected": due,
            "batch": batch,
            "transaction": receipt.tx_hash,
            "gas": receipt.gas_used,
        }
    )


async def open_pipeline(client: L1Client, where: Deployment, watch: Callable[[Progress], None]) -> Pipeline:
    """Derivation of a deployment into memory."""
    origin = await read_origin(client, where.rollup)
    store = StateStore.in_memory(ChainIdentity(origin.chain_id, origin.rollup))
    return Pipeline(Follower(L1Source(client, origin)), Replica(store, origin), on_progress=watch)


async def _await_due(pipeline: Pipeline, vault: Contract, number: int, wait: float) -> tuple[int, int, bytes]:
    """What is due to the account (µUSD), the final batch that says so, and its proof."""
    deadline = trio.current_time() + wait
    while True:
        await pipeline.advance()
        chain, store = pipeline.follower.chain, pipeline.replica.store
        batch = min(chain.finalised, pipeline.replica.batch)
        last = chain.batches[batch].last_number
        with_view = store.view(last)
        try:
            leaf = with_view.read(account_key(number))
        finally:
            with_view.close()
        claimed: int = await vault.call("claimed", number)
        due = Account.decode(leaf).withdrawn - claimed if leaf else 0
        if due > 0:
            return due, batch, store.proof_at(last, [account_key(number)])
        if trio.current_time() >= deadline:
            raise L1Error(
                f"nothing to claim for account {number} in the last final batch, {batch} (`--wait SECONDS` waits)",
                retryable=True,
            )
        await trio.sleep(POLL)
