"""The client against each node that the project runs on."""

from __future__ import annotations

import pytest
import trio

from rollup.errors import L1Error, L1Refused, L1Reverted
from rollup.l1 import dev
from rollup.l1.account import L1Account
from rollup.l1.client import L1Client
from rollup.l1.contract import Contract, ContractAbi, deploy
from rollup.l1.devkeys import DEV_BALANCE_WEI, dev_address
from tests.support.l1 import probe_artifact

NOBODY = b"\x5a" * 20
PROBE = ContractAbi(probe_artifact().abi)


async def test_a_fresh_chain_is_described_in_full(l1: L1Client) -> None:
    """Chain id, head, genesis and the funded accounts are as documented."""
    assert await l1.chain_id() == 31_337
    assert await l1.block_number() == 0
    genesis = await l1.get_block(0)
    assert genesis is not None
    assert (genesis.number, genesis.gas_limit, genesis.transaction_hashes) == (0, 60_000_000, ())
    assert await l1.get_block(genesis.hash) == genesis
    assert await l1.get_balance(dev_address(9)) == DEV_BALANCE_WEI
    assert await l1.get_balance(NOBODY) == 0
    assert await l1.get_code(NOBODY) == b""
    assert await l1.get_nonce(NOBODY, "pending") == 0


async def test_what_the_node_does_not_have_is_none(l1: L1Client) -> None:
    """Unknown blocks, transactions and receipts are no errors."""
    assert await l1.get_block(1_000) is None
    assert await l1.get_block(b"\1" * 32) is None
    assert await l1.get_transaction(b"\1" * 32) is None
    assert await l1.get_receipt(b"\1" * 32) is None


async def test_tags_follow_the_head_at_their_depth(l1: L1Client) -> None:
    """Latest, safe and finalized are one block apart on both development nodes."""
    await dev.mine(l1, 5)
    tagged = [await l1.get_block(tag) for tag in ("latest", "safe", "finalized", "earliest")]
    assert [b and b.number for b in tagged] == [5, 4, 3, 0]


async def test_a_transfer_is_found_in_block_transaction_and_receipt(l1: L1Client, alice: L1Account) -> None:
    """The same transaction is seen alike from all sides."""
    receipt = await alice.transact(NOBODY, b"\1\0\2", value=7)
    transaction = await l1.get_transaction(receipt.tx_hash)
    block = await l1.get_block(receipt.block_hash, full=True)
    assert transaction is not None
    assert block is not None
    assert block.transactions == (transaction,)
    assert (transaction.sender, transaction.to, transaction.value) == (alice.address, NOBODY, 7)
    assert (transaction.data, transaction.nonce, transaction.index) == (b"\1\0\2", 0, 0)
    assert (receipt.success, receipt.sender, receipt.to, receipt.logs) == (True, alice.address, NOBODY, ())
    assert receipt.contract_address is None
    assert block.gas_used == receipt.gas_used
    assert await l1.get_balance(NOBODY) == 7
    spent = DEV_BALANCE_WEI - await l1.get_balance(alice.address)
    assert spent == 7 + receipt.gas_used * receipt.effective_gas_price
    assert await l1.get_balance(NOBODY, 0) == 0


async def test_storage_and_code_of_a_contract_are_read(l1: L1Client, alice: L1Account) -> None:
    """Deployed code is the artifact's; slot 0 holds the first variable."""
    probe, receipt = await deploy(alice, probe_artifact(), 77)
    assert probe.address == receipt.contract_address
    assert await l1.get_code(probe.address) == probe_artifact().deployed_bytecode
    assert int.from_bytes(await l1.get_storage(probe.address, 0), "big") == 77
    assert await l1.get_storage(probe.address, 2**255) == bytes(32)


async def test_a_call_runs_in_the_block_it_names(l1: L1Client, alice: L1Account) -> None:
    """Number, time, chain id and the parent's hash are those of the block; old state stays readable."""
    probe, receipt = await deploy(alice, probe_artifact(), 1)
    await probe.transact(alice, "store", 2, b"", (0, NOBODY))
    head = await l1.get_block()
    assert head is not None
    number, timestamp, chain_id, gas_limit, parent = await probe.call("environment")
    assert (number, timestamp, chain_id, gas_limit) == (head.number, head.timestamp, 31_337, head.gas_limit)
    assert parent == head.parent_hash
    assert await probe.call("number") == 2
    assert await probe.call("number", block=receipt.block_number) == 1


@pytest.mark.parametrize(
    ("kind", "name", "arguments"),
    [(0, "Nothing", ()), (1, "Error", ("one is refused",)), (2, "Panic", (1,)), (3, "", ())],
)
async def test_a_revert_comes_back_as_its_typed_error(
    alice: L1Account, kind: int, name: str, arguments: tuple[object, ...]
) -> None:
    """Custom errors, require, assert and a bare revert are told apart, in calls and in estimates."""
    probe, _ = await deploy(alice, probe_artifact(), 1)
    with pytest.raises(L1Reverted) as in_call:
        await probe.call("fail", kind)
    with pytest.raises(L1Reverted) as in_estimate:
        await alice.estimate(probe.address, PROBE.encode_call("fail", kind))
    for error in (in_call.value, in_estimate.value):
        assert (error.name, error.arguments, error.retryable) == (name, arguments, False)
        assert error.selector == error.output[:4]


async def test_a_call_that_runs_out_of_gas_is_refused(l1: L1Client, alice: L1Account) -> None:
    """Running out of gas is no revert of the contract."""
    probe, _ = await deploy(alice, probe_artifact(), 1)
    with pytest.raises(L1Error) as caught:
        await l1.call(probe.address, PROBE.encode_call("burn", 10_000), gas=100_000)
    assert not isinstance(caught.value, L1Reverted)


async def test_an_unknown_method_is_refused_with_its_code(l1: L1Client) -> None:
    """The node's own error comes through with code and words."""
    with pytest.raises(L1Refused) as caught:
        await l1.request("eth_noSuchThing")
    assert caught.value.code == -32601
    assert caught.value.method == "eth_noSuchThing"


async def test_logs_are_found_by_address_and_topics(l1: L1Client, alice: L1Account, bob: L1Account) -> None:
    """Alternatives, wildcards and ranges select as eth_getLogs defines."""
    probe, _ = await deploy(alice, probe_artifact(), 1)
    other, _ = await deploy(alice, probe_artifact(), 1)
    for account, number in ((alice, 5), (bob, 6), (bob, 7)):
        await probe.transact(account, "store", number, b"note", (1, NOBODY))
    await other.transact(alice, "ping", 3)
    head = await l1.block_number()
    stored, ping = PROBE.event("Stored").digest, PROBE.event("Ping").digest
    by_bob = b"\0" * 12 + bob.address

    async def numbers(addresses: bytes | list[bytes], *topics: bytes | list[bytes] | None) -> list[int]:
        logs = await l1.get_logs(addresses, topics, from_block=0, to_block=head)
        return [int.from_bytes(log.topics[2], "big") for log in logs if log.topics[0] == stored]

    assert await numbers(probe.address, stored) == [5, 6, 7]
    assert await numbers(probe.address, [stored, ping], by_bob) == [6, 7]
    assert await numbers([probe.address, other.address], None, None, (6).to_bytes(32, "big")) == [6]
    assert await numbers(other.address, stored) == []
    everything = await l1.get_logs([], from_block=0, to_block=head)
    assert len(everything) == 6
    assert [log.index for log in everything[3:]] == [0, 1, 2]
    assert await l1.get_logs([], from_block=0, to_block=head - 1) == everything[:3]
    assert await l1.get_logs([], from_block=5, to_block=4) == []


async def test_fee_history_reaches_to_the_next_block(l1: L1Client, alice: L1Account) -> None:
    """There is one base fee more than blocks, and empty blocks lower it by an eighth."""
    await alice.transact(NOBODY)
    await dev.mine(l1, 2)
    with trio.fail_after(60):
        # anvil learns of a new block's fees a moment after the block.
        while len((history := await l1.fee_history(3, percentiles=[50.0])).rewards) < 3:  # noqa: ASYNC110
            await trio.sleep(0.01)
    assert history.oldest_block == 1
    assert len(history.base_fees) == 4
    assert len(history.rewards) == 3
    assert history.base_fees[2] - history.base_fees[2] // 8 == history.base_fees[3]
    assert history.gas_used_ratios[0] > 0
    assert history.gas_used_ratios[1:] == (0.0, 0.0)
    fees = await l1.suggest_fees()
    assert fees.max_fee >= 2 * history.base_fees[3] + fees.max_priority_fee


async def test_an_estimate_is_enough_and_close(l1: L1Client, alice: L1Account) -> None:
    """A transaction with exactly the estimate succeeds, and needs nearly all of it."""
    probe, _ = await deploy(alice, probe_artifact(), 1)
    data = PROBE.encode_call("burn", 500)
    gas = await l1.estimate_gas(probe.address, data, sender=alice.address)
    receipt = await alice.transact(probe.address, data, gas=gas)
    assert receipt.gas_used <= gas <= receipt.gas_used * 105 // 100


async def test_a_contract_that_is_not_there_is_a_typed_error(l1: L1Client) -> None:
    """Calling an empty address answers nothing, which does not fit the ABI."""
    with pytest.raises(L1Error, match="number of 0x5a"):
        await Contract(l1, NOBODY, PROBE).call("number")
