"""From what py-evm built to what the ledger keeps."""

from __future__ import annotations

from eth._utils.address import generate_contract_address
from eth.abc import BlockHeaderAPI, LogAPI, ReceiptAPI, SignedTransactionAPI

from rollup.l1.node.evm import BuiltBlock, base_fee_of
from rollup.l1.node.ledger import MinedBlock, MinedLog, MinedTransaction


def mined_block(built: BuiltBlock) -> MinedBlock:
    """The ledger's view of a block: gas per transaction instead of cumulative, logs numbered through."""
    header = built.block.header
    entries: list[MinedTransaction] = []
    gas_before = 0
    logs_before = 0
    for transaction, receipt in zip(built.block.transactions, built.receipts, strict=True):
        entries.append(_mined_transaction(header, transaction, receipt, gas_before, logs_before))
        gas_before = receipt.gas_used
        logs_before += len(receipt.logs)
    return MinedBlock(header, tuple(entries))


def _mined_transaction(
    header: BlockHeaderAPI, transaction: SignedTransactionAPI, receipt: ReceiptAPI, gas_before: int, logs_before: int
) -> MinedTransaction:
    sender = transaction.sender
    tip = min(transaction.max_priority_fee_per_gas, transaction.max_fee_per_gas - base_fee_of(header))
    return MinedTransaction(
        hash=bytes(transaction.hash),
        transaction=transaction,
        sender=bytes(sender),
        success=receipt.state_root == b"\x01",  # since Byzantium this field of py-evm's holds the status
        gas_used=receipt.gas_used - gas_before,
        cumulative_gas=receipt.gas_used,
        gas_price=base_fee_of(header) + tip,
        contract_address=None if transaction.to else bytes(generate_contract_address(sender, transaction.nonce)),
        bloom=receipt.bloom,
        first_log=logs_before,
        logs=tuple(map(_mined_log, receipt.logs)),
    )


def _mined_log(log: LogAPI) -> MinedLog:
    topics = tuple(topic.to_bytes(32, "big") for topic in log.topics)
    return MinedLog(bytes(log.address), topics, bytes(log.data))
