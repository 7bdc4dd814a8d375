"""How every story ends: whatever happened, all who are honest get their money, whether the chain goes on or not."""

from __future__ import annotations

from rollup.l1.devkeys import dev_address
from rollup.types.blocks import BatchBlock
from tests.contracts.model.ledger import Deed, Ledger
from tests.contracts.model.rollup import NEVER, Draft
from tests.contracts.model.stage import ACTORS, ERIN, Stage
from tests.support.world import BASE_FEE, DISPUTE_WINDOW, MAX_TIME_AHEAD, MIN_STAKE, REWARD_DELAY

MAX_TAKEN = 32
COPYIST = dev_address(5)
"""Somebody who never finds a fraud."""


def watch(stage: Stage, target: int) -> None:
    """Let time pass until `target`; an honest watcher proves each fraud in the very last second for it."""
    while True:
        frauds = [b for b in stage.model.rollup.batches[stage.model.rollup.finalised + 1 :] if b.fraud is not None]
        if not frauds or frauds[0].deadline >= target:
            break
        stage.chain.travel(max(0, frauds[0].deadline - stage.now))
        prove_first_fraud(stage)
    stage.chain.travel(max(0, target - stage.now))


def prove_first_fraud(stage: Stage) -> bool:
    """Revert from the first wrong block that is pending; whether there was one."""
    for batch in stage.model.rollup.batches[stage.model.rollup.finalised + 1 :]:
        if batch.fraud is not None:
            must(stage.prove(batch.index, batch.fraud, ERIN))
            copy_proof(stage, batch.poster)
            return True
    return False


def copy_proof(stage: Stage, poster: bytes) -> None:
    """Whoever commits to what a proof has shown comes too late."""
    bounty = stage.model.stakes.bounties.get(poster)
    if bounty is not None and bounty.claimant == ERIN:
        must(stage.commit(COPYIST, bounty.verdict))
        refused(stage.reveal(COPYIST, poster))


def must(accepted: bool) -> None:
    """What an honest one does is never refused."""
    assert accepted, "both sides refused what an honest actor may do"


def refused(accepted: bool) -> None:
    """What is a second early, or the second time, never is accepted."""
    assert not accepted, "both sides accepted what nobody may do"


def go_on(stage: Stage) -> None:
    """A stranger takes over, takes every message, everybody withdraws, and all is paid; then stakes leave."""
    while prove_first_fraud(stage):
        pass
    claim_all(stage)
    rollup = stage.model.rollup
    must(stage.stake(ERIN, MIN_STAKE))
    early = rollup.latest.headers[-1].timestamp - MAX_TIME_AHEAD
    stage.chain.travel(max(0, rollup.exclusive_until + 1 - stage.now, early - stage.now))
    ledger = rollup.latest.ledger
    blocks: list[BatchBlock] = []
    time = max(stage.now, rollup.latest.headers[-1].timestamp)
    while not blocks or ledger.consumed < len(rollup.inbox.messages):
        messages = rollup.inbox.messages[ledger.consumed :][:MAX_TAKEN]
        ledger = withdraw_all(ledger.take(messages)).at(time)
        blocks.append(BatchBlock(time, len(messages), ledger.root, b""))
    draft = Draft(rollup.latest.batch_hash, tuple(blocks), rollup.inbox.hashes[-1])
    must(stage.post(ERIN, draft, ledger, tuple((0, 0, block.state_root) for block in blocks)))
    stage.chain.travel(DISPUTE_WINDOW)
    refused(stage.finalise(len(rollup.batches) - 1))
    refused(stage.unstake(ERIN))
    stage.chain.travel(1)
    must(stage.finalise(len(rollup.batches) - 1))
    claim_all(stage)
    release_stakes(stage)


def end(stage: Stage) -> None:
    """Freeze if a message can be starved, settle, and pay everybody out of what there is."""
    rollup = stage.model.rollup
    if not rollup.frozen:
        starve(stage)
        must(stage.freeze(ERIN))
    if not rollup.settled_at:
        for who in ACTORS:
            refused(stage.unstake(who))
        watch(stage, rollup.latest.deadline + 1)
    if not rollup.settled_at:
        must(stage.finalise(len(rollup.batches) - 1))
    pay_out(stage)
    ask_again(stage)
    release_stakes(stage)


def starve(stage: Stage) -> None:
    """Let a message wait until the first second in which anyone may freeze."""
    rollup = stage.model.rollup
    if rollup.freeze_deadline == NEVER:
        must(stage.force(ERIN, 0, 1, 2 * BASE_FEE))
    # Reversions on the way may free a message that had waited longer, and be followed by the grace anew.
    while stage.now <= rollup.freeze_deadline:
        if stage.now == rollup.freeze_deadline:
            refused(stage.freeze(ERIN))
        watch(stage, rollup.freeze_deadline + (stage.now == rollup.freeze_deadline))


def pay_out(stage: Stage) -> None:
    """Claims, registrations, refunds and shares, each to the unit of the model; sometimes one or two come late."""
    vault, ledger = stage.model.vault, stage.model.rollup.final.ledger
    worthy = [n for n in range(len(ledger.holders)) if ledger.equity(n) > 0 and n not in vault.timely]
    if stage.now <= vault.registration_deadline:
        stage.chain.travel(vault.registration_deadline - stage.now)
        for account in worthy[len(stage.model.inbox.messages) % 3 :]:
            must(stage.register(ledger, account, ERIN))
            refused(stage.collect(account, ERIN))
        stage.chain.travel(1)
    if vault.rollup.forks % 2:
        claim_all(stage)
    for account in set(vault.timely) - set(vault.paid):
        # A share of less than a unit is nothing.
        stage.collect(account, ERIN)
    for account in set(worthy) - set(vault.timely) - vault.late:
        stage.register(ledger, account, ERIN)
    claim_all(stage)
    for index in set(vault.stranded) - vault.refunded:
        must(stage.refund(index, index, ERIN))
    check_remainder(stage)


def ask_again(stage: Stage) -> None:
    """Nobody gets anything twice."""
    ledger = stage.model.rollup.final.ledger
    for account in range(len(ledger.holders)):
        refused(stage.claim(stage.model.rollup.finalised, ledger, account, ERIN))
        refused(stage.collect(account, ERIN))
        refused(stage.register(ledger, account, ERIN))
    for index in range(len(stage.model.inbox.messages)):
        refused(stage.refund(index, index, ERIN))


def check_remainder(stage: Stage) -> None:
    """Nothing that is due is left, and of the pot only what nobody has a claim on."""
    vault = stage.model.vault
    held = stage.world.token.call("balanceOf", vault.address) - vault.too_late
    assert vault.owed_first == 0
    if vault.pot is None:
        return
    assert held == vault.pot - sum(vault.paid.values()) >= 0
    total = sum(vault.timely.values())
    for account, equity in vault.timely.items():
        due = equity if vault.pot >= total else equity * vault.pot // total
        assert vault.paid.get(account, 0) == due
    if vault.pot < total:
        assert held < len(vault.timely), "a short pot is shared but for roundings"


def claim_all(stage: Stage) -> None:
    """Whatever the last final state says is withdrawn is paid."""
    rollup, claimed = stage.model.rollup, stage.model.vault.claimed
    for account, holder in enumerate(rollup.final.ledger.holders):
        if holder.withdrawn > claimed.get(account, 0):
            must(stage.claim(rollup.finalised, rollup.final.ledger, account, ERIN))


def withdraw_all(ledger: Ledger) -> Ledger:
    """As much as each account may."""
    for account in range(len(ledger.holders)):
        amount = min(ledger.holders[account].cash, ledger.equity(account))
        ledger = ledger.do(Deed("withdraw", account, 0, amount))
    return ledger


def release_stakes(stage: Stage) -> None:
    """Every stake and every bounty leaves, and no ether is left behind."""
    stage.chain.travel(REWARD_DELAY + 1)
    for who in ACTORS:
        if who in stage.model.stakes.bounties:
            must(stage.claim_reward(who))
            refused(stage.claim_reward(who))
        if stage.model.stakes.of(who):
            must(stage.unstake(who))
    assert stage.world.held() == 0
