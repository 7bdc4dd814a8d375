"""The rescue walks out of a chain in any state."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import trio

from rollup.exit.errors import NothingToCollect
from rollup.exit.holdings import Whose
from rollup.exit.rescue import rescue
from rollup.exit.sending import Done
from rollup.exit.situation import Situation
from rollup.exit.steps import Kind
from rollup.exit.walking import Happening, Left, Manner, Waits
from rollup.exit.ways import Phase, phase_of, tell_ways
from rollup.types.keys import account_key
from rollup.types.leaves import Account
from tests.support.deployed import DISPUTE_WINDOW
from tests.support.exits import GRACE, STRANGER, WINDOW, Ending, open_ending
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
