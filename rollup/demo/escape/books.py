"""What L1 shows of the way out: money held, events of the vault with what they cost, and who may be paid."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rollup.demo.report import NotVerified
from rollup.demo.setting import Stage
from rollup.l1.artifacts import load_artifact
from rollup.l1.contract import Contract, Event


@dataclass(frozen=True, slots=True)
class Seen:
    """An event and the gas of its transaction."""

    event: Event
    gas: int


class Books:
    """Reads one deployment's vault and token."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.vault = Contract(stage.l1, stage.deployment.vault, load_artifact("Vault"))

    async def held(self, owner: bytes) -> int:
        """µUSD that an address holds on L1."""
        amount: int = await self._stage.observer.token.call("balanceOf", owner)
        return amount

    async def in_vault(self) -> int:
        """µUSD in the vault."""
        return await self.held(self._stage.deployment.vault)

    async def holdings(self, owners: Iterable[bytes]) -> dict[bytes, int]:
        """The same for many."""
        return {owner: await self.held(owner) for owner in owners}

    async def seen(self, contract: Contract, name: str) -> list[Seen]:
        """All events of this name since the deployment, in order."""
        newest = await self._stage.l1.block_number()
        events = await contract.events(name, from_block=self._stage.deployment.block, to_block=newest)
        return [Seen(event, (await self._stage.observer.receipt(event.log.tx_hash)).gas_used) for event in events]

    async def by_account(self, name: str) -> dict[int, Seen]:
        """Events of the vault by account; `NotVerified` if an account has two."""
        found: dict[int, Seen] = {}
        for seen in await self.seen(self.vault, name):
            account = seen.event.values["account"]
            if account in found:
                raise NotVerified(f"the vault emitted {name} twice for account {account}")
            found[account] = seen
        return found
