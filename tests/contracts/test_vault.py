"""Withdrawals are paid once, to their owner, on final states only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from rollup.crypto.tree import MemoryNodes, Tree
from rollup.crypto.witness import build_witness
from rollup.types.keys import account_key, slot_key
from rollup.types.leaves import Account, Position
from tests.support.chain import ALICE, BOB, CAROL, reverts
from tests.support.world import DOLLARS, Posted, World

FUNDED = 10_000_000
NUMBER = 3
NONE, TAKE_FEE, ADD_BONUS, FAIL, RETURN_FALSE, REENTER = range(6)


@dataclass(slots=True)
class State:
    """A made-up state whose root can be posted, and from which accounts are proven."""

    tree: Tree
    leaves: dict[int, bytes]

    def write(self, key: int, value: bytes) -> None:
        """Set a leaf."""
        self.leaves[key] = value
        self.tree.update({key: value})

    def proof(self, key: int) -> bytes:
        """Witness of one leaf."""
        return build_witness(self.tree, {key: self.leaves.get(key, b"")})


def account(owner: bytes, withdrawn: int, positions: int = 0) -> Account:
    """An account's leaf."""
    return Account(
        owner=owner, signer=bytes(20), cash=-5, withdrawn=withdrawn, owner_nonce=1, nonce_floor=0,
        positions=tuple(Position(m, -m, 0) for m in range(1, positions + 1)),
    )  # fmt: skip


@pytest.fixture
def funded(world: World) -> World:
    """Vault with money."""
    world.inbox.send("open", BOB, FUNDED)
    return world


@pytest.fixture
def state() -> State:
    """Many accounts; BOB's has withdrawn 700."""
    state = State(Tree(MemoryNodes()), {})
    for number in range(40):
        state.write(account_key(number), account(ALICE, number).encode())
    state.write(account_key(NUMBER), account(BOB, 700, positions=32).encode())
    state.write(slot_key(NUMBER, 5), b"\x01" * 34)
    return state


def finalise(world: World, state: State) -> Posted:
    """Post the state's root and make it final; no message stays behind and becomes overdue."""
    pending = world.inbox.call("count") - world.rollup.call("latestInboxIndex")
    posted = world.post(world.block(root=state.tree.root, messages=pending))
    world.finalise(posted)
    return posted


def test_claim_pays_the_owner_whoever_calls(funded: World, state: State) -> None:
    """The tokens go to the leaf's owner."""
    batch = finalise(funded, state)
    outcome = funded.vault.send("claim", batch.index, state.proof(account_key(NUMBER)), sender=CAROL)
    assert funded.vault.events(outcome)["Claimed"] == {"account": NUMBER, "owner": BOB, "amount": 700, "total": 700}
    assert funded.token.call("balanceOf", BOB) == DOLLARS + 700
    assert funded.token.call("balanceOf", CAROL) == DOLLARS
    assert funded.token.call("balanceOf", funded.vault.address) == FUNDED - 700
    assert funded.vault.call("claimed", NUMBER) == 700


def test_claim_is_paid_once(funded: World, state: State) -> None:
    """Repeating a claim pays nothing, on the same batch or on another."""
    first = finalise(funded, state)
    proof = state.proof(account_key(NUMBER))
    funded.vault.send("claim", first.index, proof)
    second = finalise(funded, state)
    for batch in (first, second):
        with reverts("NothingToClaim", NUMBER, 700, 700):
            funded.vault.send("claim", batch.index, proof)


def test_later_claim_pays_the_difference(funded: World, state: State) -> None:
    """The total is cumulative; an older state than the last one claimed pays nothing."""
    first = finalise(funded, state)
    old = state.proof(account_key(NUMBER))
    state.write(account_key(NUMBER), account(BOB, 1_000).encode())
    second = finalise(funded, state)
    later = funded.fork()
    later.vault.send("claim", first.index, old)
    for world, paid in ((funded, 1_000), (later, 300)):
        outcome = world.vault.send("claim", second.index, state.proof(account_key(NUMBER)))
        assert world.vault.events(outcome)["Claimed"]["amount"] == paid
        with reverts("NothingToClaim", NUMBER, 700, 1_000):
            world.vault.send("claim", first.index, old)


def test_account_without_withdrawals_has_nothing_to_claim(funded: World, state: State) -> None:
    """Cash on L2 is not a withdrawal."""
    batch = finalise(funded, state)
    with reverts("NothingToClaim", 0, 0, 0):
        funded.vault.send("claim", batch.index, state.proof(account_key(0)))


def test_claim_needs_a_final_batch(funded: World, state: State) -> None:
    """A state that can still be reverted pays nothing, nor does one that was."""
    posted = funded.post(funded.block(root=state.tree.root))
    proof = state.proof(account_key(NUMBER))
    with reverts("BatchNotFinal", posted.index):
        funded.vault.send("claim", posted.index, proof)
    with reverts("BatchNotFinal", posted.index + 1):
        funded.vault.send("claim", posted.index + 1, proof)
    funded.verifier.send("choose", 1, 0, bytes(32))
    funded.prove(posted, sender=CAROL)
    with reverts("BatchNotFinal", posted.index):
        funded.vault.send("claim", posted.index, proof)
    with reverts("WrongRoot"):
        funded.vault.send("claim", 0, proof)


def test_proof_of_another_state_is_refused(funded: World, state: State) -> None:
    """The leaf must stand in the very state that is named."""
    batch = finalise(funded, state)
    root = state.tree.root
    state.write(account_key(NUMBER), account(BOB, 9_000_000).encode())
    with reverts("WrongRoot", state.tree.root, root):
        funded.vault.send("claim", batch.index, state.proof(account_key(NUMBER)))


def test_changed_leaf_is_refused(funded: World, state: State) -> None:
    """Neither owner nor amount nor anything else of the leaf can be changed."""
    batch = finalise(funded, state)
    honest = account(BOB, 700, positions=32)
    proof = state.proof(account_key(NUMBER))
    for other in (
        replace(honest, owner=CAROL),
        replace(honest, withdrawn=701),
        replace(honest, cash=-4),
        replace(honest, positions=honest.positions[:-1]),
    ):
        forged = proof.replace(honest.encode(), other.encode())
        shorter = len(honest.encode()) - len(other.encode())
        length = (len(honest.encode()) - shorter).to_bytes(2, "big")
        forged = forged[:7] + length + forged[9:]
        with reverts("WrongRoot"):
            funded.vault.send("claim", batch.index, forged)


def test_another_accounts_number_is_refused(funded: World, state: State) -> None:
    """A leaf proves its own account only."""
    batch = finalise(funded, state)
    proof = state.proof(account_key(NUMBER))
    moved = proof[:2] + account_key(NUMBER + 64).to_bytes(5, "big") + proof[7:]
    with reverts("WrongRoot"):
        funded.vault.send("claim", batch.index, moved)


def test_leaves_that_are_no_accounts_are_refused(funded: World, state: State) -> None:
    """Order slots, system leaves, absent accounts, and several leaves at once prove no withdrawal."""
    state.write(0, b"\x05" * 77)
    batch = finalise(funded, state)
    both = {account_key(k): state.leaves[account_key(k)] for k in (NUMBER, NUMBER + 1)}
    for witness in (
        state.proof(slot_key(NUMBER, 5)),
        state.proof(0),
        state.proof(account_key(41)),
        build_witness(state.tree, both),
    ):
        with reverts("NotAnAccount"):
            funded.vault.send("claim", batch.index, witness)


def spoil_mask(proof: bytes, masks: int, level: int, change: Callable[[int], int]) -> bytes:
    """Change one mask of a proof."""
    position = masks + level
    return proof[:position] + bytes([change(proof[position])]) + proof[position + 1 :]


def test_malformed_witness_is_refused(funded: World, state: State) -> None:
    """Each proof has one form: nothing cut, padded, reserved or empty, and a leaf at least."""
    batch = finalise(funded, state)
    proof = state.proof(account_key(NUMBER))
    masks = 9 + len(state.leaves[account_key(NUMBER)])
    siblings = masks + 20
    assert len(proof) > siblings + 32
    own_child = 1 << (account_key(NUMBER) & 3)
    spoilt = [
        b"",
        b"\0",
        bytes(2),
        proof[:8],
        proof[: masks - 1],
        proof[: masks + 5],
        proof[:-1],
        proof[:-32],
        proof + b"\0",
        proof + bytes(32),
        proof[:siblings] + bytes(32) + proof[siblings + 32 :],
        spoil_mask(proof, masks, 0, lambda m: m | 16),
        spoil_mask(proof, masks, 0, lambda m: m | own_child),
        spoil_mask(proof, masks, 19, lambda m: m | 128),
        spoil_mask(proof, masks, 3, lambda m: m | (4 if not m & 4 else 8)),
    ]
    for witness in spoilt:
        with reverts("MalformedWitness"):
            funded.vault.send("claim", batch.index, witness)


def test_changed_sibling_is_refused(funded: World, state: State) -> None:
    """Every sibling counts."""
    batch = finalise(funded, state)
    proof = state.proof(account_key(NUMBER))
    masks = 9 + len(state.leaves[account_key(NUMBER)])
    for position in range(masks + 20, len(proof), 32):
        changed = proof[:position] + bytes([proof[position] ^ 1]) + proof[position + 1 :]
        with reverts("WrongRoot"):
            funded.vault.send("claim", batch.index, changed)


def test_reentering_token_is_paid_once(hostile_world: World, state: State) -> None:
    """A token that claims again from within its transfer finds the claim paid; then nothing is paid at all."""
    world = hostile_world
    world.inbox.send("open", BOB, FUNDED)
    batch = finalise(world, state)
    proof = state.proof(account_key(NUMBER))
    again = world.vault.abi.encode_call("claim", batch.index, proof)
    world.token.send("choose", REENTER, world.vault.address, again)
    with reverts("TransferFailed"):
        world.vault.send("claim", batch.index, proof)
    assert world.vault.call("claimed", NUMBER) == 0


def test_claim_from_within_a_deposit_is_noticed(hostile_world: World, state: State) -> None:
    """Money that leaves the vault while a deposit arrives shows in the comparison of balances."""
    world = hostile_world
    world.inbox.send("open", BOB, FUNDED)
    batch = finalise(world, state)
    claim = world.vault.abi.encode_call("claim", batch.index, state.proof(account_key(NUMBER)))
    world.token.send("choose", REENTER, world.vault.address, claim)
    with reverts("TransferMismatch", 1_000, 300):
        world.inbox.send("deposit", 0, 1_000)


@pytest.mark.parametrize("trick", [FAIL, RETURN_FALSE])
def test_failed_transfer_leaves_the_claim_open(hostile_world: World, state: State, trick: int) -> None:
    """If the token fails, nothing counts as paid, and the claim can be repeated."""
    world = hostile_world
    world.inbox.send("open", BOB, FUNDED)
    batch = finalise(world, state)
    proof = state.proof(account_key(NUMBER))
    world.token.send("choose", trick, bytes(20), b"")
    with reverts("TransferFailed"):
        world.vault.send("claim", batch.index, proof)
    assert world.vault.call("claimed", NUMBER) == 0
    world.token.send("choose", NONE, bytes(20), b"")
    world.vault.send("claim", batch.index, proof)
    assert world.token.call("balanceOf", BOB) == DOLLARS + 700
