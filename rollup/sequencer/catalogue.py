"""The instruments that can be traded: names and terms of the markets of the genesis state, which never change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from rollup.sequencer.rejections import UnknownInstrument
from rollup.types.instruments import Instruments, expiries_of, symbol_of
from rollup.types.keys import KeyKind, index_of, kind_of
from rollup.types.leaves import Market

_KINDS: Final = ("perp", "future", "option", "option")


@dataclass(frozen=True, slots=True)
class Instrument:
    """A market's number, public name, coin and terms; the running totals within `market` are those of genesis."""

    number: int
    name: str
    currency: str
    kind: str
    market: Market
    expiry: int = 0
    """The first second of no more trading, 0 for perpetuals."""


class Catalogue:
    """All instruments, by number and by name."""

    def __init__(self, markets: Mapping[int, Market], expiries: Mapping[tuple[int, int], int]) -> None:
        names = Instruments.of(markets, expiries).names
        self._by_number = {
            number: Instrument(
                number, names[number], symbol_of(market.underlying), _KINDS[market.kind], market,
                expiries.get((market.underlying, market.series), 0),
            )
            for number, market in sorted(markets.items())
        }  # fmt: skip
        self._by_name = {instrument.name: instrument for instrument in self}

    @classmethod
    def of_leaves(cls, leaves: Mapping[int, bytes]) -> Catalogue:
        """The markets among the leaves of a state."""
        kinds = ((key, value) for key, value in leaves.items() if kind_of(key) is KeyKind.MARKET)
        return cls({index_of(key): Market.decode(value) for key, value in kinds}, expiries_of(leaves))

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

    def __iter__(self) -> Iterator[Instrument]:
        return iter(self._by_number.values())

    def __len__(self) -> int:
        return len(self._by_number)
