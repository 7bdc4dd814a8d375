"""The state as one block sees it: leaves are touched, metered, decoded and kept; writes are staged, then committed.

A leaf is decoded once per block. `values` holds what stands after the transactions so far, `pre` the bytes from before
the block (with the touched keys, in order of touch: the content of the witness), `staged` what the transaction at work
would write. A transaction that fails drops its staged writes; the builder also takes back its touches, which for
underlyings takes back the accrual with them, because an accrual happens at the first touch and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from rollup.crypto.signatures import Recover
from rollup.errors import InvalidTransaction
from rollup.stf import meters
from rollup.stf.funding import accrue
from rollup.stf.meters import Meters, Unmetered, Usage
from rollup.types.keys import GLOBALS, ORACLE_SET, account_key, market_key, series_key, slot_key, underlying_key
from rollup.types.leaves import Account, Globals, Market, OracleSet, Series, Slot, Underlying
from rollup.types.limits import WIND_UP
from rollup.types.reasons import Reason

if TYPE_CHECKING:
    from rollup.stf.sheets import Sheet

L = TypeVar("L")
Leaf = Globals | OracleSet | Underlying | Series | Market | Account | Slot
Read = Callable[[int], bytes]
"""Value of a leaf before the block, empty if absent."""


class Mark(NamedTuple):
    """A point to which a context can go back."""

    touched: int
    usage: Usage
    sheets: int


class Context:
    """Everything the execution of one block works on."""

    __slots__ = (
        "dirty", "glances", "leeway", "meters", "outdated", "pre", "read", "recover", "sender", "separator", "sheets",
        "staged", "timestamp", "values",
    )  # fmt: skip

    def __init__(self, read: Read, timestamp: int, separator: bytes, recover: Recover) -> None:
        self.read = read
        self.timestamp = timestamp
        self.separator = separator
        self.recover = recover
        self.meters = Meters()
        self.pre: dict[int, bytes] = {}
        # Values are what the key's kind decodes to, None if absent; the loaders below give them back their types.
        self.values: dict[int, Any] = {}
        self.staged: dict[int, Any] = {}
        self.dirty: set[int] = set()
        self.sheets: dict[int, Sheet] = {}
        """Sheets by market, in the order in which the block drew (and metered) them."""
        self.glances: dict[int, Sheet] = {}
        """Sheets that only views have drawn, which no meter counts."""
        self.sender: bytes | None = None
        """The L1 sender while a forced transaction is at work."""
        self.leeway = 0
        """How old (s) a price may be for the transaction at work where that is more than its max_age."""
        self.outdated = False
        """Whether the transaction at work has relied on a price older than its max_age: margin counts double then."""

    # -- loading -------------------------------------------------------------------------------------------------------

    def globals(self) -> Globals:
        """The chain's totals."""
        found = self._find(GLOBALS, meters.SYSTEM, Globals.decode)
        assert found is not None, "there are globals since genesis"
        return found

    def oracle_set(self) -> OracleSet:
        """The price feeders."""
        found = self._find(ORACLE_SET, meters.SYSTEM, OracleSet.decode)
        assert found is not None, "there is an oracle set since genesis"
        return found

    def underlying(self, number: int) -> Underlying:
        """An underlying, its funding accrued to this block; UNDERLYING_UNKNOWN."""
        found = self._find(underlying_key(number), meters.SYSTEM, Underlying.decode)
        if found is None:
            raise InvalidTransaction(Reason.UNDERLYING_UNKNOWN)
        return found

    def find_underlying(self, number: int) -> Underlying | None:
        """An underlying that may be absent."""
        return self._find(underlying_key(number), meters.SYSTEM, Underlying.decode)

    def fresh_underlying(self, number: int) -> Underlying:
        """An underlying whose price is not too old; UNDERLYING_UNKNOWN, ORACLE_STALE."""
        found = self.underlying(number)
        if found.time == 0 or self.timestamp - found.time > found.max_age:
            self.excuse(found.time)
        return found

    def series(self, underlying: int, number: int) -> Series:
        """One expiry of an underlying; SERIES_UNKNOWN."""
        found = self.find_series(underlying, number)
        if found is None:
            raise InvalidTransaction(Reason.SERIES_UNKNOWN)
        return found

    def find_series(self, underlying: int, number: int) -> Series | None:
        """A series that may be absent."""
        return self._find(series_key(underlying, number), meters.SYSTEM, Series.decode)

    def require_fresh(self, underlying: Underlying, series: Series) -> None:
        """Raise ORACLE_STALE unless the slice of a series of `underlying` is not too old."""
        if series.time == 0 or self.timestamp - series.time > underlying.max_age:
            self.excuse(series.time)

    def excuse(self, time: int) -> None:
        """Let the transaction at work rely on a price of `time` (s; 0: none yet) that is not fresh, or ORACLE_STALE.

        Only some forced messages may, since the sequencer could keep them waiting until their prices are old.
        """
        if time == 0 or self.timestamp - time > self.leeway:
            raise InvalidTransaction(Reason.ORACLE_STALE)
        self.outdated = True

    def is_abandoned(self, time: int) -> bool:
        """Whether a price of `time` (s) is so old that nobody waits for a newer one any more; 0 means no price yet."""
        return 0 < time < self.timestamp - WIND_UP

    def market(self, number: int) -> Market:
        """A market; MARKET_UNKNOWN."""
        found = self._find(market_key(number), meters.SYSTEM, Market.decode)
        if found is None:
            raise InvalidTransaction(Reason.MARKET_UNKNOWN)
        return found

    def find_market(self, number: int) -> Market | None:
        """A market that may be absent."""
        return self._find(market_key(number), meters.SYSTEM, Market.decode)

    def account(self, number: int) -> Account:
        """An account; ACCOUNT_UNKNOWN."""
        found = self.find_account(number)
        if found is None:
            raise InvalidTransaction(Reason.ACCOUNT_UNKNOWN)
        return found

    def find_account(self, number: int) -> Account | None:
        """An account that may be absent."""
        return self._find(account_key(number), meters.ACCOUNTS, Account.decode)

    def find_slot(self, account: int, nonce: int) -> Slot | None:
        """The order slot of a nonce, which may be empty."""
        return self._find(slot_key(account, nonce), meters.SLOTS, Slot.decode)

    def _find(self, key: int, meter: int, decode: Callable[[bytes], L]) -> L | None:
        # Asked fifteen times a trade: written out, and without a value to mean "absent" (None is one).
        found: L | None
        if key in self.staged:
            found = self.staged[key]
        elif key in self.values:
            found = self.values[key]
        else:
            found = self._touch(key, meter, decode)
        return found

    def _touch(self, key: int, meter: int, decode: Callable[[bytes], L]) -> L | None:
        self.meters.add(meter)
        data = self.pre[key] = self.read(key)
        self.meters.add(meters.LEAF_BYTES, meters.leaf_bytes(key, len(data)))
        value: Any = decode(data) if data else None
        if isinstance(value, Underlying):
            value = accrue(value, self.timestamp)
            self.dirty.add(key)
        self.values[key] = value
        found: L | None = value
        return found

    # -- sheets --------------------------------------------------------------------------------------------------------

    def find_sheet(self, market: int) -> Sheet | None:
        """A market's sheet, if it is drawn."""
        return self.sheets.get(market)

    def keep_sheet(self, market: int, sheet: Sheet) -> None:
        """Keep a sheet until the prices that it comes from change."""
        self.sheets[market] = sheet

    def forget_sheets(self, underlying: int, series: int) -> None:
        """Let the sheets of a series be drawn again (series 0: of the underlying's perpetuals)."""
        for kept in (self.sheets, self.glances):
            for market in [n for n, s in kept.items() if s.underlying == underlying and s.series == series]:
                del kept[market]

    # -- writing -------------------------------------------------------------------------------------------------------

    def stage(self, key: int, value: Leaf) -> None:
        """Write what stands if the transaction at work succeeds; loaders see it at once."""
        self.staged[key] = value

    def commit(self) -> None:
        """Let the staged writes stand."""
        self.values.update(self.staged)
        self.dirty.update(self.staged)
        self.staged.clear()

    def drop(self) -> None:
        """Forget the staged writes; touches, meters and accruals stand."""
        self.staged.clear()

    def mark(self) -> Mark:
        """The present point, between two transactions."""
        return Mark(len(self.pre), self.meters.read(), len(self.sheets))

    def rollback(self, mark: Mark) -> None:
        """Undo everything since `mark` that was not committed: staged writes, touches, accruals, meters, sheets.

        What was not committed has let no sheet be forgotten either, so the newest sheets are the ones to take back.
        """
        self.staged.clear()
        for _ in range(len(self.pre) - mark.touched):
            key, _value = self.pre.popitem()
            self.values.pop(key, None)
            self.dirty.discard(key)
        for _ in range(len(self.sheets) - mark.sheets):
            self.sheets.popitem()
        self.meters.reset(mark.usage)

    def writes(self) -> dict[int, bytes]:
        """Leaves that differ from before the block, ascending by key."""
        encoded = {key: self.values[key].encode() for key in sorted(self.dirty)}
        return {key: data for key, data in encoded.items() if data != self.pre[key]}


class View(Context):
    """A look at another context's state: nothing is touched there, metered or written."""

    __slots__ = ("_block",)

    def __init__(self, block: Context) -> None:
        super().__init__(block.read, block.timestamp, block.separator, block.recover)
        self.meters = Unmetered()
        self._block = block

    def find_sheet(self, market: int) -> Sheet | None:
        """A market's sheet, drawn by the block or for looking."""
        return self._block.sheets.get(market) or self._block.glances.get(market)

    def keep_sheet(self, market: int, sheet: Sheet) -> None:
        """Keep a sheet beside those that the block has paid for."""
        self._block.glances[market] = sheet

    def _find(self, key: int, meter: int, decode: Callable[[bytes], L]) -> L | None:
        found: L | None
        if key in self.staged:
            found = self.staged[key]
        elif key in self._block.values:
            found = self._block.values[key]
        else:
            # What the block has not touched cannot change before it does: then `_block.values` comes first.
            found = self.values[key] if key in self.values else self._touch(key, meter, decode)
        return found

    def _touch(self, key: int, _meter: int, decode: Callable[[bytes], L]) -> L | None:
        data = self.read(key)
        value: Any = decode(data) if data else None
        self.values[key] = accrue(value, self.timestamp) if isinstance(value, Underlying) else value
        found: L | None = self.values[key]
        return found
