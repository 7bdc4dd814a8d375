"""What heavy blocks share: forced transactions, and who meets whom in them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rollup.types.limits import MAX_FORCED_MESSAGE, MAX_REVALUATIONS
from rollup.types.messages import Forced, encode_message
from rollup.types.reasons import Reason
from rollup.types.transactions import Transaction, encode_transaction
from tests.bounds.crowd import (
    BOOK,
)
from tests.differential import world as w
from tests.differential.twins import Proof, make_proof
from tests.differential.world import World

PAIRED: Final = 12
"""Accounts of 31 positions in blocks that need all markets of two books."""
FULL: Final = 24
"""Accounts of 32 positions in blocks that need one book."""
LONELY: Final = 18
"""Accounts of 32 positions in blocks that also need a series for each of them."""
VALUED: Final = MAX_REVALUATIONS // (2 * BOOK)
"""How often both parties' margins can be computed."""
SENDER: Final = w.owner(1)
"""Who forces messages on L1."""
GARBAGE: Final = b"\x03" + SENDER + b"\x01" + b"\xff" * (MAX_FORCED_MESSAGE - 22)
"""The longest message there can be."""


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
