"""Which rollup on which node a command is about."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from rollup.config import L1Config, Settings
from rollup.errors import ConfigError
from rollup.l1.deployment import Deployment

REPLICA: Final = "replica"
"""Folder of the LevelDB inside a challenger's data folder."""

L1Flag = Annotated[str | None, Parameter(help="HTTP endpoint of an Ethereum node")]
RollupFlag = Annotated[str | None, Parameter(help="address of the Rollup contract; default: from the deployment file")]
DeploymentFlag = Annotated[Path | None, Parameter(help="file written by `rollup deploy`")]
KeyFlag = Annotated[str | None, Parameter(help="pays for proofs and earns rewards: file:PATH or dev:N")]
ConfirmationsFlag = Annotated[int | None, Parameter(help="L1 blocks on top of one before it is believed")]


def find_target(
    settings: Settings,
    l1: str | None,
    rollup: str | None,
    deployment: Path | None,
    confirmations: int | None = None,
    export: Path | None = None,
) -> tuple[L1Config, bytes]:
    """The node, and the address of the Rollup contract; `ConfigError` if either is not to be had."""
    chain = settings.role(L1Config, url=l1, deployment=deployment, confirmations=confirmations, export=export)
    if rollup is None:
        return chain, Deployment.load(chain.deployment).rollup
    if re.fullmatch(r"0x[0-9a-fA-F]{40}", rollup) is None:
        raise ConfigError(f"--rollup: an address is 0x and 40 hexadecimal digits, not {rollup[:60]!r}")
    return chain, bytes.fromhex(rollup[2:])
