"""What a wallet signs recovers to its address, over exactly the terms it returns; its nonces never repeat or fall."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from rollup.cli.wallet import SLOT_BITS, Wallet
from rollup.crypto.eip712 import (
    cancel_digest,
    order_digest,
    set_signer_digest,
    transfer_digest,
    withdraw_digest,
)
from rollup.crypto.signatures import recover
from rollup.l1.devkeys import dev_address, dev_key
from rollup.types.transactions import FLAG_IMMEDIATE, FLAG_POST_ONLY, FLAG_REDUCE_ONLY, FLAG_SELL

ROLLUP = b"\7" * 20


def wallet(clock: float = 1_800_000_000.5) -> Wallet:
    """The wallet of a public development key with a standing clock."""
    return Wallet(dev_key(1), 31_337, ROLLUP, clock=lambda: clock)


@given(st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_an_order_is_signed_over_its_own_terms(sell: bool, post_only: bool, reduce_only: bool, immediate: bool) -> None:
    """Flags, expiry and nonce included."""
    mine = wallet()
    order = mine.order(
        3, 1, sell=sell, size=5_000, price=7, post_only=post_only, reduce_only=reduce_only, immediate=immediate, life=9
    )
    wanted = FLAG_SELL * sell + FLAG_POST_ONLY * post_only + FLAG_REDUCE_ONLY * reduce_only + FLAG_IMMEDIATE * immediate
    assert (order.account, order.market, order.flags, order.size, order.price) == (3, 1, wanted, 5_000, 7)
    assert order.expiry == 1_800_000_009
    digest = order_digest(mine.separator, 3, 1, wanted, 5_000, 7, order.nonce, order.expiry)
    assert recover(digest, order.signature) == mine.address == dev_address(1)


def test_every_other_message_is_signed_over_its_own_terms() -> None:
    """Cancel, cancel of all, withdrawal, transfer and appointment of a signer."""
    mine = wallet()
    cancel, every = mine.cancel(3, 77), mine.cancel_all(3)
    withdraw, transfer, signer = mine.withdraw(3, 10), mine.transfer(3, 4, 11), mine.set_signer(3, b"\1" * 20)
    separator = mine.separator
    signed = [
        (cancel_digest(separator, 3, False, 77), cancel.signature),
        (cancel_digest(separator, 3, True, every.nonce), every.signature),
        (withdraw_digest(separator, 3, 10, withdraw.nonce), withdraw.signature),
        (transfer_digest(separator, 3, 4, 11, transfer.nonce), transfer.signature),
        (set_signer_digest(separator, 3, b"\1" * 20, signer.nonce), signer.signature),
    ]
    assert {recover(digest, signature) for digest, signature in signed} == {mine.address}
    assert (cancel.cancel_all, every.cancel_all) == (False, True)


@given(st.lists(st.integers(0, 2), min_size=1, max_size=300))
def test_nonces_rise_strictly_whatever_the_clock_does(steps: list[int]) -> None:
    """A clock that stands, runs or is set back; slots follow one another."""
    now = [1_800_000_000]
    mine = Wallet(dev_key(1), 1, ROLLUP, clock=lambda: now[0])
    nonces = []
    for step in steps:
        now[0] += step - 1
        nonces.append(mine.nonce())
    assert all(later > earlier for earlier, later in itertools.pairwise(nonces))
    slots = [nonce % (1 << SLOT_BITS) for nonce in nonces]
    assert all((later - earlier) % (1 << SLOT_BITS) == 1 for earlier, later in itertools.pairwise(slots))


def test_nonces_rise_through_a_whole_round_of_slots_within_one_second() -> None:
    """After 8,192 orders in a second the time part runs ahead of the clock."""
    mine = wallet()
    nonces = [mine.nonce() for _ in range(2 * (1 << SLOT_BITS))]
    assert nonces == sorted(set(nonces))
    assert max(nonces) < 1 << 53, "nonces stay exact in JSON numbers of other languages"


def test_a_restarted_wallet_signs_above_its_old_nonces() -> None:
    """It remembers nothing but the time."""
    old, new = wallet(1_800_000_000), wallet(1_800_000_001)
    assert min(new.nonce() for _ in range(5)) > max(old.nonce() for _ in range(5))
