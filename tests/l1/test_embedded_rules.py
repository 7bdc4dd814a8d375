"""The embedded L1 enforces mainnet's rules, where development nodes look the other way."""

from __future__ import annotations

from typing import Any

import pytest
import rlp  # type: ignore[import-untyped]
from eth_account import Account

from rollup.errors import L1Refused, L1Reverted
from rollup.l1 import dev
from rollup.l1.account import L1Account
from rollup.l1.client import L1Client
from rollup.l1.contract import ContractAbi, deploy
from rollup.l1.devkeys import DEV_BALANCE_WEI, dev_address, dev_key
from rollup.l1.embedded import EmbeddedL1Config
from rollup.l1.limits import MAX_CODE_BYTES, MAX_INITCODE_BYTES, MAX_TX_BYTES, MAX_TX_GAS, floor_gas
from tests.support.l1 import probe_artifact, serve_embedded

NOBODY = b"\x5a" * 20
PROBE = ContractAbi(probe_artifact().abi)
PLAIN: dict[str, Any] = {
    "type": 2,
    "chainId": 31_337,
    "nonce": 0,
    "maxFeePerGas": 2 * 10**9,
    "maxPriorityFeePerGas": 10**9,
    "gas": 21_000,
    "to": NOBODY,
    "value": 1,
    "data": b"",
}


def sign(**changes: Any) -> bytes:
    """A signed transfer of development account 0, with some fields changed; None removes one."""
    fields = {k: v for k, v in (PLAIN | changes).items() if v is not None}
    return bytes(Account.from_key(dev_key(0)).sign_transaction(fields).raw_transaction)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"gas": 20_999}, "intrinsic gas too low"),
        ({"gas": 21_000 + 160, "data": b"\1" * 10}, "want 21400"),
        ({"gas": MAX_TX_GAS + 1}, "gas limit too high"),
        ({"chainId": 1}, "invalid chain id"),
        ({"value": DEV_BALANCE_WEI}, "insufficient funds"),
        ({"maxPriorityFeePerGas": 3 * 10**9}, "priority fee"),
        ({"to": b"", "gas": MAX_TX_GAS, "data": bytes(MAX_INITCODE_BYTES + 1)}, "max initcode size"),
        ({"gas": MAX_TX_GAS, "data": bytes(MAX_TX_BYTES)}, "oversized"),
    ],
)
async def test_a_transaction_that_mainnet_refuses_is_refused(
    embedded: L1Client, changes: dict[str, Any], words: str
) -> None:
    """Gas, size, chain and funds are checked before anything executes."""
    with pytest.raises(L1Refused, match=words):
        await embedded.send_raw(sign(**changes))
    assert await embedded.get_nonce(dev_address(0), "pending") == 0


async def test_the_cap_itself_is_allowed(embedded: L1Client) -> None:
    """2^24 gas is the most, not one too many."""
    tx_hash = await embedded.send_raw(sign(gas=MAX_TX_GAS))
    receipt = await embedded.get_receipt(tx_hash)
    assert receipt is not None
    assert receipt.gas_used == 21_000


@pytest.mark.parametrize(
    "raw", [b"", b"\x02", b"\xc0", b"\x7f" * 40, b"\x05\xc0", sign()[:-1], sign() + b"\0", b"\xff"]
)
async def test_bytes_that_are_no_transaction_are_refused(embedded: L1Client, raw: bytes) -> None:
    """Cut, padded, unknown and empty encodings get a typed error."""
    with pytest.raises(L1Refused) as caught:
        await embedded.send_raw(raw)
    assert caught.value.code in {-32602, -32000}


async def test_a_signature_with_high_s_is_refused(embedded: L1Client) -> None:
    """EIP-2: of the two signatures for a message only the lower is valid."""
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    fields = rlp.decode(sign()[1:])
    fields[-1] = (order - int.from_bytes(fields[-1], "big")).to_bytes(32, "big")
    fields[-3] = b"" if fields[-3] else b"\1"
    with pytest.raises(L1Refused, match="invalid transaction"):
        await embedded.send_raw(b"\2" + rlp.encode(fields))


async def test_a_used_nonce_is_refused(embedded: L1Client) -> None:
    """The node tells which nonce is due, so that the client can catch up."""
    await embedded.send_raw(sign())
    with pytest.raises(L1Refused, match="nonce too low: next nonce 1, tx nonce 0"):
        await embedded.send_raw(sign(value=2))


async def test_a_transaction_from_the_future_waits_for_its_turn(embedded: L1Client) -> None:
    """A gap of nonces keeps a transaction in the pool until it is closed."""
    later = await embedded.send_raw(sign(nonce=1))
    assert await embedded.get_receipt(later) is None
    waiting = await embedded.get_transaction(later)
    assert waiting is not None
    assert waiting.block_number is None
    assert await embedded.get_nonce(dev_address(0), "pending") == 0
    await embedded.send_raw(sign())
    await dev.mine(embedded)
    receipt = await embedded.get_receipt(later)
    assert receipt is not None
    assert receipt.success


async def test_a_price_below_the_base_fee_waits_until_the_fee_falls(embedded: L1Client) -> None:
    """The fee falls by an eighth with each empty block."""
    tx_hash = await embedded.send_raw(sign(maxFeePerGas=6 * 10**8, maxPriorityFeePerGas=1))
    assert await embedded.get_receipt(tx_hash) is None
    await dev.mine(embedded, 5)
    receipt = await embedded.get_receipt(tx_hash)
    assert receipt is not None
    assert receipt.effective_gas_price <= 6 * 10**8


@pytest.mark.parametrize("kind", ["legacy", "access list"])
async def test_older_kinds_of_transaction_are_served(embedded: L1Client, kind: str) -> None:
    """Legacy transactions with replay protection and access lists are mined and read back."""
    extra = (
        {"type": 1, "accessList": [{"address": "0x" + NOBODY.hex(), "storageKeys": ["0x" + "00" * 32]}]}
        if kind != "legacy"
        else {}
    )
    changes = {"type": None, "maxFeePerGas": None, "maxPriorityFeePerGas": None, "gasPrice": 2 * 10**9, "gas": 30_000}
    tx_hash = await embedded.send_raw(sign(**changes | extra))
    transaction, receipt = await embedded.get_transaction(tx_hash), await embedded.get_receipt(tx_hash)
    assert transaction is not None
    assert receipt is not None
    assert (transaction.max_fee, transaction.sender) == (2 * 10**9, dev_address(0))
    assert receipt.success


async def test_calldata_pays_the_floor_of_eip_7623(embedded: L1Client) -> None:
    """A transaction that carries much and executes little pays 10 gas per token, 40 per non-zero byte."""
    account = L1Account(embedded, dev_key(0))
    probe, _ = await deploy(account, probe_artifact(), 1)
    data = PROBE.encode_call("sink", b"\x77" * 20_000)
    receipt = await account.transact(probe.address, data)
    standard = 21_000 + 4 * data.count(0) + 16 * (len(data) - data.count(0))
    assert receipt.gas_used == floor_gas(data) > standard * 2


async def test_execution_beyond_the_floor_pays_the_standard_price(embedded: L1Client) -> None:
    """Where execution costs more than the floor, calldata costs 16 per non-zero byte as ever."""
    account = L1Account(embedded, dev_key(0))
    probe, _ = await deploy(account, probe_artifact(), 1)
    data = PROBE.encode_call("burn", 1_000)
    receipt = await account.transact(probe.address, data)
    assert receipt.gas_used > floor_gas(data)


async def test_balances_and_receipts_agree_to_the_wei(embedded: L1Client) -> None:
    """What the sender loses is what receipts say, with refunds and with the floor."""
    account = L1Account(embedded, dev_key(0))
    probe, receipt = await deploy(account, probe_artifact(), 1)
    spent = receipt.gas_used * receipt.effective_gas_price
    for number, note in ((0, b""), (5, b"\1" * 3_000), (0, b"\1" * 3_000)):  # to zero earns a refund
        receipt = await probe.transact(account, "store", number, note, (0, NOBODY))
        spent += receipt.gas_used * receipt.effective_gas_price
    assert await embedded.get_balance(account.address) == DEV_BALANCE_WEI - spent


async def test_a_contract_over_24_kib_cannot_be_created(embedded: L1Client) -> None:
    """EIP-170: creation code that returns one byte too many fails, the limit itself succeeds."""
    account = L1Account(embedded, dev_key(0))

    def returning(size: int) -> bytes:
        return b"\x62" + size.to_bytes(3, "big") + b"\x5f\xf3"

    assert (await account.transact(None, returning(MAX_CODE_BYTES), gas=6_000_000)).success
    with pytest.raises(L1Reverted):
        await account.transact(None, returning(MAX_CODE_BYTES + 1), gas=6_000_000)


async def test_an_estimate_never_asks_for_more_than_the_cap(embedded: L1Client) -> None:
    """What would need more than 2^24 gas cannot be estimated, because it could not be sent."""
    account = L1Account(embedded, dev_key(0))
    probe, _ = await deploy(account, probe_artifact(), 1)
    with pytest.raises(L1Refused, match="gas required exceeds allowance"):
        await account.estimate(probe.address, PROBE.encode_call("burn", 200_000))


async def test_several_waiting_transactions_share_a_block(embedded: L1Client) -> None:
    """A block takes what waits, the best tip first, each sender in nonce order; logs are numbered through."""
    alice, bob = L1Account(embedded, dev_key(0)), L1Account(embedded, dev_key(1))
    probe, _ = await deploy(alice, probe_artifact(), 1)
    await dev.set_automine(embedded, enabled=False)
    fees = await embedded.suggest_fees()
    first = await probe.send(alice, "ping", 2, fees=fees)
    second = await probe.send(alice, "ping", 1, fees=fees)
    third = await probe.send(bob, "ping", 1, fees=fees.raised(50))
    await dev.mine(embedded)
    block = await embedded.get_block()
    assert block is not None
    assert block.transaction_hashes == (third.hash, first.hash, second.hash)
    logs = await embedded.get_logs(probe.address, from_block=block.number, to_block=block.number)
    assert [(log.tx_index, log.index) for log in logs] == [(0, 0), (1, 1), (1, 2), (2, 3)]
    receipts = [await embedded.get_receipt(h) for h in block.transaction_hashes]
    assert sum(r.gas_used for r in receipts if r) == block.gas_used


async def test_a_transaction_whose_funds_are_gone_leaves_the_pool(embedded: L1Client) -> None:
    """Two transactions that the balance covers only once: the second is dropped, the node goes on."""
    await dev.set_automine(embedded, enabled=False)
    almost_all = DEV_BALANCE_WEI - 10**18
    first = await embedded.send_raw(sign(value=almost_all))
    second = await embedded.send_raw(sign(value=almost_all, nonce=1))
    await dev.mine(embedded)
    assert await embedded.get_receipt(first) is not None
    assert await embedded.get_transaction(second) is None
    assert await embedded.get_nonce(dev_address(0), "pending") == 1


async def test_too_many_logs_are_refused_and_fetched_in_ranges() -> None:
    """The node asks for less, and the client does."""
    async with serve_embedded(EmbeddedL1Config(block_interval=None, max_logs=5)) as url, L1Client(url) as client:
        account = L1Account(client, dev_key(0))
        probe, _ = await deploy(account, probe_artifact(), 1)
        for _ in range(3):
            await probe.transact(account, "ping", 4)
        head = await client.block_number()
        assert len(await client.get_logs(probe.address, from_block=0, to_block=head)) == 12
        await probe.transact(account, "ping", 6)
        with pytest.raises(L1Refused, match="more than 5 results"):
            await client.get_logs(probe.address, from_block=head + 1, to_block=head + 1)


async def test_the_chain_may_begin_in_the_past() -> None:
    """Genesis has the time asked for, and the clock runs on from there."""
    config = EmbeddedL1Config(block_interval=None, genesis_time=1_640_995_200, chain_id=900)
    async with serve_embedded(config) as url, L1Client(url) as client:
        genesis = await client.get_block(0)
        await dev.mine(client)
        first = await client.get_block(1)
        assert genesis is not None
        assert first is not None
        assert genesis.timestamp == 1_640_995_200
        assert 0 <= first.timestamp - genesis.timestamp < 60
        assert await client.chain_id() == 900


async def test_returning_to_a_snapshot_restores_the_clock(embedded: L1Client) -> None:
    """Time moved after the snapshot is moved back."""
    snapshot = await dev.take_snapshot(embedded)
    await dev.increase_time(embedded, 10**6)
    await dev.mine(embedded)
    await dev.revert_to(embedded, snapshot)
    await dev.mine(embedded)
    genesis, first = await embedded.get_block(0), await embedded.get_block(1)
    assert genesis is not None
    assert first is not None
    assert first.timestamp - genesis.timestamp < 60
