"""What must hold after every step, read from the contracts themselves."""

from __future__ import annotations

from tests.contracts.model.rollup import blocks_root
from tests.contracts.model.stage import ACTORS, Stage
from tests.support.world import DISPUTE_WINDOW, FORCE_DEADLINE, FREEZE_GRACE


def check_money(stage: Stage) -> None:
    """Everybody's ether and coins to the unit; the vault can pay what comes first, and paid only what it owed."""
    world, model = stage.world, stage.model
    coins, stakes, vault = model.inbox.coins, model.stakes, model.vault
    for who, amount in coins.items():
        assert world.token.call("balanceOf", who) == amount
    for who, amount in stakes.purse.ether.items():
        assert stage.chain.balance(who) == amount
    assert stage.chain.balance(bytes(20)) == stakes.purse.burnt
    assert world.held() == stakes.held
    assert world.inbox.call("depositedTotal") == model.inbox.deposited
    assert coins[vault.address] >= vault.owed_first
    for account, paid in vault.claimed.items():
        assert world.vault.call("claimed", account) == paid <= model.rollup.final.ledger.holders[account].withdrawn
    assert sum(vault.paid.values()) <= (vault.pot or 0)
    assert world.vault.call("registeredEquity") == sum(vault.timely.values())
    assert world.vault.call("spare") == (0 if vault.pot is None else vault.gap(vault.pot))


def check_chain(stage: Stage) -> None:
    """Batches, finality and the end are the model's; finality took the whole window, and what is final stays."""
    rollup, model = stage.world.rollup, stage.model.rollup
    assert rollup.call("batchCount") == len(model.batches)
    assert rollup.call("finalised") == model.finalised < len(model.batches)
    assert rollup.call("fork") == model.forks
    assert rollup.call("frozen") == model.frozen
    assert rollup.call("settledAt") == model.settled_at
    assert rollup.call("endState") == (model.settled_at > 0, model.finalised)
    for index in {len(model.batches) - 1, model.finalised} - {0}:
        batch, last = model.batches[index], model.batches[index].headers[-1]
        kept = (
            blocks_root(batch.headers), last.state_root, batch.batch_hash, batch.poster, batch.posted_at, last.number,
            len(batch.headers), last.timestamp, last.inbox_index, last.fork,
        )  # fmt: skip
        assert rollup.call("batches", index) == kept
    if model.finalised:
        assert stage.now > rollup.call("batches", model.finalised)[4] + DISPUTE_WINDOW


def check_stakes(stage: Stage) -> None:
    """Everybody's stake and bounty."""
    rollup, stakes = stage.world.rollup, stage.model.stakes
    for who in ACTORS:
        assert rollup.call("stakeOf", who) == stakes.of(who)
        bounty = stakes.bounties.get(who)
        held = (
            (bounty.claimant, bounty.due, bounty.batch, bounty.amount, bounty.committed_at, bounty.verdict)
            if bounty
            else (bytes(20), 0, 0, 0, 0, bytes(32))
        )
        assert rollup.call("bountyOf", who) == held


def check_freeze(stage: Stage) -> None:
    """Nothing that anybody did holds the freeze back: a message that waits for F + D + G lets anyone freeze."""
    model = stage.model.rollup
    if model.frozen:
        return
    index, deadline = stage.world.rollup.call("freezeDeadline")
    assert (index, deadline) == (model.consumed, model.freeze_deadline)
    if index < len(model.inbox.messages):
        assert deadline <= model.inbox.times[index] + FORCE_DEADLINE + DISPUTE_WINDOW + FREEZE_GRACE
        if stage.now > deadline:
            stage.world.rollup.call("freeze")
