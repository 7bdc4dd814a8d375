"""Moves of a random game: what Hypothesis draws, and what trades and payments it becomes in a given state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from hypothesis import strategies as st

from rollup.errors import InvalidTransaction
from rollup.stf.builder import BlockBuilder
from rollup.stf.margin import Margin
from rollup.stf.sheets import sheet_of
from rollup.types.leaves import Account, Market, MarketKind
from rollup.types.limits import INSURANCE_FUND
from rollup.types.transactions import (
    FLAG_IMMEDIATE,
    FLAG_POST_ONLY,
    FLAG_REDUCE_ONLY,
    FLAG_SELL,
    ComboTrade,
    FreshOrder,
    OrderRef,
    Trade,
    Transaction,
)
from tests.differential import signed
from tests.differential import world as w
from tests.differential.arena import ACCOUNTS, FIRST, FULL, RISKY

MARKETS: Final = (
    w.BTC_PERP, w.ETH_PERP, w.BTC_SMALL, w.BTC_FUTURE, w.NEAR_FUTURE, w.ETH_FUTURE, w.NEAR_CALL, w.NEAR_PUT,
    w.FAR_CALL, w.FAR_PUT, w.ETH_CALL, w.ETH_PUT, FIRST, FIRST + 3, FIRST + 17, FIRST + 30,
)  # fmt: skip
ODD_MARKETS: Final = (w.NEW_PERP, w.LATER, w.BLANK_CALL, 404)
TRADERS: Final = (0, 1, 2, 3, 0, 1, 2, 3, 1, FULL[0], RISKY[0], RISKY[2], RISKY[4], RISKY[1])
FAULTS: Final = 240
"""Values of `fault`; those above 69 are none."""
KINDS: Final = (
    *("trade",) * 9, *("combo",) * 4, "cancel", "cancel", "withdraw", "withdraw", "transfer", "transfer", "signer",
    "price", "surface", "surface", *("settle",) * 4, *("flag",) * 6, *("bid",) * 6, *("deleverage",) * 5,
    *("write off",) * 2, "deposit", "open", "list", "list", "noise",
)  # fmt: skip
MESSAGES: Final = ("deposit", "open", "list", "noise")


@dataclass(frozen=True, slots=True)
class Move:
    """One transaction or message: what, by whom, how much, and which fault, all as small numbers."""

    kind: str
    who: int
    whom: int
    market: int
    size: int
    shade: int
    fault: int
    forced: int


@dataclass(frozen=True, slots=True)
class Round:
    """One block: seconds since the last, per cent by which prices move before it, series not priced, and its moves."""

    pause: int
    drift: int
    silent: tuple[tuple[int, int], ...]
    moves: tuple[Move, ...]


LAST_KINDS: Final = (
    *("settle",) * 6, *("withdraw",) * 4, *("transfer",) * 2, *("flag",) * 4, *("bid",) * 2, *("deleverage",) * 2,
    *("trade",) * 4, *("combo",) * 2, *("price",) * 2, *("surface",) * 4,
)  # fmt: skip
"""What is done when the feeders have been silent for long."""


def _moves(kinds: Sequence[str], forced: Sequence[int] = range(10)) -> st.SearchStrategy[Move]:
    return st.builds(
        Move,
        kind=st.sampled_from(kinds),
        who=st.integers(0, len(TRADERS) - 1),
        whom=st.integers(1, ACCOUNTS - 1),
        market=st.integers(0, len(MARKETS) - 1),
        size=st.integers(0, 7),
        shade=st.integers(0, 63),
        fault=st.integers(0, FAULTS - 1),
        forced=st.sampled_from(forced),
    )


PAUSES: Final = (0, 0, 1, 2, 5, 12, 25, 25, 35, 61, 1_800, 5_000)
DRIFTS: Final = (0, 0, 0, 1, -1, 3, -3, 5, -6, 8, -9, 10, -10)


BTC: Final = ((w.BTC, 0), (w.BTC, w.NEAR), (w.BTC, w.FAR), (w.BTC, w.BLANK))
ETH: Final = ((w.ETH, 0), (w.ETH, w.NEAR), (w.ETH, w.FAR))
"""All that a coin's feeders price: its perpetuals as series 0."""
NEXT: Final = ((w.BTC, w.NEAR), (w.ETH, w.NEAR))
"""What expires first."""
SILENT: Final = ((), (), (), (), (), (), (), BTC, ETH, BTC + ETH)
DAY: Final = 86_400
SILENCES: Final = (0, 20, 7_000, DAY - 100, DAY, DAY + 500, 13 * DAY, 14 * DAY, 14 * DAY + 1, 14 * DAY + 500, 41 * DAY,
                   42 * DAY)  # fmt: skip
"""Days after which series close, prices are abandoned, and the far series expires."""


def rounds(moves: int) -> st.SearchStrategy[Round]:
    """Blocks of up to so many moves."""
    some = st.lists(_moves(KINDS), min_size=1, max_size=moves).map(tuple)
    return st.builds(Round, st.sampled_from(PAUSES), st.sampled_from(DRIFTS), st.sampled_from(SILENT), some)


def last_rounds(moves: int) -> st.SearchStrategy[Round]:
    """Blocks after which nothing need be as it was: long silences, of some or all feeders."""
    some = st.lists(_moves(LAST_KINDS, (0, 0, 3, 5, 9)), min_size=1, max_size=moves).map(tuple)
    silent = st.sampled_from((BTC + ETH, BTC + ETH, BTC, ETH, NEXT, NEXT, ()))
    return st.builds(Round, st.sampled_from(SILENCES), st.sampled_from(DRIFTS), silent, some)


class Trader:
    """Makes trades, combos and payments that fit the state which `builder` has built so far."""

    def __init__(self) -> None:
        self.nonce = 10
        self.resting: list[FreshOrder] = []
        self.builder: BlockBuilder

    @property
    def time(self) -> int:
        """The block's time."""
        return self.builder.timestamp

    def account(self, number: int) -> Account | None:
        """An account as it is by now."""
        return self.builder.account(number)

    def margin(self, number: int) -> Margin | None:
        """An account's margin, if it can be told."""
        try:
            return self.builder.margin_of(number)
        except InvalidTransaction:
            return None

    def market(self, number: int) -> Market | None:
        """A market as it is by now."""
        return self.builder.view.find_market(number)

    def mark(self, number: int) -> int:
        """A market's mark on its tick; something plausible if it has none."""
        try:
            market = self.builder.view.market(number)
            self.builder.view.underlying(market.underlying)
            mark = sheet_of(self.builder.view, number).mark
        except (InvalidTransaction, ValueError, ZeroDivisionError):
            return w.BTC_MARK
        return max(market.tick, mark // market.tick * market.tick)

    def key(self, move: Move, account: int) -> bytes:
        """A key that may act for an account, unless that is the fault."""
        if move.fault == 3:
            return w.key_of("owner", account + 1)
        role = "session" if move.fault in {4, 5} and account % 2 else "owner"
        return w.key_of(role, account)

    def next_nonce(self, move: Move) -> int:
        """An order nonce, unless the fault is in it."""
        self.nonce += 1
        older = move.shade if move.fault in range(41, 44) else 0
        return max(self.nonce + (8_192 if move.fault == 40 else 0) - older, 0)

    # -- trades --------------------------------------------------------------------------------------------------------

    def trade(self, move: Move) -> Trade:
        """Two orders that cross at a price near the mark."""
        resting = self._pick(move)
        number = resting.market if resting else self._choose_market(move)
        market = self.market(number) or w.market()
        size = market.lot * (1, 2, 7, 30, 100, 200, 400, 4_000)[move.size]
        maker: FreshOrder | OrderRef
        if resting:
            maker, price, flags = OrderRef(resting.account, resting.nonce & 8_191), resting.price, resting.flags
            size = min(size, self._rest_of(resting))
        else:
            price = self._price(move, number, market.tick)
            extra = {24: FLAG_IMMEDIATE, 25: FLAG_POST_ONLY, 26: FLAG_REDUCE_ONLY}.get(move.fault, 0)
            flags = (FLAG_SELL if move.shade % 2 else 0) | extra
            maker = self._order(move, TRADERS[move.who], number, flags, 2 * size, price)
            self.resting = [*self.resting[-5:], maker]
        taker_flags = (flags ^ FLAG_SELL) & FLAG_SELL
        taker_flags |= {27: FLAG_POST_ONLY, 28: FLAG_REDUCE_ONLY, 29: FLAG_IMMEDIATE}.get(move.fault, 0)
        taker_flags ^= FLAG_SELL if move.fault == 30 else 0
        limit = max(0, price + {31: market.tick, 32: -market.tick}.get(move.fault, 0))
        other = self._partner(move, maker.account) if move.fault != 33 else maker.account
        taker_market = number if move.fault != 34 else w.BTC_SMALL
        taker = self._order(move, other, taker_market, taker_flags, size, limit)
        return Trade(maker, taker, {35: 0, 36: size + 1, 37: size + market.lot, 38: 5 * size}.get(move.fault, size))

    def _choose_market(self, move: Move) -> int:
        return ODD_MARKETS[move.market % 4] if move.fault in {22, 23} else self._living(move.market)

    def _living(self, index: int) -> int:
        """One of the markets that have not expired."""
        view = self.builder.view
        living = []
        for number in MARKETS:
            market = view.market(number)
            if market.kind == MarketKind.PERP or view.series(market.underlying, market.series).expiry > self.time:
                living.append(number)
        return living[index % len(living)]

    def _partner(self, move: Move, account: int) -> int:
        other = TRADERS[(move.who + move.whom) % len(TRADERS)]
        return other if other != account else (account + 1) % 4

    def _price(self, move: Move, number: int, tick: int) -> int:
        """On a tick, mostly at the mark, at most some per cent of the underlying's price away from it."""
        mark = self.mark(number)
        away = (move.shade - 31) if move.fault < 150 else move.shade % 3 - 1
        return max(tick, mark * (1_000 + away) // 1_000 // tick * tick)

    def _pick(self, move: Move) -> FreshOrder | None:
        live = [order for order in self.resting if self._rest_of(order)]
        if not live or move.shade % 3 or move.fault in range(22, 27):
            return None
        found = live[move.size % len(live)]
        return replace(found, nonce=found.nonce + 1) if move.fault == 39 else found

    def _rest_of(self, order: FreshOrder) -> int:
        """What is left of an order that has traded before, 0 if it cannot trade any more."""
        slot = self.builder.view.find_slot(order.account, order.nonce)
        alive = slot is not None and slot.nonce == order.nonce and slot.size and slot.expiry >= self.time
        return slot.size - slot.filled if slot is not None and alive else 0

    def _order(self, move: Move, account: int, market: int, flags: int, size: int, price: int) -> FreshOrder:
        expiry = self.time + (-1 if move.fault == 44 else move.shade)
        size = {45: 0, 46: (1 << 48) - 1}.get(move.fault, size)
        price = {47: 0, 48: 1 << 47, 49: price + 1}.get(move.fault, price)
        nonce, key = self.next_nonce(move), self.key(move, account)
        return w.order(account, market, flags, size, price, nonce, expiry=expiry, key=key)

    def combo(self, move: Move) -> ComboTrade:
        """One to four legs in neighbouring markets."""
        count = 1 + move.size % 4
        numbers = sorted({self._living(move.market + 3 * i) for i in range(count)})
        if move.fault in {22, 23}:
            numbers = sorted({*numbers[:3], ODD_MARKETS[move.market % 4]})
        if move.fault == 24:
            numbers.reverse()
        legs = []
        for i, number in enumerate(numbers):
            market = self.market(number) or w.market()
            size = market.lot * (1, 5, 20, 100)[move.shade % 4] + (move.fault == 36)
            price = self._price(replace(move, shade=(move.shade + 7 * i) % 64), number, market.tick)
            price, size = {47: 0, 48: 1 << 47, 49: price + 1}.get(move.fault, price), 0 if move.fault == 35 else size
            legs.append(signed.leg(number, size, price, sell=bool(move.shade >> i & 1)))
        maker = TRADERS[move.who]
        taker = self._partner(move, maker) if move.fault != 33 else maker
        return signed.combo(
            maker, taker, self.next_nonce(move), legs, taker_nonce=self.next_nonce(move),
            maker_expiry=self.time - (move.fault == 44), taker_expiry=self.time - (move.fault == 45),
            maker_key=self.key(move, maker), taker_key=self.key(replace(move, fault=max(move.fault, 4)), taker),
        )  # fmt: skip

    # -- payments ------------------------------------------------------------------------------------------------------

    def pay(self, move: Move) -> Transaction:
        """A cancel, withdrawal, transfer or appointment."""
        self.nonce += 1
        who, key = move.who, self.key(move, move.who)
        nonce = {12: 0, 13: 1}.get(move.fault, self.nonce)
        match move.kind:
            case "cancel" if move.shade % 2:
                return w.cancel(who, max(self.nonce - move.shade % 4, 0), key=key)
            case "cancel":
                return w.cancel(who, max(self.nonce - move.shade, 0), everything=True, key=key)
            case "withdraw":
                return w.withdraw(TRADERS[who], amount(move), nonce, key=self.key(move, TRADERS[who]))
            case "transfer":
                whom = (who + move.whom) % (ACCOUNTS if move.fault != 6 else ACCOUNTS + 2)
                whom = {9: who}.get(move.fault, INSURANCE_FUND if move.shade % 4 == 0 else whom)
                return w.transfer(who, whom, amount(move), nonce, key=key)
            case _:
                signer = bytes(20) if move.shade % 3 == 0 else w.address("session", move.shade % 3)
                return w.set_signer(who, signer, nonce, key=key)


def amount(move: Move) -> int:
    """µUSD, small or large or impossible."""
    extreme = {7: 0, 8: 1 << 62, 10: (1 << 64) - 1, 11: (1 << 62) - 1}
    return extreme.get(move.fault, (1, 10**3, 10**6, 10**7, 10**8, 10**9, 10**10, 10**12)[move.size])
