"""`rollup l1`: the embedded L1 in a process of its own."""

from __future__ import annotations

from typing import Annotated

import trio
from cyclopts import Parameter

from rollup.cli.options import DEFAULT, Common
from rollup.cli.output import Output
from rollup.errors import ConfigError
from rollup.l1.devkeys import dev_address
from rollup.l1.embedded import EmbeddedL1Config, run_embedded_l1


async def serve_l1(
    *,
    host: Annotated[str, Parameter(help="address to listen on; whoever reaches it controls the chain")] = "127.0.0.1",
    port: Annotated[int, Parameter(help="port to listen on; 0 takes a free one")] = 8545,
    chain_id: Annotated[int, Parameter(help="chain id (EIP-155)")] = 31_337,
    block_interval: Annotated[float, Parameter(help="seconds between blocks; 0: only with transactions")] = 1.0,
    genesis_time: Annotated[int | None, Parameter(help="Unix time at which the chain begins; default: now")] = None,
    common: Common = DEFAULT,
) -> None:
    """Run the embedded L1, an Ethereum node in memory, until interrupted. When it stops, its chain is gone."""
    if not 0 <= port <= 65_535 or block_interval < 0 or chain_id < 1:
        raise ConfigError("port, block interval or chain id out of range")
    config = EmbeddedL1Config(chain_id=chain_id, block_interval=block_interval or None, genesis_time=genesis_time)
    async with trio.open_nursery() as nursery:
        url: str = await nursery.start(
            lambda task_status: run_embedded_l1(host, port, config=config, task_status=task_status)
        )
        _announce(common.output(), url, chain_id)


def _announce(output: Output, url: str, chain_id: int) -> None:
    accounts = [f"0x{dev_address(index).hex()}" for index in range(3)]
    text = f"embedded L1, chain {chain_id}, at {url}\nfunded with public development keys dev:0, dev:1, …: {accounts}"
    output.event("listening", text, url=url, chain_id=chain_id, accounts=accounts)
