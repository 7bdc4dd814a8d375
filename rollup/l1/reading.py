"""JSON objects of a node, checked field by field and turned into values.

A node may be broken, behind a broken proxy, or lie; nothing of what it sends goes further without passing here. Each
reader raises `L1Error` (not retryable) naming the field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from rollup.errors import L1Error
from rollup.l1.encoding import abridge, read_data, read_quantity
from rollup.l1.values import Block, FeeHistory, Log, Receipt, Transaction

T = TypeVar("T")


def read_block(value: Any) -> Block:
    """A block with transaction hashes or full transactions."""
    item = _mapping(value, "block")
    entries = _list(item, "transactions")
    full = tuple(read_transaction(e) for e in entries) if entries and isinstance(entries[0], dict) else None
    hashes = tuple(t.hash for t in full) if full is not None else tuple(as_hash(e, "transaction") for e in entries)
    block = Block(
        number=_uint(item, "number", 64),
        hash=_bytes(item, "hash", 32),
        parent_hash=_bytes(item, "parentHash", 32),
        timestamp=_uint(item, "timestamp", 64),
        base_fee=_uint(item, "baseFeePerGas"),
        gas_used=_uint(item, "gasUsed", 64),
        gas_limit=_uint(item, "gasLimit", 64),
        transaction_hashes=hashes,
        transactions=full,
    )
    if full and any(t.block_hash != block.hash for t in full):
        raise L1Error("the node returned a block with transactions of another block", retryable=True)
    return block


def read_transaction(value: Any) -> Transaction:
    """A transaction of any type; legacy gas prices count as both EIP-1559 prices."""
    item = _mapping(value, "transaction")
    legacy = "maxFeePerGas" not in item
    return Transaction(
        hash=_bytes(item, "hash", 32),
        sender=_bytes(item, "from", 20),
        to=_optional(item, "to", lambda v: read_data(v, length=20)),
        nonce=_uint(item, "nonce", 64),
        value=_uint(item, "value"),
        data=_field(item, "input", read_data),
        gas=_uint(item, "gas", 64),
        max_fee=_uint(item, "gasPrice" if legacy else "maxFeePerGas"),
        max_priority_fee=_uint(item, "gasPrice" if legacy else "maxPriorityFeePerGas"),
        block_number=_optional(item, "blockNumber", lambda v: read_quantity(v, bits=64)),
        block_hash=_optional(item, "blockHash", lambda v: read_data(v, length=32)),
        index=_optional(item, "transactionIndex", lambda v: read_quantity(v, bits=32)),
    )


def read_receipt(value: Any) -> Receipt:
    """A receipt of a mined transaction."""
    item = _mapping(value, "receipt")
    receipt = Receipt(
        tx_hash=_bytes(item, "transactionHash", 32),
        tx_index=_uint(item, "transactionIndex", 32),
        success=_uint(item, "status", 1) == 1,
        block_number=_uint(item, "blockNumber", 64),
        block_hash=_bytes(item, "blockHash", 32),
        sender=_bytes(item, "from", 20),
        to=_optional(item, "to", lambda v: read_data(v, length=20)),
        contract_address=_optional(item, "contractAddress", lambda v: read_data(v, length=20)),
        gas_used=_uint(item, "gasUsed", 64),
        effective_gas_price=_uint(item, "effectiveGasPrice"),
        logs=tuple(read_log(e) for e in _list(item, "logs")),
    )
    if any(log.tx_hash != receipt.tx_hash for log in receipt.logs):
        raise L1Error("the node returned a receipt with logs of another transaction", retryable=False)
    return receipt


def read_log(value: Any) -> Log:
    """A log of a mined transaction."""
    item = _mapping(value, "log")
    topics = _list(item, "topics")
    if len(topics) > 4:
        raise L1Error(f"the node returned a log with {len(topics)} topics", retryable=False)
    return Log(
        address=_bytes(item, "address", 20),
        topics=tuple(as_hash(t, "topic") for t in topics),
        data=_field(item, "data", read_data),
        block_number=_uint(item, "blockNumber", 64),
        block_hash=_bytes(item, "blockHash", 32),
        tx_hash=_bytes(item, "transactionHash", 32),
        tx_index=_uint(item, "transactionIndex", 32),
        index=_uint(item, "logIndex", 32),
        removed=item.get("removed") is True,
    )


def read_fee_history(value: Any) -> FeeHistory:
    """The answer of eth_feeHistory."""
    item = _mapping(value, "fee history")
    ratios = _list(item, "gasUsedRatio")
    if not all(isinstance(r, int | float) and 0 <= r <= 1 for r in ratios):
        raise L1Error("the node returned gas ratios outside 0..1", retryable=False)
    fees = tuple(as_uint(f, "baseFeePerGas") for f in _list(item, "baseFeePerGas"))
    rewards = item.get("reward") or []
    if len(fees) != len(ratios) + 1 or not isinstance(rewards, list) or not all(isinstance(r, list) for r in rewards):
        raise L1Error("the node returned a fee history of uneven length", retryable=False)
    return FeeHistory(
        oldest_block=_uint(item, "oldestBlock", 64),
        base_fees=fees,
        gas_used_ratios=tuple(float(r) for r in ratios),
        rewards=tuple(tuple(as_uint(f, "reward") for f in row) for row in rewards),
    )


def as_uint(value: Any, what: str, bits: int = 256) -> int:
    """A bare quantity."""
    return _checked(what, lambda: read_quantity(value, bits=bits))


def as_bytes(value: Any, what: str) -> bytes:
    """A bare byte string."""
    return _checked(what, lambda: read_data(value))


def as_hash(value: Any, what: str) -> bytes:
    """A bare 32-byte string."""
    return _checked(what, lambda: read_data(value, length=32))


def _checked(what: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except ValueError as error:
        raise L1Error(f"the node returned a malformed {what}: {error}", retryable=False) from error


def _mapping(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise L1Error(f"the node returned {abridge(value)} where a {what} is due", retryable=False)
    return value


def _list(item: Mapping[str, Any], key: str) -> list[Any]:
    value = item.get(key)
    if not isinstance(value, list):
        raise L1Error(f"the node returned {abridge(value)} where the list {key} is due", retryable=False)
    return value


def _field(item: Mapping[str, Any], key: str, read: Callable[[Any], T]) -> T:
    return _checked(key, lambda: read(item.get(key)))


def _optional(item: Mapping[str, Any], key: str, read: Callable[[Any], T]) -> T | None:
    return None if item.get(key) is None else _field(item, key, read)


def _uint(item: Mapping[str, Any], key: str, bits: int = 256) -> int:
    return _field(item, key, lambda v: read_quantity(v, bits=bits))


def _bytes(item: Mapping[str, Any], key: str, length: int) -> bytes:
    return _field(item, key, lambda v: read_data(v, length=length))
