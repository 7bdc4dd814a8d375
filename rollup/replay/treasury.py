"""Money between L1 and the simulated accounts: many accounts opened at once, deposits and forced withdrawals later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from rollup.errors import L1Error
from rollup.l1.account import L1Account
from rollup.l1.artifacts import load_artifact
from rollup.l1.contract import Contract
from rollup.l1.deployment import Deployment
from rollup.l1.dev import mine, set_automine
from rollup.l1.values import Receipt
from rollup.types.listing import Item, encode_item
from rollup.types.messages import Open, decode_message
from rollup.types.transactions import Transaction, encode_transaction

CROWD: Final = 50
"""Accounts opened by one L1 block: below what a node lets one sender have waiting (64 in most)."""


class Treasury:
    """One L1 key that pays for everybody, with the test token that anybody may mint."""

    def __init__(self, payer: L1Account, deployment: Deployment) -> None:
        self._payer = payer
        self._inbox = Contract(payer.client, deployment.inbox, load_artifact("Inbox"))
        self._token = Contract(payer.client, deployment.token, load_artifact("TestUSD"))
        self._vault = deployment.vault

    async def endow(self, amount: int) -> None:
        """Mint `amount` µUSD and let the inbox take it."""
        await self._token.transact(self._payer, "mint", self._payer.address, amount)
        await self._token.transact(self._payer, "approve", self._inbox.address, amount)

    async def open(self, accounts: Sequence[tuple[bytes, int]], progress: Callable[[int], None]) -> list[int]:
        """Open an account for each (owner, µUSD) and return their numbers; `progress` hears how many are open.

        Sent by the dozen without waiting, and mined together: one at a time would cost a round trip and a block each.
        """
        if not accounts:
            return []
        numbers: list[int] = []
        first = await self._inbox.transact(self._payer, "open", *accounts[0])
        numbers.append(self._opened(first))
        gas = first.gas_used * 3 // 2  # the first pays for more new storage than those after it
        for start in range(1, len(accounts), CROWD):
            numbers += await self._open_crowd(accounts[start : start + CROWD], gas)
            progress(len(numbers))
        return numbers

    async def deposit(self, account: int, amount: int) -> None:
        """Deposit `amount` µUSD, freshly minted."""
        await self.endow(amount)
        await self._inbox.transact(self._payer, "deposit", account, amount)

    async def force(self, transaction: Transaction) -> None:
        """Put a signed transaction into the inbox, which no sequencer can ignore."""
        fee: int = await self._inbox.call("forceFee")
        await self._inbox.transact(self._payer, "force", encode_transaction(transaction), value=fee)

    async def list_items(self, items: Sequence[Item], progress: Callable[[int], None]) -> None:
        """List items as the market admin, by the dozen like accounts; `progress` hears how many L1 has taken.

        Whether the rollup accepts them is for its state transition to say. `L1Error` if L1 does not take one.
        """
        encoded = [encode_item(item) for item in items]
        if not encoded:
            return
        first = await self._inbox.transact(self._payer, "list", encoded[0])
        for start in range(1, len(encoded), CROWD):
            crowd = encoded[start : start + CROWD]
            receipts = await self._send_crowd("list", [(item,) for item in crowd], first.gas_used * 3 // 2)
            if not all(receipt.success for receipt in receipts):
                raise L1Error("an item was not listed: the transaction reverted", retryable=False)
            progress(start + len(crowd))

    async def messages(self) -> int:
        """How many messages the inbox has taken."""
        count: int = await self._inbox.call("count")
        return count

    async def custody(self) -> int:
        """µUSD that the vault holds."""
        held: int = await self._token.call("balanceOf", self._vault)
        return held

    async def _open_crowd(self, crowd: Sequence[tuple[bytes, int]], gas: int) -> list[int]:
        return [self._opened(receipt) for receipt in await self._send_crowd("open", crowd, gas)]

    async def _send_crowd(self, function: str, crowd: Sequence[tuple[Any, ...]], gas: int) -> list[Receipt]:
        """Calls of one function of the inbox, mined in one block."""
        client = self._payer.client
        fees = await client.suggest_fees()
        await set_automine(client, False)
        try:
            sent = [await self._inbox.send(self._payer, function, *one, gas=gas, fees=fees) for one in crowd]
            await mine(client)
        finally:
            await set_automine(client, True)
        return [await self._payer.wait(one) for one in sent]

    def _opened(self, receipt: Receipt) -> int:
        for event in self._inbox.decode_events(receipt.logs):
            message = decode_message(event.values["message"])
            if isinstance(message, Open):
                return message.account
        raise L1Error("an account was not opened: the transaction reverted", retryable=False)
