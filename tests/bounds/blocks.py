"""The block of each kind that costs most to prove, as far as the meters and the posting rules let it come."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final

from rollup.types.limits import (
    MAX_BYTES,
    MAX_FORCED_MESSAGE,
    MAX_REVALUATIONS,
    MAX_SLOTS,
    MAX_TRANSACTIONS,
)
from rollup.types.messages import Forced, encode_message
from rollup.types.reasons import Reason
from rollup.types.transactions import ComboTrade, Deleverage, Flag, Settle, Trade, Transaction, encode_transaction
from tests.bounds.crowd import (
    BOOK,
    COINS,
    CROWDED,
    EVERY_BYTE,
    FEEDERS,
    LOT,
    NEW_NONCE,
    PRICE,
    QUANTITY,
    SIZE,
    Book,
    Slots,
    account_number,
    coin_number,
    even,
    every_second,
    everybody,
    make_crowd,
    mark_of,
    market_number,
    nobody,
    remember_old_orders,
    series_number,
    trade,
)
from tests.differential import signed
from tests.differential import world as w
from tests.differential.twins import Proof, make_proof
from tests.differential.world import World

PAIRED: Final = 12
"""Accounts of 31 positions in blocks that need all markets of two books."""
FULL: Final = 24
"""Accounts of 32 positions in blocks that need one book."""
VALUED: Final = MAX_REVALUATIONS // (2 * BOOK)
"""How often both parties' margins can be computed."""
SENDER: Final = w.owner(1)
"""Who forces messages on L1."""
GARBAGE: Final = b"\x03" + SENDER + b"\xff" * (MAX_FORCED_MESSAGE - 21)
"""The longest message there can be."""


@dataclass(frozen=True, slots=True)
class Kind:
    """`make` builds the block; `full` names the meters (fields of `Usage`) that it takes to their limits."""

    make: Callable[[], Proof]
    reason: Reason = Reason.NONE
    full: tuple[str, ...] = ()


def force(tx: Transaction) -> bytes:
    """An inbox message with this transaction."""
    return encode_message(Forced(SENDER, encode_transaction(tx)))


def prove_forced(world: World, txs: Iterable[Transaction], *reasons: Reason, behind: bytes = b"") -> Proof:
    """A block of forced transactions, which fail for these reasons, and bytes behind them."""
    proof = make_proof(world, [behind] if behind else (), [force(tx) for tx in txs])
    assert {receipt.reason for receipt in proof.result.receipts} == set(reasons)
    return proof


def parties(i: int, full: int) -> tuple[int, int, int]:
    """A seller and a buyer, neighbours among `full` accounts, and how often they met before."""
    return 2 * i % full, (2 * i + 1) % full, 2 * i // full


# -- trades and combos -------------------------------------------------------------------------------------------------


def heavy_trades(book: Book, count: int, slots: Slots) -> list[Trade]:
    """Trades in a market that neither side holds yet; those that no meter lets come to a margin are in a crowded one."""
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


# -- liquidations ------------------------------------------------------------------------------------------------------


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
            )  # fmt: skip
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


def settlements() -> Proof:
    """Every account of a crowd is paid out in 32 expired markets, and then there is nothing to settle."""
    world = make_crowd(FULL, 0, BOOK, book=Book.EXPIRED, second=nobody)
    txs = [Settle(account_number(n % FULL)) for n in range(MAX_TRANSACTIONS)]
    return prove_forced(world, txs, Reason.NONE, Reason.NOTHING_TO_SETTLE)


# -- payments ----------------------------------------------------------------------------------------------------------


def failing_withdrawals() -> Proof:
    """32 forced withdrawals from full accounts that cannot afford them."""
    world = make_crowd(FULL, 0, BOOK, poor=everybody, second=nobody)
    txs = [w.withdraw(*_cash(n % FULL), EVERY_BYTE + 1, key=w.key_of("owner", n % FULL)) for n in range(32)]
    return prove_forced(world, txs, Reason.MARGIN)


def failing_transfers() -> Proof:
    """32 forced transfers from full accounts that cannot afford them, to others."""
    full, light = FULL - 4, 10
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


# -- the oracle --------------------------------------------------------------------------------------------------------


def prices() -> Proof:
    """96 signatures of feeders under prices."""
    world = make_crowd(0, 0)
    return make_proof(
        world, [w.oracle_update(coin_number(n % COINS), w.NOW - 29 + n, PRICE, PRICE + n, range(FEEDERS)) for n in range(12)]
    )  # fmt: skip


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


# -- bytes -------------------------------------------------------------------------------------------------------------


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


KINDS: Final = {
    "trade of two full books": Kind(partial(standing_trades, Book.OPTIONS, 1)),
    "trades": Kind(partial(standing_trades, Book.OPTIONS), Reason.NONE, ("revaluations",)),
    "forced trades that fail last": Kind(
        partial(failing_trades, Book.OPTIONS), Reason.NONE, ("transactions", "slots", "revaluations")
    ),
    "forced trades of perpetuals that fail last": Kind(
        partial(failing_trades, Book.PERPS), Reason.NONE, ("transactions", "slots", "revaluations")
    ),
    "forced trades of options and perpetuals that fail last": Kind(
        partial(failing_trades, Book.MIXED), Reason.NONE, ("transactions", "slots", "revaluations")
    ),
    "forced trades that fail last, then garbage": Kind(
        failing_trades_and_garbage, Reason.METER_TRANSACTIONS, ("transactions", "slots", "revaluations")
    ),
    "forced combos that fail last": Kind(failing_combos, Reason.NONE, ("transactions", "slots", "revaluations")),
    "forced bids that fail last": Kind(
        partial(bids, MAX_REVALUATIONS // (3 * BOOK), Reason.MARGIN), Reason.NONE, ("revaluations",)
    ),
    "forced bids that fail with the last slice": Kind(
        partial(bids, VALUED, Reason.POSITION_LIMIT), Reason.NONE, ("revaluations",)
    ),
    "forced bids that fail last, combos, every option drawn": Kind(
        bids_and_combos, Reason.NONE, ("transactions", "revaluations")
    ),
    "bids": Kind(partial(bids, VALUED // 2, Reason.NONE), Reason.NONE, ("revaluations",)),
    "deleveragings": Kind(deleveragings, Reason.NONE, ("revaluations",)),
    "forced deleveragings that fail": Kind(failing_deleveragings, Reason.NONE, ("transactions", "revaluations")),
    "flags": Kind(flags),
    "forced flags that fail": Kind(failing_flags, Reason.NONE, ("transactions", "revaluations")),
    "settlements": Kind(settlements, Reason.NONE, ("transactions",)),
    "forced withdrawals that fail": Kind(failing_withdrawals, Reason.NONE, ("transactions", "revaluations")),
    "forced transfers that fail": Kind(failing_transfers, Reason.NONE, ("transactions", "revaluations")),
    "cancels": Kind(cancels, Reason.NONE, ("transactions",)),
    "session signers": Kind(signers, Reason.NONE, ("transactions",)),
    "many slots of two accounts": Kind(many_slots, Reason.NONE, ("slots",)),
    "prices of eight feeders": Kind(prices, Reason.NONE, ("recoveries",)),
    "slices of eight feeders": Kind(surfaces, Reason.NONE, ("recoveries",)),
    "options drawn again": Kind(redraws),
    "most bytes": Kind(largest, Reason.METER_BYTES),
    "longest messages": Kind(longest_messages, Reason.NONE, ("bytes",)),
}
"""What stands in the snapshot, by name."""
