"""Who holds what, as arrays: kept by the thread that screens, and changed by the leaves that blocks have written.

One thread at a time uses a register. What it finds says where to look; the exact check decides, on the newest state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from rollup.quant.black76 import Floats
from rollup.quant.holdings import Book, Holdings, Ints
from rollup.quant.screen import Screening, screen
from rollup.sequencer.risk.pricing import Prices, draw_sheets, markets_of
from rollup.store.view import View
from rollup.types.keys import KeyKind, account_of, kind_of
from rollup.types.limits import MILLION

CASH: Final = slice(40, 48)
STATUS: Final = 72
COUNT: Final = 78
"""Where a leaf has its cash, its status, its number of positions and, behind that, the positions (SPEC section 2)."""
_POSITION: Final = np.dtype([("market", ">u2"), ("size", ">i8"), ("index", ">i8")])
_FIRST_ROWS: Final = 1_024
_FIRST_WIDTH: Final = 4

Side = tuple[int, bool]
"""A market, and whether those wanted are long in it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A holder (by number) of a position (µcoin) with estimates of its account's equity and gross value (µUSD)."""

    account: int
    size: int
    equity: float
    gross: float


@dataclass(frozen=True, slots=True)
class Findings:
    """Accounts that may be below maintenance margin, holders in ended markets, the flagged, and holders asked for.

    `screened` counts all accounts that were looked at, `generation` and `spoken` as in `Snapshot`.
    """

    generation: int
    screened: int
    doubtful: tuple[int, ...] = ()
    unsettled: tuple[int, ...] = ()
    flagged: tuple[int, ...] = ()
    holders: Mapping[Side, tuple[Candidate, ...]] = field(default_factory=dict)
    spoken: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the register needs for one look. `generation` counts how often the chain was moved.

    `everything` is the committed state if the register has to start over; `changed` are the leaves by account since the
    last look. `wanted` are sides of markets whose holders are asked for, `spoken` counts the oracle's words so far.
    """

    generation: int
    everything: View | None
    changed: Mapping[int, bytes]
    prices: Prices
    wanted: frozenset[Side]
    spoken: int = 0


class Register:
    """Accounts with positions or debts in rows; a row's positions stand in the first `count` columns."""

    def __init__(self) -> None:
        self._clear()

    def look(self, snapshot: Snapshot) -> Findings:
        """Take in what changed, and screen everybody."""
        if snapshot.everything is not None:
            self._clear()
            try:
                self.update(_accounts_in(snapshot.everything))
            finally:
                snapshot.everything.close()
        self.update(snapshot.changed.items())
        return replace(self._screen(snapshot), spoken=snapshot.spoken)

    def update(self, leaves: Iterable[tuple[int, bytes]]) -> None:
        """Take in the leaves of accounts, by number."""
        for number, leaf in leaves:
            if leaf[STATUS]:
                self._flagged.add(number)
            else:
                self._flagged.discard(number)
            count, cash = leaf[COUNT], int.from_bytes(leaf[CASH], "big", signed=True)
            row = self._rows.get(number)
            if row is None:
                if count == 0 and cash >= 0:
                    continue
                row = self._add(number)
            self._widen(count)
            positions = np.frombuffer(leaf, _POSITION, count, COUNT + 1)
            self._cash[row], self._count[row] = cash, count
            for column, values in (("market", self._market), ("size", self._size), ("index", self._index)):
                values[row, :count] = positions[column]

    def __len__(self) -> int:
        return len(self._numbers)

    def _screen(self, snapshot: Snapshot) -> Findings:
        if not self._numbers:
            return Findings(snapshot.generation, 0, flagged=tuple(self._flagged))
        rows = len(self._numbers)
        filled = np.arange(self._market.shape[1]) < self._count[:rows, None]
        account, market = np.nonzero(filled)[0], self._market[:rows][filled]
        numbers = [int(number) for number in np.unique(market)]
        markets, sheets = markets_of(snapshot.prices, numbers), draw_sheets(snapshot.prices, numbers)
        size, index = self._size[:rows][filled], self._index[:rows][filled]
        book = Book(markets, Holdings(self._cash[:rows], account, markets.rows(market), size, index))
        screening = screen(book, sheets)
        late = np.unique(account[sheets.settled[book.holdings.market]])
        value = np.abs(size.astype(np.float64)) * sheets.mark[book.holdings.market] / MILLION
        gross = np.bincount(account, value, rows).astype(np.float64)
        return Findings(
            snapshot.generation,
            rows,
            self._names(screening.doubtful),
            self._names(late),
            tuple(self._flagged),
            {side: self._holders(book, screening, gross, side) for side in snapshot.wanted},
        )

    def _holders(self, book: Book, screening: Screening, gross: Floats, side: Side) -> tuple[Candidate, ...]:
        market, is_long = side
        held = book.holdings
        hit = (book.markets.number[held.market] == market) & ((held.size > 0) == is_long)
        return tuple(
            Candidate(self._numbers[row], int(size), float(screening.equity[row]), float(gross[row]))
            for row, size in zip(held.account[hit], held.size[hit], strict=True)
        )

    def _names(self, rows: Ints) -> tuple[int, ...]:
        return tuple(self._numbers[row] for row in rows)

    def _clear(self) -> None:
        self._rows: dict[int, int] = {}
        self._flagged: set[int] = set()
        self._numbers: list[int] = []
        self._cash, self._count = (np.zeros(_FIRST_ROWS, np.int64) for _ in range(2))
        self._market, self._size, self._index = (
            np.zeros((_FIRST_ROWS, _FIRST_WIDTH), np.int64) for _ in range(3)
        )  # fmt: skip

    def _add(self, number: int) -> int:
        row = len(self._numbers)
        self._numbers.append(number)
        self._rows[number] = row
        if row == len(self._cash):
            self._cash, self._count = (np.concatenate([a, np.zeros_like(a)]) for a in (self._cash, self._count))
            self._market, self._size, self._index = (
                np.concatenate([a, np.zeros_like(a)]) for a in (self._market, self._size, self._index)
            )
        return row

    def _widen(self, count: int) -> None:
        while count > self._market.shape[1]:
            self._market, self._size, self._index = (
                np.concatenate([a, np.zeros_like(a)], axis=1) for a in (self._market, self._size, self._index)
            )


def _accounts_in(view: View) -> Iterator[tuple[int, bytes]]:
    """Accounts among all leaves of a state that hold or owe anything."""
    return ((account_of(key), leaf) for key, leaf in view.leaves() if kind_of(key) is KeyKind.ACCOUNT)
