"""`rollup deploy`: the contracts onto an L1, and their addresses into a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from rollup.cli.addresses import read_address
from rollup.cli.listings import extended, read_name
from rollup.cli.options import DEFAULT, Common
from rollup.cli.output import show
from rollup.config import DeployConfig, L1Config
from rollup.errors import ConfigError, L1Error
from rollup.l1.account import L1Account
from rollup.l1.client import L1Client
from rollup.l1.deployment import Deployment, DeploymentPlan, deploy_contracts
from rollup.types.genesis import devnet_genesis


async def deploy(
    *,
    l1: Annotated[str | None, Parameter(help="URL of the L1 node")] = None,
    key: Annotated[str | None, Parameter(help="pays for it: file:PATH or dev:N")] = None,
    sequencer: Annotated[str | None, Parameter(help="address that posts batches; default: the key's")] = None,
    feeders: Annotated[str | None, Parameter(help="addresses of the oracle feeders, separated by commas")] = None,
    threshold: Annotated[int | None, Parameter(help="how many feeders must sign a price")] = None,
    token: Annotated[str | None, Parameter(help="address of the stablecoin; default: deploy a worthless one")] = None,
    dispute_window: Annotated[int | None, Parameter(help="seconds in which a batch can be proven wrong")] = None,
    instruments: Annotated[str | None, Parameter(help="futures and options to begin with, separated by commas")] = None,
    market_admin: Annotated[str | None, Parameter(help="who lists more: address or dev:N; default: nobody")] = None,
    listing_delay: Annotated[int | None, Parameter(help="seconds from a listing until it opens")] = None,
    out: Annotated[Path | None, Parameter(help="file to write; default: the one of the configuration")] = None,
    force: Annotated[bool, Parameter(help="replace the file if it exists", negative=())] = False,
    common: Common = DEFAULT,
) -> None:
    """Deploy the contracts and write their addresses to a file.

    Everything else comes from the section [deploy] of the configuration; `rollup config deploy` shows it.
    """
    settings, output = common.settings(), common.output()
    chain = settings.role(L1Config, url=l1, deployment=out)
    if chain.deployment.exists() and not force:
        raise ConfigError(f"{chain.deployment} exists: another deployment is written there (--force replaces it)")
    config = settings.role(
        DeployConfig,
        key=key,
        sequencer=sequencer,
        feeders=feeders,
        threshold=threshold,
        token=token,
        dispute_window=dispute_window,
        instruments=instruments,
        market_admin=market_admin,
        listing_delay=listing_delay,
    )
    if config.key is None:
        raise ConfigError("deploy.key: no key to pay for the deployment (--key file:PATH or dev:N)")
    Deployment.check_place(chain.deployment)
    async with L1Client(chain.url, timeout=chain.timeout) as client:
        account = L1Account(client, config.key.private_key())
        deployment = await deploy_contracts(
            account,
            await make_plan(client, config, account.address),
            lambda name, address, gas: output.note(f"{name:<9} {show(address)}  {gas:>11,} gas"),
        )
    deployment.save(chain.deployment)
    output.result(summary(deployment, chain.deployment))


async def make_plan(client: L1Client, config: DeployConfig, deployer: bytes) -> DeploymentPlan:
    """The plan of a configuration, with a genesis at L1's own time; `ConfigError` for terms that lock holders in."""
    head = await client.get_block()
    if head is None:
        raise L1Error("the node has no newest block", retryable=True)
    feeders = tuple(read_address(text, "deploy.feeders") for text in config.feeders)
    plan = DeploymentPlan(
        sequencer=read_address(config.sequencer, "deploy.sequencer") if config.sequencer else deployer,
        genesis=extended(
            devnet_genesis(head.timestamp, feeders, config.threshold), [read_name(name) for name in config.instruments]
        ),
        token=read_address(config.token, "deploy.token") if config.token else None,
        min_stake=config.min_stake,
        dispute_window=config.dispute_window,
        proposer_timeout=config.proposer_timeout,
        force_deadline=config.force_deadline,
        max_time_ahead=config.max_time_ahead,
        max_time_lag=config.max_time_lag,
        reward_delay=config.reward_delay,
        minimum_opening=config.minimum_opening,
        force_fee=config.force_fee,
        force_fee_slope=config.force_fee_slope,
        freeze_grace=config.freeze_grace,
        registration_window=config.registration_window,
        market_admin=read_address(config.market_admin, "deploy.market_admin") if config.market_admin else None,
        listing_delay=config.listing_delay,
    )
    plan.check()
    return plan


def summary(deployment: Deployment, file: Path) -> dict[str, object]:
    """What `rollup deploy` answers."""
    return {
        "chain_id": deployment.chain_id,
        "rollup": deployment.rollup,
        "inbox": deployment.inbox,
        "vault": deployment.vault,
        "verifier": deployment.verifier,
        "token": deployment.token,
        "block": deployment.block,
        "genesis_root": deployment.genesis_root,
        "file": str(file),
    }
