"""The contracts deployed together on a bare chain, with a verifier that says what a test tells it to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from rollup.crypto.keccak import keccak
from rollup.crypto.merkle import merkle_path
from rollup.l1.artifacts import Artifact, load_artifact
from rollup.l1.deployment import created_address
from rollup.types.blocks import BatchBlock, Header, encode_batch
from tests.support.chain import ALICE, Chain, Deployed, Outcome, load_test_artifact

ETHER = 10**18
MIN_STAKE = ETHER
DISPUTE_WINDOW = 1_000
PROPOSER_TIMEOUT = 300
FORCE_DEADLINE = 500
MAX_TIME_AHEAD = 60
MAX_TIME_LAG = 200
REWARD_DELAY = 400
FREEZE_GRACE = 600
REGISTRATION_WINDOW = 2_000
MINIMUM_OPENING = 1_000_000
BASE_FEE = 10**12
FEE_SLOPE = 10**10
LISTING_DELAY = 3_600
GENESIS_LEAVES = b"genesis leaves"
GENESIS_ROOT = keccak(b"genesis root")
DOLLARS = 10**12
"""µUSD that each actor holds and lets the inbox spend."""

HeaderTuple = tuple[int, int, bytes, int, int, bytes, bytes, bytes]


@dataclass(frozen=True, slots=True)
class Posted:
    """A batch as it was posted."""

    index: int
    batch_hash: bytes
    headers: tuple[Header, ...]
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class World:
    """Everything on one chain. ALICE is the sequencer, staked twice over; everybody holds stablecoins."""

    chain: Chain
    token: Deployed
    verifier: Deployed
    rollup: Deployed
    inbox: Deployed
    vault: Deployed
    appraiser: Deployed

    def fork(self) -> World:
        """The same on a chain of its own."""
        chain = self.chain.fork()
        places = (self.token, self.verifier, self.rollup, self.inbox, self.vault, self.appraiser)
        return World(chain, *(contract.on(chain) for contract in places))

    def block(self, *, after: int = 0, messages: int = 0, root: bytes | None = None, txs: bytes = b"") -> BatchBlock:
        """A block `after` seconds from now; its root is made up unless given."""
        return BatchBlock(self.chain.now + after, messages, root or keccak(b"root of" + txs), txs)

    def headers(self, blocks: Sequence[BatchBlock]) -> tuple[Header, ...]:
        """Headers of blocks that would be posted now."""
        latest = self.rollup.call("batchCount") - 1
        _, root, _, _, _, number, _, _, index, _ = self.rollup.call("batches", latest)
        fork = self.rollup.call("fork")
        headers = []
        for block in blocks:
            number, index = number + 1, index + block.inbox_count
            inbox_hash = self.inbox.call("hashAt", index)
            headers.append(
                Header(number, fork, root, block.timestamp, index, inbox_hash, keccak(block.txs), block.state_root)
            )
            root = block.state_root
        return tuple(headers)

    def parent_hash(self) -> bytes:
        """Hash of the last batch that stands."""
        parent: bytes = self.rollup.call("batches", self.rollup.call("batchCount") - 1)[2]
        return parent

    def post(self, *blocks: BatchBlock, sender: bytes = ALICE) -> Posted:
        """Post a batch; of one made-up block if none are given."""
        chosen = blocks or (self.block(),)
        headers = self.headers(chosen)
        outcome = self.post_bytes(encode_batch(chosen), headers[-1].inbox_hash, sender=sender)
        index = self.rollup.call("batchCount") - 1
        return Posted(index, self.parent_hash(), headers, outcome)

    def post_bytes(self, blocks: bytes, inbox_hash: bytes = bytes(32), *, sender: bytes = ALICE) -> Outcome:
        """Post bytes on the last batch."""
        return self.rollup.send("postBatch", self.parent_hash(), blocks, inbox_hash, sender=sender)

    def stake(self, who: bytes, amount: int = MIN_STAKE) -> Outcome:
        """Stake wei."""
        return self.rollup.send("stake", sender=who, value=amount)

    def prove(self, batch: Posted, position: int = 0, *, sender: bytes, header: Header | None = None) -> Outcome:
        """Send a proof; what it proves is the chosen verifier's verdict."""
        hashes = [keccak(h.encode()) for h in batch.headers]
        proven = as_tuple(header or batch.headers[position])
        path = merkle_path(hashes, position)
        return self.rollup.send("prove", batch.index, position, proven, path, b"", b"", b"", sender=sender)

    def finalise(self, upto: Posted) -> Outcome:
        """Let the dispute window pass, and make the batch final."""
        self.chain.travel(DISPUTE_WINDOW + 1)
        return self.rollup.send("finalise", upto.index)

    def held(self) -> int:
        """Wei that the Rollup holds."""
        return self.chain.balance(self.rollup.address)


def as_tuple(header: Header) -> HeaderTuple:
    """The Solidity struct `Header`."""
    return (
        header.number,
        header.fork,
        header.parent_root,
        header.timestamp,
        header.inbox_index,
        header.inbox_hash,
        header.txs_hash,
        header.state_root,
    )


def tampered(header: Header) -> list[Header]:
    """The header with each field changed in turn."""
    changed = []
    for name in Header.__slots__:
        value = getattr(header, name)
        other: Any = value + 1 if isinstance(value, int) else bytes([value[0] ^ 1]) + value[1:]
        changed.append(replace(header, **{name: other}))
    return changed


def config(inbox: bytes, verifier: bytes, now: int, /, **changes: object) -> tuple[object, ...]:
    """The Solidity struct `Config` of the tests' deployment."""
    values: dict[str, object] = {
        "sequencer": ALICE,
        "min_stake": MIN_STAKE,
        "dispute_window": DISPUTE_WINDOW,
        "proposer_timeout": PROPOSER_TIMEOUT,
        "force_deadline": FORCE_DEADLINE,
        "max_time_ahead": MAX_TIME_AHEAD,
        "max_time_lag": MAX_TIME_LAG,
        "reward_delay": REWARD_DELAY,
        "inbox": inbox,
        "verifier": verifier,
        "genesis_timestamp": now,
        "freeze_grace": FREEZE_GRACE,
    }
    return tuple((values | changes).values())


def inbox_arguments(token: bytes, vault: bytes, rollup: bytes) -> tuple[object, ...]:
    """What the tests' Inbox is made with; ALICE lists markets."""
    return token, vault, rollup, MINIMUM_OPENING, BASE_FEE, FEE_SLOPE, ALICE, LISTING_DELAY


def vault_arguments(token: bytes, rollup: bytes, appraiser: bytes) -> tuple[object, ...]:
    """What the tests' Vault is made with."""
    return token, rollup, appraiser, REGISTRATION_WINDOW


def deploy_world(
    token: Artifact,
    verifier: Artifact,
    actors: Sequence[bytes],
    root: bytes = GENESIS_ROOT,
    *,
    chain: Chain | None = None,
    load: Callable[[str], Artifact] = load_artifact,
    terms: Mapping[str, object] | None = None,
) -> World:
    """Deploy everything; each of `actors` gets stablecoins, and the sequencer a stake.

    On a new chain of py-evm unless one is given; `load` finds the contracts, `terms` change the Rollup's configuration.
    """
    chain = chain or Chain.create()
    money = chain.deploy(token)
    judge = chain.deploy(verifier, *([load_artifact("Pricer").bytecode] if verifier.name == "Verifier" else []))
    appraiser = chain.deploy(load("Appraiser"))
    first = chain.nonce(ALICE)
    predicted = [created_address(ALICE, first + ahead) for ahead in range(3)]
    settings = config(predicted[1], judge.address, chain.now, **dict(terms or {}))
    rollup = chain.deploy(load("Rollup"), settings, GENESIS_LEAVES, root)
    inbox = chain.deploy(load("Inbox"), *inbox_arguments(money.address, predicted[2], rollup.address))
    vault = chain.deploy(load("Vault"), *vault_arguments(money.address, rollup.address, appraiser.address))
    for actor in actors:
        money.send("mint", actor, DOLLARS)
        money.send("approve", inbox.address, 1 << 255, sender=actor)
    world = World(chain, money, judge, rollup, inbox, vault, appraiser)
    world.stake(ALICE, 2 * MIN_STAKE)
    return world


@cache
def trial_world(actors: tuple[bytes, ...], *, hostile_token: bool = False) -> World:
    """A deployment with the chosen verifier, made once; fork it before use."""
    token = load_test_artifact("HostileToken") if hostile_token else load_artifact("TestUSD")
    return deploy_world(token, load_test_artifact("ChosenVerifier"), actors)
