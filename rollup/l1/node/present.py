"""The ledger's values as the JSON that Ethereum nodes speak."""

from __future__ import annotations

from typing import Any

from eth.abc import SignedTransactionAPI

from rollup.l1.encoding import to_data, to_quantity
from rollup.l1.node.admission import Candidate
from rollup.l1.node.ledger import MinedBlock, MinedTransaction, PlacedLog

Json = dict[str, Any]


def block_json(block: MinedBlock, *, full: bool) -> Json:
    """A block with its transactions' hashes, or with the transactions."""
    header: Any = block.header  # py-evm's type leaves open what every block has since Prague
    transactions = block.transactions
    return {
        "number": to_quantity(header.block_number),
        "hash": to_data(block.hash),
        "parentHash": to_data(header.parent_hash),
        "nonce": to_data(header.nonce),
        "mixHash": to_data(header.mix_hash),
        "sha3Uncles": to_data(header.uncles_hash),
        "logsBloom": _bloom(header.bloom),
        "transactionsRoot": to_data(header.transaction_root),
        "stateRoot": to_data(header.state_root),
        "receiptsRoot": to_data(header.receipt_root),
        "miner": to_data(header.coinbase),
        "difficulty": "0x0",
        "extraData": to_data(header.extra_data),
        "gasLimit": to_quantity(header.gas_limit),
        "gasUsed": to_quantity(header.gas_used),
        "timestamp": to_quantity(header.timestamp),
        "baseFeePerGas": to_quantity(header.base_fee_per_gas),
        "withdrawalsRoot": to_data(header.withdrawals_root),
        "blobGasUsed": to_quantity(header.blob_gas_used),
        "excessBlobGas": to_quantity(header.excess_blob_gas),
        "parentBeaconBlockRoot": to_data(header.parent_beacon_block_root),
        "requestsHash": to_data(header.requests_hash),
        "size": to_quantity(sum(len(t.transaction.encode()) for t in transactions) + 600),
        "uncles": [],
        "withdrawals": [],
        "transactions": [mined_json(block, i) if full else to_data(t.hash) for i, t in enumerate(transactions)],
    }


def mined_json(block: MinedBlock, index: int) -> Json:
    """A mined transaction."""
    mined = block.transactions[index]
    return _transaction_json(mined.transaction, mined.hash, mined.sender) | {
        "blockHash": to_data(block.hash),
        "blockNumber": to_quantity(block.number),
        "transactionIndex": to_quantity(index),
        "gasPrice": to_quantity(mined.gas_price),
    }


def waiting_json(candidate: Candidate) -> Json:
    """A transaction of the pool."""
    return _transaction_json(candidate.transaction, candidate.hash, candidate.sender) | {
        "blockHash": None,
        "blockNumber": None,
        "transactionIndex": None,
        "gasPrice": to_quantity(candidate.max_fee),
    }


def receipt_json(block: MinedBlock, index: int) -> Json:
    """The receipt of a mined transaction."""
    mined = block.transactions[index]
    logs = [PlacedLog(block, index, mined.first_log + i, log) for i, log in enumerate(mined.logs)]
    return {
        "transactionHash": to_data(mined.hash),
        "transactionIndex": to_quantity(index),
        "blockHash": to_data(block.hash),
        "blockNumber": to_quantity(block.number),
        "from": to_data(mined.sender),
        "to": to_data(mined.transaction.to) if mined.transaction.to else None,
        "contractAddress": to_data(mined.contract_address) if mined.contract_address else None,
        "status": "0x1" if mined.success else "0x0",
        "type": to_quantity(mined.transaction.type_id or 0),
        "gasUsed": to_quantity(mined.gas_used),
        "cumulativeGasUsed": to_quantity(mined.cumulative_gas),
        "effectiveGasPrice": to_quantity(mined.gas_price),
        "logsBloom": _bloom(mined.bloom),
        "logs": [log_json(log) for log in logs],
    }


def log_json(placed: PlacedLog) -> Json:
    """A log and its place."""
    mined: MinedTransaction = placed.block.transactions[placed.tx_index]
    return {
        "address": to_data(placed.log.address),
        "topics": [to_data(t) for t in placed.log.topics],
        "data": to_data(placed.log.data),
        "blockHash": to_data(placed.block.hash),
        "blockNumber": to_quantity(placed.block.number),
        "transactionHash": to_data(mined.hash),
        "transactionIndex": to_quantity(placed.tx_index),
        "logIndex": to_quantity(placed.index),
        "removed": False,
    }


def _transaction_json(transaction: SignedTransactionAPI, tx_hash: bytes, sender: bytes) -> Json:
    kind = transaction.type_id or 0
    fields: Json = {
        "type": to_quantity(kind),
        "hash": to_data(tx_hash),
        "from": to_data(sender),
        "to": to_data(transaction.to) if transaction.to else None,
        "nonce": to_quantity(transaction.nonce),
        "value": to_quantity(transaction.value),
        "input": to_data(transaction.data),
        "gas": to_quantity(transaction.gas),
        "chainId": to_quantity(transaction.chain_id or 0),
        "v": to_quantity(transaction.y_parity if kind else 35 + 2 * (transaction.chain_id or 0) + transaction.y_parity),
        "r": to_quantity(transaction.r),
        "s": to_quantity(transaction.s),
    }
    if kind:
        fields["yParity"] = to_quantity(transaction.y_parity)
        fields["accessList"] = [
            {"address": to_data(address), "storageKeys": [to_data(slot.to_bytes(32, "big")) for slot in slots]}
            for address, slots in transaction.access_list
        ]
    if kind == 2:
        fields["maxFeePerGas"] = to_quantity(transaction.max_fee_per_gas)
        fields["maxPriorityFeePerGas"] = to_quantity(transaction.max_priority_fee_per_gas)
    return fields


def _bloom(bloom: int) -> str:
    return to_data(bloom.to_bytes(256, "big"))
