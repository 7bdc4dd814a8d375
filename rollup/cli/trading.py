"""`rollup order`, `cancel`, `withdraw`: signed here, executed by the sequencer, acknowledged once durable."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from cyclopts import Parameter
from cyclopts.validators import Number

from rollup.cli.amounts import read_micro, read_usd
from rollup.cli.options import DEFAULT, Common
from rollup.cli.session import SIGNING, Account, Key, Rpc, Session, Signing, Terms, open_session
from rollup.cli.wallet import ORDER_LIFE
from rollup.errors import ConfigError
from rollup.types.transactions import FreshOrder

TimeInForce = Literal["gtc", "post_only", "ioc", "fok"]


async def order(
    side: Annotated[Literal["buy", "sell"], Parameter(help="buy or sell")],
    instrument: Annotated[str, Parameter(help="for example BTC-PERP")],
    amount: Annotated[str, Parameter(help="coins, for example 0.25")],
    price: Annotated[
        str | None, Parameter(help="limit in USD; without it a market order, at most 2 % off the mark (options: 20 %)")
    ] = None,
    *,
    time_in_force: Annotated[
        TimeInForce | None, Parameter(help="gtc rests, post_only only rests, ioc and fok never")
    ] = None,
    reduce_only: Annotated[bool, Parameter(negative=(), help="never enlarge or turn the position")] = False,
    seconds: Annotated[
        int, Parameter(help="how long the order may live", validator=Number(gte=0, lt=2**32))
    ] = ORDER_LIFE,
    rpc: Rpc = None,
    key: Key = None,
    account: Account = None,
    signing: Signing = SIGNING,
    common: Common = DEFAULT,
) -> None:
    """Place an order. Prints what became of it and its trades."""
    wish = time_in_force or ("ioc" if price is None else "gtc")
    if price is None and wish in {"gtc", "post_only"}:
        raise ConfigError("--time-in-force: an order without a price can only be ioc or fok")
    size = read_micro(amount, "amount")
    async with open_session(common, rpc=rpc, key=key, account=account, signing=signing) as session:
        wallet = await session.wallet()
        terms = await session.terms(instrument)
        limit = await _market_price(session, instrument, terms, side) if price is None else read_micro(price, "price")
        fresh = wallet.order(
            session.account(),
            terms.market,
            sell=side == "sell",
            size=size,
            price=limit,
            post_only=wish == "post_only",
            reduce_only=reduce_only,
            immediate=wish in {"ioc", "fok"},
            life=seconds,
        )
        answer = await session.call("private/order", order_params(fresh, instrument, wish, reduce_only=reduce_only))
    common.output().result(answer["order"] if not common.json else answer)
    if not common.json and answer["trades"]:
        columns = ("trade_id", "direction", "trade_amount", "trade_price", "taker_fee")
        common.output().table(columns, [[trade[c] for c in columns] for trade in answer["trades"]], title="trades")


def order_params(fresh: FreshOrder, instrument: str, wish: str, *, reduce_only: bool = False) -> dict[str, Any]:
    """Parameters of private/order for a signed order."""
    return {
        "instrument_name": instrument,
        "subaccount_id": fresh.account,
        "direction": "sell" if fresh.is_sell else "buy",
        "nonce": fresh.nonce,
        "signature_expiry_sec": fresh.expiry,
        "signature": f"0x{fresh.signature.hex()}",
        "size": fresh.size,
        "price": fresh.price,
        "time_in_force": wish,
        "reduce_only": reduce_only,
    }


async def cancel(
    nonce: Annotated[
        int | None,
        Parameter(
            help="nonce of the order, as `rollup account` shows it; all if not given",
            validator=Number(gte=0, lt=2**64),
        ),
    ] = None,
    *,
    hard: Annotated[
        bool, Parameter(negative=(), help="in a block: filling the order afterwards is provable fraud")
    ] = False,
    rpc: Rpc = None,
    key: Key = None,
    account: Account = None,
    signing: Signing = SIGNING,
    common: Common = DEFAULT,
) -> None:
    """Take one order off the book, or all of them. A soft cancel works at once and costs no block space."""
    async with open_session(common, rpc=rpc, key=key, account=account, signing=signing) as session:
        wallet, number = await session.wallet(), session.account()
        signed = wallet.cancel_all(number) if nonce is None else wallet.cancel(number, nonce)
        answer = await session.call(
            "private/cancel_all" if nonce is None else "private/cancel",
            {
                "subaccount_id": number,
                "nonce": signed.nonce,
                "signature": f"0x{signed.signature.hex()}",
                "hard": hard,
            },
        )
    if not hard and not common.json:
        answer.pop("orders", None)
    common.output().result(answer)


async def withdraw(
    amount: Annotated[str, Parameter(help="USD, up to six decimals")],
    *,
    rpc: Rpc = None,
    key: Key = None,
    account: Account = None,
    signing: Signing = SIGNING,
    common: Common = DEFAULT,
) -> None:
    """Withdraw from an account; the owner's key signs. `rollup claim` collects it on L1 once the block is final."""
    micro = read_usd(amount)
    async with open_session(common, rpc=rpc, key=key, account=account, signing=signing) as session:
        wallet, number = await session.wallet(), session.account()
        signed = wallet.withdraw(number, micro)
        answer = await session.call(
            "private/withdraw",
            {
                "subaccount_id": number,
                "micro_amount": micro,
                "nonce": signed.nonce,
                "signature": f"0x{signed.signature.hex()}",
            },
        )
    common.output().result(answer)


class Mark(msgspec.Struct, frozen=True):
    """What of public/get_ticker a market order is priced by."""

    mark_price: str
    instrument_type: str = "perp"


async def _market_price(session: Session, instrument: str, terms: Terms, side: str) -> int:
    """The protective limit of a market order (µUSD): 2 % beyond the mark, of options 20 %, on the tick.

    The mark is the sequencer's word; whoever does not want to take it names a price.
    """
    ticker: Mark = await session.call("public/get_ticker", {"instrument_name": instrument}, Mark)
    tick, mark = read_micro(terms.tick_size, "tick size"), read_micro(ticker.mark_price, "mark price")
    slack = 20 if ticker.instrument_type == "option" else 2
    limit = mark * (100 + slack if side == "buy" else 100 - slack) // 100
    return max(tick, limit - limit % tick)
