"""A key that sends L1 transactions: nonces, EIP-1559 prices, gas, and the limits of mainnet.

`transact` is what most callers want. The batcher builds on `send`, `replace` and `wait`, because it must outlive fee
spikes and reorganisations.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import trio
from eth_account import Account
from eth_account.signers.local import LocalAccount

from rollup.errors import L1Error, L1LimitExceeded, L1Refused, L1Reverted
from rollup.l1.client import L1Client
from rollup.l1.limits import MAX_TX_BYTES, MAX_TX_GAS
from rollup.l1.values import Fees, Receipt

GAS_MARGIN_PERCENT: Final = 20
"""State may change between the estimate and inclusion; unused gas is not paid."""

MAX_FEE_WEI: Final = 1_000 * 10**9
"""Default ceiling of the price per gas: above it something is wrong with the node or the market; ask the operator."""


@dataclass(frozen=True, slots=True)
class SentTransaction:
    """A transaction handed to the node, with all that a replacement needs. `gas` is its limit."""

    hash: bytes
    nonce: int
    to: bytes | None
    data: bytes
    value: int
    gas: int
    fees: Fees


class L1Account:
    """One key on one node. Tasks may share it; transactions leave one after the other, in nonce order."""

    def __init__(self, client: L1Client, private_key: bytes, *, max_fee: int = MAX_FEE_WEI) -> None:
        self.client = client
        self._signer: LocalAccount = Account.from_key(private_key)
        self.address = bytes.fromhex(self._signer.address[2:])
        self._max_fee = max_fee
        self._chain_id: int | None = None
        self._next_nonce: int | None = None
        self._sending = trio.Lock()

    async def send(
        self,
        to: bytes | None,
        data: bytes = b"",
        *,
        value: int = 0,
        gas: int | None = None,
        fees: Fees | None = None,
        nonce: int | None = None,
    ) -> SentTransaction:
        """Sign and send; estimate what is not given. `to=None` creates a contract.

        `L1Reverted` if the estimate reverts, `L1LimitExceeded` if mainnet would not take it; then nothing was sent.
        """
        gas = await self.estimate(to, data, value=value) if gas is None else gas
        fees = await self.client.suggest_fees() if fees is None else fees
        async with self._sending:
            for resynced in (False, True):
                draft = SentTransaction(b"", await self._take_nonce(nonce), to, data, value, gas, fees)
                try:
                    return await self._submit(draft)
                except L1Refused as refusal:
                    # Another process may use the key too: then our nonce is behind, and asking again helps once.
                    if resynced or nonce is not None or "nonce too low" not in refusal.reason.lower():
                        raise
        raise AssertionError("the second attempt returns or raises")

    def forget_nonce(self) -> None:
        """Ask the node for the next nonce: after a reorganisation of L1 it may be lower than was counted."""
        self._next_nonce = None

    async def replace(self, sent: SentTransaction, fees: Fees) -> SentTransaction:
        """Send the same transaction again at other prices, in place of `sent`; see `Fees.raised`."""
        async with self._sending:
            return await self._submit(replace(sent, fees=fees))

    async def estimate(self, to: bytes | None, data: bytes, *, value: int = 0) -> int:
        """Gas limit to send with: the node's estimate and a margin, never above the cap of one transaction."""
        needed = await self.client.estimate_gas(to, data, sender=self.address, value=value)
        if needed > MAX_TX_GAS:
            raise L1LimitExceeded("gas of the transaction", MAX_TX_GAS, needed)
        return min(needed * (100 + GAS_MARGIN_PERCENT) // 100, MAX_TX_GAS)

    async def wait(
        self,
        sent: SentTransaction | bytes,
        *,
        confirmations: int = 1,
        timeout: float = 120.0,  # noqa: ASYNC109 - a retryable L1Error tells the caller more than a cancellation
        poll: float = 0.1,
    ) -> Receipt:
        """Wait until a transaction has that many confirmations (1: mined) and return its receipt, reverted or not.

        A reorganisation may take the receipt back; waiting goes on. After `timeout` seconds a retryable `L1Error`.
        """
        tx_hash = sent if isinstance(sent, bytes) else sent.hash
        deadline = trio.current_time() + timeout
        while True:
            receipt = await self.client.get_receipt(tx_hash)
            if receipt is not None:
                if confirmations <= 1:
                    return receipt
                if await self.client.block_number() - receipt.block_number + 1 >= confirmations:
                    return receipt
            if trio.current_time() >= deadline:
                raise L1Error(f"0x{tx_hash.hex()} not confirmed within {timeout:g} s", retryable=True, data=tx_hash)
            await trio.sleep(poll)

    async def transact(
        self,
        to: bytes | None,
        data: bytes = b"",
        *,
        value: int = 0,
        gas: int | None = None,
        fees: Fees | None = None,
        confirmations: int = 1,
    ) -> Receipt:
        """Send, wait, and return the receipt of a success; `L1Reverted` with the decoded error otherwise."""
        sent = await self.send(to, data, value=value, gas=gas, fees=fees)
        receipt = await self.wait(sent, confirmations=confirmations)
        if not receipt.success:
            raise await self.revert_reason(sent, receipt)
        return receipt

    async def revert_reason(self, sent: SentTransaction, receipt: Receipt) -> L1Reverted:
        """Why a mined transaction reverted, by executing it again on the state before its block.

        Earlier transactions of the same block are missing there, so the reason may rarely be unknown.
        """
        try:
            await self.client.call(
                sent.to, sent.data, sender=self.address, value=sent.value, gas=sent.gas, block=receipt.block_number - 1
            )
        except L1Reverted as error:
            return L1Reverted(error.name, error.arguments, error.output, tx_hash=sent.hash)
        except L1Refused as refusal:  # e.g. out of gas, which is no revert
            return L1Reverted(refusal.reason, (), b"", tx_hash=sent.hash)
        return L1Reverted("", (), b"", tx_hash=sent.hash)

    async def _take_nonce(self, nonce: int | None) -> int:
        if nonce is not None:
            return nonce
        if self._next_nonce is None:
            self._next_nonce = await self.client.get_nonce(self.address, "pending")
        return self._next_nonce

    async def _submit(self, draft: SentTransaction) -> SentTransaction:
        """Sign and send. On any failure the next nonce is asked from the node again: it knows what it took."""
        if self._chain_id is None:
            self._chain_id = await self.client.chain_id()
        raw, tx_hash = self._sign(draft, self._chain_id)
        following, self._next_nonce = self._next_nonce, None
        try:
            answered = await self.client.send_raw(raw)
        except L1Refused as refusal:
            if not _already_known(refusal):
                raise
            answered = tx_hash
        if answered != tx_hash:
            raise L1Error("the node returned the hash of another transaction", retryable=False)
        self._next_nonce = None if following is None else max(draft.nonce + 1, following)
        return replace(draft, hash=tx_hash)

    def _sign(self, draft: SentTransaction, chain_id: int) -> tuple[bytes, bytes]:
        if draft.gas > MAX_TX_GAS:
            raise L1LimitExceeded("gas of the transaction", MAX_TX_GAS, draft.gas)
        if draft.fees.max_fee > self._max_fee:
            raise L1LimitExceeded("price per gas in wei", self._max_fee, draft.fees.max_fee)
        fields: dict[str, Any] = {
            "type": 2,
            "chainId": chain_id,
            "nonce": draft.nonce,
            "maxFeePerGas": draft.fees.max_fee,
            "maxPriorityFeePerGas": draft.fees.max_priority_fee,
            "gas": draft.gas,
            "to": draft.to or b"",
            "value": draft.value,
            "data": draft.data,
        }
        signed = self._signer.sign_transaction(fields)
        raw = bytes(signed.raw_transaction)
        if len(raw) > MAX_TX_BYTES:
            raise L1LimitExceeded("bytes of the transaction", MAX_TX_BYTES, len(raw))
        return raw, bytes(signed.hash)


def _already_known(refusal: L1Refused) -> bool:
    """A retried sending may find its own first attempt in the pool."""
    reason = refusal.reason.lower()
    return "already known" in reason or "already imported" in reason
