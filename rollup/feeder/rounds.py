"""Leading: round after round, what the opinion is, within the limits, co-signed and submitted.

A round begins with the state as it is. Coins go side by side; of one coin the price comes first, because the rollup
holds forwards against the spot it knows, then all series side by side. A refusal is logged and costs nothing but this
one update: the next round begins with the state anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import structlog
import trio

from rollup.errors import NoSurface
from rollup.feeder.judge import SKEW
from rollup.feeder.limits import allowed_surface, prices_within_limits
from rollup.feeder.opinion import Opinion
from rollup.feeder.panel import Panel, TooFewSigners
from rollup.feeder.statements import Statement, Subject, price_statement, subject_of, surface_statement
from rollup.feeder.venue import Known, Venue, VenueSilent
from rollup.quant.sources import Prices
from rollup.rpc.client import RpcError
from rollup.types.markets import Series, Underlying
from rollup.types.prices import OracleUpdate

log = structlog.get_logger(__name__)

SECOND: float = 0.1
"""Pause until the sequencer's clock is looked at again, when this second has its price already."""


@dataclass(frozen=True, slots=True)
class Update:
    """An accepted statement; `settles` is the series (as it was) that it closed."""

    statement: Statement
    block: int
    settles: Series | None = None


Tell = Callable[[Update], None]


Keep = Callable[[Statement], None]


class Leader:
    """Proposes and submits. `standby` (s): it leads a coin only while its price is that old, in place of another.

    `keep` hears of each update once it is signed, whatever the sequencer then makes of it; for it a sequencer whose
    time stays behind `clock` is as good as silent.
    """

    def __init__(
        self,
        venue: Venue,
        panel: Panel,
        opinion: Opinion,
        tell: Tell,
        standby: float = 0.0,
        keep: Keep | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._venue: Venue | None = venue
        self._panel = panel
        self._opinion = opinion
        self._tell = tell
        self._keep = keep
        self._clock = clock
        self._standby = standby
        self._without_surface: set[Subject] = set()
        self._known: Known | None = None

    def connect(self, venue: Venue | None) -> None:
        """Go on with another connection, or (None) without any."""
        self._venue = venue

    async def lead(self, seconds: float) -> None:
        """A round every `seconds` until cancelled; raises RpcDisconnected, RpcUnreachable or VenueSilent."""
        while True:
            begun = trio.current_time()
            await self.go_round()
            await trio.sleep_until(begun + seconds)

    async def go_round(self) -> None:
        """One update of everything that this second has none of yet."""
        assert self._venue is not None, "there is a connection"
        self._known = await self._venue.known()
        if self._keep and self._clock and self._clock() - self._known.time > SKEW:
            raise VenueSilent(f"the sequencer's time stands at {self._known.time}")
        await self._update(self._known)

    async def go_alone(self, time: int) -> None:
        """Sign for `time` (s) and keep it, since there is no sequencer to submit it to, or it takes nothing.

        By the state as it was known last: from there it can be brought through L1.
        """
        if self._known is not None and self._keep is not None and time > self._known.time:
            await self._update(replace(self._known, time=time))

    async def _update(self, known: Known) -> None:
        async with trio.open_nursery() as nursery:
            for number in sorted(self._opinion.coins & set(known.underlyings)):
                if known.time - known.underlyings[number].time >= self._standby:
                    nursery.start_soon(self._update_coin, known, number)

    async def _update_coin(self, known: Known, number: int) -> None:
        underlying = known.underlyings[number]
        prices = prices_within_limits(self._opinion.prices(number, known.time), underlying, known.time)
        if known.time > underlying.time and await self._submit(known, price_statement(number, known.time, prices)):
            underlying = replace(underlying, spot=prices.spot, mark=prices.mark, time=known.time)
        if not underlying.time:
            return  # without a spot the rollup takes no forward
        async with trio.open_nursery() as nursery:
            for index, series in known.open_series(number).items():
                if known.time > series.time:
                    nursery.start_soon(partial(self._update_series, known, Subject(number, index), underlying, series))

    async def _update_series(self, known: Known, subject: Subject, underlying: Underlying, series: Series) -> None:
        try:
            wanted = self._opinion.surface(subject.underlying, underlying, series, known.time)
        except NoSurface as error:
            if subject not in self._without_surface:
                log.warning("no_surface", underlying=subject.underlying, series=subject.series, reason=str(error))
            self._without_surface.add(subject)
            return
        allowed = allowed_surface(wanted, underlying, series, known.time)
        closes = series if known.time >= series.expiry else None
        await self._submit(known, surface_statement(subject, known.time, allowed), closes)

    async def _submit(self, known: Known, statement: Statement, closes: Series | None = None) -> bool:
        """Have it signed and executed; whether it was."""
        try:
            signed = await self._panel.co_sign(statement, known.feeders, known.threshold)
            if self._keep is not None:
                self._keep(signed)
            if self._venue is None:
                return True
            block = await self._venue.submit(signed)
        except (RpcError, TooFewSigners) as error:
            kind = "price" if isinstance(statement, OracleUpdate) else "surface"
            log.warning(
                "update_refused", kind=kind, **subject_of(statement)._asdict(), time=statement.time, error=str(error)
            )
            return False
        self._tell(Update(signed, block, closes))
        return True


async def publish_prices(venue: Venue, panel: Panel, number: int, wanted: Prices) -> OracleUpdate:
    """Submit the allowed prices nearest to `wanted` and return them, waiting if this second has some already.

    Raises RpcError if they are refused, TooFewSigners.
    """
    known = await venue.known()
    while known.time <= known.underlyings[number].time:
        await trio.sleep(SECOND)
        known = await venue.known()
    allowed = prices_within_limits(wanted, known.underlyings[number], known.time)
    statement = price_statement(number, known.time, allowed)
    signed = await panel.co_sign(statement, known.feeders, known.threshold)
    assert isinstance(signed, OracleUpdate)
    await venue.submit(signed)
    return signed
