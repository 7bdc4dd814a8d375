"""Signers: what they sign is the account's, and their nonces never come twice or go back."""

from __future__ import annotations

from itertools import pairwise

from rollup.crypto import eip712
from rollup.crypto.keccak import keccak
from rollup.crypto.signatures import address_of, recover
from rollup.replay.signing import Signer
from rollup.replay.strategies import Wish
from rollup.types.limits import SLOT_COUNT
from rollup.types.transactions import FLAG_IMMEDIATE, FLAG_POST_ONLY, FLAG_REDUCE_ONLY, FLAG_SELL, FreshOrder

SEPARATOR = eip712.domain_separator(31_337, b"\7" * 20)
KEY = keccak(b"a key of the tests")
OWNER = address_of(KEY)
WISH = Wish(sell=True, size=5_000, price=40_000_000_000, life=60, post_only=True)


def signed_by(order: FreshOrder) -> bytes:
    """Who signed an order."""
    o = order
    digest = eip712.order_digest(SEPARATOR, o.account, o.market, o.flags, o.size, o.price, o.nonce, o.expiry)
    return recover(digest, o.signature)


def test_an_order_carries_the_wish_and_the_owners_signature() -> None:
    """Flags, price, size and expiry are the wish's."""
    order = Signer(9, KEY, SEPARATOR).order(WISH, 1, 1_000)
    assert (order.account, order.market, order.size, order.price) == (9, 1, 5_000, 40_000_000_000)
    assert order.flags == FLAG_SELL | FLAG_POST_ONLY
    assert order.expiry == 1_060
    assert signed_by(order) == OWNER
    shed = Wish(sell=False, size=1_000, price=100_000, life=1, reduce_only=True, immediate=True)
    assert Signer(9, KEY, SEPARATOR).order(shed, 1, 0).flags == FLAG_REDUCE_ONLY | FLAG_IMMEDIATE


def test_nonces_rise_through_all_slots_even_when_time_stands_still() -> None:
    """Successive orders fall into successive slots, so that an open order is not in the way of the next ones."""
    signer = Signer(1, KEY, SEPARATOR)
    nonces = [signer.order(WISH, 1, 100).nonce for _ in range(3 * SLOT_COUNT // 2)]
    nonces += [signer.order(WISH, 1, 101).nonce, signer.order(WISH, 1, 5_000).nonce]
    assert all(before < after for before, after in pairwise(nonces))
    assert [nonce % SLOT_COUNT for nonce in nonces] == [n % SLOT_COUNT for n in range(len(nonces))]


def test_a_session_key_signs_orders_and_cancels_but_no_money() -> None:
    """As the protocol wants it: withdrawals and transfers need the owner."""
    signer, session = Signer(4, KEY, SEPARATOR), keccak(b"a session")
    appointed = signer.appoint(session, 10)
    digest = eip712.set_signer_digest(SEPARATOR, 4, address_of(session), appointed.nonce)
    assert recover(digest, appointed.signature) == OWNER
    assert signed_by(signer.order(WISH, 1, 11)) == address_of(session)
    cancel = signer.cancel_all(12)
    assert cancel.cancel_all
    digest = eip712.cancel_digest(SEPARATOR, 4, True, cancel.nonce)
    assert recover(digest, cancel.signature) == address_of(session)
    withdraw, transfer = signer.withdraw(77, 13), signer.transfer(5, 88, 14)
    digest = eip712.withdraw_digest(SEPARATOR, 4, 77, withdraw.nonce)
    assert recover(digest, withdraw.signature) == OWNER
    digest = eip712.transfer_digest(SEPARATOR, 4, 5, 88, transfer.nonce)
    assert recover(digest, transfer.signature) == OWNER
