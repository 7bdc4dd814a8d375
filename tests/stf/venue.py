"""A small venue of derivatives on top of `world`: BTC with a perpetual, one series, a future, calls and puts on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from rollup.crypto import eip712
from rollup.crypto.signatures import sign
from rollup.l1.devkeys import dev_address, dev_key
from rollup.stf.context import Context
from rollup.stf.margin import Margin
from rollup.stf.sheets import sheet_of
from rollup.types.genesis import BTC, ETH, MarketConfig, SeriesConfig
from rollup.types.keys import GLOBALS, market_key, series_key, underlying_key
from rollup.types.leaves import MarketKind, Position, Series
from rollup.types.listing import market_leaf, series_leaf
from rollup.types.messages import Open
from rollup.types.transactions import FLAG_SELL, Bid, ComboTrade, Leg, SurfaceUpdate, Transaction
from tests.stf.world import COIN, FEEDERS, FOREVER, SEPARATOR, START, USD, World, price, trade

D = TypeVar("D")
P = 40_000 * USD
LOT = 1_000
DAY = 86_400
EXPIRY = START + 30 * DAY
PERP, FUTURE, CALL, PUT, FAR_CALL = 1, 3, 4, 5, 6
SERIES = 1
STRIKE = 40_000 * USD
FAR_STRIKE = 46_000 * USD
SLICE = {"a": 200_000_000, "b": 200_000_000, "rho": -300_000_000, "m": 0, "sigma": 500_000_000}
"""A volatility of 55 % a year at the forward, with a smile."""


@dataclass
class Venue(World):
    """A world with series and options. Sizes are µcoin, prices µUSD per coin."""

    def series(self, number: int = SERIES) -> Series:
        """A series of BTC."""
        return Series.decode(self.leaves[series_key(BTC, number)])

    def change_series(self, number: int = SERIES, **fields: Any) -> None:
        """Rewrite fields of a series, as no transaction can."""
        self.leaves[series_key(BTC, number)] = replace(self.series(number), **fields).encode()

    def change_underlying(self, number: int = BTC, **fields: Any) -> None:
        """Rewrite fields of an underlying, as no transaction can."""
        self.leaves[underlying_key(number)] = replace(self.underlying(number), **fields).encode()

    def change_globals(self, **fields: Any) -> None:
        """Rewrite totals, as no transaction can."""
        self.leaves[GLOBALS] = replace(self.globals(), **fields).encode()

    def list_option(self, strike: int, call: bool = True, series: int = SERIES, **terms: Any) -> int:
        """One more option on BTC; its number."""
        number = next(n for n in range(3, 1 << 16) if market_key(n) not in self.leaves)
        kind = MarketKind.CALL if call else MarketKind.PUT
        return self.list_market(number, kind, series, strike, **terms)

    def list_market(self, number: int, kind: MarketKind, series: int, strike: int = 0, **terms: Any) -> int:
        """A dated market on BTC; its number."""
        fixed = {"tick": 1_000, "lot": LOT, "band": 100_000, **terms}
        config = MarketConfig(number, BTC, kind=kind, series=series, strike=strike, **fixed)
        self.leaves[market_key(number)] = market_leaf(config, START).encode()
        return number

    def but(self, change: Callable[[Venue], None]) -> Venue:
        """The same venue after a change."""
        change(self)
        return self

    def done(self, kind: type[D], tx: Transaction, at: int | None = None) -> D:
        """Execute a transaction that has to be valid; what its receipt says."""
        detail = self.must(tx, at=at).receipts[0].detail
        assert isinstance(detail, kind)
        return detail

    def mark(self, market: int, at: int | None = None) -> int:
        """The mark of a market, on its tick."""
        view = self.builder(at).view
        tick = view.market(market).tick
        return sheet_of(view, market).mark // tick * tick

    def margin(self, account: int, at: int | None = None) -> Margin:
        """Equity and maintenance margin of an account once it is settled."""
        return self.builder(at).margin_of(account)

    def give(self, account: int, against: int, positions: dict[int, int]) -> None:
        """Give an account these sizes by market and `against` their opposite, for nothing, consistent in all totals."""
        for number, sign_ in ((account, 1), (against, -1)):
            held = {p.market: p.size for p in self.account(number).positions}
            for market, size in positions.items():
                held[market] = held.get(market, 0) + sign_ * size
            index = self.underlying().funding_index
            self.change_account(
                number,
                positions=tuple(
                    Position(m, size, index if self.market(m).kind == MarketKind.PERP else 0)
                    for m, size in sorted(held.items())
                    if size
                ),
            )
        for market in positions:
            self.count_interest(market)

    def count_interest(self, market: int) -> None:
        """Make the open interest of a market what its holders have."""
        total = 0
        for key in list(self.leaves):
            if key >> 38 == 1 and key & 0x3FFF == 0:
                total += max(0, self.account((key >> 14) & 0xFFFFFF).position_in(market))
        self.change_market(market, open_interest=total)

    def set_cash(self, account: int, cash: int) -> None:
        """Give an account this much cash, deposited or withdrawn by the chain's totals."""
        change = cash - self.account(account).cash
        self.change_account(account, cash=cash)
        totals = self.globals()
        self.change_globals(deposits=totals.deposits + change)

    def context(self, at: int | None = None) -> Context:
        """A context for the rules' own functions."""
        return Context(self.read, self.now if at is None else at, SEPARATOR, lambda _digest, signature: signature[:20])


def dated(accounts: int = 4, amount: int = 100_000 * USD, spot: int = P) -> Venue:
    """A venue whose accounts have money, with fresh prices: BTC-PERP 1, ETH-PERP 2, a future, two calls and a put."""
    venue = Venue()
    venue.must(messages=[Open(number, dev_address(number), amount) for number in range(accounts)])
    venue.leaves[series_key(BTC, SERIES)] = series_leaf(SeriesConfig(BTC, SERIES, EXPIRY)).encode()
    venue.list_market(FUTURE, MarketKind.FUTURE, SERIES)
    venue.list_market(CALL, MarketKind.CALL, SERIES, STRIKE)
    venue.list_market(PUT, MarketKind.PUT, SERIES, STRIKE)
    venue.list_market(FAR_CALL, MarketKind.CALL, SERIES, FAR_STRIKE)
    venue.must(price(START, spot), price(START, spot // 10, underlying=ETH), surface(START, spot))
    return venue


def surface(time: int, forward: int = P, **terms: Any) -> SurfaceUpdate:
    """A slice signed by the first two feeders; slice parameters, `series`, `signers` and `keys` may be given."""
    svi = {name: terms.get(name, value) for name, value in SLICE.items()}
    series, confidence, underlying = (
        terms.get("series", SERIES),
        terms.get("confidence", 10**6),
        terms.get("underlying", BTC),
    )
    signers = terms.get("signers", 0b011)
    digest = eip712.surface_digest(
        SEPARATOR, underlying, series, time, forward, svi["a"], svi["b"], svi["rho"], svi["m"], svi["sigma"], confidence
    )
    keys = terms.get("keys", [key for bit, key in enumerate(FEEDERS) if signers >> bit & 1])
    signatures = tuple(sign(digest, dev_key(key)) for key in keys)
    return SurfaceUpdate(
        underlying, series, time, forward, **svi, confidence=confidence, signers=signers, signatures=signatures
    )


def bid(account: int, liquidator: int, nonce: int, **terms: Any) -> Bid:
    """A signed bid for all of a portfolio at any price; `fraction`, `limit`, `expiry` and `key` may be given."""
    fraction, limit, expiry = terms.get("fraction", 10**6), terms.get("limit", 2**62), terms.get("expiry", FOREVER)
    digest = eip712.bid_digest(SEPARATOR, account, liquidator, fraction, limit, nonce, expiry)
    return Bid(account, liquidator, fraction, limit, nonce, expiry, sign(digest, dev_key(terms.get("key", liquidator))))


def leg(market: int, size: int, at: int, sell: bool = False) -> Leg:
    """A leg that the maker buys, or sells."""
    return Leg(market, FLAG_SELL if sell else 0, size, at)


def combo(maker: int, taker: int, nonce: int, legs: Sequence[Leg], **terms: Any) -> ComboTrade:
    """A combo signed by both; `maker_key`, `taker_key`, `maker_expiry`, `taker_expiry`, `taker_nonce` may be given."""
    made, taken = terms.get("maker_expiry", FOREVER), terms.get("taker_expiry", FOREVER)
    taker_nonce = terms.get("taker_nonce", nonce)
    hashed = eip712.legs_hash((item.market, item.flags, item.size, item.price) for item in legs)
    quote = eip712.quote_digest(SEPARATOR, maker, taker, hashed, nonce, made)
    acceptance = eip712.acceptance_digest(SEPARATOR, maker, taker, hashed, taker_nonce, taken)
    return ComboTrade(
        maker, taker, tuple(legs), nonce, made, sign(quote, dev_key(terms.get("maker_key", maker))),
        taker_nonce, taken, sign(acceptance, dev_key(terms.get("taker_key", taker))),
    )  # fmt: skip


__all__ = ["COIN", "START", "USD", "Venue", "bid", "combo", "dated", "leg", "surface", "trade"]
