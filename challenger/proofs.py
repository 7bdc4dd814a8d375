"""Proofs for users: an account's leaf under the last final root, as `Vault.claim` takes it."""

from __future__ import annotations

from dataclasses import dataclass

from rollup.crypto.witness import read_witness
from rollup.errors import StoreError
from rollup.store.state import StateStore
from rollup.types.keys import account_key
from rollup.types.limits import MAX_ACCOUNT


@dataclass(frozen=True, slots=True)
class AccountProof:
    """The arguments of `Vault.claim(batch, witness)`, with the root they lead to and the leaf that they prove."""

    account: int
    batch: int
    root: bytes
    leaf: bytes
    witness: bytes


def prove_account(store: StateStore, account: int) -> AccountProof | None:
    """Prove an account at the last final batch; None if it did not exist then. Any thread may call it.

    `StoreError` if the replica is empty, or let go of that state in this moment.
    """
    if not 0 <= account <= MAX_ACCOUNT:
        return None
    number = store.records.final()
    batch, root = store.records.batch_of(number), store.records.root_after(number)
    if root is None:
        raise StoreError("the replica holds no state yet")
    key = account_key(account)
    witness = store.proof_at(number, [key])
    leaf = read_witness(witness).leaves[key]
    return AccountProof(account, 0 if batch is None else batch.index, root, leaf, witness) if leaf else None
