"""`rollup feeder`: one or several keys of the oracle set, with sources of their own."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal, cast

import structlog
import trio
from cyclopts import Parameter

from rollup.cli.options import DEFAULT, Common
from rollup.cli.output import Output
from rollup.config import ClientConfig, FeederConfig, L1Config
from rollup.config.secrets import read_key
from rollup.crypto.eip712 import domain_separator
from rollup.crypto.signatures import address_of
from rollup.derive.origin import read_origin
from rollup.errors import ConfigError, L1Error
from rollup.feeder.journal import Journal
from rollup.feeder.opinion import Opinion
from rollup.feeder.rounds import Update
from rollup.feeder.service import FeederOptions, run_feeder
from rollup.feeder.sources import Kind, SourceSettings, open_sources, read_walks
from rollup.feeder.statements import surface_of
from rollup.l1.client import L1Client
from rollup.l1.deployment import Deployment
from rollup.l1.retry import RetryPolicy
from rollup.types.genesis import decode_leaves
from rollup.types.instruments import symbol_of
from rollup.types.keys import ORACLE_SET
from rollup.types.leaves import OracleSet
from rollup.types.limits import MILLION
from rollup.types.prices import OracleUpdate

log = structlog.get_logger(__name__)


async def serve_feeder(
    *,
    key: Annotated[
        str | None, Parameter(help="keys of the oracle set, separated by commas: file:PATH or dev:N")
    ] = None,
    source: Annotated[Literal["walk", "candles", "chain"] | None, Parameter(help="where prices come from")] = None,
    file: Annotated[Path | None, Parameter(help="CSV of candles (.gz allowed) or of an option chain")] = None,
    coin: Annotated[str | None, Parameter(help="coin that follows the candles")] = None,
    walks: Annotated[str | None, Parameter(help="coins that walk, with first prices: BTC=60000,ETH=3000")] = None,
    seed: Annotated[int | None, Parameter(help="seed of the walks")] = None,
    speed: Annotated[float | None, Parameter(help="recorded seconds of candles that pass in one")] = None,
    begin: Annotated[int | None, Parameter(help="Unix second at which the sources begin; default: now")] = None,
    interval: Annotated[float | None, Parameter(help="seconds between two rounds")] = None,
    leads: Annotated[bool | None, Parameter(help="propose updates, or only sign what others propose")] = None,
    standby: Annotated[float | None, Parameter(help="lead only while a price is this old, in seconds")] = None,
    peers: Annotated[
        str | None, Parameter(help="http://host:port of feeders that co-sign, separated by commas")
    ] = None,
    listen: Annotated[str | None, Parameter(help="host:port where other feeders ask for signatures")] = None,
    tolerance: Annotated[int | None, Parameter(help="how far a proposal may be from the own sources, ppm")] = None,
    journal: Annotated[
        Path | None, Parameter(help="file that keeps every signed update, for `rollup force prices`")
    ] = None,
    seconds: Annotated[float | None, Parameter(help="stop by itself after this long")] = None,
    rpc: Annotated[str | None, Parameter(help="a node's WebSocket or HTTP address")] = None,
    l1: Annotated[str | None, Parameter(help="HTTP endpoint of an Ethereum node, which has the oracle set")] = None,
    deployment: Annotated[Path | None, Parameter(help="file written by `rollup deploy`")] = None,
    common: Common = DEFAULT,
) -> None:
    """Price coins and expiries until interrupted: spot and perpetual mark, forward, volatility slice, confidence.

    On a devnet one process holds all keys. In production each feeder holds one: some `--listen` and sign what agrees
    with their own sources, and one that leads asks them (`--peers`). Those who co-sign need the same sources, seed and
    begin. What the rollup does not allow at once arrives in steps; a refused update costs nothing but itself. With a
    journal, which is best made public, no sequencer can hold back what they signed.
    """
    settings, output = common.settings(), common.output()
    config = settings.role(
        FeederConfig, keys=key, source=source, file=file, coin=coin, walks=walks, seed=seed, speed=speed, begin=begin,
        interval=interval, leads=leads, standby=standby, peers=peers, listen=listen, tolerance=tolerance,
        journal=journal,
    )  # fmt: skip
    chain = settings.role(L1Config, url=l1, deployment=deployment)
    where = Deployment.load(chain.deployment)
    options = make_options(config, settings.role(ClientConfig, rpc=rpc).rpc, where)
    await check_keys(options.keys, chain, where.rollup)
    if config.journal is not None:
        options = replace(options, keep=Journal(config.journal).keep)
    with trio.move_on_after(float("inf") if seconds is None else seconds):
        async with trio.open_nursery() as nursery:
            address = await nursery.start(run_feeder, options, lambda update: _show(output, update))
            url = address.http_url if address else None
            addresses = [address_of(each) for each in options.keys]
            names = ", ".join(f"0x{each.hex()}" for each in addresses)
            text = f"feeder    {names} {'leads' if options.leads else 'follows'}{f' at {url}' if url else ''}"
            output.event("feeding", text, feeders=addresses, leads=options.leads, url=url)


def make_options(config: FeederConfig, rpc: str, deployment: Deployment) -> FeederOptions:
    """A feeder of this configuration; `ConfigError` for keys, sources or addresses that cannot be used."""
    if not config.keys:
        raise ConfigError("feeder.keys: a feeder needs a key (--key file:PATH or dev:N)")
    sources = SourceSettings(
        cast("Kind", config.source), config.file, config.coin, read_walks(config.walks), config.seed, config.speed
    )
    begin = int(time.time()) if config.begin is None else config.begin
    return FeederOptions(
        rpc=rpc,
        separator=domain_separator(deployment.chain_id, deployment.rollup),
        keys=tuple(_read_key(text) for text in config.keys),
        opinion=Opinion(open_sources(sources), begin),
        clock=time.time,
        seconds=config.interval,
        leads=config.leads,
        standby=config.standby,
        peers=config.peers,
        listen=None if config.listen is None else _read_address(config.listen),
        tolerance=config.tolerance,
    )


async def check_keys(keys: Sequence[bytes], chain: L1Config, rollup: bytes) -> None:
    """`ConfigError` for a key that is not in the oracle set, which a deployment fixes for ever in its genesis on L1.

    Where L1 does not answer or has let go of its old logs, that is only told: prices need nothing of L1.
    """
    try:
        async with L1Client(chain.url, timeout=chain.timeout, retry_policy=RetryPolicy(attempts=1)) as client:
            origin = await read_origin(client, rollup)
    except L1Error as error:
        log.warning("oracle_set_unknown", l1=chain.url, error=str(error))
        return
    feeders = OracleSet.decode(decode_leaves(origin.leaves)[ORACLE_SET]).feeders
    for address in map(address_of, keys):
        if address not in feeders:
            known = ", ".join(f"0x{each.hex()}" for each in feeders)
            raise ConfigError(f"feeder.keys: 0x{address.hex()} is not in the oracle set, and signs in vain: {known}")


def _read_key(text: str) -> bytes:
    try:
        return read_key(text, plain_allowed=False).private_key()
    except ValueError as error:
        raise ConfigError(f"feeder.keys: {error}") from None


def _read_address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise ConfigError(f"feeder.listen: {text[:60]!r} is no host:port")
    return host, int(port)


def _show(output: Output, update: Update) -> None:
    """A line per accepted update."""
    said, coin = update.statement, symbol_of(update.statement.underlying)
    if isinstance(said, OracleUpdate):
        text = f"price     {coin} spot {said.spot / MILLION:,.2f}, mark {said.mark / MILLION:,.2f}"
        output.event("price", text, coin=coin, time=said.time, spot=said.spot, mark=said.mark, block=update.block)
        return
    volatility = float(surface_of(said).svi.floats().volatility(0.0))
    what = "closed at" if update.settles else "forward"
    text = f"surface   {coin} series {said.series}: {what} {said.forward / MILLION:,.2f}, volatility {volatility:.1%}"
    output.event(
        "surface", text, coin=coin, series=said.series, time=said.time, forward=said.forward, volatility=volatility,
        confidence=said.confidence, closes=update.settles is not None, block=update.block,
    )  # fmt: skip
