"""The block of each kind that costs most to prove, as far as the meters and the posting rules let it come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rollup.types.limits import MAX_ACCOUNTS, MAX_BYTES, MAX_FORCED_MESSAGE, MAX_SLOTS, MAX_TRANSACTIONS
from rollup.types.messages import Forced, encode_message
from rollup.types.reasons import Reason
from rollup.types.transactions import Trade, Transaction, encode_transaction
from tests.bounds.crowd import (
    EVERY_BYTE,
    MARKETS,
    NEW_NONCE,
    Slots,
    account_number,
    everybody,
    make_crowd,
    nobody,
    remember_old_orders,
    trade,
)
from tests.differential import heavy
from tests.differential import world as w
from tests.differential.twins import Proof, make_proof

FULL: Final = 24
"""Accounts of 31 positions that fit the meter of leaf bytes beside everything else."""
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


def heavy_trades(full: int, count: int, slots: Slots) -> list[Trade]:
    """Trades between neighbours of `full` heavy accounts, each in a market that neither holds yet."""
    trades = []
    for i in range(count):
        seller, buyer, turn = 2 * i % full, (2 * i + 1) % full, 2 * i // full
        trades.append(trade(slots.of(seller, turn), slots.of(buyer, turn), 0, i))
    return trades


def failing_trades(txs: bytes = b"") -> Proof:
    """32 forced trades that fail in the last check there is: both parties settled and valued, then all undone.

    An undone settlement is as dear the next time; one that stands has nothing left to pay.
    """
    world = make_crowd(FULL, 0)
    slots = Slots(MAX_SLOTS)
    messages = [force(tx) for tx in heavy_trades(FULL, MAX_TRANSACTIONS, slots)]
    remember_old_orders(world, slots.used)
    proof = make_proof(world, [txs] if txs else (), messages)
    assert {receipt.reason for receipt in proof.result.receipts} == {Reason.MARGIN}
    return proof


def failing_trades_and_garbage() -> Proof:
    """The same with as many bytes behind it as a batch takes: the block is invalid, after all that work."""
    return failing_trades(b"\xff" * MAX_BYTES)


def standing_trades() -> Proof:
    """32 trades of full accounts, all of which stand."""
    world = make_crowd(FULL, 0, poor=nobody)
    slots = Slots(MAX_SLOTS)
    trades = heavy_trades(FULL, MAX_TRANSACTIONS, slots)
    remember_old_orders(world, slots.used)
    return make_proof(world, trades)


def failing_withdrawals() -> Proof:
    """32 forced withdrawals from full accounts that cannot afford them."""
    world = make_crowd(FULL, 0, MARKETS, poor=everybody)
    withdrawals = [w.withdraw(*_cash(n % FULL), EVERY_BYTE + 1, key=w.key_of("owner", n % FULL)) for n in range(32)]
    return make_proof(world, (), [force(tx) for tx in withdrawals])


def failing_transfers() -> Proof:
    """32 forced transfers from full accounts that cannot afford them, to as many others as the meters admit."""
    world = make_crowd(FULL, MAX_ACCOUNTS - FULL, MARKETS, poor=everybody)
    transfers = [
        w.transfer(
            _cash(n % FULL)[0], account_number(MAX_ACCOUNTS - 1 - n), EVERY_BYTE, EVERY_BYTE + 1,
            key=w.key_of("owner", n % FULL),
        )
        for n in range(MAX_TRANSACTIONS)
    ]  # fmt: skip
    return make_proof(world, (), [force(tx) for tx in transfers])


def cancels() -> Proof:
    """32 slots of as many accounts, most of them full."""
    world = make_crowd(FULL, MAX_TRANSACTIONS - FULL)
    slots = {(n, 77 * n) for n in range(MAX_TRANSACTIONS)}
    remember_old_orders(world, slots)
    txs = [w.cancel(account_number(n), NEW_NONCE + slot, key=w.key_of("owner", n)) for n, slot in sorted(slots)]
    return make_proof(world, txs)


def signers() -> Proof:
    """32 accounts appoint a session signer, most of them full."""
    world = make_crowd(FULL + 4, MAX_TRANSACTIONS - FULL - 4)
    return make_proof(
        world,
        [
            w.set_signer(account_number(n), w.owner(n + 2), EVERY_BYTE + 1, key=w.key_of("owner", n))
            for n in range(MAX_TRANSACTIONS)
        ],
    )


def _cash(k: int) -> tuple[int, int]:
    return account_number(k), EVERY_BYTE


def largest() -> Proof:
    """Every leaf that can be touched is, by messages; the rest is bytes: of messages, and of transactions that fail.

    The meter of bytes refuses such a block, but L1 accepts it, and its proof carries all of them.
    """
    full = 22
    world = make_crowd(full, MAX_ACCOUNTS - full)
    slots = Slots(MAX_SLOTS)
    pairs = [(2 * n, 2 * n + 1) for n in range(MAX_ACCOUNTS // 2)]
    trades = [trade(slots.of(seller, 0), slots.of(buyer, 0), 0) for seller, buyer in pairs]
    remember_old_orders(world, slots.used)
    messages = [force(tx) for tx in trades] + [GARBAGE] * (MAX_TRANSACTIONS - len(trades))
    return make_proof(world, [b"\xff" * MAX_BYTES], messages)


def longest_messages() -> Proof:
    """Nothing but messages of the greatest length."""
    return make_proof(make_crowd(0, 0), (), [GARBAGE] * MAX_TRANSACTIONS)


def many_slots() -> Proof:
    """Two accounts of 31 positions and forty slots of them, far apart."""
    world = make_crowd(2, 0)
    slots = Slots(MAX_SLOTS)
    trades = [trade(slots.of(0, n), slots.of(1, n), 0) for n in range(MAX_SLOTS // 2)]
    remember_old_orders(world, slots.used)
    return make_proof(world, (), [force(tx) for tx in trades])


def _heavy(name: str, *full: str) -> Kind:
    make, reason = heavy.BLOCKS[name]
    return Kind(make, reason, full)


KINDS: Final = {
    "trades": Kind(standing_trades, Reason.NONE, ("transactions", "revaluations")),
    "forced trades that fail last": Kind(
        failing_trades, Reason.NONE, ("transactions", "slots", "system", "revaluations")
    ),
    "forced trades that fail last, then garbage": Kind(
        failing_trades_and_garbage, Reason.METER_TRANSACTIONS, ("transactions", "slots", "system", "revaluations")
    ),
    "most bytes": Kind(largest, Reason.METER_TRANSACTIONS, ("transactions", "accounts", "slots", "system")),
    "longest messages": Kind(longest_messages, Reason.NONE, ("transactions", "bytes")),
    "forty slots of two accounts": Kind(many_slots, Reason.NONE, ("slots", "system")),
    "both margins of every party": _heavy("valuations", "revaluations"),
    "cancels": Kind(cancels, Reason.NONE, ("transactions",)),
    "withdrawals": _heavy("withdrawals"),
    "forced withdrawals that fail": Kind(failing_withdrawals, Reason.NONE, ("transactions", "system")),
    "transfers": _heavy("transfers", "accounts"),
    "forced transfers that fail": Kind(failing_transfers, Reason.NONE, ("transactions", "accounts", "system")),
    "session signers": Kind(signers, Reason.NONE, ("transactions",)),
    "prices of eight feeders": _heavy("prices", "recoveries"),
    "mixed": _heavy("mixed", "accounts", "slots", "system", "recoveries"),
    "mixed, overfilled at the end": _heavy("mixed, overfilled at the end", "accounts", "slots", "system"),
}
"""What stands in the snapshot, by name."""
