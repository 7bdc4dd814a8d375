"""How much may leave an account, what stands in the way, and what a forced transaction would do if executed now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rollup.errors import BlockFull
from rollup.exit.estate import Estate
from rollup.stf.builder import BlockBuilder
from rollup.stf.context import Read
from rollup.stf.margin import initial, margin
from rollup.stf.receipts import Receipt
from rollup.stf.settlement import settle
from rollup.types.keys import GLOBALS, series_key, underlying_key
from rollup.types.leaves import Globals, MarketKind, Series, Underlying
from rollup.types.limits import CLOSING, WIND_UP


@dataclass(frozen=True, slots=True)
class Room:
    """An account as a withdrawal meets it, in µUSD, at the last prices, however old they are.

    `most` leaves exactly the initial margin. `stale` names the markets it holds whose price is too old by now: until
    there is a newer one no withdrawal succeeds. `insolvent` counts the accounts that hold up all withdrawals.
    """

    equity: int
    maintenance: int
    initial: int
    positions: int
    stale: tuple[int, ...]
    insolvent: int
    bad_debt: int

    @property
    def most(self) -> int:
        """What may leave, rounded down."""
        return max(0, self.equity - self.initial)

    def with_spare(self, percent: int) -> int:
        """What may leave if `percent` of the initial margin stay besides it, for prices move until its turn."""
        return max(0, self.equity - self.initial - -(-self.initial * percent // 100))


def room_of(read: Read, account: int, now: int) -> Room:
    """The account in the state that `read` gives, at L1 time `now` (s).

    `InvalidTransaction` if there is no such account, or it has no margin, as when sums leave their range.
    """
    estate = Estate(read)
    totals, found = estate.globals(), estate.account(account)
    stale = tuple(held.market for held in found.positions if _is_stale(estate, held.market, max(now, totals.time)))
    settled = settle(estate, found)
    equity, maintenance = margin(estate, settled)
    return Room(
        equity, maintenance, initial(maintenance), len(settled.positions), stale, totals.insolvent, totals.bad_debt
    )


def rehearse(read: Read, separator: bytes, messages: Iterable[bytes], now: int) -> Receipt | None:
    """What the last of these inbox messages would do if all were executed at L1 time `now` on this state; None if none.

    Prices and everybody's accounts change until its real turn, so this is a forecast.
    """
    written: dict[int, bytes] = {}

    def look(key: int) -> bytes:
        return written[key] if key in written else read(key)

    receipt: Receipt | None = None
    builder = BlockBuilder(look, max(now, Globals.decode(read(GLOBALS)).time), separator)
    for message in messages:
        try:
            receipt = builder.take_message(message)
        except BlockFull:
            written.update(builder.finish().writes)
            builder = BlockBuilder(look, builder.timestamp, separator)
            receipt = builder.take_message(message)
    return receipt


def _is_stale(estate: Estate, number: int, now: int) -> bool:
    """Whether `settle` and `margin` would refuse the price of a market at that time."""
    market = estate.market(number)
    underlying = Underlying.decode(estate.read(underlying_key(market.underlying)))
    if market.kind == MarketKind.PERP:
        return _is_between(now - underlying.time, underlying.max_age)
    series = Series.decode(estate.read(series_key(market.underlying, market.series)))
    ends = series.settlement or now >= series.expiry + CLOSING
    return not ends and _is_between(now - series.time, underlying.max_age)


def _is_between(age: int, max_age: int) -> bool:
    """Too old to trade by, and not yet so old that it is the last word."""
    return max_age < age <= WIND_UP
