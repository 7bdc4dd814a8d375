"""The typed client of an L1 node: the only way the rollup and the challenger see Ethereum.

It works alike with the embedded L1, anvil and any Ethereum node. Reads are retried while that can help; every answer
is checked (`reading`) before it is used. All errors are `L1Error` or its kinds.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from types import TracebackType
from typing import Any, Final, Self

from rollup.errors import L1Error, L1Refused
from rollup.l1.encoding import to_data, to_quantity
from rollup.l1.logs import LogFilter, fetch_logs
from rollup.l1.reading import (
    as_bytes,
    as_hash,
    as_uint,
    read_block,
    read_fee_history,
    read_receipt,
    read_transaction,
)
from rollup.l1.retry import RetryPolicy, retry
from rollup.l1.reverts import ErrorRegistry, project_errors, revert_output
from rollup.l1.transport import MAX_ANSWER_BYTES, JsonRpcTransport
from rollup.l1.values import Block, BlockId, FeeHistory, Fees, Log, Receipt, Transaction

_REVERTED: Final = 3
"""JSON-RPC error code of a revert in geth, anvil and most other nodes."""


class L1Client:
    """Connection to one L1 node. `async with L1Client(url) as l1:`; share it between tasks freely.

    `timeout` seconds bound one exchange, `execution_timeout` one in which the node runs the EVM: a fraud proof takes
    the embedded L1 many seconds. `retry_policy` says how often a read is tried. `errors` decodes reverts; it knows the
    project's contracts, and `Contract` adds what it is given.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 30.0,
        execution_timeout: float = 180.0,
        retry_policy: RetryPolicy | None = None,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
        max_log_range: int = 10_000,
    ) -> None:
        self.url = url
        self.errors = ErrorRegistry(project_errors())
        self._transport = JsonRpcTransport(url, timeout=timeout, max_answer_bytes=max_answer_bytes)
        self._execution_timeout = execution_timeout
        self._policy = retry_policy or RetryPolicy()
        self._max_log_range = max_log_range

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._transport.__aexit__(kind, error, traceback)

    async def request(self, method: str, *params: Any, timeout: float | None = None) -> Any:  # noqa: ASYNC109 - of one attempt
        """Any JSON-RPC method, retried, with an unchecked result; for development methods and diagnostics.

        `timeout` in seconds for one attempt, if it is not the client's own.
        """
        return await retry(partial(self._transport.request, method, *params, timeout=timeout), self._policy)

    async def chain_id(self) -> int:
        """Chain id (EIP-155)."""
        return as_uint(await self.request("eth_chainId"), "chain id", 64)

    async def block_number(self) -> int:
        """Number of the newest block."""
        return as_uint(await self.request("eth_blockNumber"), "block number", 64)

    async def get_block(self, block: BlockId = "latest", *, full: bool = False) -> Block | None:
        """Block by number, hash or tag, with whole transactions if `full`; None if the node has no such block."""
        by_hash = isinstance(block, bytes)
        method = "eth_getBlockByHash" if by_hash else "eth_getBlockByNumber"
        answer = await self.request(method, block_param(block), full)
        if answer is None:
            return None
        found = read_block(answer)
        wrong = found.hash != block if by_hash else isinstance(block, int) and found.number != block
        if wrong or (full and found.transactions is None and found.transaction_hashes):
            raise L1Error(f"the node returned another block than {block_param(block)}", retryable=True)
        return found

    async def get_logs(
        self,
        addresses: bytes | Sequence[bytes],
        topics: Sequence[bytes | Sequence[bytes] | None] = (),
        *,
        from_block: int,
        to_block: int,
    ) -> list[Log]:
        """Logs of a range of blocks, both ends included, in chain order.

        `topics[i]` is None for any, one topic, or several of which one must match. Ranges that the node refuses as
        too large are halved until it answers.
        """
        wanted = LogFilter.make(addresses, topics)
        return await fetch_logs(self.request, wanted, from_block, to_block, self._max_log_range)

    async def get_transaction(self, tx_hash: bytes) -> Transaction | None:
        """Transaction by hash, mined or pending; None if the node does not know it."""
        answer = await self.request("eth_getTransactionByHash", to_data(tx_hash))
        found = None if answer is None else read_transaction(answer)
        if found is not None and found.hash != tx_hash:
            raise L1Error("the node returned another transaction", retryable=True)
        return found

    async def get_receipt(self, tx_hash: bytes) -> Receipt | None:
        """Receipt of a mined transaction; None while it is not mined."""
        answer = await self.request("eth_getTransactionReceipt", to_data(tx_hash))
        found = None if answer is None else read_receipt(answer)
        if found is not None and found.tx_hash != tx_hash:
            raise L1Error("the node returned another receipt", retryable=True)
        return found

    async def call(
        self,
        to: bytes | None,
        data: bytes,
        *,
        sender: bytes | None = None,
        value: int = 0,
        gas: int | None = None,
        block: BlockId = "latest",
    ) -> bytes:
        """Execute without a transaction and return the output; `L1Reverted` if the contract reverts."""
        message = call_message(to, data, sender, value, gas)
        return as_bytes(await self._executed("eth_call", message, block_param(block)), "output")

    async def estimate_gas(
        self, to: bytes | None, data: bytes, *, sender: bytes, value: int = 0, gas: int | None = None
    ) -> int:
        """Gas that a transaction would need now; `L1Reverted` if it would revert."""
        message = call_message(to, data, sender, value, gas)
        return as_uint(await self._executed("eth_estimateGas", message), "gas estimate", 64)

    async def _executed(self, method: str, *params: Any) -> Any:
        try:
            return await self.request(method, *params, timeout=self._execution_timeout)
        except L1Refused as refusal:
            output = revert_output(refusal.data)
            if output is not None or refusal.code == _REVERTED:
                raise self.errors.decode(output or b"") from refusal
            raise

    async def get_code(self, address: bytes, block: BlockId = "latest") -> bytes:
        """Code of an account; empty if it has none."""
        return as_bytes(await self.request("eth_getCode", to_data(address), block_param(block)), "code")

    async def get_storage(self, address: bytes, slot: int, block: BlockId = "latest") -> bytes:
        """A storage slot of a contract, 32 bytes."""
        answer = await self.request("eth_getStorageAt", to_data(address), to_quantity(slot), block_param(block))
        return as_hash(answer, "storage slot")

    async def get_balance(self, address: bytes, block: BlockId = "latest") -> int:
        """Balance in wei."""
        return as_uint(await self.request("eth_getBalance", to_data(address), block_param(block)), "balance")

    async def get_nonce(self, address: bytes, block: BlockId = "latest") -> int:
        """Next nonce of an account; with `pending`, after what the node's pool holds."""
        return as_uint(await self.request("eth_getTransactionCount", to_data(address), block_param(block)), "nonce", 64)

    async def fee_history(
        self, blocks: int, newest: BlockId = "latest", percentiles: Sequence[float] = ()
    ) -> FeeHistory:
        """Base fees and rewards of the last blocks."""
        answer = await self.request("eth_feeHistory", to_quantity(blocks), block_param(newest), list(percentiles))
        return read_fee_history(answer)

    async def suggest_fees(self) -> Fees:
        """EIP-1559 prices that survive the base fee doubling, which takes at least six full blocks."""
        tip = as_uint(await self.request("eth_maxPriorityFeePerGas"), "priority fee")
        history = await self.fee_history(1)
        return Fees(max_fee=2 * history.base_fees[-1] + tip, max_priority_fee=tip)

    async def send_raw(self, raw: bytes) -> bytes:
        """Send a signed transaction and return the hash that the node gives it; repeated sending does no harm."""
        return as_hash(await self.request("eth_sendRawTransaction", to_data(raw)), "transaction hash")


def block_param(block: BlockId) -> str:
    """Encode a block identifier as nodes expect it."""
    if isinstance(block, bytes):
        return to_data(block)
    return to_quantity(block) if isinstance(block, int) else block


def call_message(to: bytes | None, data: bytes, sender: bytes | None, value: int, gas: int | None) -> dict[str, str]:
    """The transaction object of eth_call and eth_estimateGas."""
    message = {"data": to_data(data), "value": to_quantity(value)}
    if to is not None:
        message["to"] = to_data(to)
    if sender is not None:
        message["from"] = to_data(sender)
    if gas is not None:
        message["gas"] = to_quantity(gas)
    return message
