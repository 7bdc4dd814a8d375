"""A typed client of a sequencer: signed values go out, exact integers come back.

Nothing that a sequencer answers is proof of anything; commands that need proof read L1.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal

import trio

from rollup.errors import ConfigError, PlumblineError
from rollup.rpc.client import HttpRpc, WsRpc, connect_http, connect_ws
from rollup.sequencer.amounts import read_micro
from rollup.types.transactions import (
    FLAG_IMMEDIATE,
    FLAG_POST_ONLY,
    FLAG_REDUCE_ONLY,
    Cancel,
    FreshOrder,
    OracleUpdate,
    SetSigner,
    Transfer,
    Withdraw,
)

TimeInForce = Literal["gtc", "post_only", "ioc", "fok"]
Answer = dict[str, Any]

SECONDS: Final = 20.0
"""How long one answer is waited for unless the caller says otherwise."""


class NoAnswer(PlumblineError):  # noqa: N818 - a state of affairs
    """The sequencer did not answer in time; whether the call took effect is unknown."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """A market that can be traded: name, the numbers that are signed, tick (µUSD per coin) and lot (µcoin)."""

    name: str
    market: int
    underlying: int
    tick: int
    lot: int
    kind: str = "perp"
    """`perp`, `future` or `option`."""
    is_active: bool = True
    """Whether it was open for trading when it was asked for."""


@dataclass(frozen=True, slots=True)
class Ticker:
    """Oracle prices and the best of the book, µUSD per coin; 0 where there is none.

    `time` (s) is that of the block under construction, `price_time` that of the oracle's price.
    """

    time: int
    spot: int
    mark: int
    price_time: int
    bid: int
    ask: int


@dataclass(frozen=True, slots=True)
class Standing:
    """An account as the sequencer shows it: µUSD, and µcoin by instrument name."""

    cash: int
    withdrawn: int
    positions: dict[str, int]


class Client:
    """Calls on one connection. Raises RpcError for refusals, RpcDisconnected, and NoAnswer after `seconds`."""

    def __init__(self, rpc: WsRpc | HttpRpc, seconds: float = SECONDS) -> None:
        self.rpc = rpc
        self._seconds = seconds
        self._instruments: dict[str, Instrument] = {}

    async def call(self, method: str, **params: Any) -> Any:
        """Any method."""
        with trio.move_on_after(self._seconds):
            return await self.rpc.call(method, params)
        raise NoAnswer(f"no answer to {method} within {self._seconds:g} s")

    # -- reading -------------------------------------------------------------------------------------------------------

    async def status(self) -> Answer:
        """`public/status`."""
        answer: Answer = await self.call("public/status")
        return answer

    async def instruments(self, *, anew: bool = False) -> dict[str, Instrument]:
        """All markets that have not expired, by name; as they were when first asked for, unless `anew`."""
        if anew or not self._instruments:
            self._instruments = {}
            page = await self.call("public/get_all_instruments", page_size=1000)
            for row in page["instruments"]:
                tick, lot = read_micro(row["tick_size"], "tick_size"), read_micro(row["amount_step"], "amount_step")
                name = row["instrument_name"]
                self._instruments[name] = Instrument(
                    name, row["market"], row["underlying"], tick, lot, row["instrument_type"], row["is_active"]
                )
        return self._instruments

    async def instrument(self, name: str) -> Instrument:
        """One market; `ConfigError` lists those there are."""
        known = await self.instruments()
        if name not in known:
            known = await self.instruments(anew=True)  # it may have been listed since
        if name not in known:
            raise ConfigError(f"no instrument {name[:40]!r}; there are {', '.join(sorted(known))}")
        return known[name]

    async def ticker(self, name: str) -> Ticker:
        """Prices of a market."""
        row = await self.call("public/get_ticker", instrument_name=name)
        return Ticker(
            time=row["timestamp"] // 1000,
            spot=read_micro(row["index_price"], "index_price"),
            mark=read_micro(row["mark_price"], "mark_price"),
            price_time=row["price_timestamp"] // 1000,
            bid=read_micro(row["best_bid_price"], "best_bid_price"),
            ask=read_micro(row["best_ask_price"], "best_ask_price"),
        )

    async def account(self, number: int) -> Standing:
        """An account as the sequencer has it now, durable or not."""
        row = await self.call("private/get_subaccount", subaccount_id=number)
        positions = {each["instrument_name"]: read_micro(each["amount"], "amount") for each in row["positions"]}
        return Standing(read_micro(row["cash"], "cash"), read_micro(row["withdrawn"], "withdrawn"), positions)

    # -- acting --------------------------------------------------------------------------------------------------------

    async def place(
        self, order: FreshOrder, name: str, time_in_force: TimeInForce | None = None, label: str = ""
    ) -> Answer:
        """Place a signed order; the answer holds `order` and `trades`. What is not signed is `ioc` against `fok`."""
        params = order_params(order, name, time_in_force)
        answer: Answer = await self.call("private/order", **params, label=label)
        return answer

    async def cancel(self, cancel: Cancel, *, hard: bool = False) -> Answer:
        """Take one order, or all, off the book; `hard` puts the cancel into a block."""
        method = "private/cancel_all" if cancel.cancel_all else "private/cancel"
        answer: Answer = await self.call(
            method,
            subaccount_id=cancel.account,
            nonce=str(cancel.nonce),
            signature=_hex(cancel.signature),
            hard=hard,
        )
        return answer

    async def submit(self, transaction: Withdraw | Transfer | SetSigner | OracleUpdate) -> Answer:
        """Have a transaction executed; the answer tells its block."""
        method, params = transaction_params(transaction)
        answer: Answer = await self.call(method, **params)
        return answer


def order_params(order: FreshOrder, name: str, time_in_force: TimeInForce | None = None) -> Answer:
    """Parameters of `private/order`."""
    wish: str = time_in_force or ("ioc" if order.flags & FLAG_IMMEDIATE else "gtc")
    if order.flags & FLAG_POST_ONLY:
        wish = "post_only"
    return {
        "instrument_name": name,
        "subaccount_id": order.account,
        "direction": "sell" if order.is_sell else "buy",
        "size": str(order.size),
        "price": str(order.price),
        "nonce": str(order.nonce),
        "signature_expiry_sec": order.expiry,
        "signature": _hex(order.signature),
        "time_in_force": wish,
        "reduce_only": bool(order.flags & FLAG_REDUCE_ONLY),
    }


def transaction_params(transaction: Withdraw | Transfer | SetSigner | OracleUpdate) -> tuple[str, Answer]:
    """Method and parameters that submit a transaction."""
    match transaction:
        case OracleUpdate(underlying, time, spot, mark, signers, signatures):
            prices = {"underlying": underlying, "time": time, "spot": str(spot), "mark": str(mark)}
            return "oracle/update", {**prices, "signers": signers, "signatures": [_hex(each) for each in signatures]}
        case Withdraw(account, amount, nonce, signature):
            fields = {"subaccount_id": account, "micro_amount": str(amount)}
            return "private/withdraw", {**fields, "nonce": str(nonce), "signature": _hex(signature)}
        case Transfer(sender, recipient, amount, nonce, signature):
            fields = {"subaccount_id": sender, "recipient_subaccount_id": recipient, "micro_amount": str(amount)}
            return "private/transfer", {**fields, "nonce": str(nonce), "signature": _hex(signature)}
        case SetSigner(account, signer, nonce, signature):
            fields = {"subaccount_id": account, "signer": _hex(signer)}
            return "private/set_signer", {**fields, "nonce": str(nonce), "signature": _hex(signature)}


@asynccontextmanager
async def open_client(url: str, seconds: float = SECONDS) -> AsyncIterator[Client]:
    """A client of ws://host:port[/ws] or http://host:port for the time of the block. Raises RpcUnreachable."""
    if url.startswith("ws://"):
        whole = url if url.removeprefix("ws://").count("/") else f"{url}/ws"
        async with connect_ws(whole) as ws:
            yield Client(ws, seconds)
    elif url.startswith("http://"):
        async with connect_http(url if url.endswith("/") else f"{url}/") as http:
            yield Client(http, seconds)
    else:
        raise ConfigError(f"client.rpc: {url[:60]!r} is neither ws://… nor http://…")


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"
