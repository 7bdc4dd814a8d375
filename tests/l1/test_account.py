"""Sending: nonces, prices, limits, reverts, replacement, and reorganisations, on each node."""

from __future__ import annotations

import pytest
import trio

from rollup.errors import L1Error, L1LimitExceeded, L1Refused, L1Reverted
from rollup.l1 import dev
from rollup.l1.account import L1Account
from rollup.l1.client import L1Client
from rollup.l1.contract import ContractAbi, deploy
from rollup.l1.devkeys import dev_key
from rollup.l1.limits import MAX_TX_BYTES, MAX_TX_GAS
from rollup.l1.values import Fees
from tests.support.l1 import probe_artifact

NOBODY = b"\x5a" * 20
PROBE = ContractAbi(probe_artifact().abi)


async def test_concurrent_senders_of_one_account_get_nonces_in_order(l1: L1Client, alice: L1Account) -> None:
    """Ten tasks share a key; every transaction is mined, with nonces 0 to 9."""
    nonces: list[int] = []

    async def send() -> None:
        sent = await alice.send(NOBODY, value=1)
        assert (await alice.wait(sent)).success
        nonces.append(sent.nonce)

    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(send)
    assert sorted(nonces) == list(range(10))
    assert await l1.get_balance(NOBODY) == 10


async def test_an_account_used_elsewhere_catches_up(l1: L1Client, alice: L1Account) -> None:
    """A second process with the same key makes the first one's nonce stale once, not for good."""
    await alice.transact(NOBODY)
    twin = L1Account(l1, dev_key(0))
    await twin.transact(NOBODY)
    await twin.transact(NOBODY)
    assert (await alice.transact(NOBODY)).success
    assert await l1.get_nonce(alice.address) == 4


async def test_a_transaction_that_would_revert_is_not_sent(l1: L1Client, alice: L1Account) -> None:
    """The estimate finds the revert; nothing is spent, and the typed error has its values."""
    probe, _ = await deploy(alice, probe_artifact(), 1)
    with pytest.raises(L1Reverted) as caught:
        await probe.transact(alice, "store", 13, b"why", (0, NOBODY))
    assert caught.value.name == "Unlucky"
    assert caught.value.arguments == (13, alice.address, b"why")
    assert caught.value.tx_hash is None
    assert await l1.get_nonce(alice.address) == 1


async def test_a_transaction_that_reverts_when_mined_tells_why(alice: L1Account) -> None:
    """Sent past the estimate, the revert costs gas, and its reason is found by executing it again."""
    probe, _ = await deploy(alice, probe_artifact(), 1)
    with pytest.raises(L1Reverted) as caught:
        await probe.transact(alice, "store", 13, b"why", (0, NOBODY), gas=200_000)
    assert (caught.value.name, caught.value.arguments) == ("Unlucky", (13, alice.address, b"why"))
    assert caught.value.tx_hash is not None


async def test_a_transaction_that_runs_out_of_gas_says_so(alice: L1Account) -> None:
    """Out of gas is reported as the node words it, with the transaction."""
    probe, _ = await deploy(alice, probe_artifact(), 1)
    with pytest.raises(L1Reverted, match=r"(?i)out ?of ?gas") as caught:
        await probe.transact(alice, "burn", 10_000, gas=100_000)
    assert caught.value.tx_hash is not None


async def test_a_constructor_that_reverts_is_a_typed_error(alice: L1Account) -> None:
    """Deployment fails like any call."""
    with pytest.raises(L1Reverted) as caught:
        await deploy(alice, probe_artifact(), 666)
    assert caught.value.arguments == (666, alice.address, b"constructor")


async def test_more_gas_than_a_transaction_may_have_is_refused_here(l1: L1Client, alice: L1Account) -> None:
    """A development node would take it; mainnet would not, so our client does not send it."""
    with pytest.raises(L1LimitExceeded) as caught:
        await alice.send(NOBODY, gas=MAX_TX_GAS + 1)
    assert (caught.value.limit, caught.value.actual) == (MAX_TX_GAS, MAX_TX_GAS + 1)
    assert await l1.get_nonce(alice.address, "pending") == 0


async def test_more_bytes_than_a_transaction_may_have_are_refused_here(l1: L1Client, alice: L1Account) -> None:
    """The encoded transaction counts, not its calldata alone."""
    with pytest.raises(L1LimitExceeded) as caught:
        await alice.send(NOBODY, bytes(MAX_TX_BYTES), gas=MAX_TX_GAS)
    assert caught.value.limit == MAX_TX_BYTES
    assert caught.value.actual > MAX_TX_BYTES
    assert await l1.get_nonce(alice.address, "pending") == 0


async def test_the_largest_transaction_goes_through(alice: L1Account) -> None:
    """Nearly 128 KiB of non-zero bytes fit size and gas, and pay the floor of EIP-7623."""
    data = b"\xff" * (MAX_TX_BYTES - 150)
    receipt = await alice.transact(NOBODY, data)
    assert receipt.gas_used == 21_000 + 40 * len(data)


async def test_an_absurd_price_is_refused_here(alice: L1Account) -> None:
    """A lying node cannot make us burn the balance in fees."""
    with pytest.raises(L1LimitExceeded, match="price per gas"):
        await alice.send(NOBODY, fees=Fees(10**15, 1))


async def test_an_empty_wallet_is_refused_by_the_node(l1: L1Client) -> None:
    """Sending without funds is an error that trying again does not help."""
    pauper = L1Account(l1, b"\x11" * 32)
    with pytest.raises(L1Refused, match=r"(?i)insufficient funds") as caught:
        await pauper.send(NOBODY, value=1, gas=21_000)
    assert not caught.value.retryable


async def test_a_stuck_transaction_is_replaced_at_a_higher_price(l1: L1Client, alice: L1Account) -> None:
    """The replacement keeps the nonce; the original never appears, and sending goes on after it."""
    await dev.set_automine(l1, enabled=False)
    stuck = await alice.send(NOBODY, value=1, gas=21_000, fees=Fees(2 * 10**9, 10**9))
    with pytest.raises(L1Refused, match=r"(?i)underpriced"):
        await alice.replace(stuck, Fees(2 * 10**9 - 1, 10**9))
    better = await alice.replace(stuck, stuck.fees.raised(20))
    following = await alice.send(NOBODY, value=1, gas=21_000)
    assert (better.nonce, following.nonce) == (0, 1)
    await dev.mine(l1)
    assert (await alice.wait(better)).success
    assert (await alice.wait(following)).success
    assert await l1.get_receipt(stuck.hash) is None


async def test_sending_the_same_bytes_again_does_no_harm(l1: L1Client, alice: L1Account) -> None:
    """A retry after a lost answer finds its own transaction in the pool and takes it for success."""
    await dev.set_automine(l1, enabled=False)
    fees = Fees(2 * 10**9, 10**9)
    first = await alice.send(NOBODY, value=1, gas=21_000, fees=fees, nonce=0)
    again = await alice.send(NOBODY, value=1, gas=21_000, fees=fees, nonce=0)
    assert first == again
    await dev.mine(l1)
    assert (await alice.wait(first)).success


async def test_waiting_counts_confirmations(l1: L1Client, alice: L1Account) -> None:
    """Three confirmations are two blocks on top; short of them waiting ends with a retryable error."""
    sent = await alice.send(NOBODY)
    await alice.wait(sent)
    with pytest.raises(L1Error) as caught:
        await alice.wait(sent, confirmations=3, timeout=0.0)
    assert caught.value.retryable
    await dev.mine(l1, 2)
    assert (await alice.wait(sent, confirmations=3)).block_number == 1


async def test_a_reorganisation_takes_a_receipt_back(l1: L1Client, alice: L1Account) -> None:
    """After the chain returns to a snapshot, the transaction is gone and may be sent again."""
    snapshot = await dev.take_snapshot(l1)
    sent = await alice.send(NOBODY, value=1)
    before = await alice.wait(sent)
    await dev.revert_to(l1, snapshot)
    assert await l1.get_receipt(sent.hash) is None
    await dev.mine(l1)
    fork = await l1.get_block(before.block_number)
    assert fork is not None
    assert fork.hash != before.block_hash
    again = await alice.send(NOBODY, value=1, nonce=0)
    assert (await alice.wait(again)).success


async def test_returning_to_an_unknown_snapshot_is_an_error(l1: L1Client) -> None:
    """A snapshot can be used once."""
    snapshot = await dev.take_snapshot(l1)
    await dev.revert_to(l1, snapshot)
    with pytest.raises(L1Error):
        await dev.revert_to(l1, snapshot)


async def test_the_clock_can_be_moved_and_set(l1: L1Client) -> None:
    """Blocks show the times that tests choose, and never an earlier one."""
    genesis = await l1.get_block(0)
    assert genesis is not None
    await dev.set_next_timestamp(l1, genesis.timestamp + 5_000)
    await dev.mine(l1)
    head = await l1.get_block()
    assert head is not None
    assert head.timestamp == genesis.timestamp + 5_000
    await dev.increase_time(l1, 10_000)
    await dev.mine(l1)
    later = await l1.get_block()
    assert later is not None
    assert head.timestamp + 10_000 <= later.timestamp <= head.timestamp + 10_060
    with pytest.raises(L1Refused):
        await dev.set_next_timestamp(l1, genesis.timestamp)
