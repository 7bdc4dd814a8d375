"""What a message alone can touch: a forced trade between two accounts that hold as much as a block may look at.

At the head of a block a message that exceeds a meter is passed over, and what it touched stays in the witness. How much
that can be is bounded by the meter of system leaves; the meter of leaf bytes is far from it, so no message can fill a
block's proof before another one has its turn.
"""

from __future__ import annotations

from typing import Final

from rollup.types.accounts import Slot
from rollup.types.keys import market_key, series_key, slot_key
from rollup.types.leaves import MarketKind
from rollup.types.limits import (
    MAX_LEAF_BYTES,
    MAX_POSITIONS,
    MAX_SYSTEM,
    WAY_OF_ACCOUNT,
    WAY_OF_OTHERS,
    WAY_OF_SERIES,
    WAY_OF_SLOT,
)
from rollup.types.messages import Deposit, Forced, encode_message
from rollup.types.reasons import Reason
from rollup.types.transactions import Trade, encode_transaction
from tests.differential import world as w
from tests.differential.cases import LOT, buy, sell
from tests.differential.twins import assert_agreement, fast_verifier, make_proof
from tests.differential.world import World, make_world

GLOBALS, UNDERLYING, SERIES, MARKET, SLOT, ACCOUNT = 92, 102, 70, 76, 34, 79 + 18 * MAX_POSITIONS
"""Bytes of the leaves (SPEC section 2); of an account that is full."""
PAIRS: Final = (MAX_SYSTEM - 2) // 2
"""Series, each with the one market that needs it, beside the totals and an underlying."""
BOUND: Final = (
    GLOBALS + UNDERLYING + 2 * WAY_OF_OTHERS
    + PAIRS * (SERIES + WAY_OF_SERIES + MARKET + WAY_OF_OTHERS)
    + 2 * (ACCOUNT + WAY_OF_ACCOUNT) + 2 * (SLOT + WAY_OF_SLOT)
)  # fmt: skip
"""Of two accounts, two slots, and as many of the heaviest system leaves as may be: each series needs a market."""
FIRST: Final = 201


def make_widest_world() -> World:
    """Two full accounts that have one market in common; every market has a series of its own."""
    world = make_world()
    numbers = range(FIRST, FIRST + 2 * MAX_POSITIONS - 1)
    world.write({series_key(w.BTC, n): w.series().encode() for n in numbers})
    world.write({market_key(n): w.option(MarketKind.FUTURE, n, 0).encode() for n in numbers})
    world.hold(0, dict.fromkeys(numbers[:MAX_POSITIONS], LOT))
    world.hold(1, dict.fromkeys([FIRST, *numbers[MAX_POSITIONS:]], -LOT))
    for account in (0, 1):
        world.write({slot_key(account, 1): Slot(0, FIRST, 0, LOT, w.BTC_MARK, w.NOW, LOT).encode()})
    world.count_interest()
    return world


def test_a_message_alone_touches_so_many_leaf_bytes_and_no_more() -> None:
    """The bound is reached to the byte, far below the meter; the leaf that is refused then is not in the witness."""
    world = make_widest_world()
    terms = {"market": FIRST, "price": w.BTC_MARK + 100 * w.DOLLAR, "size": LOT}
    heavy = encode_message(Forced(w.owner(0), encode_transaction(Trade(buy(**terms), sell(**terms), LOT))))
    proof = make_proof(world, (), [heavy])
    assert_agreement(proof, fast_verifier())
    usage = proof.result.usage
    assert (proof.result.reason, proof.result.receipts[0].reason) == (Reason.NONE, Reason.METER_SYSTEM)
    assert (usage.system, usage.leaf_bytes) == (MAX_SYSTEM, BOUND)
    assert len(proof.result.pre) == MAX_SYSTEM + 4
    assert BOUND == 79_986 < MAX_LEAF_BYTES * 82 // 100


def test_what_a_lone_message_touched_leaves_room_for_those_behind_it() -> None:
    """Ten more accounts fit into the leaf bytes that it left, so a queue moves on; the system leaves are used up."""
    world = make_widest_world()
    terms = {"market": FIRST, "price": w.BTC_MARK + 100 * w.DOLLAR, "size": LOT}
    heavy = encode_message(Forced(w.owner(0), encode_transaction(Trade(buy(**terms), sell(**terms), LOT))))
    deposits = [encode_message(Deposit(account, 1)) for account in range(2, 12)]
    proof = make_proof(world, (), [heavy, *deposits])
    assert_agreement(proof, fast_verifier())
    assert proof.result.reason == Reason.NONE
    assert proof.result.usage.leaf_bytes == BOUND + 10 * (79 + WAY_OF_ACCOUNT)
    another = make_proof(world, (), [heavy, *deposits, heavy])
    assert_agreement(another, fast_verifier())
    assert (another.result.reason, another.result.index) == (Reason.METER_SYSTEM, 11)
