"""Claims: what an account withdrew on L2, paid out by the vault on L1 against a proof made from L1 alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import trio

from rollup.cli.mirror import AccountProof, Mirror
from rollup.errors import L1Error, PlumblineError
from rollup.l1.account import L1Account
from rollup.l1.artifacts import load_artifact
from rollup.l1.client import L1Client
from rollup.l1.contract import Contract


class NothingToClaim(PlumblineError):  # noqa: N818 - a state of affairs
    """L1 shows no withdrawal of the account that was not paid already."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """What the vault paid: µUSD to the owner, against the state after `batch`."""

    account: int
    owner: bytes
    amount: int
    batch: int
    transaction: bytes
    gas: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why a claim waits: µUSD withdrawn that L1 shows and that are unpaid (0: none yet), last and last final batch."""

    unpaid: int
    batch: int
    final_batch: int


class Vault:
    """The vault of one deployment."""

    def __init__(self, l1: L1Client, address: bytes) -> None:
        self._contract = Contract(l1, address, load_artifact("Vault"))

    async def paid(self, account: int) -> int:
        """µUSD that an account was paid so far."""
        amount: int = await self._contract.call("claimed", account)
        return amount

    async def claim(self, payer: L1Account, proof: AccountProof) -> Claimed:
        """Send the claim; the money goes to the owner, whoever pays the gas. `L1Reverted` if it is refused."""
        receipt = await self._contract.transact(payer, "claim", proof.batch, proof.witness)
        for event in self._contract.decode_events(receipt.logs):
            if event.name == "Claimed":
                values = event.values
                return Claimed(
                    values["account"], values["owner"], values["amount"], proof.batch, receipt.tx_hash, receipt.gas_used
                )
        raise L1Error("the vault took the claim without an event", retryable=False)


async def await_claimable(
    mirror: Mirror,
    vault: Vault,
    account: int,
    *,
    patience: float,
    poll: float = 0.5,
    on_wait: Callable[[Waiting], None] = lambda _: None,
) -> AccountProof:
    """Follow L1 until a withdrawal of the account is final and unpaid, and return its proof.

    A withdrawal that L1 shows is waited for until it is final, however long that takes. For one that L1 does not show
    (yet) `patience` seconds are given, then NothingToClaim is raised.
    """
    deadline = trio.current_time() + patience
    while True:
        await mirror.advance()
        paid, proof, newest = await vault.paid(account), mirror.prove(account), mirror.account(account)
        if proof is not None and proof.account.withdrawn > paid:
            return proof
        unpaid = 0 if newest is None else max(0, newest.withdrawn - paid)
        if not unpaid and trio.current_time() >= deadline:
            what = "was never opened" if newest is None else "has no unpaid withdrawal"
            raise NothingToClaim(f"account {account} {what}, as far as L1 knows")
        on_wait(Waiting(unpaid, mirror.batch, mirror.final_batch))
        await trio.sleep(poll)
