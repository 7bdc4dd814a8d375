"""The JSON-RPC methods of the embedded L1."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from eth.abc import BlockHeaderAPI
from eth_typing import Address

from rollup.l1.encoding import to_data, to_quantity
from rollup.l1.node.errors import BadParams, Refused, Reverted, TooMuch, UnknownMethod
from rollup.l1.node.estimate import estimate_gas
from rollup.l1.node.evm import CallMessage, base_fee_of
from rollup.l1.node.fees import fee_history_json
from rollup.l1.node.ledger import MinedBlock
from rollup.l1.node.node import EmbeddedNode
from rollup.l1.node.params import Params, read_call, read_log_request
from rollup.l1.node.present import block_json, log_json, mined_json, receipt_json, waiting_json

Method = Callable[["Methods", Params], Awaitable[Any]]

CLIENT_VERSION: Final = "plumbline-embedded-l1/prague"


class Methods:
    """Answers requests on one node."""

    def __init__(self, node: EmbeddedNode) -> None:
        self._node = node

    async def dispatch(self, method: str, values: list[Any]) -> Any:
        """Answer one request; a `NodeError` otherwise."""
        handler = _TABLE.get(method)
        if handler is None:
            raise UnknownMethod(f"the method {method[:64]} does not exist")
        return await handler(self, Params(values))

    async def chain_id(self, _: Params) -> str:
        """eth_chainId."""
        return to_quantity(self._node.config.chain_id)

    async def network_id(self, _: Params) -> str:
        """net_version: decimal, by custom."""
        return str(self._node.config.chain_id)

    async def client_version(self, _: Params) -> str:
        """web3_clientVersion."""
        return CLIENT_VERSION

    async def block_number(self, _: Params) -> str:
        """eth_blockNumber."""
        return to_quantity(self._node.head.number)

    async def get_block_by_number(self, params: Params) -> Any:
        """eth_getBlockByNumber."""
        block, full = self._find(params.block(0)), params.flag(1)
        return None if block is None else block_json(block, full=full)

    async def get_block_by_hash(self, params: Params) -> Any:
        """eth_getBlockByHash."""
        block, full = self._find(params.data(0, 32)), params.flag(1)
        return None if block is None else block_json(block, full=full)

    async def get_transaction(self, params: Params) -> Any:
        """eth_getTransactionByHash: mined or waiting."""
        tx_hash = params.data(0, 32)
        place = self._node.ledger.transaction(tx_hash)
        if place is not None:
            return mined_json(*place)
        waiting = self._node.pool.get(tx_hash)
        return None if waiting is None else waiting_json(waiting)

    async def get_receipt(self, params: Params) -> Any:
        """eth_getTransactionReceipt."""
        place = self._node.ledger.transaction(params.data(0, 32))
        return None if place is None else receipt_json(*place)

    async def get_logs(self, params: Params) -> Any:
        """eth_getLogs; `TooMuch` asks the caller to narrow the range."""
        request = read_log_request(params.object(0))
        first, last = self._existing(request.first), self._existing(request.last)
        limit = self._node.config.max_logs
        found = self._node.ledger.logs(request.wanted, first.number, last.number, limit)
        if found is None:
            raise TooMuch(f"query returned more than {limit} results")
        return [log_json(log) for log in found]

    async def get_nonce(self, params: Params) -> str:
        """eth_getTransactionCount; "pending" counts what waits in the pool."""
        address, block = params.data(0, 20), params.block(1)
        nonce = await self._node.read_state(self._state_header(block), lambda s: s.get_nonce(Address(address)))
        return to_quantity(self._node.pool.next_nonce(address, nonce) if block == "pending" else nonce)

    async def get_balance(self, params: Params) -> str:
        """eth_getBalance."""
        address, header = Address(params.data(0, 20)), self._state_header(params.block(1))
        return to_quantity(await self._node.read_state(header, lambda s: s.get_balance(address)))

    async def get_code(self, params: Params) -> str:
        """eth_getCode."""
        address, header = Address(params.data(0, 20)), self._state_header(params.block(1))
        return to_data(await self._node.read_state(header, lambda s: s.get_code(address)))

    async def get_storage(self, params: Params) -> str:
        """eth_getStorageAt."""
        address, slot = Address(params.data(0, 20)), params.quantity(1, 256)
        header = self._state_header(params.block(2))
        value = await self._node.read_state(header, lambda s: s.get_storage(address, slot))
        return to_data(value.to_bytes(32, "big"))

    async def call(self, params: Params) -> str:
        """eth_call."""
        request, block = read_call(params.object(0)), params.block(1)
        header = self._node.pending_header() if block == "pending" else self._state_header(block)
        gas = self._node.config.block_gas_limit if request.gas is None else request.gas
        message = CallMessage(request.sender, request.to, request.value, request.data, self._capped(gas))
        outcome = await self._node.execute(header, message)
        if outcome.reverted:
            raise Reverted(outcome.output)
        if not outcome.success:
            raise Refused(outcome.error)
        return to_data(outcome.output)

    async def estimate(self, params: Params) -> str:
        """eth_estimateGas, by default in the block that would be mined now."""
        request, block = read_call(params.object(0)), params.block(1)
        header = self._state_header(block) if params.has(1) and block != "pending" else self._node.pending_header()
        return to_quantity(await estimate_gas(self._node, header, request))

    async def gas_price(self, _: Params) -> str:
        """eth_gasPrice: base fee of the next block and the usual tip."""
        return to_quantity(base_fee_of(self._node.pending_header()) + self._node.config.priority_fee)

    async def priority_fee(self, _: Params) -> str:
        """eth_maxPriorityFeePerGas."""
        return to_quantity(self._node.config.priority_fee)

    async def fee_history(self, params: Params) -> Any:
        """eth_feeHistory."""
        newest = self._existing(params.block(1))
        return fee_history_json(self._node, params.quantity(0), newest, params.percentiles(2))

    async def send_raw(self, params: Params) -> str:
        """eth_sendRawTransaction."""
        return to_data(await self._node.submit(params.data(0)))

    async def mine(self, params: Params) -> str:
        """evm_mine, with the block's time if given."""
        timestamp = self._future(params.quantity(0)) if params.has(0) else None
        await self._node.mine(timestamp=timestamp)
        return "0x0"

    async def increase_time(self, params: Params) -> int:
        """evm_increaseTime; answers with the whole shift, as anvil does."""
        self._node.clock.shift(params.quantity(0, 32))
        return self._node.clock.offset

    async def set_next_timestamp(self, params: Params) -> None:
        """evm_setNextBlockTimestamp."""
        self._node.clock.set_next(self._future(params.quantity(0)))

    async def set_automine(self, params: Params) -> bool:
        """evm_setAutomine; switching it on mines what waits."""
        self._node.automine = params.flag(0)
        if self._node.automine:
            await self._node.mine(only_if_transactions=True)
        return True

    async def snapshot(self, _: Params) -> str:
        """evm_snapshot."""
        return to_quantity(self._node.take_snapshot())

    async def revert(self, params: Params) -> bool:
        """evm_revert."""
        return await self._node.revert_to(params.quantity(0))

    def _find(self, block: int | bytes | str) -> MinedBlock | None:
        ledger, config = self._node.ledger, self._node.config
        if isinstance(block, bytes):
            return ledger.block_by_hash(block)
        depths = {"latest": 0, "pending": 0, "safe": config.safe_depth, "finalized": config.finalized_depth}
        if isinstance(block, str):
            block = 0 if block == "earliest" else max(ledger.head.number - depths[block], 0)
        return ledger.block_at(block)

    def _existing(self, block: int | bytes | str) -> MinedBlock:
        found = self._find(block)
        if found is None:
            raise Refused("header not found")
        return found

    def _state_header(self, block: int | bytes | str) -> BlockHeaderAPI:
        return self._existing(block).header

    def _capped(self, gas: int) -> int:
        return min(gas, self._node.config.block_gas_limit)

    def _future(self, timestamp: int) -> int:
        head = self._node.head.header.timestamp
        if timestamp < head or timestamp >= 1 << 40:
            raise BadParams(f"timestamp {timestamp} is not after the head's {head}")
        return timestamp


_TABLE: Final[dict[str, Method]] = {
    "eth_chainId": Methods.chain_id,
    "net_version": Methods.network_id,
    "web3_clientVersion": Methods.client_version,
    "eth_blockNumber": Methods.block_number,
    "eth_getBlockByNumber": Methods.get_block_by_number,
    "eth_getBlockByHash": Methods.get_block_by_hash,
    "eth_getTransactionByHash": Methods.get_transaction,
    "eth_getTransactionReceipt": Methods.get_receipt,
    "eth_getLogs": Methods.get_logs,
    "eth_getTransactionCount": Methods.get_nonce,
    "eth_getBalance": Methods.get_balance,
    "eth_getCode": Methods.get_code,
    "eth_getStorageAt": Methods.get_storage,
    "eth_call": Methods.call,
    "eth_estimateGas": Methods.estimate,
    "eth_gasPrice": Methods.gas_price,
    "eth_maxPriorityFeePerGas": Methods.priority_fee,
    "eth_feeHistory": Methods.fee_history,
    "eth_sendRawTransaction": Methods.send_raw,
    "evm_mine": Methods.mine,
    "evm_increaseTime": Methods.increase_time,
    "evm_setNextBlockTimestamp": Methods.set_next_timestamp,
    "evm_setAutomine": Methods.set_automine,
    "evm_snapshot": Methods.snapshot,
    "evm_revert": Methods.revert,
}
