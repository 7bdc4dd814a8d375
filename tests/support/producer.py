"""Real blocks for contract tests: built by the state transition, posted, proven by the real verifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from rollup.crypto.eip712 import oracle_digest, order_digest, withdraw_digest
from rollup.crypto.keccak import keccak
from rollup.crypto.merkle import merkle_path
from rollup.crypto.signatures import sign
from rollup.crypto.tree import MemoryNodes, Tree
from rollup.crypto.witness import build_witness
from rollup.l1.artifacts import load_artifact
from rollup.l1.devkeys import dev_address, dev_key
from rollup.l1.limits import MAX_TX_GAS
from rollup.stf.block import execute_block
from rollup.stf.builder import BlockBuilder, SealedBlock
from rollup.types.blocks import BatchBlock, Header
from rollup.types.genesis import BTC, BTC_PERP, devnet_genesis
from rollup.types.transactions import FLAG_SELL, FreshOrder, OracleUpdate, Trade, Transaction, Withdraw
from tests.support.chain import ALICE, BOB, CAROL, DAVE, GENESIS_TIME
from tests.support.prover import honest_block, try_to_prove
from tests.support.world import Posted, World, as_tuple, deploy_world

FEEDER = 9
"""Development account that signs prices."""
PRICE = 40_000_000_000
"""40,000 USD a coin."""
COIN = 1_000_000
LIES = 8
"""Attempts to prove each honest block wrong."""
CASH = 100_000_000_000
"""What each test account opens with, µUSD."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What `prove` wants to know of a block beside its place."""

    header: Header
    txs: bytes
    messages: bytes
    witness: bytes


@dataclass(slots=True)
class Producer:
    """A sequencer without a market: a world with the real verifier, and the state after the last block built."""

    world: World
    tree: Tree
    leaves: dict[int, bytes]
    messages: list[bytes] = field(default_factory=list)
    nonces: int = 0

    @property
    def separator(self) -> bytes:
        """Domain of all signatures."""
        separator: bytes = self.world.rollup.call("domainSeparator")
        return separator

    def read(self, key: int) -> bytes:
        """A leaf of the state."""
        return self.leaves.get(key, b"")

    def open(self, owner: bytes) -> None:
        """Open the next account with `CASH`."""
        outcome = self.world.inbox.send("open", owner, CASH, sender=owner)
        self.messages.append(self.world.inbox.events(outcome)["MessageAdded"]["message"])

    def price(self) -> OracleUpdate:
        """A fresh price of BTC."""
        now = self.world.chain.now
        signature = sign(oracle_digest(self.separator, BTC, now, PRICE, PRICE), dev_key(FEEDER))
        return OracleUpdate(BTC, now, PRICE, PRICE, 1, (signature,))

    def order(self, account: int, flags: int, *, signer: int) -> FreshOrder:
        """A new order for one coin at `PRICE`."""
        self.nonces += 1
        terms = (account, BTC_PERP, flags, COIN, PRICE, self.nonces, GENESIS_TIME + 100_000)
        return FreshOrder(*terms, sign(order_digest(self.separator, *terms), dev_key(signer)))

    def trade(self) -> Trade:
        """Account 0 (BOB) sells a coin to account 1 (CAROL), both by fresh orders."""
        return Trade(self.order(0, FLAG_SELL, signer=1), self.order(1, 0, signer=2), COIN)

    def withdraw(self, amount: int) -> Withdraw:
        """BOB withdraws from account 0."""
        self.nonces += 1
        signature = sign(withdraw_digest(self.separator, 0, amount, self.nonces), dev_key(1))
        return Withdraw(0, amount, self.nonces, signature)

    def build(self, transactions: Sequence[Transaction]) -> SealedBlock:
        """Build a block that takes all waiting messages, without applying it."""
        builder = BlockBuilder(self.read, self.world.chain.now, self.separator)
        for message in self.messages:
            builder.take_message(message)
        for transaction in transactions:
            builder.apply(transaction)
        return builder.finish()

    def apply(self, sealed: SealedBlock) -> bytes:
        """Go on from the state after this block; returns its root."""
        self.messages.clear()
        self.leaves.update(sealed.writes)
        return self.tree.update(sealed.writes)

    def batch_block(self, sealed: SealedBlock) -> BatchBlock:
        """The block as an honest poster would post it, once no liar could prove it wrong; the state stays before it."""
        try_to_prove(honest_block(sealed, self.tree), self.separator, attempts=LIES)
        root = self.tree.fork().update(sealed.writes)
        return BatchBlock(sealed.timestamp, len(sealed.messages), root, sealed.txs)

    def proof(self, header: Header, block: BatchBlock, messages: Sequence[bytes]) -> Proof:
        """Witness of a block on the state before it, whatever the block is."""
        result = execute_block(self.read, header, block.txs, messages, self.separator)
        joined = b"".join(len(m).to_bytes(2, "big") + m for m in messages)
        return Proof(header, block.txs, joined, build_witness(self.tree, result.pre))

    def prove(self, batch: Posted, position: int, proof: Proof, *, sender: bytes, gas: int = MAX_TX_GAS) -> Proven:
        """Send a proof."""
        path = merkle_path([keccak(h.encode()) for h in batch.headers], position)
        arguments = (batch.index, position, as_tuple(proof.header), path, proof.txs, proof.messages, proof.witness)
        outcome = self.world.rollup.send("prove", *arguments, sender=sender, gas=gas)
        event = self.world.rollup.events(outcome)["FraudProven"]
        return Proven(event["reason"], event["index"], event["postRoot"], outcome.gas_used)

    def prove_on_fork(
        self, batch: Posted, position: int, proof: Proof, *, sender: bytes, gas: int = MAX_TX_GAS
    ) -> Proven:
        """See what a proof would do."""
        return replace(self, world=self.world.fork()).prove(batch, position, proof, sender=sender, gas=gas)


@dataclass(frozen=True, slots=True)
class Proven:
    """What L1 found."""

    reason: int
    index: int
    post_root: bytes
    gas_used: int


@cache
def _deployed() -> tuple[World, dict[int, bytes]]:
    leaves = devnet_genesis(GENESIS_TIME, (dev_address(FEEDER),), 1).leaves()
    root = Tree(MemoryNodes()).update(leaves)
    actors = (ALICE, BOB, CAROL, DAVE)
    return deploy_world(load_artifact("TestUSD"), load_artifact("Verifier"), actors, root), leaves


def start_producer() -> Producer:
    """Fresh contracts with the real verifier; BOB opens account 0, CAROL account 1, and the messages wait."""
    world, leaves = _deployed()
    tree = Tree(MemoryNodes())
    tree.update(leaves)
    producer = Producer(world.fork(), tree, dict(leaves))
    producer.open(BOB)
    producer.open(CAROL)
    return producer


def with_root(block: BatchBlock, root: bytes) -> BatchBlock:
    """The block with another claimed root."""
    return replace(block, state_root=root)
