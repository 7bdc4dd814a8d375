"""`rollup account`, `book`, `block`, `batch`: what the sequencer shows; `rollup verify` is what proves it."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from rollup.cli.options import DEFAULT, Common
from rollup.cli.session import Rpc, open_session


async def account(
    number: Annotated[int | None, Parameter(help="account number; default: the configured one")] = None,
    *,
    rpc: Rpc = None,
    common: Common = DEFAULT,
) -> None:
    """Cash, margin, positions and open orders of an account."""
    async with open_session(common, rpc=rpc, account=number) as session:
        found = await session.call("private/get_subaccount", {"subaccount_id": session.account()})
    output = common.output()
    if common.json:
        output.result(found)
        return
    nested = ("positions", "open_orders", "collaterals", "greeks")
    output.result({name: value for name, value in found.items() if name not in nested})
    columns = ("instrument_name", "amount", "average_price", "mark_price", "mark_value", "unrealized_pnl")
    output.table(columns, [[row[c] for c in columns] for row in found["positions"]], title="\npositions")
    terms = ("nonce", "instrument_name", "direction", "amount", "filled_amount", "limit_price")
    output.table(terms, [[row[c] for c in terms] for row in found["open_orders"]], title="\nopen orders")


async def book(
    instrument: Annotated[str, Parameter(help="for example BTC-PERP")],
    *,
    depth: Annotated[int, Parameter(help="levels of each side")] = 10,
    rpc: Rpc = None,
    common: Common = DEFAULT,
) -> None:
    """An order book with its mark."""
    async with open_session(common, rpc=rpc) as session:
        found = await session.call("public/get_orderbook", {"instrument_name": instrument, "depth": depth})
        ticker = await session.call("public/get_ticker", {"instrument_name": instrument})
    output = common.output()
    if common.json:
        output.result({**found, "mark_price": ticker["mark_price"]})
        return
    asks = [("", "", *level[:2]) for level in reversed(found["asks"])]
    bids = [(level[1], level[0], "", "") for level in found["bids"]]
    output.table(
        ("bid size", "bid", "ask", "ask size"), [*asks, *bids], title=f"{instrument}, mark {ticker['mark_price']}"
    )


async def block(
    number: Annotated[int | None, Parameter(help="block number; default: the head")] = None,
    *,
    rpc: Rpc = None,
    common: Common = DEFAULT,
) -> None:
    """A block with its header, the sequencer's signature and its batch on L1."""
    async with open_session(common, rpc=rpc) as session:
        if number is None:
            number = (await session.call("public/status"))["head"]
        common.output().result(await session.call("public/get_block", {"number": number}))


async def batch(
    number: Annotated[int | None, Parameter(help="batch number; default: the last on L1")] = None,
    *,
    rpc: Rpc = None,
    common: Common = DEFAULT,
) -> None:
    """A batch on L1 and whether it is final."""
    async with open_session(common, rpc=rpc) as session:
        if number is None:
            number = (await session.call("public/status"))["posted_batch"]
        common.output().result(await session.call("public/get_batch", {"number": number}))
