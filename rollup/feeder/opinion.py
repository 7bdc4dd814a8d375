"""What one feeder thinks of a moment, from its own sources alone.

Before an expiry's settlement window its forward is the source's. Within the window the forward is spot: markets settle
on the average of it, and what nobody can trade any more needs no carry. At or after the expiry one more surface closes
the series, and of its slice nothing depends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from rollup.errors import NoSurface
from rollup.feeder.statements import surface_of
from rollup.quant.sources import Prices, Source
from rollup.quant.surfaces import SmileShape, Surface
from rollup.quant.svi import WireSvi
from rollup.types.markets import Series, Underlying

_UNSURE: Final = 0.8
"""Volatility assumed for an expiry whose settlement begins before anybody has given it a slice."""


class Opinion:
    """The sources of some coins, by number; they begin at the Unix second `begin`, the same for all who co-sign."""

    def __init__(self, sources: Mapping[int, Source], begin: int) -> None:
        self._sources = sources
        self._begin = begin

    @property
    def coins(self) -> frozenset[int]:
        """Numbers of the underlyings it knows anything of."""
        return frozenset(self._sources)

    def prices(self, underlying: int, time: int) -> Prices:
        """Spot and mark at `time` (s); KeyError for a coin without a source."""
        return self._sources[underlying].prices(self._elapsed(time))

    def surface(self, number: int, underlying: Underlying, series: Series, time: int) -> Surface:
        """Forward and slice of a series of the coin `number` at `time` (s).

        Raises NoSurface if the source has no slice and settlement has not begun either.
        """
        settling = time >= series.expiry - underlying.settlement_window
        if time >= series.expiry:
            surface = self._last_known(series)
        else:
            try:
                surface = self._sources[number].surface(self._elapsed(time), series.expiry - self._begin)
            except NoSurface:
                if not settling:
                    raise
                surface = self._last_known(series)
        return replace(surface, forward=self.prices(number, time).spot) if settling else surface

    def _last_known(self, series: Series) -> Surface:
        """The slice of the state; one that nobody is sure of if there is none."""
        if series.time:
            return surface_of(series)
        return Surface(1, WireSvi.of(SmileShape().slice(_UNSURE, 0.0)), 0)

    def _elapsed(self, time: int) -> int:
        return max(0, time - self._begin)
