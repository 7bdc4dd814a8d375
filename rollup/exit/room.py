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
from rollup.types.limits import FORCED_AGE
from rollup.types.reasons import Reason


@dataclass(frozen=True, slots=True)
class Room:
    """An account as a forced withdrawal meets it, in µUSD, at the last prices, however old they are.

    `most` leaves exactly what must stay. `stale` names the markets it holds whose price is not fresh by now: then twice
    the initial margin must. Of these `lost` are too old for any withdrawal, or of different times: none
    succeeds until there are newer ones. Of `bad_debt` every withdrawal bears its share.
    """

    equity: int
    maintenance: int
    initial: int
    positions: int
    stale: tuple[int, ...]
    lost: tuple[int, ...]
    bad_debt: int

    @property
    def required(self) -> int:
        """What must stay."""
        return self.initial << bool(self.stale)

    @property
    def most(self) -> int:
        """What may leave, rounded down."""
        return max(0, self.equity - self.required)

    def with_spare(self, percent: int) -> int:
        """What may leave if `percent` of the initial margin stay besides, for prices move until its turn."""
        return max(0, self.equity - self.required - -(-self.initial * percent // 100))


def room_of(read: Read, account: int, now: int) -> Room:
    """The account in the state that `read` gives, at L1 time `now` (s).

    `InvalidTransaction` if there is no such account, or it has no margin, as when sums leave their range.
    """
    totals = Globals.decode(read(GLOBALS))
    builder = BlockBuilder(read, max(now, totals.time), bytes(32))
    estate = Estate(read)
    found = estate.account(account)
    stale = tuple(held.market for held in found.positions if _is_stale(builder, found, held, 0))
    lost = tuple(held.market for held in found.positions if _is_stale(builder, found, held, FORCED_AGE))
    try:
        equity, maintenance = builder.margin_of(found, FORCED_AGE)
    except InvalidTransaction as refusal:
        if Reason(refusal.reason) is not Reason.ORACLE_STALE:
            raise
        lost = lost or stale  # or of different times
        equity, maintenance = margin(estate, settle(estate, found))  # by the last prices, at their time
    return Room(equity, maintenance, initial(maintenance), len(found.positions), stale, lost, totals.bad_debt)


class Rehearsal:
    """A state after messages that have not been executed yet, at L1 time `now` (s)."""

    def __init__(self, read: Read, separator: bytes, now: int) -> None:
        self._read = read
        self._separator = separator
        self._now = max(now, Globals.decode(read(GLOBALS)).time)
        self._written: dict[int, bytes] = {}

    def look(self, key: int) -> bytes:
        """A leaf, empty if absent."""
        return self._written[key] if key in self._written else self._read(key)

    def take(self, message: bytes, *, keep: bool = True) -> Receipt:
        """What the message would do; with `keep` the state is then the one behind it, unless it is refused."""
        builder = BlockBuilder(self.look, self._now, self._separator)
        receipt = builder.take_message(message)
        if keep and not receipt.reason:
            self._written.update(builder.finish().writes)
        return receipt


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


def _is_stale(builder: BlockBuilder, account: Account, held: Position, leeway: int) -> bool:
    """Whether a block now would refuse to value this position for the age of its price, beyond `leeway` (s)."""
    try:
        builder.margin_of(replace(account, positions=(held,)), leeway)
    except InvalidTransaction as refusal:
        return Reason(refusal.reason) is Reason.ORACLE_STALE
    return False
