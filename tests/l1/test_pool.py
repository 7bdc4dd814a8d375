"""The pool of the embedded L1 is bounded, orders by tip, and replaces only for a better price."""

from __future__ import annotations

from typing import cast

import pytest
from eth.abc import SignedTransactionAPI

from rollup.l1.node.admission import Candidate
from rollup.l1.node.errors import Refused
from rollup.l1.node.pool import MAX_POOLED, MAX_POOLED_PER_SENDER, Pool


class Gas:
    """All that the pool asks of a transaction."""

    def __init__(self, gas: int) -> None:
        self.gas = gas


def candidate(sender: int, nonce: int, max_fee: int = 100, tip: int = 10, gas: int = 21_000) -> Candidate:
    """A pooled transaction; its hash tells all its fields apart."""
    identity = f"{sender}/{nonce}/{max_fee}/{tip}".encode().rjust(32, b"\0")
    transaction = cast("SignedTransactionAPI", Gas(gas))
    return Candidate(transaction, identity, sender.to_bytes(20, "big"), nonce, max_fee, tip)


def pool_of(*candidates: Candidate) -> Pool:
    """A pool that holds these."""
    pool = Pool()
    for one in candidates:
        pool.add(one)
    return pool


def chosen(pool: Pool, nonces: dict[int, int], base_fee: int = 0, gas: int = 10**9) -> list[tuple[int, int]]:
    """Sender and nonce of what a block would take."""
    by_sender = {sender.to_bytes(20, "big"): nonce for sender, nonce in nonces.items()}
    return [(int.from_bytes(c.sender, "big"), c.nonce) for c in pool.select(by_sender, base_fee, gas)]


def test_the_best_tip_goes_first_within_nonce_order() -> None:
    """A sender's later transaction waits for its earlier one, however much it pays."""
    pool = pool_of(candidate(1, 0, tip=1), candidate(1, 1, tip=90), candidate(2, 5, tip=50))
    assert chosen(pool, {1: 0, 2: 5}) == [(2, 5), (1, 0), (1, 1)]


def test_a_gap_or_a_low_price_or_lack_of_gas_holds_a_sender_back() -> None:
    """What cannot be next is left, and so is everything behind it."""
    pool = pool_of(candidate(1, 1), candidate(2, 0, max_fee=40), candidate(2, 1), candidate(3, 0, gas=50_000))
    assert chosen(pool, {1: 0, 2: 0, 3: 0}, base_fee=50, gas=40_000) == []
    assert chosen(pool, {1: 1, 2: 0, 3: 0}, base_fee=40, gas=92_000) == [(1, 1), (3, 0), (2, 0)]


def test_a_replacement_must_raise_both_prices_by_a_tenth() -> None:
    """Nine percent, or one price alone, is refused and changes nothing."""
    pool = pool_of(candidate(1, 0))
    for worse in (candidate(1, 0, 109, 11), candidate(1, 0, 110, 10), candidate(1, 0, 200, 10)):
        with pytest.raises(Refused, match="underpriced"):
            pool.add(worse)
    better = candidate(1, 0, 110, 11)
    pool.add(better)
    assert len(pool) == 1
    assert pool.get(better.hash) is better
    with pytest.raises(Refused, match="already known"):
        pool.add(better)


def test_a_full_pool_refuses_but_still_replaces() -> None:
    """Neither one sender nor all together can fill the memory."""
    pool = pool_of(*(candidate(1, n) for n in range(MAX_POOLED_PER_SENDER)))
    with pytest.raises(Refused, match="full"):
        pool.add(candidate(1, MAX_POOLED_PER_SENDER))
    pool.add(candidate(1, 0, 200, 20))
    for sender in range(2, MAX_POOLED - MAX_POOLED_PER_SENDER + 2):
        pool.add(candidate(sender, 0))
    with pytest.raises(Refused, match="full"):
        pool.add(candidate(9_999, 0))
    assert len(pool) == MAX_POOLED


def test_what_the_chain_has_passed_is_forgotten() -> None:
    """Stale nonces go, later ones stay, and the pending nonce counts the contiguous ones."""
    pool = pool_of(candidate(1, 3), candidate(1, 4), candidate(1, 5), candidate(1, 7))
    sender = (1).to_bytes(20, "big")
    pool.drop_stale({sender: 4})
    assert pool.next_nonce(sender, 4) == 6
    assert len(pool) == 3
    pool.remove(candidate(1, 3))
    pool.clear()
    assert pool.senders() == []
    assert pool.next_nonce(sender, 4) == 4
