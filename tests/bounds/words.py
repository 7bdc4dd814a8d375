"""The dearest blocks of the oracle, and those that carry most bytes."""

from __future__ import annotations

from rollup.types.limits import MAX_BYTES, MAX_SLOTS, MAX_TRANSACTIONS
from rollup.types.transactions import Transaction
from tests.bounds.crowd import (
    BOOK,
    COINS,
    EVERY_BYTE,
    FEEDERS,
    PRICE,
    Book,
    Slots,
    account_number,
    coin_number,
    make_crowd,
    mark_of,
    nobody,
    remember_old_orders,
    series_number,
    trade,
)
from tests.bounds.forced import GARBAGE, force
from tests.differential import signed
from tests.differential import world as w
from tests.differential.twins import Proof, make_proof


def prices() -> Proof:
    """96 signatures of feeders under prices."""
    world = make_crowd(0, 0)
    feeders = range(FEEDERS)
    txs = [w.oracle_update(coin_number(n % COINS), w.NOW - 29 + n, PRICE, PRICE + n, feeders) for n in range(12)]
    return make_proof(world, txs)


def surfaces() -> Proof:
    """96 signatures of feeders under slices."""
    world = make_crowd(0, 0)
    return make_proof(world, [slice_of(n, FEEDERS) for n in range(12)])


def slice_of(n: int, feeders: int) -> Transaction:
    """A slice of a coin's series, signed by so many."""
    coin = n % COINS
    return signed.surface(
        coin_number(coin), series_number(coin), w.NOW - 29 + n, PRICE + 123_456_789 * coin, range(feeders), m=10**7 + n
    )  # fmt: skip


def redraws() -> Proof:
    """Options drawn again and again, as far as the meter of pricings goes: valuations between changes of the slices."""
    rich = 18
    world = make_crowd(rich, 0, BOOK, poor=nobody, second=nobody)
    txs: list[Transaction] = []
    turn = 0
    for updates in (0, COINS, 3):  # 32 options, those again, and what three series have of them
        txs += [slice_of(turn + n, 6) for n in range(updates)]
        turn += updates
        txs += [pay((len(txs) + n) % rich, len(txs) + n) for n in range(6)]
    return make_proof(world, txs)


def pay(k: int, nonce: int) -> Transaction:
    """A small transfer from a full account to the next."""
    return w.transfer(
        account_number(k), account_number((k + 1) % 18), 1, EVERY_BYTE + 1 + nonce, key=w.key_of("owner", k)
    )  # fmt: skip


def largest(pairs: int = 11) -> Proof:
    """Two books, and as many full accounts as fit the meter of leaf bytes; the rest is bytes that nobody executes.

    The meter of bytes refuses such a block, but L1 accepts it, and its proof carries all of them.
    """
    world = make_crowd(2 * pairs, 0)
    slots = Slots(MAX_SLOTS)
    price = mark_of(Book.OPTIONS, 0)
    trades = [trade(slots.of(2 * n, 0), slots.of(2 * n + 1, 0), 0, price=price) for n in range(pairs)]
    remember_old_orders(world, slots.used)
    messages = [force(tx) for tx in trades] + [GARBAGE] * (MAX_TRANSACTIONS - len(trades))
    return make_proof(world, [b"\xff" * MAX_BYTES], messages)


def longest_messages() -> Proof:
    """Nothing but messages of the greatest length, as many as a block takes."""
    return make_proof(make_crowd(0, 0), (), [GARBAGE] * (MAX_BYTES // len(GARBAGE)))
