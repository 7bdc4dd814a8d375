"""Money from L1 to L2: mint (on devnets), approve, open an account or deposit into one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rollup.cli.amounts import show_usd
from rollup.errors import L1Error, L1Reverted, PlumblineError
from rollup.exit.errors import AlreadyFrozen
from rollup.l1.account import L1Account
from rollup.l1.artifacts import load_artifact
from rollup.l1.contract import Contract
from rollup.l1.deployment import Deployment
from rollup.l1.values import Receipt
from rollup.types.messages import Deposit, Message, Open, decode_message

UNLIMITED: Final = 2**256 - 1


class TooLittleMoney(PlumblineError):  # noqa: N818 - a state of affairs
    """The key does not hold on L1 what it is to deposit."""


@dataclass(frozen=True, slots=True)
class Funded:
    """A deposit that stands in the inbox: its account, amount (µUSD), position in the queue and L1 gas."""

    account: int
    amount: int
    inbox_index: int
    gas: int


class Bank:
    """One L1 key's dealings with the token and the inbox."""

    def __init__(self, account: L1Account, deployment: Deployment) -> None:
        self._account = account
        self._inbox = Contract(account.client, deployment.inbox, load_artifact("Inbox"))
        self._token = Contract(account.client, deployment.token, load_artifact("TestUSD"))

    async def balance(self) -> int:
        """µUSD that the key holds on L1."""
        held: int = await self._token.call("balanceOf", self._account.address)
        return held

    async def mint(self, amount: int) -> None:
        """Create test money; only the token of a devnet can do that."""
        await self._token.transact(self._account, "mint", self._account.address, amount)

    async def open(self, owner: bytes, amount: int) -> Funded:
        """Open an account for `owner` with `amount` µUSD; L1 numbers it. `TooLittleMoney` if the key has less."""
        await self._allow(amount)
        return await self._send("open", owner, amount)

    async def deposit(self, account: int, amount: int) -> Funded:
        """Deposit `amount` µUSD into an account that was opened, whoever owns it. `TooLittleMoney` as for `open`."""
        await self._allow(amount)
        return await self._send("deposit", account, amount)

    async def _allow(self, amount: int) -> None:
        held = await self.balance()
        if held < amount:
            address = f"0x{self._account.address.hex()}"
            raise TooLittleMoney(f"{address} holds {show_usd(held)} USD on L1, less than {show_usd(amount)}")
        allowed: int = await self._token.call("allowance", self._account.address, self._inbox.address)
        if allowed < amount:
            await self._token.transact(self._account, "approve", self._inbox.address, UNLIMITED)

    async def _send(self, function: str, *arguments: bytes | int) -> Funded:
        try:
            return self._funded(await self._inbox.transact(self._account, function, *arguments))
        except L1Reverted as refusal:
            if refusal.name != "ChainFrozen":
                raise
            raise AlreadyFrozen("nothing deposited: the chain is frozen, and its inbox takes nothing") from refusal

    def _funded(self, receipt: Receipt) -> Funded:
        """What the inbox says it took."""
        for event in self._inbox.decode_events(receipt.logs):
            message: Message = decode_message(event.values["message"])
            if isinstance(message, Open | Deposit):
                return Funded(message.account, message.amount, event.values["index"], receipt.gas_used)
        raise L1Error("the inbox took the deposit without a message", retryable=False)
