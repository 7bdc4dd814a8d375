"""Forcing through L1: fees, sizes, refusals, nonces, and what the inbox then holds."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from rollup.crypto.eip712 import cancel_digest, order_digest, set_signer_digest, transfer_digest, withdraw_digest
from rollup.crypto.signatures import recover
from rollup.derive.mirror import Mirror, open_mirror
from rollup.errors import L1Reverted
from rollup.exit.forcing import (
    FORCIBLE,
    MAX_PAYLOAD,
    Forced,
    ForceRefused,
    Refusal,
    force_message,
    quote_force,
    show_ether,
)
from rollup.exit.payloads import (
    NoSuchAccount,
    next_owner_nonce,
    sign_cancel,
    sign_order,
    sign_set_signer,
    sign_transfer,
    sign_withdrawal,
    trade_payload,
    transaction_of,
    waiting_messages,
)
from rollup.l1 import dev
from rollup.l1.account import L1Account
from rollup.l1.devkeys import dev_address, dev_key
from rollup.types.messages import Forced as ForcedMessage
from rollup.types.messages import encode_message
from rollup.types.transactions import (
    EMPTY_SIGNATURE,
    FreshOrder,
    OrderRef,
    Withdraw,
    decode_transaction,
)
from tests.support.deployed import DISPUTE_WINDOW, Site
from tests.support.poster import FIRST_OWNER, Poster
from tests.support.world import FREEZE_GRACE

SEPARATOR = b"\5" * 32
OWNER = FIRST_OWNER
"""The development key of account 0."""


@pytest.fixture
async def mirror(site: Site, poster: Poster) -> AsyncIterator[Mirror]:
    """The state rebuilt from L1, in which two accounts are open."""
    await poster.post(await poster.block())
    async with open_mirror(site.l1, site.deployment.rollup) as opened:
        await opened.advance()
        yield opened


async def force(site: Site, payload: bytes, key: int = OWNER) -> Forced:
    """Force something with a development key."""
    return await force_message(site.account(key), site.deployment.inbox, payload)


async def test_the_fee_is_burnt_and_what_is_paid_beyond_it_comes_back(site: Site, mirror: Mirror) -> None:
    """The wallet is poorer by exactly fee and gas, and the message says who sent what."""
    payer, inbox = site.account(OWNER), site.contract("Inbox")
    before = await site.l1.get_balance(payer.address)
    payload = sign_withdrawal(SEPARATOR, 0, 5, next_owner_nonce(mirror, 0))
    forced = await force(site, payload)
    assert before - await site.l1.get_balance(payer.address) == forced.fee + forced.gas_cost
    assert forced.fee == await inbox.call("baseFee") > 0
    assert forced.index == await inbox.call("count") - 1
    assert forced.due == forced.sent_at + DISPUTE_WINDOW
    await mirror.advance()
    ((index, message),) = waiting_messages(mirror)
    assert (index, message) == (forced.index, encode_message(ForcedMessage(payer.address, payload)))


async def test_the_fee_rises_with_the_queue_and_falls_when_it_is_taken(
    site: Site, poster: Poster, mirror: Mirror
) -> None:
    """Each message that waits adds the slope; the estimate says so before anything is sent."""
    inbox, payload = site.contract("Inbox"), sign_cancel(SEPARATOR, 0, 7)
    base, slope = await inbox.call("baseFee"), await inbox.call("feeSlope")
    for queued in range(3):
        cost = await quote_force(site.l1, dev_address(OWNER), site.deployment.inbox, payload)
        assert (cost.fee, cost.queue) == (base + queued * slope, queued)
        assert cost.fee < cost.value <= cost.needed <= cost.balance
        assert cost.expected < cost.needed
        assert (await force(site, payload)).fee == cost.fee
    await mirror.advance()
    poster.messages += [message for _, message in waiting_messages(mirror)]
    await poster.post(await poster.block())
    assert (await force(site, payload)).fee == base


@pytest.mark.parametrize("size", [0, MAX_PAYLOAD + 1, 10_000])
async def test_a_wrong_size_is_refused_before_anything_is_sent(site: Site, size: int) -> None:
    """Nothing, or a byte more than the inbox takes."""
    nonce = await site.l1.get_nonce(dev_address(OWNER))
    with pytest.raises(ForceRefused) as caught:
        await force(site, b"\3" * size)
    assert caught.value.refusal is Refusal.SIZE
    assert await site.l1.get_nonce(dev_address(OWNER)) == nonce


async def test_the_largest_size_is_taken(site: Site, poster: Poster) -> None:
    """To the byte."""
    del poster
    forced = await force(site, b"\3" * MAX_PAYLOAD)
    assert forced.index == await site.contract("Inbox").call("count") - 1


@pytest.mark.parametrize("kind", [0, 12, 255])
async def test_a_kind_that_nobody_may_force_is_refused(site: Site, kind: int) -> None:
    """What is no transaction."""
    with pytest.raises(ForceRefused) as caught:
        await force(site, bytes([kind]) + bytes(80))
    assert caught.value.refusal is Refusal.KIND


async def test_the_contract_takes_the_kinds_that_are_said_to_be_forcible_and_no_others(site: Site) -> None:
    """The list here is the contract's own."""
    inbox = site.contract("Inbox")
    for kind in range(16):
        if kind in FORCIBLE:
            await inbox.transact(site.account(OWNER), "force", bytes([kind]), value=10**16)
        else:
            with pytest.raises(L1Reverted, match="KindRefused"):
                await inbox.transact(site.account(OWNER), "force", bytes([kind]), value=10**16)


async def test_a_wallet_that_cannot_pay_is_told_what_it_takes(site: Site) -> None:
    """Empty, and with enough for the fee but not for gas."""
    stranger = L1Account(site.l1, b"\x77" * 32)
    payload = sign_withdrawal(SEPARATOR, 0, 5, 1)
    for funds in (0, 200 * 10**12 + 10**10):
        if funds:
            await site.account(OWNER).transact(stranger.address, value=funds)
        cost = await quote_force(site.l1, stranger.address, site.deployment.inbox, payload)
        assert (cost.balance, cost.affordable) == (funds, False)
        with pytest.raises(ForceRefused, match="holds") as caught:
            await force_message(stranger, site.deployment.inbox, payload)
        assert caught.value.refusal is Refusal.WALLET
        assert show_ether(cost.needed) in str(caught.value)


async def test_a_frozen_chain_takes_nothing_and_says_what_is_left(site: Site, poster: Poster) -> None:
    """The refusal names the way out."""
    del poster
    await force(site, sign_cancel(SEPARATOR, 0, 1))
    await dev.increase_time(site.l1, DISPUTE_WINDOW + max(FREEZE_GRACE, 2 * DISPUTE_WINDOW) + 1)
    await site.contract("Rollup").transact(site.account(OWNER), "freeze")
    with pytest.raises(ForceRefused, match="rollup escape") as caught:
        await force(site, sign_cancel(SEPARATOR, 0, 1))
    assert caught.value.refusal is Refusal.FROZEN


async def test_nonces_follow_the_state_on_l1_and_what_waits(site: Site, poster: Poster, mirror: Mirror) -> None:
    """Above the account's last one, and above every message of the account that nobody took yet."""
    nonce = next_owner_nonce(mirror, 0)
    assert nonce == 1
    await force(site, sign_withdrawal(SEPARATOR, 0, 5, nonce))
    await force(site, sign_withdrawal(SEPARATOR, 1, 5, 1_000))
    await mirror.advance()
    assert next_owner_nonce(mirror, 0) == 2
    await force(site, sign_set_signer(SEPARATOR, 0, b"\1" * 20, 41))
    await force(site, sign_transfer(SEPARATOR, 0, 1, 5, 42))
    await mirror.advance()
    assert next_owner_nonce(mirror, 0) == 43
    poster.messages += [message for _, message in waiting_messages(mirror)]
    await poster.post(await poster.block())
    await mirror.advance()
    assert waiting_messages(mirror) == []
    assert (next_owner_nonce(mirror, 0), mirror.account(0).owner_nonce) == (43, 42)  # type: ignore[union-attr]
    with pytest.raises(NoSuchAccount):
        next_owner_nonce(mirror, 77)


def test_each_payload_is_signed_over_its_own_terms_or_left_to_the_sender() -> None:
    """The signer recovers; without a key the signature is empty."""
    key, address, signer = dev_key(3), dev_address(3), b"\7" * 20
    order = FreshOrder(4, 1, 0, 5_000, 7, 11, 99, b"")
    pairs = [
        (sign_withdrawal(SEPARATOR, 4, 10, 2, key), withdraw_digest(SEPARATOR, 4, 10, 2)),
        (sign_transfer(SEPARATOR, 4, 5, 10, 2, key), transfer_digest(SEPARATOR, 4, 5, 10, 2)),
        (sign_cancel(SEPARATOR, 4, 2, key), cancel_digest(SEPARATOR, 4, False, 2)),
        (sign_cancel(SEPARATOR, 4, 2, key, every=True), cancel_digest(SEPARATOR, 4, True, 2)),
        (sign_set_signer(SEPARATOR, 4, signer, 2, key), set_signer_digest(SEPARATOR, 4, signer, 2)),
    ]
    for payload, digest in pairs:
        tx, end = decode_transaction(payload)
        assert end == len(payload)
        assert recover(digest, tx.signature) == address  # type: ignore[union-attr]
    signed = sign_order(SEPARATOR, order, key)
    assert recover(order_digest(SEPARATOR, 4, 1, 0, 5_000, 7, 11, 99), signed.signature) == address
    assert sign_order(SEPARATOR, signed).signature == EMPTY_SIGNATURE
    bare = decode_transaction(sign_withdrawal(SEPARATOR, 4, 10, 2))[0]
    assert isinstance(bare, Withdraw)
    assert bare.signature == EMPTY_SIGNATURE


def test_a_trade_of_two_fresh_orders_fits_into_a_message() -> None:
    """It is the largest of the common payloads."""
    order = FreshOrder(4, 1, 0, 5_000, 7, 11, 99, bytes(64))
    payload = trade_payload(order, OrderRef(5, 8_191), 1_000)
    assert len(payload) < len(trade_payload(order, order, 1_000)) <= MAX_PAYLOAD
    message = encode_message(ForcedMessage(b"\1" * 20, payload))
    assert transaction_of(message) == decode_transaction(payload)[0]
