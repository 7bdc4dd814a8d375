"""`rollup devnet`: everything on one machine, trading by itself; `rollup actors`: those who trade, on their own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from rollup.cli.options import DEFAULT, Common
from rollup.config import ClientConfig, DevnetConfig, L1Config
from rollup.devnet.lines import line_of
from rollup.devnet.processes import Event
from rollup.devnet.service import Addresses, run_devnet
from rollup.l1.deployment import Deployment

Makers = Annotated[int | None, Parameter(help="demo traders that quote around the mark")]
Takers = Annotated[int | None, Parameter(help="demo traders that cross the spread")]
Feeders = Annotated[int | None, Parameter(help="oracle feeders; two thirds must sign each price")]
FeederSeconds = Annotated[float | None, Parameter(help="time between two prices")]
TraderSeconds = Annotated[float | None, Parameter(help="mean time between two actions of a trader")]
SeriesSeconds = Annotated[int | None, Parameter(help="life of the near series of options")]
CashierSeconds = Annotated[float | None, Parameter(help="time between two withdrawals")]
Seed = Annotated[int | None, Parameter(help="seed of prices and traders")]
Candles = Annotated[Path | None, Parameter(help="CSV of candles (.gz allowed) that drives the first coin")]


async def devnet(
    *,
    seconds: Annotated[float | None, Parameter(help="stop by itself after this long")] = None,
    l1: Annotated[str | None, Parameter(help="URL of a development node; default: the embedded L1")] = None,
    l1_port: Annotated[int | None, Parameter(help="port of the embedded L1; 0 takes a free one")] = None,
    rpc_port: Annotated[int | None, Parameter(help="port of the sequencer; 0 takes a free one")] = None,
    data: Annotated[Path | None, Parameter(help="folder of all data, emptied at each start")] = None,
    challenger: Annotated[bool | None, Parameter(help="run a challenger beside the sequencer")] = None,
    dispute_seconds: Annotated[int | None, Parameter(help="dispute window on L1")] = None,
    makers: Makers = None,
    takers: Takers = None,
    feeders: Feeders = None,
    feeder_seconds: FeederSeconds = None,
    trader_seconds: TraderSeconds = None,
    cashier_seconds: CashierSeconds = None,
    series_seconds: SeriesSeconds = None,
    seed: Seed = None,
    candles: Candles = None,
    common: Common = DEFAULT,
) -> None:
    """Run L1, contracts, sequencer, challenger, feeders and traders until interrupted; one line per event.

    Perpetuals, a future and options of two series are traded; one of the series expires within minutes, settles, and is
    followed by the next.

    Everything is a process of its own and ends with this one, however this one ends. All keys are public development
    keys: nothing here is worth anything.
    """
    config = common.settings().role(
        DevnetConfig,
        seconds=seconds,
        l1=l1,
        l1_port=l1_port,
        rpc_port=rpc_port,
        data=data,
        challenger=challenger,
        dispute_seconds=dispute_seconds,
        makers=makers,
        takers=takers,
        feeders=feeders,
        feeder_seconds=feeder_seconds,
        trader_seconds=trader_seconds,
        cashier_seconds=cashier_seconds,
        series_seconds=series_seconds,
        seed=seed,
        candles=candles,
    )
    output = common.output()
    output.note(f"starting; logs are in {config.data / 'logs'}")

    def ready(addresses: Addresses) -> None:
        deployment = addresses.deployment
        text = (
            f"L1        {addresses.l1}\nRPC       {addresses.http}  {addresses.ws}\n"
            f"contracts Rollup 0x{deployment.rollup.hex()}  Inbox 0x{deployment.inbox.hex()}  "
            f"Vault 0x{deployment.vault.hex()}\nuse it    export PLUMBLINE_L1_URL={addresses.l1} "
            f"PLUMBLINE_CLIENT_RPC={addresses.ws} PLUMBLINE_L1_DEPLOYMENT={addresses.file}"
        )
        fields: dict[str, object] = {"rollup": deployment.rollup, "inbox": deployment.inbox, "vault": deployment.vault}
        fields["deployment"] = str(addresses.file)
        output.event("ready", text, l1=addresses.l1, http=addresses.http, ws=addresses.ws, **fields)

    def tell(event: Event) -> None:
        fields = {name: value for name, value in event.items() if name != "event"}
        output.event(event["event"], line_of(event), **fields)

    await run_devnet(config, ready, tell)
    output.note("stopped; no process is left")


async def actors(
    *,
    l1: Annotated[str | None, Parameter(help="URL of the L1 node")] = None,
    deployment: Annotated[Path | None, Parameter(help="file written by `rollup deploy`")] = None,
    rpc: Annotated[str | None, Parameter(help="the sequencer's WebSocket, ws://…/ws")] = None,
    makers: Makers = None,
    takers: Takers = None,
    feeders: Feeders = None,
    feeder_seconds: FeederSeconds = None,
    trader_seconds: TraderSeconds = None,
    cashier_seconds: CashierSeconds = None,
    series_seconds: SeriesSeconds = None,
    seed: Seed = None,
    candles: Candles = None,
    common: Common = DEFAULT,
) -> None:
    """Run a devnet's feeders and demo traders until interrupted. They use public development keys."""
    from rollup.devnet.actors import Cast, run_actors  # noqa: PLC0415 - the devnet itself does without

    settings, output = common.settings(), common.output()
    chain = settings.role(L1Config, url=l1, deployment=deployment)
    client = settings.role(ClientConfig, rpc=rpc)
    config = settings.role(
        DevnetConfig,
        makers=makers,
        takers=takers,
        feeders=feeders,
        feeder_seconds=feeder_seconds,
        trader_seconds=trader_seconds,
        cashier_seconds=cashier_seconds,
        series_seconds=series_seconds,
        seed=seed,
        candles=candles,
    )
    cast = Cast(
        makers=config.makers,
        takers=config.takers,
        feeders=config.feeders,
        feeder_seconds=config.feeder_seconds,
        trader_seconds=config.trader_seconds,
        cashier_seconds=config.cashier_seconds,
        series_seconds=config.series_seconds,
        seed=config.seed,
        candles=config.candles,
    )
    await run_actors(chain.url, client.rpc, Deployment.load(chain.deployment), cast, output.event)
