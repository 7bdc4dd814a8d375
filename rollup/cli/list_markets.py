"""`rollup list`: the market admin announces coins, series and markets."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Annotated

from cyclopts import Parameter

from rollup.cli.listings import (
    Listed,
    Terms,
    Wanted,
    chain_of,
    describe_item,
    read_expiry,
    read_name,
    read_strikes,
    read_usd,
    show_time,
)
from rollup.cli.market_admin import ListingDesk
from rollup.cli.options import DEFAULT, Common
from rollup.cli.output import Output
from rollup.config import ClientConfig, L1Config
from rollup.errors import ConfigError
from rollup.l1.account import L1Account
from rollup.l1.client import L1Client
from rollup.l1.deployment import Deployment
from rollup.types.listing import Item, SeriesConfig


async def list_markets(
    *names: Annotated[str, Parameter(help="SOL, SOL-PERP, BTC-20261225, BTC-20261225T1430, BTC-20261225-60000-C …")],
    chain: Annotated[str | None, Parameter(help="a coin: list a whole chain of one expiry")] = None,
    expiry: Annotated[str | None, Parameter(help="of the chain: YYYYMMDD (8:00 UTC) or YYYYMMDDTHHMM")] = None,
    strikes: Annotated[str | None, Parameter(help="of the chain, in USD: 50000,55000 or 50000:70000:5000")] = None,
    tick: Annotated[str | None, Parameter(help="tick in USD; default: as usual for the coin")] = None,
    lot: Annotated[str | None, Parameter(help="lot in coins; default: as usual for the coin")] = None,
    dry_run: Annotated[bool, Parameter(help="only say what would be announced", negative=())] = False,
    l1: Annotated[str | None, Parameter(help="URL of the L1 node")] = None,
    key: Annotated[str | None, Parameter(help="the market admin's: file:PATH or dev:N")] = None,
    common: Common = DEFAULT,
) -> None:
    """Announce coins, series and markets through the inbox. What they need is announced before them.

    Everything opens for trading after the delay of the deployment, and nothing listed is ever changed or removed. What
    is listed already is left out. Without anything to list it shows all that is listed or announced. Either way the
    numbers of all markets are written to the deployment file, because wallets sign only for those they find there.
    """
    settings, output = common.settings(), common.output()
    place = settings.role(L1Config, url=l1)
    config = settings.role(ClientConfig, key=key)
    wanted = [*map(read_name, names), *_read_chain(chain, expiry, strikes)]
    async with L1Client(place.url, timeout=place.timeout) as client:
        deployment = Deployment.load(place.deployment)
        desk = ListingDesk(client, deployment)
        listed = await desk.listed()
        items = listed.plan(wanted, _read_terms(tick, lot))
        delay = await desk.delay()
        _check_expiries(items, int(time.time()) + delay)
        if wanted:
            output.note(f"{len(items)} to announce; each opens {delay:,} s after its announcement")
        if dry_run:
            for item in items:
                output.event("would_list", describe_item(item), **_fields(item))
            return
        if items and config.key is None:
            raise ConfigError("client.key: no key to announce with (--key file:PATH or dev:N)")
        if not wanted:
            _show_all(output, listed)
        elif items and config.key is not None:
            await _announce(output, desk, L1Account(client, config.key.private_key()), items)
    replace(deployment, markets=listed.names).save(place.deployment)


async def _announce(output: Output, desk: ListingDesk, admin: L1Account, items: list[Item]) -> None:
    async for done in desk.announce(admin, items):
        text = f"{describe_item(done.item)}: opens {show_time(done.opens)}, {done.gas:,} gas"
        output.event("listed", text, **_fields(done.item), opens=done.opens, inbox_index=done.inbox_index, gas=done.gas)


def _show_all(output: Output, listed: Listed) -> None:
    """What there is, as L1 alone tells it."""
    rows = []
    for name, number in listed.names.items():
        market = listed.markets[number]
        expiry = listed.expiries.get((market.underlying, market.series), 0) if market.series else 0
        rows.append((name, number, show_time(market.opens), show_time(expiry) if expiry else ""))
    output.table(("instrument", "market", "opens", "expires"), rows)


def _read_chain(coin: str | None, expiry: str | None, strikes: str | None) -> list[Wanted]:
    if coin is None:
        if expiry or strikes:
            raise ConfigError("--expiry and --strikes belong to a --chain")
        return []
    if expiry is None or strikes is None:
        raise ConfigError("a chain needs --expiry and --strikes")
    return chain_of(coin, read_expiry(expiry), read_strikes(strikes))


def _read_terms(tick: str | None, lot: str | None) -> Terms | None:
    if tick is None and lot is None:
        return None
    if tick is None or lot is None:
        raise ConfigError("--tick and --lot are given together")
    return Terms(read_usd(tick), read_usd(lot))


def _check_expiries(items: list[Item], opens: int) -> None:
    """The rollup would take note of such a series as a no-op; money for that is better kept."""
    for item in items:
        if isinstance(item, SeriesConfig) and item.expiry <= opens:
            raise ConfigError(f"{describe_item(item)}: before it could open, at {show_time(opens)}")


def _fields(item: Item) -> dict[str, object]:
    kind = type(item).__name__.removesuffix("Config").lower()
    return {"item": kind, **{name: getattr(item, name) for name in item.__slots__}}
