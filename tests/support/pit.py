"""A trading desk with dated markets: BTC with a perpetual, an expiry a month away, a future, two calls and a put."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rollup.sequencer.commands import OrderReport
from rollup.sequencer.risk.register import Findings, Register
from rollup.stf.sheets import sheet_of
from rollup.types.genesis import BTC, Genesis, MarketConfig, SeriesConfig
from rollup.types.leaves import MarketKind
from rollup.types.transactions import FreshOrder
from tests.stf.venue import CALL, EXPIRY, FAR_CALL, FAR_STRIKE, FUTURE, LOT, PERP, PUT, SERIES, STRIKE, P, surface
from tests.stf.world import START, genesis, order, price
from tests.support.desk import Trading, new_store

__all__ = [
    "CALL", "EXPIRY", "FAR_CALL", "FUTURE", "LOT", "PERP", "PUT", "SERIES", "STRIKE", "P", "Pit", "pit", "pit_genesis",
    "surface",
]  # fmt: skip

COIN = 1_000_000
TEN_DAYS = 10 * 86_400


def pit_genesis() -> Genesis:
    """The genesis of the tests with the dated markets in it."""
    terms: dict[str, Any] = {"tick": 100_000, "lot": LOT, "series": SERIES, "band": 100_000}
    dated = (
        MarketConfig(FUTURE, BTC, kind=MarketKind.FUTURE, **terms),
        MarketConfig(CALL, BTC, kind=MarketKind.CALL, strike=STRIKE, **terms),
        MarketConfig(PUT, BTC, kind=MarketKind.PUT, strike=STRIKE, **terms),
        MarketConfig(FAR_CALL, BTC, kind=MarketKind.CALL, strike=FAR_STRIKE, **terms),
    )
    plain = genesis()
    series = (SeriesConfig(BTC, SERIES, EXPIRY),)
    return replace(plain, markets=plain.markets + dated, series=series, auction=60)


class Pit(Trading):
    """A desk on that genesis. Sizes are µcoin, prices µUSD per coin."""

    nonce = 1_000
    register: Register | None = None

    def now(self, spot: int = P, seconds: int = 1) -> None:
        """Let time pass, and have the oracle say that everything costs `spot`."""
        self.time += seconds
        self.submit(price(self.time, spot))
        self.submit(surface(self.time, spot))

    def wait(self, until: int, spot: int = P) -> None:
        """Let days pass, with a word of the oracle now and then: nothing is abandoned."""
        while self.time + TEN_DAYS < until:
            self.now(spot, TEN_DAYS)
            self.flush()
        self.time = until

    def crash(self, spot: int, steps: int = 12) -> None:
        """Let the price move there, as fast as the oracle's limits allow."""
        assert self.ledger is not None
        begin = self.desk.ledger.begin().view.underlying(BTC).spot
        for step in range(1, steps + 1):
            self.now(begin + (spot - begin) * step // steps, 60)

    def look(self, *, start_over: bool = False) -> Findings:
        """Have everybody screened, and do what follows from it, block after block."""
        self.desk.ledger.refresh()
        if self.register is None:
            self.register, start_over = Register(), True
        findings = self.register.look(self.desk.risk.snapshot(start_over=start_over))
        self.desk.risk.take(findings)
        while self.desk.risk.waiting:
            self.desk.risk.work()
            self.flush()
        return findings

    def mark(self, market: int) -> int:
        """A market's mark, on its tick."""
        view = self.desk.ledger.begin().view
        tick = view.market(market).tick
        return sheet_of(view, market).mark // tick * tick

    def signed(self, account: int, market: int, size: int, at: int | None = None, **terms: Any) -> FreshOrder:
        """An order for `size` µcoin (negative: sells), at the mark unless told otherwise."""
        self.nonce += 1
        limit = self.mark(market) if at is None else at
        life = terms.pop("expiry", self.time + 86_400)
        return order(account, size < 0, abs(size), limit, self.nonce, market=market, expiry=life, **terms)

    def rest(self, account: int, market: int, size: int, at: int | None = None, **terms: Any) -> OrderReport:
        """Place such an order."""
        return self.place(self.signed(account, market, size, at, **terms))

    def trade(self, buyer: int, seller: int, market: int, size: int, at: int | None = None) -> OrderReport:
        """Have one sell to the other at the mark."""
        limit = self.mark(market) if at is None else at
        self.rest(seller, market, -size, limit)
        return self.rest(buyer, market, size, limit)


def pit(**terms: Any) -> Pit:
    """A desk with six funded accounts and fresh prices of 40,000 dollars."""
    leaves = pit_genesis().leaves()
    terms.setdefault("time", START + 10)
    opened = Pit(store=new_store(leaves), opening=P, **terms)
    opened.now()
    opened.flush()
    return opened
