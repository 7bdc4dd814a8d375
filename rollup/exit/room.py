"""How much may leave an account, what stands in the way, and what a forced transaction would do if executed now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from rollup.errors import BlockFull, InvalidTransaction
from rollup.exit.estate import Estate
from rollup.stf.builder import BlockBuilder
from rollup.stf.context import Read
from rollup.stf.margin import initial, margin
from rollup.stf.receipts import Receipt
from rollup.stf.settlement import settle
from rollup.types.keys import GLOBALS
from rollup.types.leaves import Account, Globals, Position
from rollup.types.reasons import Reason


@dataclass(frozen=True, slots=True)
class Room:
    """An account as a withdrawal meets it, in µUSD, at the last prices, however old they are.

    `most` leaves exactly the initial margin. `stale` names the markets it holds whose price is too old by now: until
    there is a newer one no withdrawal succeeds. Of `bad_debt` every withdrawal bears its share.
    """

    equity: int
    maintenance: int
    initial: int
    positions: int
    stale: tuple[int, ...]
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
    totals = Globals.decode(read(GLOBALS))
    builder = BlockBuilder(read, max(now, totals.time), bytes(32))
    estate = Estate(read)
    found = estate.account(account)
    stale = tuple(held.market for held in found.positions if _is_stale(builder, found, held))
    if stale:  # by the last prices, at their time
        equity, maintenance = margin(estate, settle(estate, found))
    else:
        equity, maintenance = builder.margin_of(found)
    return Room(equity, maintenance, initial(maintenance), len(found.positions), stale, totals.bad_debt)


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


def _is_stale(builder: BlockBuilder, account: Account, held: Position) -> bool:
    """Whether a block now would refuse to value this position for the age of its price."""
    try:
        builder.margin_of(replace(account, positions=(held,)))
    except InvalidTransaction as refusal:
        return Reason(refusal.reason) is Reason.ORACLE_STALE
    return False
