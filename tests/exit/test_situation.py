"""One reading of L1 tells what is possible; and in words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from rollup.errors import L1Error
from rollup.exit.amounts import show_due, show_time
from rollup.exit.clock import time_ahead
from rollup.exit.contracts import find_contracts
from rollup.exit.errors import AlreadyFrozen, NoMessageWaits, TooEarly
from rollup.exit.leaving import freeze, freeze_steps
from rollup.exit.situation import ATTEMPTS, Situation, look
from rollup.exit.steps import Kind
from rollup.exit.walking import Manner
from rollup.exit.ways import Phase, phase_of, show_span, tell_ways
from rollup.l1 import dev
from rollup.l1.client import L1Client
from tests.support.deployed import DISPUTE_WINDOW, ETHER, SEQUENCER
from tests.support.derived import Liar
from tests.support.exits import GRACE, LATE, LONG, WINDOW, WITHDRAWN, Ending, open_ending, open_ending_on
from tests.support.poster import CASH


@pytest.fixture
async def ending() -> AsyncIterator[Ending]:
    """A chain with positions."""
    async with open_ending() as opened:
        yield opened


async def see(ending: Ending) -> Situation:
    """Look at it as a stranger does."""
    return await look(ending.site.l1, ending.site.deployment.rollup)


async def why_later(ending: Ending, seen: Situation) -> str:
    """What is said of the freeze that is not possible yet."""
    contracts = await find_contracts(ending.site.l1, ending.site.deployment.rollup)
    now, (later,) = freeze_steps(contracts, seen)
    assert not now
    return later.why


def test_what_could_be_done_before_is_not_announced_for_the_past() -> None:
    """To the second; and what nobody knows is not made up."""
    assert show_due(1_000, 1_000) == show_time(1_000)
    assert show_due(1_000, 1_001) == f"due since {show_time(1_000)}"
    assert show_due(None, 1_001) == show_time(None)


async def test_a_living_chain_shows_its_figures(ending: Ending) -> None:
    """Batches, times, the proposer, the queue, the vault."""
    seen = await see(ending)
    posted = (await ending.site.contract("Rollup").call("batches", 1))[4]
    assert (seen.batch, seen.final, seen.posted_at) == (1, 0, posted)
    assert seen.pending is not None
    assert (seen.pending.first, seen.pending.last, seen.pending.ready) == (1, 1, 0)
    assert seen.pending.first_due == seen.pending.last_due == posted + DISPUTE_WINDOW
    assert seen.proposer.address == ending.payer(SEQUENCER).address
    assert (seen.proposer.staked, seen.proposer.exclusive_until) == (True, posted + DISPUTE_WINDOW)
    assert (seen.messages, seen.consumed, seen.waiting, seen.freeze_after) == (3, 3, None, None)
    assert (seen.frozen, seen.end, seen.vault) == (False, None, 3 * CASH)
    assert (seen.terms.min_stake, seen.terms.freeze_grace) == (ETHER, GRACE)
    assert seen.now >= seen.time
    assert phase_of(seen) is Phase.ALIVE
    assert "rollup withdraw" in " ".join(tell_ways(seen))


async def test_a_chain_falls_silent_then_overdue_then_can_be_frozen(ending: Ending) -> None:
    """Each phase at its time, each told in its words."""
    await ending.starve(1)
    seen = await see(ending)
    assert seen.waiting is not None
    assert (seen.waiting.index, seen.waiting.due) == (3, seen.waiting.time + DISPUTE_WINDOW)
    assert seen.freeze_after == seen.waiting.due + GRACE
    assert phase_of(seen) is Phase.ALIVE
    assert any("Message 3 has waited" in line for line in tell_ways(seen))
    assert tell_ways(seen)[0].startswith("The chain goes on")
    assert "it may still come in time" in await why_later(ending, seen)
    await ending.travel(DISPUTE_WINDOW)
    seen = await see(ending)
    assert phase_of(seen) is Phase.OVERDUE
    assert seen.open_to_all
    assert any("--takeover" in line for line in tell_ways(seen))
    assert tell_ways(seen)[0].startswith("The chain stands still")
    assert seen.waiting is not None
    assert f"overdue since {show_time(seen.waiting.due)}" in await why_later(ending, seen)
    assert "in time" not in await why_later(ending, seen)
    await ending.travel(GRACE)
    seen = await see(ending)
    assert phase_of(seen) is Phase.FREEZABLE
    assert any("rollup freeze" in line for line in tell_ways(seen))


async def test_silence_without_a_message(ending: Ending) -> None:
    """Anyone may take over, and a message must be forced first."""
    await ending.travel(DISPUTE_WINDOW + 10)
    seen = await see(ending)
    assert phase_of(seen) is Phase.SILENT
    told = " ".join(tell_ways(seen))
    assert "--takeover" in told
    assert "force-withdraw" in told


async def test_the_end_shows_its_figures(ending: Ending) -> None:
    """Frozen, settled, registered, closed."""
    await ending.freeze()
    seen = await see(ending)
    assert (phase_of(seen), seen.freeze_after) == (Phase.FROZEN, None)
    assert seen.pending is not None
    assert seen.pending.ready == 1
    rollup = ending.site.contract("Rollup")
    await rollup.transact(ending.payer(), "finalise", 1)
    seen = await see(ending)
    assert seen.end is not None
    assert (seen.end.batch, seen.end.deadline, seen.end.registered) == (1, seen.end.settled_at + WINDOW, 0)
    assert phase_of(seen) is Phase.OPEN
    assert seen.vault == 3 * CASH + LATE
    await ending.travel(WINDOW + 1)
    seen = await see(ending)
    assert phase_of(seen) is Phase.CLOSED
    assert any("Registration is over" in line for line in tell_ways(seen))


async def test_frozen_with_pending_batches_says_how_long(embedded: L1Client) -> None:
    """They can still be proven wrong."""
    async with open_ending_on(embedded, dispute_window=LONG) as ending:
        await ending.freeze()
        (told,) = tell_ways(await see(ending))
        assert "Batch 1 can be proven wrong for" in told


async def test_a_reading_torn_by_a_reorganisation_is_made_again(ending: Ending) -> None:
    """Figures of two branches never mix; if L1 does not come to rest, that is said."""
    tears = ATTEMPTS - 1

    def tear(method: str, params: tuple[Any, ...], result: Any) -> Any:
        nonlocal tears
        if method == "eth_getBlockByNumber" and params[0] != "latest" and tears:
            tears -= 1
            return {**result, "hash": "0x" + "ab" * 32}
        return result

    async with Liar(ending.site.url) as node:
        node.distort = tear
        contracts = ending.site.deployment.rollup
        assert (await look(node, contracts)).batch == 1
        tears = ATTEMPTS
        with pytest.raises(L1Error, match="reorganised faster"):
            await look(node, contracts)


async def test_an_address_without_a_rollup_is_refused(ending: Ending) -> None:
    """Nothing there, or another contract."""
    with pytest.raises(L1Error, match="no contract"):
        await find_contracts(ending.site.l1, bytes(19) + b"\x09")
    with pytest.raises(L1Error):
        await find_contracts(ending.site.l1, ending.site.deployment.vault)


async def test_time_ahead_is_that_of_the_next_block(l1: L1Client) -> None:
    """On a development node, too, whose last block may be old."""
    await dev.mine(l1)
    head = await l1.get_block()
    assert head is not None
    await dev.increase_time(l1, 5_000)
    ahead = await time_ahead(l1, head.timestamp)
    await dev.mine(l1)
    mined = await l1.get_block()
    assert mined is not None
    assert head.timestamp + 5_000 <= ahead <= mined.timestamp


async def test_freezing_is_refused_with_the_reason(ending: Ending) -> None:
    """Nobody waits; too early, with the time; frozen already."""
    contracts, payer = await ending.contracts(), ending.payer()
    with pytest.raises(NoMessageWaits):
        await freeze(payer, contracts)
    await ending.starve(1)
    with pytest.raises(TooEarly) as caught:
        await freeze(payer, contracts)
    assert caught.value.after == (await see(ending)).freeze_after
    await ending.travel(DISPUTE_WINDOW + GRACE)
    left = await freeze(payer, contracts)
    assert [done.step.kind for done in left.done] == [Kind.FREEZE]
    assert left.complete
    with pytest.raises(AlreadyFrozen):
        await freeze(payer, contracts)


async def test_who_waits_to_freeze_stops_when_the_message_is_taken(ending: Ending) -> None:
    """The chain goes on after all: nothing is sent."""
    await ending.starve(1)
    before = await ending.site.l1.get_nonce(ending.payer().address)
    await ending.poster.post(await ending.poster.block())
    with pytest.raises(NoMessageWaits):
        await freeze(ending.payer(), await ending.contracts(), Manner(wait=True, poll=0.05))
    assert await ending.site.l1.get_nonce(ending.payer().address) == before


def test_spans_are_told_in_their_two_largest_units() -> None:
    """Nobody wants seconds of a fortnight."""
    assert [show_span(s) for s in (0, 59, 3_600, 90_061, WITHDRAWN)] == ["0 s", "59 s", "1 h", "1 d 1 h", "28 d 22 h"]
