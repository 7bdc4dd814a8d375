"""The dearest blocks of payments, cancels and appointments."""

from __future__ import annotations

from rollup.types.limits import MAX_SLOTS, MAX_TRANSACTIONS
from rollup.types.reasons import Reason
from tests.bounds.crowd import (
    BOOK,
    EVERY_BYTE,
    NEW_NONCE,
    Book,
    Slots,
    account_number,
    everybody,
    make_crowd,
    mark_of,
    nobody,
    remember_old_orders,
    trade,
)
from tests.bounds.forced import FULL, force, prove_forced
from tests.differential import world as w
from tests.differential.twins import Proof, make_proof


def failing_withdrawals(book: Book = Book.OPTIONS, full: int = FULL) -> Proof:
    """32 forced withdrawals from full accounts that cannot afford them, after all that ends in their books."""
    world = make_crowd(full, 0, BOOK, poor=everybody, second=nobody, book=book)
    txs = [w.withdraw(*_cash(n % full), EVERY_BYTE + 1, key=w.key_of("owner", n % full)) for n in range(32)]
    return prove_forced(world, txs, Reason.MARGIN)


def failing_transfers() -> Proof:
    """32 forced transfers from full accounts that cannot afford them, to others."""
    full, light = FULL - 4, 16
    world = make_crowd(full, light, BOOK, poor=everybody, second=nobody)
    txs = [
        w.transfer(
            _cash(n % full)[0], account_number(full + n % light), EVERY_BYTE, EVERY_BYTE + 1,
            key=w.key_of("owner", n % full),
        )
        for n in range(MAX_TRANSACTIONS)
    ]  # fmt: skip
    return prove_forced(world, txs, Reason.MARGIN)


def _cash(k: int) -> tuple[int, int]:
    return account_number(k), EVERY_BYTE


def cancels() -> Proof:
    """32 slots of as many accounts, most of them full."""
    world = make_crowd(FULL, MAX_TRANSACTIONS - FULL)
    slots = {(n, 77 * n) for n in range(MAX_TRANSACTIONS)}
    remember_old_orders(world, slots)
    txs = [w.cancel(account_number(n), NEW_NONCE + slot, key=w.key_of("owner", n)) for n, slot in sorted(slots)]
    return make_proof(world, txs)


def signers() -> Proof:
    """32 accounts appoint a session signer, all of them full."""
    world = make_crowd(MAX_TRANSACTIONS, 0)
    return make_proof(
        world,
        [
            w.set_signer(account_number(n), w.owner(n + 2), EVERY_BYTE + 1, key=w.key_of("owner", n))
            for n in range(MAX_TRANSACTIONS)
        ],
    )


def many_slots() -> Proof:
    """Two accounts of 31 positions and all the slots of them that fit, far apart."""
    world = make_crowd(2, 0)
    slots = Slots(MAX_SLOTS)
    price = mark_of(Book.OPTIONS, 0)
    trades = [trade(slots.of(0, n), slots.of(1, n), 0, price=price) for n in range(MAX_SLOTS // 2)]
    remember_old_orders(world, slots.used)
    return make_proof(world, (), [force(tx) for tx in trades])
