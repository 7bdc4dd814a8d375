"""The rescue walks out of a chain in any state."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import trio

from rollup.exit.errors import NothingToCollect
from rollup.exit.holdings import Whose
from rollup.exit.rescue import rescue
from rollup.exit.sending import Done
from rollup.exit.situation import Situation, look
from rollup.exit.steps import Kind
from rollup.exit.walking import Happening, Left, Manner, Waits
from rollup.exit.ways import Phase, phase_of, tell_ways
from rollup.types.keys import account_key
from rollup.types.leaves import Account
from tests.support.deployed import DISPUTE_WINDOW
from tests.support.exits import GRACE, STRANGER, WINDOW, WITHDRAWN, Ending, open_ending
from tests.support.poster import CASH, FIRST_OWNER

HOLDER, CASHIER = FIRST_OWNER, FIRST_OWNER + 2
"""Development keys of account 0, which has positions, and of account 2, which has none."""
Act = Callable[[], Awaitable[None]]


@pytest.fixture
async def ending() -> AsyncIterator[Ending]:
    """A chain with positions."""
    async with open_ending() as opened:
        yield opened


async def walk_out(ending: Ending, key: int, acts: list[tuple[str, Act]]) -> tuple[Left, list[Kind], list[Phase]]:
    """Rescue a key's accounts to the end. When it waits for the kind of step that is next in `acts`, the world acts.

    Returns how it ended, the steps done and the phases seen.
    """
    waits, news = trio.open_memory_channel[Act](len(acts) or 1)
    done: list[Kind] = []
    phases: list[Phase] = []
    todo = list(acts)

    def tell(happening: Happening) -> None:
        if isinstance(happening, Done):
            done.append(happening.step.kind)
        if isinstance(happening, Waits) and todo and happening.what.startswith(todo[0][0]):
            waits.send_nowait(todo.pop(0)[1])

    def see(situation: Situation) -> None:
        assert tell_ways(situation)
        if [phase_of(situation)] != phases[-1:]:
            phases.append(phase_of(situation))

    async def act() -> None:
        async for deed in news:
            await deed()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(act)
        payer, contracts = ending.payer(key), await ending.contracts()
        manner = Manner(wait=True, tell=tell, patience=60, poll=0.05)
        async with ending.mirror() as mirror:
            left = await rescue(payer, contracts, mirror, Whose(payer.address), manner, see)
        nursery.cancel_scope.cancel()
    assert not todo
    return left, done, phases


async def test_a_living_chain_is_left_by_a_forced_withdrawal(ending: Ending) -> None:
    """Forced, taken by the sequencer, final, claimed; what was withdrawn before comes along."""

    async def take() -> None:
        (index,) = await ending.hear()
        assert index
        await ending.poster.post(await ending.poster.block())

    async def age() -> None:
        await ending.travel(DISPUTE_WINDOW + 1)

    left, done, phases = await walk_out(ending, CASHIER, [("claim", age), ("freeze", take), ("claim", age)])
    assert done[0] is Kind.FORCE
    assert done[1:] == [Kind.FINALISE, Kind.CLAIM] * 2
    assert left.complete
    assert await ending.held(CASHIER) == CASH == left.paid
    assert phases[0] is Phase.ALIVE


async def test_a_chain_that_takes_nothing_is_ended(ending: Ending) -> None:
    """The withdrawal is forced in vain: freeze, end state, registration, collection; positions are paid, too."""
    worth = ending.equity(0)

    async def starve() -> None:
        await ending.travel(DISPUTE_WINDOW + GRACE + 10)

    async def close() -> None:
        await ending.travel(WINDOW + 10)

    left, done, phases = await walk_out(ending, HOLDER, [("freeze", starve), ("collect", close)])
    assert done == [Kind.FORCE, Kind.FREEZE, Kind.FINALISE, Kind.REGISTER, Kind.COLLECT]
    assert (left.complete, left.paid) == (True, worth)
    assert await ending.held(HOLDER) == worth
    assert phases[-2:] == [Phase.OPEN, Phase.CLOSED]


async def test_who_has_nothing_is_told_so(ending: Ending) -> None:
    """Before anything is sent."""
    contracts, payer = await ending.contracts(), ending.payer(STRANGER)
    async with ending.mirror() as mirror:
        with pytest.raises(NothingToCollect, match="no account"):
            await rescue(payer, contracts, mirror, Whose(payer.address))


async def test_what_positions_need_stays_behind(ending: Ending) -> None:
    """The forced withdrawal leaves half as much again as the initial margin."""
    contracts, payer = await ending.contracts(), ending.payer(HOLDER)
    async with ending.mirror() as mirror:
        left = await rescue(payer, contracts, mirror, Whose(payer.address))
    (forced,) = left.done
    assert forced.step.amount is not None
    await ending.hear()
    await ending.poster.post(await ending.poster.block())
    leaf = Account.decode(ending.poster.leaves[account_key(0)])
    assert leaf.withdrawn == forced.step.amount
    assert 0 < forced.step.amount < ending.equity(0) + forced.step.amount


async def test_a_refused_withdrawal_is_told_and_not_forced_again(ending: Ending) -> None:
    """The sequencer takes an earlier withdrawal first, so the forced one asks for more than is left."""
    half = CASH // 2

    async def take() -> None:
        await ending.hear()
        first = await ending.poster.block(ending.poster.withdraw(2, half), take=0)
        await ending.poster.post(first, await ending.poster.block())

    async def age() -> None:
        await ending.travel(DISPUTE_WINDOW + 1)

    left, done, _ = await walk_out(ending, CASHIER, [("claim", age), ("freeze", take), ("claim", age)])
    assert done.count(Kind.FORCE) == 1
    assert left.complete
    assert await ending.held(CASHIER) == half + WITHDRAWN
    assert any("message 3 for account 2: refused in block" in note for note in left.plan.notes)
    assert any("can still be withdrawn" in note for note in left.plan.notes)


async def test_positions_alone_start_the_clock_of_a_silent_chain(ending: Ending) -> None:
    """All that is left is margin and no message waits: a cancel is forced, and left waiting it ends the chain."""
    contracts, payer = await ending.contracts(), ending.payer(HOLDER)
    async with ending.mirror() as mirror:
        await rescue(payer, contracts, mirror, Whose(payer.address))
        await ending.hear()
        await ending.poster.post(await ending.poster.block())
        alive = await rescue(payer, contracts, mirror, Whose(payer.address))
        assert alive.done == ()
        assert any("its positions need all of it as margin" in note for note in alive.plan.notes)
        await ending.travel(DISPUTE_WINDOW + 1)
        silent = await rescue(payer, contracts, mirror, Whose(payer.address))
    assert {Kind.FORCE, Kind.CLAIM} <= {done.step.kind for done in silent.done}
    seen = await look(ending.site.l1, ending.site.deployment.rollup)
    assert seen.waiting is not None
    assert silent.plan.later[-1].kind is Kind.FREEZE


async def test_a_deposit_on_its_way_is_rescued_too(ending: Ending) -> None:
    """Its owner has no account yet, and the chain is frozen for the message."""
    owner = ending.payer(7)
    await ending.site.contract("Inbox").transact(ending.payer(0), "open", owner.address, CASH)
    await ending.travel(DISPUTE_WINDOW + GRACE + 10)
    contracts = await ending.contracts()
    async with ending.mirror() as mirror:
        left = await rescue(owner, contracts, mirror, Whose(owner.address))
    assert [done.step.kind for done in left.done] == [Kind.FREEZE, Kind.FINALISE, Kind.REFUND]
    assert (left.complete, left.paid) == (True, CASH)
