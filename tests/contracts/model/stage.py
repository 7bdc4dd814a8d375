"""The contracts and the model side by side: whatever is done is done to both, and both must answer alike."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from rollup.crypto.eip712 import header_digest
from rollup.crypto.keccak import keccak
from rollup.crypto.merkle import merkle_path
from rollup.crypto.signatures import Signer
from rollup.errors import L1Reverted
from rollup.l1.artifacts import Artifact
from rollup.l1.devkeys import dev_address, dev_key
from rollup.types.blocks import Header, encode_batch
from tests.contracts.model.inbox import Inbox, Trick, forced_withdrawal
from tests.contracts.model.ledger import Ledger
from tests.contracts.model.refusal import Refused, require
from tests.contracts.model.rollup import Batch, Draft, Rollup, Verdict
from tests.contracts.model.stakes import Moment, Purse, Stakes, commitment_of
from tests.contracts.model.vault import Vault
from tests.support.chain import ALICE, BOB, CAROL, DAVE, load_test_artifact
from tests.support.fastchain import FastChain
from tests.support.world import DOLLARS, MIN_STAKE, World, as_tuple, deploy_world

ERIN: Final = dev_address(4)
ACTORS: Final = (ALICE, BOB, CAROL, DAVE, ERIN)
SALT: Final = b"\x05" * 32
_SIGNERS: Final = {dev_address(index): Signer(dev_key(index)) for index in range(4)}


@dataclass(slots=True)
class Model:
    """The four books together."""

    rollup: Rollup
    vault: Vault

    @property
    def inbox(self) -> Inbox:
        """Messages and coins."""
        return self.rollup.inbox

    @property
    def stakes(self) -> Stakes:
        """Stakes, bounties and ether."""
        return self.rollup.stakes


class Stage:
    """Methods named as on L1; each returns whether it was accepted, after making sure that it should be."""

    def __init__(self, load: Callable[[str], Artifact]) -> None:
        self.chain = FastChain()
        verifier, token = load_test_artifact("ChosenVerifier"), load_test_artifact("HostileToken")
        genesis = Ledger()
        self.world: World = deploy_world(token, verifier, ACTORS, genesis.root, chain=self.chain, load=load)
        self.separator: bytes = self.world.rollup.call("domainSeparator")
        purse = Purse({who: self.chain.balance(who) for who in ACTORS}, self.chain.balance(bytes(20)))
        coins = dict.fromkeys(ACTORS, DOLLARS) | {self.world.vault.address: 0}
        inbox = Inbox(purse, coins, self.world.vault.address)
        stakes = Stakes(purse, {ALICE: 2 * MIN_STAKE})
        record = self.world.rollup.call("batches", 0)
        header = Header(0, 0, bytes(32), record[7], 0, bytes(32), bytes(32), genesis.root)
        first = Batch(0, (header,), record[2], bytes(20), record[4], genesis, ((0, 0, genesis.root),))
        rollup = Rollup([first], stakes, inbox, self.chain.now)
        self.model = Model(rollup, Vault(self.world.vault.address, coins, rollup))

    @property
    def now(self) -> int:
        """L1 time, seconds."""
        return self.chain.now

    @property
    def moment(self) -> Moment:
        """L1 time and height."""
        return Moment(self.chain.now, self.chain.block_number)

    def keep(self) -> Callable[[], None]:
        """Remember both sides; what it returns goes back there, once."""
        mark, model = self.chain.mark(), copy.deepcopy(self.model)

        def restore() -> None:
            self.chain.rewind(mark)
            self.model = model

        return restore

    def agree(
        self,
        predict: Callable[[], object],
        send: Callable[[], object],
        trick: Trick = Trick.NONE,
        *,
        running: bool = False,
    ) -> bool:
        """Do it to both sides; the same error with the same arguments, or success. `running`: never after a freeze."""
        expected = actual = None
        try:
            require(not (running and self.model.rollup.frozen), "ChainFrozen")
            predict()
        except Refused as refusal:
            expected = (refusal.name, refusal.arguments)
        self._play(trick)
        try:
            send()
        except L1Reverted as refusal:
            actual = (refusal.name, refusal.arguments)
        self._play(Trick.NONE if trick else None)
        assert actual == expected, f"L1 says {actual}, the model {expected}"
        return expected is None

    def open(self, payer: bytes, owner: bytes, amount: int, trick: Trick = Trick.NONE) -> bool:
        """Inbox.open."""
        inbox = self.model.inbox
        return self.agree(
            lambda: inbox.open(payer, owner, amount, trick, self.now),
            lambda: self.world.inbox.send("open", owner, amount, sender=payer),
            trick,
            running=True,
        )

    def deposit(self, payer: bytes, account: int, amount: int, trick: Trick = Trick.NONE) -> bool:
        """Inbox.deposit."""
        return self.agree(
            lambda: self.model.inbox.deposit(payer, account, amount, trick, self.now),
            lambda: self.world.inbox.send("deposit", account, amount, sender=payer),
            trick,
            running=True,
        )

    def force(self, sender: bytes, account: int, amount: int, value: int) -> bool:
        """Inbox.force of a withdrawal."""
        rollup, transaction = self.model.rollup, forced_withdrawal(account, amount)
        return self.agree(
            lambda: rollup.inbox.force(sender, account, amount, value, rollup.consumed, self.now),
            lambda: self.world.inbox.send("force", transaction, sender=sender, value=value),
            running=True,
        )

    def list(self, sender: bytes, item: bytes) -> bool:
        """Inbox.list."""
        return self.agree(
            lambda: self.model.inbox.list(sender, item, self.now),
            lambda: self.world.inbox.send("list", item, sender=sender),
            running=True,
        )

    def gift(self, payer: bytes, amount: int) -> None:
        """Coins that nobody asked for."""
        self.model.vault.give(payer, amount)
        self.world.token.send("transfer", self.world.vault.address, amount, sender=payer)

    def post(self, poster: bytes, draft: Draft, ledger: Ledger, verdicts: tuple[Verdict, ...]) -> bool:
        """Rollup.postBatch."""
        data = encode_batch(draft.blocks)
        return self.agree(
            lambda: self.model.rollup.post(poster, draft, ledger, verdicts, self.now),
            lambda: self.world.rollup.send("postBatch", draft.parent_hash, data, draft.inbox_hash, sender=poster),
        )

    def prove(self, index: int, position: int, prover: bytes) -> bool:
        """Rollup.prove; the verifier says what is true of that block."""
        batch = self.model.rollup.batches[index]
        self.world.verifier.send("choose", *batch.verdicts[position])
        return self.agree(
            lambda: self.model.rollup.prove(index, batch, position, prover, self.moment),
            lambda: self._send_proof(index, batch, position, prover),
        )

    def prove_past(self, batch: Batch, prover: bytes) -> None:
        """Rollup.prove of a batch that stands no more: refused, whatever has its number now."""
        self.world.verifier.send("choose", 1, 0, bytes(32))
        try:
            self._send_proof(batch.index, batch, 0, prover)
        except L1Reverted as refusal:
            assert refusal.name in {"BatchFinal", "BatchUnknown", "WrongBlock", "PathMismatch"}  # noqa: PT017
        else:
            raise AssertionError("a batch that no longer stands was proven wrong")

    def finalise(self, up_to: int, sender: bytes = DAVE) -> bool:
        """Rollup.finalise."""
        return self.agree(
            lambda: self.model.rollup.finalise(up_to, self.now),
            lambda: self.world.rollup.send("finalise", up_to, sender=sender),
        )

    def freeze(self, sender: bytes) -> bool:
        """Rollup.freeze."""
        return self.agree(
            lambda: self.model.rollup.freeze(self.now), lambda: self.world.rollup.send("freeze", sender=sender)
        )

    def stake(self, who: bytes, amount: int) -> bool:
        """Rollup.stake."""
        return self.agree(
            lambda: self.model.stakes.stake(who, amount),
            lambda: self.world.rollup.send("stake", sender=who, value=amount),
        )

    def unstake(self, who: bytes) -> bool:
        """Rollup.unstake."""
        return self.agree(lambda: self.model.rollup.unstake(who), lambda: self.world.rollup.send("unstake", sender=who))

    def commit(self, who: bytes, verdict: bytes) -> bool:
        """Rollup.commit."""
        commitment = commitment_of(who, SALT, verdict)
        return self.agree(
            lambda: self.model.stakes.commit(commitment, self.moment),
            lambda: self.world.rollup.send("commit", commitment, sender=who),
        )

    def reveal(self, who: bytes, poster: bytes) -> bool:
        """Rollup.reveal."""
        return self.agree(
            lambda: self.model.stakes.reveal(poster, who, SALT, self.moment),
            lambda: self.world.rollup.send("reveal", poster, SALT, sender=who),
        )

    def claim_reward(self, poster: bytes) -> bool:
        """Rollup.claimReward."""
        return self.agree(
            lambda: self.model.stakes.claim(poster, self.moment),
            lambda: self.world.rollup.send("claimReward", poster, sender=DAVE),
        )

    def equivocate(self, signer: bytes, reporter: bytes) -> bool:
        """Rollup.slashEquivocation with two headers for the next block."""
        latest = self.model.rollup.latest.headers[-1]
        shown: list[Any] = []
        for root in (b"\x01" * 32, b"\x02" * 32):
            header = Header(
                latest.number + 1, self.model.rollup.forks, latest.state_root, self.now, latest.inbox_index,
                latest.inbox_hash, bytes(32), root,
            )  # fmt: skip
            digest = header_digest(self.separator, keccak(header.encode()))
            shown += [as_tuple(header), _SIGNERS[signer].sign(digest)]
        return self.agree(
            lambda: self.model.rollup.equivocate(signer, reporter, self.moment),
            lambda: self.world.rollup.send("slashEquivocation", *shown, sender=reporter),
        )

    def claim(self, batch: int, ledger: Ledger, account: int, caller: bytes, trick: Trick = Trick.NONE) -> bool:
        """Vault.claim."""
        witness = ledger.state.leaf(account)
        return self.agree(
            lambda: self.model.vault.claim(batch, ledger, account, trick),
            lambda: self.world.vault.send("claim", batch, witness, sender=caller),
            trick,
        )

    def register(self, ledger: Ledger, account: int, caller: bytes, trick: Trick = Trick.NONE) -> bool:
        """Vault.register."""
        witness = ledger.state.estate(account)
        return self.agree(
            lambda: self.model.vault.register(ledger, account, trick, self.now),
            lambda: self.world.vault.send("register", witness, sender=caller),
            trick,
        )

    def collect(self, account: int, caller: bytes, trick: Trick = Trick.NONE) -> bool:
        """Vault.collect."""
        return self.agree(
            lambda: self.model.vault.collect(account, trick, self.now),
            lambda: self.world.vault.send("collect", account, sender=caller),
            trick,
        )

    def refund(self, index: int, shown: int, caller: bytes, trick: Trick = Trick.NONE) -> bool:
        """Vault.refund."""
        raw = self.model.inbox.messages[shown].raw
        return self.agree(
            lambda: self.model.vault.refund(index, shown, trick),
            lambda: self.world.vault.send("refund", index, raw, sender=caller),
            trick,
        )

    def _play(self, trick: Trick | None) -> None:
        if trick is not None and (trick or self._tricky):
            self.world.token.send("choose", int(trick), bytes(20), b"")
            self._tricky = bool(trick)

    _tricky = False

    def _send_proof(self, index: int, batch: Batch, position: int, prover: bytes) -> None:
        path = merkle_path([keccak(header.encode()) for header in batch.headers], position)
        header = as_tuple(batch.headers[position])
        self.world.rollup.send("prove", index, position, header, path, b"", b"", b"", sender=prover)
