"""One block through both twins, and what they must agree on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from challenger.execute import PyEvm, Verdict, Verifier
from rollup.crypto.keccak import keccak
from rollup.crypto.signatures import recover
from rollup.crypto.tree import Tree
from rollup.crypto.witness import build_witness
from rollup.stf.block import BlockResult, execute_block
from rollup.types.blocks import Header
from rollup.types.reasons import Reason
from rollup.types.transactions import Transaction, encode_transaction
from tests.differential.world import SEPARATOR, World
from tests.support.evm import PyRevm, code_of
from tests.support.prover import HonestBlock, try_to_prove

NO_ROOT: Final = bytes(32)
LIES: Final = 8
"""Attempts to prove each valid block wrong, others for each block."""


@cache
def fast_verifier() -> Verifier:
    """The compiled verifier in pyrevm."""
    return Verifier(PyRevm(code_of("Verifier")))


@cache
def reference_verifier() -> Verifier:
    """The compiled verifier in py-evm."""
    return Verifier(PyEvm(code_of("Verifier")))


@dataclass(frozen=True, slots=True)
class Proof:
    """A block with all that a proof of it carries, and what the Python twin says of it."""

    header: Header
    txs: bytes
    messages: tuple[bytes, ...]
    witness: bytes
    result: BlockResult
    root: bytes
    """State root after the block, zero if it is invalid."""


def encode(txs: Iterable[Transaction | bytes]) -> bytes:
    """Transactions joined; raw bytes pass as they are."""
    return b"".join(tx if isinstance(tx, bytes) else encode_transaction(tx) for tx in txs)


def fold(inbox_hash: bytes, messages: Iterable[bytes]) -> bytes:
    """The inbox hash after these messages."""
    for message in messages:
        inbox_hash = keccak(inbox_hash + keccak(message))
    return inbox_hash


def make_proof(
    world: World,
    txs: Iterable[Transaction | bytes] = (),
    messages: Sequence[bytes] = (),
    *,
    timestamp: int | None = None,
) -> Proof:
    """Execute a block on the world's state in Python, and build its witness. The world stays as it is."""
    joined = encode(txs)
    base = Header(
        number=world.number + 1, fork=0, parent_root=world.tree.root,
        timestamp=world.time if timestamp is None else timestamp, inbox_index=world.inbox_index + len(messages),
        inbox_hash=fold(world.inbox_hash, messages), txs_hash=keccak(joined), state_root=NO_ROOT,
    )  # fmt: skip
    result = execute_block(world.read, base, joined, messages, SEPARATOR, recover)
    root = NO_ROOT if result.reason else post_root(world.tree, result)
    header = Header(**{name: getattr(base, name) for name in Header.__slots__} | {"state_root": root})
    witness = build_witness(world.tree, result.pre)
    return Proof(header, joined, tuple(messages), witness, result, root)


def post_root(tree: Tree, result: BlockResult) -> bytes:
    """The root after a valid block's writes."""
    root, _ = tree.changes(result.writes)
    return root


def verify(proof: Proof, verifier: Verifier) -> Verdict:
    """The contract's verdict on a proof."""
    return verifier.verify(proof.header, proof.txs, proof.messages, proof.witness, SEPARATOR)


def assert_agreement(proof: Proof, verifier: Verifier) -> Verdict:
    """The contract gives the Python twin's reason, index and root; and a valid block cannot be proven wrong."""
    verdict = verify(proof, verifier)
    found = (Reason(verdict.reason), verdict.index, verdict.post_root.hex())
    assert found == (Reason(proof.result.reason), proof.result.index, proof.root.hex())
    if proof.result.reason == Reason.NONE:
        try_to_prove(HonestBlock(proof.header, proof.txs, proof.messages, proof.witness), SEPARATOR, attempts=LIES)
    return verdict


def accept(world: World, proof: Proof) -> None:
    """Let the world go on after a valid block."""
    assert proof.result.reason == Reason.NONE
    world.write(proof.result.writes)
    assert world.tree.root == proof.root
    world.number += 1
    world.time = proof.header.timestamp
    world.inbox_index = proof.header.inbox_index
    world.inbox_hash = proof.header.inbox_hash
