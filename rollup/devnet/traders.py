"""Demo traders: makers quote both sides around the mark, takers cross, both cancel now and then.

They trade through the RPC like anybody. A refusal (no margin, a stale price) is part of the game: they go on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Final, Protocol

import structlog
import trio

from rollup.cli.wallet import Wallet
from rollup.devnet.client import Client, Instrument, Ticker
from rollup.rpc.client import RpcError
from rollup.types.limits import MILLION
from rollup.types.transactions import FreshOrder

log = structlog.get_logger(__name__)

QUOTE_LIFE: Final = 60
"""Seconds that a quote lives if it is not replaced: a maker that dies leaves nothing behind for long."""
TAKER_LIFE: Final = 30
LEVELS: Final = 3
HALF_SPREAD: Final = 200
"""Distance of the best quote from the mark, ppm."""
STEP: Final = 250
"""Distance between a maker's levels, ppm."""
REACH: Final = 4_000
"""How much worse than the mark a taker accepts, ppm; well within the price band."""
QUOTE_USD: Final = 2_000 * MILLION
"""Notional of one level, µUSD."""
TAKE_USD: Final = 1_500 * MILLION
"""Largest notional of a taker's order, µUSD."""
OPTION_SPREADS: Final = 25
"""Distances from the mark are so many times larger for an option, whose mark is some hundredths of its coin's."""
OPTION_TURNS: Final = 0.4
"""Share of turns spent on what is no perpetual."""
NEWS_SECONDS: Final = 5.0
"""How often traders look which markets there are."""
HOLD_USD: Final = 20_000 * MILLION
"""Notional of a position, µUSD, from which on a trader only sheds; far from what its money could bear."""


@dataclass(slots=True)
class Trader:
    """An account with its key and its own luck."""

    account: int
    wallet: Wallet
    luck: Random = field(repr=False)


class Behaviour(Protocol):
    """What a trader does in its turn."""

    async def act(self, client: Client, instrument: Instrument) -> None:
        """One action in one market; raises RpcError if it is refused."""
        ...


class Maker:
    """Replaces its quotes at each turn, leaning against what it holds."""

    def __init__(self, trader: Trader) -> None:
        self.trader = trader
        self._quoted: dict[str, list[int]] = {}

    async def act(self, client: Client, instrument: Instrument) -> None:
        """Cancel the old quotes of this market, then quote `LEVELS` on each side."""
        trader, ticker = self.trader, await client.ticker(instrument.name)
        held = (await client.account(trader.account)).positions.get(instrument.name, 0)
        for nonce in self._quoted.pop(instrument.name, []):
            await _ignoring_refusal(client.cancel(trader.wallet.cancel(trader.account, nonce)))
        if not ticker.mark:
            return
        self._quoted[instrument.name] = [
            order.nonce
            for order in self.quotes(instrument, ticker, held)
            if await _ignoring_refusal(client.place(order, instrument.name))
        ]

    def quotes(self, instrument: Instrument, ticker: Ticker, held: int) -> list[FreshOrder]:
        """Post-only orders on both sides, but none on a side that would grow a position that is large enough."""
        trader, coin, times = self.trader, worth(instrument, ticker), spreads(instrument)
        size = lots(QUOTE_USD, coin, instrument)
        lean = -_clamp(notional(held, coin) * HALF_SPREAD // HOLD_USD, HALF_SPREAD) * times
        orders = []
        for sell in (False, True):
            if notional(held, coin) * (-1 if sell else 1) >= HOLD_USD:
                continue
            for level in range(LEVELS):
                away = (HALF_SPREAD + STEP * level) * times
                price = shifted(ticker.mark, lean + (away if sell else -away), instrument, up=sell)
                if not (price <= ticker.bid if sell else 0 < ticker.ask <= price):
                    orders.append(
                        trader.wallet.order(
                            trader.account,
                            instrument.market,
                            sell=sell,
                            size=size,
                            price=price,
                            post_only=True,
                            life=QUOTE_LIFE,
                        )
                    )
        return orders


class Taker:
    """Crosses the spread with immediate orders of random size; now and then makes all its cancels final."""

    CANCELS: Final = 0.03
    """Share of turns spent on a hard cancel of everything, which costs a transaction in a block."""

    def __init__(self, trader: Trader) -> None:
        self.trader = trader

    async def act(self, client: Client, instrument: Instrument) -> None:
        """Trade, or cancel."""
        trader = self.trader
        if trader.luck.random() < self.CANCELS:
            await client.cancel(trader.wallet.cancel_all(trader.account), hard=True)
            return
        ticker = await client.ticker(instrument.name)
        if not ticker.mark or not (ticker.bid or ticker.ask):
            return
        held = (await client.account(trader.account)).positions.get(instrument.name, 0)
        await client.place(self.order(instrument, ticker, held), instrument.name)

    def order(self, instrument: Instrument, ticker: Ticker, held: int) -> FreshOrder:
        """A fill-what-you-can order; the larger the position, the likelier it is to shrink."""
        trader = self.trader
        coin, reach = worth(instrument, ticker), REACH * spreads(instrument)
        lean = notional(held, coin) / HOLD_USD
        sell = trader.luck.random() < 0.5 + lean / 2
        size = lots(trader.luck.randint(TAKE_USD // 10, TAKE_USD), coin, instrument)
        price = shifted(ticker.mark, -reach if sell else reach, instrument, up=not sell)
        return trader.wallet.order(
            trader.account, instrument.market, sell=sell, size=size, price=price, immediate=True, life=TAKER_LIFE
        )


async def run_trader(client: Client, behaviour: Behaviour, luck: Random, seconds: float) -> None:
    """Act in a random market every `seconds` on average, until cancelled.

    Refusals are logged. Raises RpcDisconnected or NoAnswer when the sequencer is gone.
    """
    asked = -NEWS_SECONDS
    while True:
        await trio.sleep(luck.uniform(0.5, 1.5) * seconds)
        anew = trio.current_time() - asked >= NEWS_SECONDS
        instrument = choose(luck, (await client.instruments(anew=anew)).values())
        asked = trio.current_time() if anew else asked
        try:
            await behaviour.act(client, instrument)
        except RpcError as refusal:
            log.info("refused", instrument=instrument.name, error=str(refusal))


def choose(luck: Random, instruments: Iterable[Instrument]) -> Instrument:
    """An open market: most often a perpetual, now and then a future or an option."""
    perps = [each for each in instruments if each.kind == "perp"]
    dated = [each for each in instruments if each.kind != "perp" and each.is_active]
    return luck.choice(dated if dated and luck.random() < OPTION_TURNS else perps)


def worth(instrument: Instrument, ticker: Ticker) -> int:
    """What a coin's worth of the instrument is counted as, µUSD: of an option, its coin."""
    return ticker.spot if instrument.kind == "option" else ticker.mark


def spreads(instrument: Instrument) -> int:
    """Factor of distances from the mark."""
    return OPTION_SPREADS if instrument.kind == "option" else 1


def notional(size: int, price: int) -> int:
    """µUSD that `size` µcoin are worth, rounded down."""
    return size * price // MILLION


def lots(usd: int, price: int, instrument: Instrument) -> int:
    """µcoin worth about `usd` µUSD, in whole lots and at least one."""
    return max(1, usd * MILLION // price // instrument.lot) * instrument.lot


def shifted(price: int, ppm: int, instrument: Instrument, *, up: bool) -> int:
    """`price` moved by `ppm`, rounded to the tick above or below."""
    exact = price * (MILLION + ppm)
    step = MILLION * instrument.tick
    return max(1, -(-exact // step) if up else exact // step) * instrument.tick


def _clamp(value: int, limit: int) -> int:
    return max(-limit, min(limit, value))


async def _ignoring_refusal(call: Awaitable[object]) -> bool:
    """Whether a call was accepted."""
    try:
        await call
    except RpcError as refusal:
        log.info("refused", error=str(refusal))
        return False
    return True
