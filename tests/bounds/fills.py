"""The dearest blocks of trades and combos."""

from __future__ import annotations

from collections.abc import Iterable

from rollup.types.limits import MAX_BYTES, MAX_SLOTS, MAX_TRANSACTIONS
from rollup.types.reasons import Reason
from rollup.types.transactions import ComboTrade, Trade
from tests.bounds.crowd import (
    BOOK,
    COINS,
    CROWDED,
    FEEDERS,
    LOT,
    NEW_NONCE,
    PRICE,
    Book,
    Slots,
    account_number,
    coin_number,
    make_crowd,
    mark_of,
    market_number,
    nobody,
    remember_old_orders,
    trade,
)
from tests.bounds.forced import PAIRED, VALUED, force, parties, prove_forced
from tests.differential import signed
from tests.differential import world as w
from tests.differential.twins import Proof, make_proof


def heavy_trades(book: Book, count: int, slots: Slots) -> list[Trade]:
    """Trades in a market that neither side holds yet: a crowded one for those that no meter lets come to a margin."""
    trades = []
    for i in range(count):
        seller, buyer, turn = parties(i, PAIRED)
        market = 0 if i < VALUED else CROWDED
        trades.append(trade(slots.of(seller, turn), slots.of(buyer, turn), market, i, mark_of(book, market)))
    return trades


def failing_trades(book: Book, behind: bytes = b"") -> Proof:
    """Forced trades that fail in the last check there is: both parties settled and valued, then all undone.

    An undone settlement is as dear the next time; one that stands has nothing left to pay. As many as the meter of
    revaluations admits, and then trades that fail before a margin is needed.
    """
    world = make_crowd(PAIRED, 0, book=book)
    slots = Slots(MAX_SLOTS)
    trades = heavy_trades(book, MAX_TRANSACTIONS, slots)
    remember_old_orders(world, slots.used)
    return prove_forced(world, trades, Reason.MARGIN, Reason.OPEN_INTEREST, behind=behind)


def failing_trades_and_garbage() -> Proof:
    """The same with as many bytes behind it as a batch takes: the block is invalid, after all that work."""
    return failing_trades(Book.OPTIONS, b"\xff" * MAX_BYTES)


def standing_trades(book: Book, count: int = VALUED) -> Proof:
    """Trades of full accounts, all of which stand."""
    world = make_crowd(PAIRED, 0, poor=nobody, book=book)
    slots = Slots(MAX_SLOTS)
    trades = heavy_trades(book, count, slots)
    remember_old_orders(world, slots.used)
    return make_proof(world, trades)


def failing_combos() -> Proof:
    """Forced combos of four legs that fail in the last check, then some that fail with their last leg."""
    world = make_crowd(PAIRED, 0, BOOK - 4)
    slots = Slots(MAX_SLOTS)
    combos = []
    for i in range(MAX_TRANSACTIONS):
        maker, taker, turn = parties(i, PAIRED)
        markets = (0, 1, 2, 3 if i < VALUED else CROWDED)
        combos.append(failing_combo(slots, maker, taker, markets, turn))
    remember_old_orders(world, slots.used)
    return prove_forced(world, combos, Reason.MARGIN, Reason.OPEN_INTEREST)


def failing_combo(slots: Slots, maker: int, taker: int, markets: Iterable[int], turn: int) -> ComboTrade:
    """A combo in which the maker sells a lot in each of these markets."""
    slot, other = slots.of(maker, turn), slots.of(taker, turn)
    legs = [signed.leg(market_number(m), LOT, mark_of(Book.OPTIONS, m), sell=True) for m in markets]
    return signed.combo(
        account_number(maker), account_number(taker), NEW_NONCE + 8_192 * turn + slot[1], legs,
        taker_nonce=NEW_NONCE + 8_192 * turn + other[1], maker_key=w.key_of("owner", maker),
        taker_key=w.key_of("owner", taker),
    )  # fmt: skip


def mixed() -> Proof:
    """Forced trades that fail, and prices of all feeders behind them: every system leaf and recovery there can be."""
    world = make_crowd(PAIRED, 0)
    slots = Slots(MAX_SLOTS)
    trades = heavy_trades(Book.OPTIONS, MAX_TRANSACTIONS, slots)[VALUED - 8 : VALUED + 8]
    remember_old_orders(world, slots.used)
    prices = [
        w.oracle_update(coin_number(n % COINS), w.NOW - 29 + n, PRICE, PRICE + n, range(FEEDERS)) for n in range(8)
    ]  # fmt: skip
    return make_proof(world, prices, [force(tx) for tx in trades])
