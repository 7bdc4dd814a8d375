"""The dearest blocks of what befalls accounts: flags, bids, deleveraging, settlement."""

from __future__ import annotations

from rollup.types.limits import MAX_REVALUATIONS, MAX_SLOTS, MAX_TRANSACTIONS
from rollup.types.reasons import Reason
from rollup.types.transactions import Deleverage, Flag, Settle, Transaction
from tests.bounds.crowd import (
    BOOK,
    LOT,
    NEW_NONCE,
    QUANTITY,
    SIZE,
    Book,
    Slots,
    account_number,
    even,
    every_second,
    everybody,
    make_crowd,
    market_number,
    nobody,
    remember_old_orders,
)
from tests.bounds.fills import (
    failing_combo,
)
from tests.bounds.forced import FULL, PAIRED, VALUED, parties, prove_forced
from tests.differential import signed
from tests.differential import world as w
from tests.differential.twins import Proof, make_proof


def bids(count: int, last: Reason) -> Proof:
    """Forced bids for all of a book, by liquidators who hold the same book.

    They fail when the liquidator's margin is found too small; or, half as many again, because the last slice of all is
    more than anybody may hold; or they stand.
    """
    world = make_crowd(FULL, 0, BOOK, poor=nobody if last == Reason.NONE else every_second, sick=even, second=nobody)
    if last == Reason.POSITION_LIMIT:
        world.set_market(market_number(BOOK - 1), max_position=SIZE)
    slots = Slots(MAX_SLOTS)
    txs = []
    for i in range(count):
        account, liquidator, turn = parties(i, FULL)
        slot = slots.of(liquidator, turn)
        txs.append(
            signed.bid(
                account_number(account),
                account_number(liquidator),
                NEW_NONCE + 8_192 * i + slot[1],
                key=w.key_of("owner", liquidator),
            )
        )
    remember_old_orders(world, slots.used)
    return prove_forced(world, txs, last)


def bids_and_combos() -> Proof:
    """The dearest of everything: bids as above, every option drawn, combos in what is left of the meters."""
    buyers, others = range(10), range(10, 14)
    world = make_crowd(
        len(buyers) + len(others), 0, BOOK, sick=lambda k: k % 2 == 0 and k in buyers, second=lambda k: k in others,
        poor=nobody,
    )  # fmt: skip
    for full in (BOOK - 1, BOOK + 4):
        world.set_market(market_number(full), max_position=SIZE)
    slots = Slots(MAX_SLOTS)
    txs: list[Transaction] = [Flag(account_number(others[0]))]
    for i in range(VALUED - 1):
        account, liquidator, turn = parties(i, len(buyers))
        slot = slots.of(liquidator, turn)
        nonce, key = NEW_NONCE + 8_192 * i + slot[1], w.key_of("owner", liquidator)
        txs.append(signed.bid(account_number(account), account_number(liquidator), nonce, key=key))
    for i in range(MAX_TRANSACTIONS - VALUED):
        maker, taker, turn = parties(i, len(others))
        txs.append(failing_combo(slots, others[maker], others[taker], (BOOK + 1, BOOK + 2, BOOK + 3, BOOK + 4), turn))
    remember_old_orders(world, slots.used)
    return prove_forced(world, txs, Reason.NOT_LIQUIDATABLE, Reason.POSITION_LIMIT)


def deleveragings() -> Proof:
    """Lots of sick accounts closed against others: three margins each."""
    world = make_crowd(FULL, 0, BOOK, poor=nobody, sick=even, long=every_second, second=nobody)
    world.set_globals(auction=30)
    txs = []
    for i in range(MAX_REVALUATIONS // (3 * BOOK)):
        account, other, turn = parties(i, FULL)
        txs.append(Deleverage(account_number(account), account_number(other), market_number(turn), LOT))
    return make_proof(world, txs)


def failing_deleveragings() -> Proof:
    """Forced ones that fail after both are settled and the account is valued: their size fits nobody."""
    world = make_crowd(FULL, 0, BOOK, poor=nobody, sick=even, long=every_second, second=nobody)
    world.set_globals(auction=30)
    txs = []
    for i in range(MAX_TRANSACTIONS):
        account, other, _ = parties(i, FULL)
        txs.append(Deleverage(account_number(account), account_number(other), market_number(3), QUANTITY // LOT * LOT))
    return prove_forced(world, txs, Reason.DELEVERAGE_SIZE)


def failing_flags() -> Proof:
    """Forced looks at accounts that are sound."""
    world = make_crowd(FULL, 0, BOOK, poor=nobody, second=nobody)
    return prove_forced(
        world, [Flag(account_number(n % FULL)) for n in range(MAX_TRANSACTIONS)], Reason.NOT_LIQUIDATABLE
    )  # fmt: skip


def flags() -> Proof:
    """Accounts of both books are flagged."""
    world = make_crowd(PAIRED, 0, BOOK, poor=everybody, sick=everybody)
    for k in range(PAIRED):
        world.set_account(account_number(k), status=0, flagged=0)
    return make_proof(world, [Flag(account_number(n)) for n in range(PAIRED)])


def late_bids(book: Book, full: int, most: int = MAX_SLOTS) -> Proof:
    """Forced bids for accounts of which nothing is left once they and their liquidators are paid out."""
    world = make_crowd(full, 0, BOOK, sick=even, second=nobody, book=book)
    slots = Slots(most)
    txs = []
    for i in range(MAX_TRANSACTIONS):
        account, liquidator, turn = parties(i, full)
        nonce, key = NEW_NONCE + 8_192 * i + slots.of(liquidator, turn)[1], w.key_of("owner", liquidator)
        txs.append(signed.bid(account_number(account), account_number(liquidator), nonce, key=key))
    remember_old_orders(world, slots.used)
    return prove_forced(world, txs, Reason.NOT_LIQUIDATABLE)


def settlements(book: Book = Book.EXPIRED, full: int = FULL) -> Proof:
    """Every account of a crowd is paid out in 32 markets that have ended, and then there is nothing to settle."""
    world = make_crowd(full, 0, BOOK, book=book, second=nobody)
    txs = [Settle(account_number(n % full)) for n in range(MAX_TRANSACTIONS)]
    return prove_forced(world, txs, Reason.NONE, Reason.NOTHING_TO_SETTLE)
