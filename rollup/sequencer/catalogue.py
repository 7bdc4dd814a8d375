"""The instruments that can be traded: names and terms of the markets of the state. Only ever added, never changed.

New ones come when a List message is executed. An expired one keeps its name, for whoever still holds it, and is no
longer among the active ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from rollup.sequencer.rejections import UnknownInstrument
from rollup.store.state import StateStore
from rollup.types.instruments import Instruments, expiries_of, symbol_of
from rollup.types.keys import KeyKind, account_key, index_of, kind_of
from rollup.types.leaves import Market, MarketKind
from rollup.types.listing import MarketConfig, SeriesConfig, market_leaf
from rollup.types.messages import List

_KINDS: Final = ("perp", "future", "option", "option")


@dataclass(frozen=True, slots=True)
class Instrument:
    """A market's number, public name, coin and terms; the running totals within `market` are those of its listing."""

    number: int
    name: str
    currency: str
    kind: str
    market: Market
    expiry: int = 0
    """The first second of no more trading, 0 for perpetuals."""

    def has_expired(self, now: int) -> bool:
        """Whether it can be traded no more."""
        return 0 < self.expiry <= now

    @property
    def option_type(self) -> str:
        """`C` or `P`, empty for what is no option."""
        return {MarketKind.CALL: "C", MarketKind.PUT: "P"}.get(MarketKind(self.market.kind), "")


class Catalogue:
    """All instruments, by number and by name."""

    def __init__(self, markets: Mapping[int, Market], expiries: Mapping[tuple[int, int], int]) -> None:
        self._markets = dict(markets)
        self._expiries = dict(expiries)
        self._name_all()

    @classmethod
    def of_leaves(cls, leaves: Mapping[int, bytes]) -> Catalogue:
        """The markets among the leaves of a state."""
        return cls(_markets_of(leaves), expiries_of(leaves))

    def load(self, leaves: Mapping[int, bytes]) -> None:
        """Become the catalogue of another state."""
        self._markets, self._expiries = _markets_of(leaves), expiries_of(leaves)
        self._name_all()

    def extend(self, listings: Sequence[List]) -> list[Instrument]:
        """Take in what was just listed; the instruments among it."""
        added = []
        for item, opens in ((listing.item, listing.opens) for listing in listings):
            if isinstance(item, SeriesConfig):
                self._expiries[item.underlying, item.number] = item.expiry
            elif isinstance(item, MarketConfig):
                self._markets[item.number] = market_leaf(item, opens)
                added.append(item.number)
        if added:
            self._name_all()
        return [self._by_number[number] for number in added]

    def by_name(self, name: str) -> Instrument:
        """Raises UnknownInstrument."""
        found = self._by_name.get(name)
        if found is None:
            raise UnknownInstrument(f"no instrument is named {name[:40]!r}", instrument_name=name[:40])
        return found

    def by_number(self, number: int) -> Instrument:
        """Raises UnknownInstrument."""
        found = self._by_number.get(number)
        if found is None:
            raise UnknownInstrument(f"no instrument has the number {number}", market=number)
        return found

    def active(self, now: int) -> list[Instrument]:
        """Those that have not expired."""
        return [instrument for instrument in self if not instrument.has_expired(now)]

    def __iter__(self) -> Iterator[Instrument]:
        return iter(self._by_number.values())

    def __len__(self) -> int:
        return len(self._by_number)

    def _name_all(self) -> None:
        """Names depend on what else is listed only where two would have the same."""
        names = Instruments.of(self._markets, self._expiries).names
        self._by_number = {
            number: Instrument(
                number, names[number], symbol_of(market.underlying), _KINDS[market.kind], market,
                self._expiries.get((market.underlying, market.series), 0) if market.series else 0,
            )
            for number, market in sorted(self._markets.items())
        }  # fmt: skip
        self._by_name = {instrument.name: instrument for instrument in self}


def listed_leaves(store: StateStore) -> dict[int, bytes]:
    """The leaves that are no account's, as committed: a few hundred at the front of the tree's order."""
    first_account = account_key(0)
    return dict(takewhile(lambda leaf: leaf[0] < first_account, store.iterate_leaves()))


def _markets_of(leaves: Mapping[int, bytes]) -> dict[int, Market]:
    kinds = ((key, value) for key, value in leaves.items() if kind_of(key) is KeyKind.MARKET)
    return {index_of(key): Market.decode(value) for key, value in kinds}
