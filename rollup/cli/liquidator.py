"""`rollup liquidator`: watch the auctions, bid when the discount is larger than its costs, until stopped."""

from __future__ import annotations

from math import inf
from typing import Annotated, Any

import trio
from cyclopts import Parameter
from cyclopts.validators import Number

from rollup.cli.amounts import read_micro, read_usd, show_usd
from rollup.cli.options import DEFAULT, Common
from rollup.cli.output import Output
from rollup.cli.session import SIGNING, Account, Key, Rpc, Signing, open_session
from rollup.liquidator.bot import Bot, Event
from rollup.liquidator.strategy import MILLION, Limits

Percent = Annotated[str, Parameter(help="in percent of the gross value taken over")]


async def liquidator(
    *,
    cost: Annotated[str, Parameter(help="percent of gross value that closing the slices costs")] = "0.5",
    min_gain: Annotated[str, Parameter(help="USD beyond its costs that a bid must bring")] = "1",
    max_gross: Annotated[str, Parameter(help="USD of gross value taken over by one bid")] = "1000000",
    max_fraction: Annotated[
        float, Parameter(help="percent of a portfolio taken over by one bid", validator=Number(gt=0, lte=100))
    ] = 100.0,
    interval: Annotated[float, Parameter(help="seconds between two looks", validator=Number(gt=0, lte=3600))] = 1.0,
    seconds: Annotated[float | None, Parameter(help="stop after this long", validator=Number(gt=0))] = None,
    rpc: Rpc = None,
    key: Key = None,
    account: Account = None,
    signing: Signing = SIGNING,
    common: Common = DEFAULT,
) -> None:
    """Bid in liquidation auctions for an account. What it takes over it keeps: hedging is left to its owner."""
    limits = Limits(
        read_micro(cost, "--cost") // 100,
        read_usd(min_gain),
        read_usd(max_gross),
        int(max_fraction * MILLION / 100),
    )
    output = common.output()
    async with open_session(common, rpc=rpc, key=key, account=account, signing=signing) as session:
        wallet, number = await session.wallet(), session.account()
        bot = Bot(session.rpc, wallet, number, limits, lambda event: _tell(output, event))
        output.event("watching", f"account {number} bids where the discount exceeds {cost} %", account=number)
        try:
            with trio.move_on_after(inf if seconds is None else seconds):
                await bot.run(interval)
        finally:
            tally = bot.tally
            output.event(
                "summary",
                f"{tally.looks} looks, {tally.bids} bids, {tally.flags} flags, {tally.refused} refused, "
                f"{show_usd(tally.expected_gain)} USD expected",
                looks=tally.looks,
                bids=tally.bids,
                flags=tally.flags,
                refused=tally.refused,
                expected_gain=tally.expected_gain,
            )


def _tell(output: Output, event: Event) -> None:
    offer = event.offer
    fields: dict[str, Any] = {"liquidated": event.account}
    if offer is None:
        why = f"in block {event.detail['block_number']}" if event.kind == "flagged" else event.detail["message"]
        output.event(event.kind, f"{event.kind} account {event.account} anew: {why}", **fields, **event.detail)
        return
    fields |= {"fraction": offer.fraction, "limit": offer.limit, "expected_gain": offer.gain}
    share = f"{offer.fraction / 10_000:g} % of account {offer.account} for at most {show_usd(offer.limit)} USD"
    if event.kind == "bid":
        text = f"bid     {share}, in block {event.detail['block_number']}"
        output.event("bid", text, **fields, **event.detail)
    else:
        text = f"refused {share}: {event.detail['message']}"
        output.event("refused", text, **fields, **event.detail)
