"""Claims: what an account withdrew on L2, paid out by the vault on L1 against a proof made from L1 alone."""

from __future__ import annotations

from dataclasses import dataclass

import trio

from rollup.cli.amounts import show_usd
from rollup.cli.output import show
from rollup.derive.mirror import AccountProof, Mirror
from rollup.errors import L1Error, PlumblineError
from rollup.exit.amounts import show_cost
from rollup.exit.sending import WalletEmpty
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
class Planned:
    """What a claim would pay (µUSD), with its gas and its cost (wei) at the node's present base fee."""

    owner: bytes
    amount: int
    gas: int
    cost: int
    balance: int


class Vault:
    """The vault of one deployment."""

    def __init__(self, l1: L1Client, address: bytes) -> None:
        self._contract = Contract(l1, address, load_artifact("Vault"))

    async def paid(self, account: int) -> int:
        """µUSD that an account was paid so far."""
        amount: int = await self._contract.call("claimed", account)
        return amount

    async def plan(self, payer: L1Account, proof: AccountProof) -> Planned:
        """What the claim pays and costs. `WalletEmpty` if the payer cannot pay for it, `L1Reverted` if L1 refuses."""
        client, contract = payer.client, self._contract
        data = contract.abi.encode_call("claim", proof.batch, proof.witness)
        gas = await client.estimate_gas(contract.address, data, sender=payer.address)
        fees, balance = await client.suggest_fees(), await client.get_balance(payer.address)
        cost = gas * (
            (fees.max_fee - fees.max_priority_fee) // 2 + fees.max_priority_fee
        )  # as `quote`: not twice the base fee
        if balance < cost:
            held, needed = show_cost(balance), show_cost(cost)
            raise WalletEmpty(
                f"{show(payer.address)} holds {held} ETH, and this costs about {needed} ETH: nothing sent"
            )
        due = proof.account.withdrawn - await self.paid(proof.number)
        return Planned(proof.account.owner, due, gas, cost, balance)

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
) -> AccountProof:
    """Follow L1 until a withdrawal of the account is final and unpaid, and return its proof.

    After `patience` seconds NothingToClaim, which says whether L1 shows a withdrawal that is not final yet.
    """
    deadline = trio.current_time() + patience
    while True:
        await mirror.advance()
        paid, proof, newest = await vault.paid(account), mirror.prove(account), mirror.account(account)
        if proof is not None and proof.account.withdrawn > paid:
            return proof
        unpaid = 0 if newest is None else max(0, newest.withdrawn - paid)
        if trio.current_time() >= deadline:
            raise NothingToClaim(_why_not(account, newest is not None, unpaid, mirror.final_batch))
        await trio.sleep(poll)


def _why_not(account: int, known: bool, unpaid: int, final: int) -> str:
    if not known:
        return f"nothing to claim: L1 knows no account {account}"
    if unpaid:
        pending = f"{show_usd(unpaid)} USD are withdrawn after the last final batch, {final}"
        return f"nothing to claim for account {account} yet: {pending}"
    return f"nothing to claim for account {account}: L1 shows no withdrawal that was not paid"
