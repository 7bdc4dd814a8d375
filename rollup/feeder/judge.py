"""What a feeder checks before it signs somebody's proposal: that its own sources say nearly the same.

A proposal may differ from the own sources by the tolerance, or lag behind them: when a market moves faster than the
rollup allows, updates follow it in steps. A step is told from a lie by what this feeder itself signed last: it must lie
between that and what the sources say. Only until it has signed anything, the state's value as its own node shows it
stands in for that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar, Final

from rollup.errors import NoSurface, Rejected
from rollup.feeder.opinion import Opinion
from rollup.feeder.statements import (
    Statement,
    Subject,
    price_statement,
    subject_of,
    surface_of,
    surface_statement,
)
from rollup.feeder.venue import Known
from rollup.quant.sources import Prices
from rollup.quant.surfaces import Surface
from rollup.types.limits import MILLION
from rollup.types.markets import Series
from rollup.types.prices import OracleUpdate, SurfaceUpdate

SKEW: Final = 30
"""Seconds by which a proposal's time may differ from the own clock: clocks differ, and blocks wait a little."""
_LOOSER: Final = 10
"""Volatilities and confidence may differ by so many times the prices' tolerance."""
_PROBES: Final = (-0.2, -0.05, 0.05, 0.2)
"""Log-moneyness at which two smiles are compared, relative to the money."""


class NotSigned(Rejected):
    """A feeder does not sign a proposal; the message says what it found."""

    code: ClassVar[int] = 14_001


class Judge:
    """One feeder's memory and opinion. `tolerance` in ppm; `look` asks the feeder's own node for the state."""

    def __init__(
        self,
        opinion: Opinion,
        look: Callable[[], Awaitable[Known]],
        clock: Callable[[], float],
        tolerance: int,
    ) -> None:
        self._opinion = opinion
        self._look = look
        self._clock = clock
        self._tolerance = tolerance / MILLION
        self._signed: dict[Subject, Statement] = {}
        self._known: Known | None = None

    async def accept(self, statement: Statement) -> None:
        """Return if it may be signed, and remember it; raises NotSigned, and of the look at the state RpcError, ….

        What was accepted before is accepted again: the signature is the same, and its first asker may not have got it.
        """
        subject = subject_of(statement)
        if subject.underlying not in self._opinion.coins:
            raise NotSigned(f"no source for underlying {subject.underlying}")
        last = self._signed.get(subject) or await self._newest(subject)
        if statement == last:
            return
        self._check_time(last, statement.time)
        if isinstance(statement, OracleUpdate):
            self._check_prices(statement, last)
        else:
            await self._check_surface(statement, last)
        newer = self._signed.get(subject)  # looking took its time; another key of this process may have signed the same
        if newer != statement:
            self._check_time(newer, statement.time)
        self._signed[subject] = statement

    async def _newest(self, subject: Subject) -> Statement | None:
        """The state's own value, for a feeder that has signed nothing yet; None if it has none."""
        known = await self._look()
        if subject.series:
            series = known.series.get(subject)
            return surface_statement(subject, series.time, surface_of(series)) if series and series.time else None
        coin = known.underlyings.get(subject.underlying)
        return (
            price_statement(subject.underlying, coin.time, Prices(coin.spot, coin.mark)) if coin and coin.time else None
        )

    def _check_time(self, last: Statement | None, time: int) -> None:
        if last is not None and time <= last.time:
            raise NotSigned(f"there is one of {last.time} s already", time=last.time)
        if abs(time - self._clock()) > SKEW:
            raise NotSigned(f"its time is more than {SKEW} s away from the clock", clock=int(self._clock()))

    def _check_prices(self, said: OracleUpdate, last: Statement | None) -> None:
        wanted = self._opinion.prices(said.underlying, said.time)
        spot, mark = (last.spot, last.mark) if isinstance(last, OracleUpdate) else (None, None)
        self._check("spot", said.spot, wanted.spot, spot, self._tolerance)
        self._check("mark", said.mark, wanted.mark, mark, self._tolerance)

    async def _check_surface(self, said: SurfaceUpdate, last: Statement | None) -> None:
        known, series = await self._series_of(said)
        try:
            wanted = self._opinion.surface(said.underlying, known.underlyings[said.underlying], series, said.time)
        except NoSurface as error:
            raise NotSigned(str(error)) from error
        before = surface_of(last) if isinstance(last, SurfaceUpdate) else None
        self._check("forward", said.forward, wanted.forward, before.forward if before else None, self._tolerance)
        if said.time < series.expiry:
            self._check_slice(surface_of(said), wanted, before)

    def _check_slice(self, said: Surface, wanted: Surface, last: Surface | None) -> None:
        if not said.svi.is_admissible():
            raise NotSigned("the slice is not admissible")
        loose = self._tolerance * _LOOSER
        level, wanted_level = _volatility(said), _volatility(wanted)
        self._check("volatility", level, wanted_level, _volatility(last) if last else None, loose)
        for k in _PROBES:
            self._check(
                f"smile at {k}", _volatility(said, k) / level, _volatility(wanted, k) / wanted_level, None, loose
            )
        if abs(said.confidence - wanted.confidence) > loose * MILLION:
            raise NotSigned(f"confidence {said.confidence}, here it is {wanted.confidence}", own=wanted.confidence)

    def _check(self, what: str, said: float, wanted: float, last: float | None, tolerance: float) -> None:
        """Near what the own sources say, or on the way there from what was signed last."""
        if abs(said - wanted) <= tolerance * wanted:
            return
        if last is not None and min(last, wanted) <= said <= max(last, wanted) and said != last:
            return
        raise NotSigned(f"{what} {said:.10g}, here it is {wanted:.10g}", own=wanted)

    async def _series_of(self, said: SurfaceUpdate) -> tuple[Known, Series]:
        """The series' terms, which never change; looked up again if it is new."""
        key = (said.underlying, said.series)
        if self._known is None or key not in self._known.series:
            self._known = await self._look()
        series = self._known.series.get(key)
        if series is None:
            raise NotSigned(f"no series {said.series} of underlying {said.underlying}")
        return self._known, series


def _volatility(surface: Surface, k: float = 0.0) -> float:
    return max(0.01, float(surface.svi.floats().volatility(k)))
