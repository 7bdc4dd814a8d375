"""Everybody leaves a chain that has ended, by nothing but L1."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from rollup.exit.errors import EndUnknown, NotFrozen, NothingToCollect, NotInEndState
from rollup.exit.estate import equity_of
from rollup.exit.holdings import Whose
from rollup.exit.leaving import leave
from rollup.exit.steps import Kind
from rollup.exit.walking import Left
from rollup.l1.client import L1Client
from rollup.l1.contract import deploy
from tests.support.chain import load_test_artifact
from tests.support.exits import LATE, LONG, STRANGER, WINDOW, WITHDRAWN, Ending, open_ending, open_ending_on
from tests.support.frauds import LIE, revert_fraud, with_stolen_cash
from tests.support.poster import CASH, FIRST_OWNER, with_root


@pytest.fixture
async def ending() -> AsyncIterator[Ending]:
    """A chain with positions."""
    async with open_ending() as opened:
        yield opened


async def escape(ending: Ending, whose: Whose, key: int = STRANGER) -> Left:
    """Walk as far as it goes, with a mirror made for it alone."""
    async with ending.mirror() as mirror:
        return await leave(ending.payer(key), await ending.contracts(), mirror, whose)


def kinds(left: Left) -> list[Kind]:
    """What was done."""
    return [done.step.kind for done in left.done]


async def test_everybody_is_paid_to_the_unit(ending: Ending) -> None:
    """Each owner gets what the rules of trading say the account is worth, what was withdrawn, and late deposits."""
    await ending.freeze()
    equities = {account: ending.equity(account) for account in ending.owners}
    assert len(set(equities.values())) == 3
    first = await escape(ending, Whose(everyone=True))
    assert not first.complete
    assert [(later.kind, later.amount) for later in first.plan.later] == [
        (Kind.COLLECT, equity) for equity in equities.values()
    ]
    await ending.travel(WINDOW + 1)
    last = await escape(ending, Whose(everyone=True))
    assert last.complete
    for account, key in ending.owners.items():
        extra = {1: LATE, 2: WITHDRAWN}.get(account, 0)
        assert await ending.held(key) == equities[account] + extra
    assert first.paid == LATE + WITHDRAWN
    assert last.paid == sum(equities.values())
    again = await escape(ending, Whose(everyone=True))
    assert (again.complete, again.done) == (True, ())


async def test_any_kind_of_node_will_do(l1: L1Client) -> None:
    """Nothing that is asked of L1 is known to one node only."""
    async with open_ending_on(l1) as ending:
        await ending.freeze()
        await escape(ending, Whose(everyone=True))
        await ending.travel(WINDOW + 1)
        left = await escape(ending, Whose(everyone=True))
        assert left.complete
        assert left.paid == sum(ending.equity(account) for account in ending.owners)


async def test_the_twin_of_the_appraiser_agrees_with_the_rules_of_trading(ending: Ending) -> None:
    """Settlement and margin value an account as the end does."""
    leaves = ending.poster.leaves
    for account in ending.owners:
        assert equity_of(lambda key: leaves.get(key, b""), account) == ending.equity(account)


async def test_one_owner_leaves_alone(ending: Ending) -> None:
    """Only the key's own accounts and deposits."""
    await ending.settle()
    left = await escape(ending, Whose(ending.payer(FIRST_OWNER + 1).address), FIRST_OWNER + 1)
    assert kinds(left) == [Kind.REFUND, Kind.REGISTER]
    assert {done.step.owner for done in left.done} == {ending.payer(FIRST_OWNER + 1).address}


async def test_pending_batches_are_waited_for(embedded: L1Client) -> None:
    """Frozen while a batch can still be proven wrong: nothing to send yet, and everything told with its time."""
    async with open_ending_on(embedded, dispute_window=LONG) as ending:
        await ending.freeze()
        left = await escape(ending, Whose(accounts=frozenset({1})))
        told = [(later.kind, later.amount) for later in left.plan.later]
        assert told == [
            (Kind.FINALISE, None), (Kind.REGISTER, None), (Kind.COLLECT, ending.equity(1)), (Kind.REFUND, LATE)
        ]  # fmt: skip
        due = left.plan.next_due
        assert left.done == ()
        assert due is not None
        await ending.travel(due + 1 - await ending.poster.now())
        assert kinds(await escape(ending, Whose(accounts=frozenset({1})))) == [
            Kind.FINALISE, Kind.REFUND, Kind.REGISTER
        ]  # fmt: skip


async def test_a_wrong_batch_does_not_become_the_end_by_our_hand(ending: Ending) -> None:
    """What is right before it is made final; the wrong one is named, and nothing is registered for it."""
    await ending.poster.post(with_root(await ending.poster.block(), LIE))
    await ending.freeze()
    left = await escape(ending, Whose(everyone=True))
    assert [(done.step.kind, done.step.subject) for done in left.done] == [(Kind.FINALISE, 1)]
    assert any("batch 2 is wrong" in note for note in left.plan.notes)
    assert not left.complete
    rollup = ending.site.contract("Rollup")
    await rollup.transact(ending.payer(), "finalise", 2)
    with pytest.raises(EndUnknown, match="batch 2"):
        await escape(ending, Whose(everyone=True))


async def test_fraud_that_is_proven_after_the_freeze_costs_nobody_anything(ending: Ending) -> None:
    """The batch that stole is reverted with the chain frozen; everybody is paid by the state before it."""
    honest = dict(ending.poster.leaves)
    sealed = await ending.poster.block()
    await ending.poster.post(with_root(sealed, with_stolen_cash(honest)))
    ending.poster.leaves = honest
    await ending.freeze()
    contracts = await ending.contracts()
    async with ending.mirror() as mirror:
        left = await leave(ending.payer(), contracts, mirror, Whose(everyone=True))
        assert not left.complete
        await revert_fraud(ending.site, mirror.pipeline, STRANGER)
        left = await leave(ending.payer(), contracts, mirror, Whose(everyone=True))
        assert kinds(left) == [Kind.CLAIM, Kind.REFUND, Kind.REGISTER, Kind.REGISTER, Kind.REGISTER]
        await ending.travel(WINDOW + 1)
        await leave(ending.payer(), contracts, mirror, Whose(everyone=True))
    for account, key in ending.owners.items():
        assert await ending.held(key) == ending.equity(account) + {1: LATE, 2: WITHDRAWN}.get(account, 0)


async def test_contract_is_paid_as_an_owner(ending: Ending) -> None:
    """Anyone gets it out by its number; it needs to sign and send nothing."""
    wallet, _ = await deploy(ending.payer(), load_test_artifact("Relay"))
    number = await ending.open(wallet.address)
    await ending.settle()
    whose = Whose(accounts=frozenset({number}))
    assert kinds(await escape(ending, whose)) == [Kind.REGISTER]
    await ending.travel(WINDOW + 1)
    assert (await escape(ending, whose)).paid == CASH
    assert await ending.site.contract("TestUSD").call("balanceOf", wallet.address) == CASH


async def test_late_account_is_paid_at_once_of_what_is_left(ending: Ending) -> None:
    """After the window, of what those who came in time leave; here that is enough."""
    await ending.settle()
    await escape(ending, Whose(accounts=frozenset({0})))
    await ending.travel(WINDOW + 1)
    left = await escape(ending, Whose(accounts=frozenset({2})))
    assert kinds(left) == [Kind.CLAIM, Kind.REGISTER]
    assert (left.complete, left.paid) == (True, WITHDRAWN + ending.equity(2))


async def test_nobody_registered_in_time_and_all_come_late(ending: Ending) -> None:
    """The pot is computed before the vault knows it."""
    await ending.settle()
    await ending.travel(WINDOW + 1)
    left = await escape(ending, Whose(everyone=True))
    assert left.complete
    assert left.paid == sum(ending.equity(account) for account in ending.owners) + WITHDRAWN + LATE


async def test_a_shortfall_is_shared(ending: Ending) -> None:
    """An account that owes more than it has leaves a hole: the others share pro rata, rounded down; it gets nothing."""
    await ending.ruin()
    await ending.settle()
    equities = {account: ending.equity(account) for account in ending.owners}
    pot = ending.totals.deposits - ending.totals.withdrawals
    registered = equities[1] + equities[2]
    assert equities[0] < 0
    assert pot < registered
    first = await escape(ending, Whose(everyone=True))
    assert kinds(first) == [Kind.CLAIM, Kind.REFUND, Kind.REGISTER, Kind.REGISTER]
    assert any("account 0 is worth -" in note for note in first.plan.notes)
    await ending.travel(WINDOW + 1)
    last = await escape(ending, Whose(everyone=True))
    assert [done.paid for done in last.done] == [equities[account] * pot // registered for account in (1, 2)]
    assert last.complete
    assert await ending.held(FIRST_OWNER) == 0


async def test_late_comers_share_no_more_than_is_spare(ending: Ending) -> None:
    """In the order in which they come; whoever comes when nothing is left is told so, and nothing is sent."""
    number = await ending.open(ending.payer(7).address, 2_000_000)
    await ending.ruin()
    await ending.settle()
    await escape(ending, Whose(accounts=frozenset({1})))
    await ending.travel(WINDOW + 1)
    spare = ending.totals.deposits - ending.totals.withdrawals - ending.equity(1)
    assert 0 < spare < ending.equity(2)
    last = await escape(ending, Whose(accounts=frozenset({2, number})))
    assert [(done.step.kind, done.paid) for done in last.done] == [(Kind.CLAIM, WITHDRAWN), (Kind.REGISTER, spare)]
    assert last.plan.notes == (f"account {number} comes too late: those who registered in time leave nothing",)
    assert last.complete


async def test_deposit_that_would_have_opened_an_account_goes_back(ending: Ending) -> None:
    """Its owner has no account, only a message that nobody took."""
    await ending.starve(0)
    inbox, owner = ending.site.contract("Inbox"), ending.payer(7)
    await inbox.transact(ending.payer(0), "open", owner.address, CASH)
    await ending.travel(10**4)
    await ending.site.contract("Rollup").transact(ending.payer(), "freeze")
    left = await escape(ending, Whose(owner.address), 7)
    assert kinds(left) == [Kind.FINALISE, Kind.REFUND]
    assert (left.complete, left.paid) == (True, CASH)
    assert await ending.held(7) == CASH


async def test_refusals_are_typed(ending: Ending) -> None:
    """Not frozen; nobody's key; an account that never was."""
    with pytest.raises(NotFrozen):
        await escape(ending, Whose(everyone=True))
    await ending.settle()
    with pytest.raises(NothingToCollect):
        await escape(ending, Whose(ending.payer().address))
    with pytest.raises(NotInEndState) as caught:
        await escape(ending, Whose(accounts=frozenset({0, 9})))
    assert caught.value.account == 9
