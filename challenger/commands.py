"""`challenger watch` and `challenger status`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from challenger.status import read_status
from challenger.target import ConfirmationsFlag, DeploymentFlag, KeyFlag, L1Flag, RollupFlag, find_target
from rollup.cli.options import DEFAULT, Common, ExportFlag
from rollup.config import ChallengerConfig
from rollup.errors import ConfigError

DataFlag = Annotated[Path | None, Parameter(help="folder of the replica, built from L1 alone")]


async def watch(
    *,
    l1: L1Flag = None,
    rollup: RollupFlag = None,
    deployment: DeploymentFlag = None,
    mode: Annotated[str | None, Parameter(help="defend proves fraud on L1, watch only tells")] = None,
    key: KeyFlag = None,
    data: DataFlag = None,
    poll_seconds: Annotated[float | None, Parameter(help="how often L1 is asked for news")] = None,
    audit_ppm: Annotated[int | None, Parameter(help="share of honest blocks executed in py-evm as well, ppm")] = None,
    confirmations: ConfirmationsFlag = None,
    commit: Annotated[bool | None, Parameter(help="commit to a verdict before proving it, so no copy earns")] = None,
    http_port: Annotated[int | None, Parameter(help="serve status, metrics and proofs here; 0 takes any port")] = None,
    http_host: Annotated[str | None, Parameter(help="address to serve them on")] = None,
    export: ExportFlag = None,
    common: Common = DEFAULT,
) -> None:
    """Follow a rollup until interrupted: replay it from L1, audit it in py-evm, prove fraud, claim rewards.

    One line per event. What was replayed is kept in the data folder; start it again and it goes on from there.
    """
    from challenger.service import Options, run_challenger  # noqa: PLC0415 - py-evm takes a second

    settings, output = common.settings(), common.output()
    chain, address = find_target(settings, l1, rollup, deployment, confirmations, export)
    config = settings.role(
        ChallengerConfig,
        mode=mode,
        key=key,
        data=data,
        poll_seconds=poll_seconds,
        audit_ppm=audit_ppm,
        commit=commit,
        http_host=http_host,
        http_port=http_port,
    )
    if config.mode == "defend" and config.key is None:
        raise ConfigError("challenger.key: to defend takes a key (--key file:PATH or dev:N); or only --mode watch")
    options = Options(
        url=chain.url,
        rollup=address,
        data=config.data,
        key=config.key.private_key() if config.key is not None and config.mode == "defend" else None,
        poll_seconds=config.poll_seconds,
        confirmations=chain.confirmations,
        audit_ppm=config.audit_ppm,
        timeout=chain.timeout,
        commit=config.commit,
        commit_blocks=config.commit_blocks,
        export=chain.export,
        http=None if config.http_port is None else (config.http_host, config.http_port),
    )
    await run_challenger(options, output.event)


def status(*, data: DataFlag = None, common: Common = DEFAULT) -> None:
    """Tell what a challenger has found, from the status file in its data folder. `updated` is Unix time."""
    config = common.settings().role(ChallengerConfig, data=data)
    content = read_status(config.data)
    output = common.output()
    if not output.json:
        content["updated"] = f"{max(0.0, time.time() - content['updated']):.1f} s ago"
        content["proofs"] = len(content["proofs"])
    output.result(content)
