"""The market admin on L1: reads what is listed, announces more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from rollup.cli.listings import Listed
from rollup.derive.origin import read_origin
from rollup.errors import ConfigError, L1Error
from rollup.l1.account import L1Account
from rollup.l1.artifacts import load_artifact
from rollup.l1.client import L1Client
from rollup.l1.contract import Contract
from rollup.l1.deployment import Deployment
from rollup.types.genesis import decode_leaves
from rollup.types.listing import Item, encode_item
from rollup.types.messages import List, decode_message


@dataclass(frozen=True, slots=True)
class Announcement:
    """An item in the inbox: it opens at `opens` (s), L1's time of the announcement plus the delay."""

    item: Item
    opens: int
    inbox_index: int
    gas: int


class ListingDesk:
    """The inbox as the market admin uses it; reading needs no key."""

    def __init__(self, l1: L1Client, deployment: Deployment) -> None:
        self._l1 = l1
        self._deployment = deployment
        self._inbox = Contract(l1, deployment.inbox, load_artifact("Inbox"))

    async def delay(self) -> int:
        """Seconds from an announcement to the opening."""
        seconds: int = await self._inbox.call("listingDelay")
        return seconds

    async def admin(self) -> bytes:
        """Who may list; zero: nobody."""
        address: bytes = await self._inbox.call("marketAdmin")
        return address

    async def listed(self) -> Listed:
        """Everything listed and announced so far."""
        origin = await read_origin(self._l1, self._deployment.rollup)
        head = await self._l1.block_number()
        events = await self._inbox.events("MessageAdded", from_block=self._deployment.block, to_block=head)
        return Listed.of(decode_leaves(origin.leaves), (event.values["message"] for event in events))

    async def announce(self, account: L1Account, items: Sequence[Item]) -> AsyncIterator[Announcement]:
        """Announce one after the other; ConfigError if the key is not the admin's."""
        admin = await self.admin()
        if account.address != admin:
            who = f"0x{admin.hex()}" if any(admin) else "nobody"
            raise ConfigError(f"the market admin is {who}, and the key is 0x{account.address.hex()}'s")
        for item in items:
            receipt = await self._inbox.transact(account, "list", encode_item(item))
            (event,) = self._inbox.decode_events(receipt.logs)
            message = decode_message(event.values["message"])
            if not isinstance(message, List):
                raise L1Error("the inbox took the listing as something else", retryable=False)
            yield Announcement(item, message.opens, event.values["index"], receipt.gas_used)
