"""Series that a failing message closes are open again, in both twins, whatever comes behind it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rollup.types.keys import series_key
from rollup.types.leaves import Series
from rollup.types.messages import Forced, encode_message
from rollup.types.reasons import Reason
from rollup.types.transactions import Settle, Transaction, encode_transaction
from tests.bounds.crowd import BOOK, COINS, EVERY_BYTE, Book, account_number, coin_number, make_crowd, own_series_number
from tests.bounds.forced import force
from tests.differential import world as w
from tests.differential.cases import LOT
from tests.differential.cases_closing import expired
from tests.differential.cases_dated import FORWARD
from tests.differential.signed import surface
from tests.differential.twins import Proof, accept, assert_agreement, fast_verifier, make_proof, reference_verifier
from tests.differential.world import World, make_world

NEAR = series_key(w.BTC, w.NEAR)


def agree(world: World, txs: Sequence[Transaction], messages: Sequence[bytes], *reasons: Reason) -> Proof:
    """A valid block on which both twins agree in both EVMs, and what becomes of its messages and transactions."""
    proof = make_proof(world, txs, messages)
    assert assert_agreement(proof, fast_verifier()) == assert_agreement(proof, reference_verifier())
    assert proof.result.reason == Reason.NONE
    assert tuple(receipt.reason for receipt in proof.result.receipts) == reasons
    return proof


def failing() -> tuple[World, bytes]:
    """A series to be closed, and a message that closes it and then meets a price that is too old."""
    world = expired(make_world())
    world.set_underlying(w.ETH, time=w.NOW - 61)
    world.hold(2, {w.NEAR_CALL: LOT, w.ETH_FUTURE: LOT})
    world.hold(1, {w.NEAR_CALL: -2 * LOT, w.NEAR_PUT: -3 * LOT, w.NEAR_FUTURE: LOT + 1, w.BTC_PERP: -LOT})
    world.set_series(w.ETH, w.NEAR, time=w.NOW - 61)
    world.count_interest()
    return world, encode_message(Forced(w.owner(9), encode_transaction(Settle(2))))


def settlement(proof: Proof) -> int:
    """Where the block leaves the near series."""
    return Series.decode(proof.result.writes[NEAR]).settlement


def test_failing_message_leaves_a_series_open() -> None:
    """Alone it writes nothing there; nobody can tell that it was closed for a moment."""
    world, message = failing()
    assert NEAR not in agree(world, [], [message], Reason.ORACLE_STALE).result.writes


def test_update_can_still_end_a_series_that_a_failing_message_closed() -> None:
    """In the same block; and so late an update ends it where closing does."""
    world, message = failing()
    closed = agree(world, [Settle(0)], [], Reason.NONE)
    update = surface(w.BTC, w.NEAR, w.NOW, FORWARD)
    ended = agree(world, [update, Settle(0)], [message], Reason.ORACLE_STALE, Reason.NONE, Reason.NONE)
    assert Series.decode(ended.result.writes[NEAR]).forward == FORWARD
    assert settlement(closed) == settlement(ended)


@pytest.mark.parametrize("before", [0, 1, 2])
def test_series_is_closed_by_the_first_who_succeeds(before: int) -> None:
    """By a message, after any number that fail; and who failed succeeds when the missing price is there."""
    world, message = failing()
    settle = encode_message(Forced(w.owner(9), encode_transaction(Settle(0))))
    failed = [Reason.ORACLE_STALE] * before
    proof = agree(world, [Settle(1)], [message] * before + [settle, message], *failed, Reason.NONE, Reason.ORACLE_STALE,
                  Reason.NONE)  # fmt: skip
    assert settlement(proof)
    accept(world, proof)
    world.set_series(w.ETH, w.NEAR, time=w.NOW)
    agree(world, [Settle(2)], [], Reason.NONE)


def test_every_series_can_be_closed_after_a_failing_message_closed_it() -> None:
    """32 of them, of each account; what a message notes for its own failure does not run over."""
    world = make_crowd(6, 0, BOOK, poor=lambda _: True, second=lambda _: False, book=Book.SILENT)
    poor = force(w.withdraw(account_number(0), EVERY_BYTE, EVERY_BYTE + 1, key=w.key_of("owner", 0)))
    everybody = [Settle(account_number(k)) for k in range(6)]
    proof = agree(world, everybody, [poor, poor], Reason.MARGIN, Reason.MARGIN, *[Reason.NONE] * 6)
    for i in range(BOOK):
        written = proof.result.writes[series_key(coin_number(i % COINS), own_series_number(i))]
        assert Series.decode(written).settlement
