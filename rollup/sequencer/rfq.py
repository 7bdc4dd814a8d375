"""Requests for quotes: who asks for which legs, and the signed quotes that came. In memory, for a short time only.

Nothing here binds anybody before a quote's maker and the asking account have both signed; what they signed together is
a ComboTrade. A restart forgets requests and quotes: a quote that was signed stays good for its taker until it expires.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from time import time_ns
from typing import Final

from rollup.sequencer.rejections import TooManyRequests, UnknownQuote, UnknownRfq
from rollup.types.transactions import FLAG_SELL, Leg

REQUESTS: Final = 1_024
"""Open requests in all: a few hundred bytes each."""
REQUESTS_OF_ACCOUNT: Final = 8
QUOTES: Final = 64
"""Quotes for one request, one for each maker; a maker's newer one replaces the older."""
LIFE: Final = 60
"""Seconds that a request is open unless told otherwise."""
LONGEST: Final = 600


@dataclass(frozen=True, slots=True)
class RfqLeg:
    """What is wished for: `size` µcoin of a market, bought or sold by the asking account if it buys the combo."""

    market: int
    is_sell: bool
    size: int


@dataclass(frozen=True, slots=True)
class Quote:
    """A maker's signed offer: if it `sells` the combo, it takes the opposite side of each leg of the request.

    `legs` are as signed: prices in µUSD per coin, flags from the maker's side.
    """

    quote_id: str
    rfq_id: str
    maker: int
    sells: bool
    legs: tuple[Leg, ...]
    nonce: int
    expiry: int
    signature: bytes
    label: str
    created: int
    status: str = "open"

    @property
    def cost(self) -> int:
        """What the taker pays for all legs (10⁻¹² USD; negative: receives)."""
        return sum(leg.size * leg.price if leg.is_sell else -leg.size * leg.price for leg in self.legs)


@dataclass(slots=True)
class Rfq:
    """A request; `counterparties` are those who may quote, nobody named means anybody. `expiry` in seconds."""

    rfq_id: str
    account: int
    legs: tuple[RfqLeg, ...]
    counterparties: frozenset[int]
    label: str
    created: int
    expiry: int
    status: str = "open"
    quotes: dict[int, Quote] = field(default_factory=dict)

    def admits(self, maker: int) -> bool:
        """Whether this account may quote."""
        return maker != self.account and (not self.counterparties or maker in self.counterparties)

    def terms(self, sells: bool, prices: Sequence[int]) -> tuple[Leg, ...]:
        """The legs to sign, from the maker's side."""
        return tuple(
            Leg(leg.market, FLAG_SELL if leg.is_sell != sells else 0, leg.size, price)
            for leg, price in zip(self.legs, prices, strict=True)
        )


RfqNews = Callable[[Rfq, Quote | None], None]
"""Told of each new request, and of each new quote with its request; must be quick and must not raise."""


class RfqBook:
    """All open requests. `clock` tells the time of the chain (s)."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._open: dict[str, Rfq] = {}
        self._listeners: list[RfqNews] = []

    def listen(self, listener: RfqNews) -> None:
        """Have `listener` told of requests and quotes."""
        self._listeners.append(listener)

    def ask(
        self, account: int, legs: tuple[RfqLeg, ...], counterparties: frozenset[int], label: str, life: int
    ) -> Rfq:  # fmt: skip
        """Open a request; TooManyRequests."""
        self._sweep()
        mine = sum(rfq.account == account for rfq in self._open.values())
        if mine >= REQUESTS_OF_ACCOUNT or len(self._open) >= REQUESTS:
            raise TooManyRequests("too many requests for quotes are open", of_account=REQUESTS_OF_ACCOUNT)
        expiry = self._clock() + min(life, LONGEST)
        rfq = Rfq(secrets.token_hex(16), account, legs, counterparties, label, _now(), expiry)
        self._open[rfq.rfq_id] = rfq
        self._tell(rfq, None)
        return rfq

    def get(self, rfq_id: str) -> Rfq:
        """An open request; UnknownRfq."""
        self._sweep()
        found = self._open.get(rfq_id)
        if found is None:
            raise UnknownRfq("no such request for quotes is open", rfq_id=rfq_id)
        return found

    def answer(self, rfq: Rfq, quote: Quote) -> Quote:
        """Take in a quote whose signature was checked; TooManyRequests."""
        if rfq.rfq_id not in self._open:
            raise UnknownRfq("no such request for quotes is open", rfq_id=rfq.rfq_id)
        if quote.maker not in rfq.quotes and len(rfq.quotes) >= QUOTES:
            raise TooManyRequests("the request has enough quotes", quotes=QUOTES)
        rfq.quotes[quote.maker] = quote
        self._tell(rfq, quote)
        return quote

    def quote(self, rfq: Rfq, quote_id: str) -> Quote:
        """An open quote of a request; UnknownQuote."""
        for quote in rfq.quotes.values():
            if quote.quote_id == quote_id and quote.expiry >= self._clock():
                return quote
        raise UnknownQuote("no such quote is open", quote_id=quote_id)

    def withdraw(self, maker: int, nonce: int) -> Quote:
        """Take a maker's quote back, by its nonce; UnknownQuote."""
        self._sweep()
        for rfq in self._open.values():
            quote = rfq.quotes.get(maker)
            if quote is not None and quote.nonce == nonce:
                return replace(rfq.quotes.pop(maker), status="cancelled")
        raise UnknownQuote("no such quote is open", subaccount_id=maker, nonce=nonce)

    def close(self, rfq: Rfq) -> None:
        """The request has led to a trade."""
        rfq.status = "filled"
        self._open.pop(rfq.rfq_id, None)

    def requests(self, maker: int | None) -> list[Rfq]:
        """Open requests, oldest first; those that a maker may answer, if one is named."""
        self._sweep()
        return [rfq for rfq in self._open.values() if maker is None or rfq.admits(maker)]

    def quotes(self, account: int) -> Iterator[Quote]:
        """Open quotes that an account has made or may accept."""
        self._sweep()
        now = self._clock()
        for rfq in self._open.values():
            for quote in rfq.quotes.values():
                if account in (rfq.account, quote.maker) and quote.expiry >= now:
                    yield quote

    def _sweep(self) -> None:
        now = self._clock()
        for rfq in [rfq for rfq in self._open.values() if rfq.expiry < now]:
            rfq.status = "expired"
            del self._open[rfq.rfq_id]

    def _tell(self, rfq: Rfq, quote: Quote | None) -> None:
        for listener in self._listeners:
            listener(rfq, quote)


def _now() -> int:
    return time_ns() // 10**6
