"""The contracts of a deployment, found from the address of its Rollup alone, and the constants that set its times."""

from __future__ import annotations

from dataclasses import dataclass

from rollup.errors import L1Error
from rollup.l1.artifacts import load_artifact
from rollup.l1.client import L1Client
from rollup.l1.contract import Contract


@dataclass(frozen=True, slots=True)
class Terms:
    """What the deployment fixed for ever; times in seconds, `min_stake` in wei."""

    sequencer: bytes
    min_stake: int
    dispute_window: int
    proposer_timeout: int
    force_deadline: int
    freeze_grace: int
    registration_window: int


@dataclass(frozen=True, slots=True)
class Contracts:
    """Who keeps the chain of batches, the messages and the money."""

    client: L1Client
    rollup: Contract
    inbox: Contract
    vault: Contract
    token: Contract
    terms: Terms


async def find_contracts(client: L1Client, rollup: bytes) -> Contracts:
    """Ask the Rollup for the others. `L1Error` if there is none at that address, or they do not know each other."""
    if not await client.get_code(rollup):
        raise L1Error(f"there is no contract at 0x{rollup.hex()}", retryable=False)
    court = Contract(client, rollup, load_artifact("Rollup"))
    config = await court.call("config")
    inbox = Contract(client, config[8], load_artifact("Inbox"))
    vault = Contract(client, await inbox.call("vault"), load_artifact("Vault"))
    token = Contract(client, await inbox.call("token"), load_artifact("TestUSD"))
    if await inbox.call("rollup") != rollup or await vault.call("rollup") != rollup:
        raise L1Error(f"inbox and vault of 0x{rollup.hex()} serve another rollup", retryable=False)
    terms = Terms(
        sequencer=config[0],
        min_stake=config[1],
        dispute_window=config[2],
        proposer_timeout=config[3],
        force_deadline=config[4],
        freeze_grace=config[11],
        registration_window=await vault.call("registrationWindow"),
    )
    return Contracts(client, court, inbox, vault, token, terms)
