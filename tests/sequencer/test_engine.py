"""The engine and waiting messages: block after block, users in between, and nothing in between when they are urgent."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from rollup.sequencer.commands import Submit
from rollup.sequencer.engine import Engine, Input, Pause, TakeMessages
from rollup.sequencer.ledger import NewBlock
from rollup.sequencer.risk.register import Register
from rollup.sequencer.unit import Unit
from rollup.types.limits import MAX_TRANSACTIONS
from rollup.types.messages import Deposit, encode_message
from rollup.types.transactions import Flag, Transaction, decode_transactions
from tests.stf.world import USD, withdraw
from tests.support.pit import PERP, P, Pit, pit

pytestmark = pytest.mark.usefixtures("autojump_clock")

COIN = 1_000_000
FULL = [encode_message(Deposit(0, USD))] * MAX_TRANSACTIONS


@pytest.fixture
def desk() -> Pit:
    """An account whose flag is due, and nobody has looked yet."""
    opened = pit()
    opened.trade(0, 1, PERP, 9 * COIN)
    opened.crash(P * 85 // 100)
    opened.flush()
    return opened


async def run(desk: Pit, *inputs: Input, restrained: float = 0.0) -> list[NewBlock]:
    """What the engine makes of these inputs, given to it at once, with the look at everybody before them.

    For so many of its five seconds its blocks are kept for prices and messages.
    """
    to_engine, received = trio.open_memory_channel[list[Input]](10)
    to_committer, units = trio.open_memory_channel[Unit](100)
    found = Register().look(desk.desk.risk.snapshot(start_over=True))
    to_engine.send_nowait([*inputs, found])
    blocks: list[NewBlock] = []

    async def commit() -> None:
        async for unit in units:
            blocks.extend(unit.blocks)
            for reply in unit.replies:
                reply.release()

    engine = Engine(desk.desk, received, to_committer, 0.01)
    free = trio.current_time() + restrained
    engine.restrained = lambda: trio.current_time() < free
    async with trio.open_nursery() as nursery:
        nursery.start_soon(commit)
        nursery.start_soon(engine.run)
        await trio.sleep(5)
        await to_engine.aclose()
    return blocks


def own(block: NewBlock) -> list[Transaction]:
    """What the sequencer itself put into a block."""
    return [tx for tx in decode_transactions(block.txs) if isinstance(tx, Flag)]


def taking(desk: Pit, count: int, *, urgent: bool) -> TakeMessages:
    """So many blocks' worth of deposits."""
    return TakeMessages(desk.desk.inbox_index, FULL * count, urgent)


@pytest.mark.parametrize("urgent", [False, True])
async def test_flags_wait_for_urgent_messages_and_for_no_others(desk: Pit, *, urgent: bool) -> None:
    """While old messages wait each block begins with some; the flag comes right after them."""
    blocks = await run(desk, taking(desk, 10, urgent=urgent))
    with_messages = [bool(block.messages) for block in blocks]
    flagged = next(place for place, block in enumerate(blocks) if own(block))
    assert sum(len(block.messages) for block in blocks) == 10 * MAX_TRANSACTIONS
    if urgent:
        assert with_messages[:10] == [True] * 10
        assert flagged >= 10
    else:
        assert flagged < 10, "users and risk have their turn"


@pytest.mark.parametrize(("seconds", "flags"), [(9.0, 0), (2.0, 1)])
async def test_flags_wait_while_blocks_are_kept_for_a_late_message_and_its_price(
    desk: Pit, seconds: float, flags: int
) -> None:
    """Without a busy loop meanwhile; they come when the time is over."""
    blocks = await run(desk, restrained=seconds)
    assert sum(len(own(block)) for block in blocks) == flags


async def test_a_command_behind_a_flood_has_its_turn_before_the_flood_is_over(desk: Pit) -> None:
    """Both are in the engine's hands at once; the command is not the last to be served."""
    command = Submit(withdraw(2, USD, 1), ())
    blocks = await run(desk, taking(desk, 10, urgent=False), command)
    served = next(place for place, block in enumerate(blocks) if block.txs and not own(block))
    assert served < len(blocks) - 1
    assert command.reply._answer is not None


async def test_messages_that_are_sent_again_are_taken_once(desk: Pit) -> None:
    """A follower that started over begins further back."""
    first = desk.desk.inbox_index
    blocks = await run(desk, TakeMessages(first, FULL), TakeMessages(first + 8, FULL[:26]))
    assert sum(len(block.messages) for block in blocks) == 34


async def test_a_pause_forgets_messages_that_are_in_no_block_yet(desk: Pit) -> None:
    """The chain is about to be moved; what is L1's then is sent after it."""
    first, pause = desk.desk.inbox_index, Pause()
    pause.resume.set()
    blocks = await run(desk, TakeMessages(first, FULL), pause, TakeMessages(first, FULL[:5]))
    assert sum(len(block.messages) for block in blocks) == 5


async def test_what_comes_after_a_lull_is_sealed_at_once_and_what_follows_waits_for_the_interval(
    desk: Pit, autojump_clock: MockClock
) -> None:
    """One block for the first command, one for all that come while the interval after it lasts."""
    assert autojump_clock.rate == 0
    interval = 0.5
    to_engine, received = trio.open_memory_channel[list[Input]](10)
    to_committer, units = trio.open_memory_channel[Unit](100)
    desk.desk.risk.take(Register().look(desk.desk.risk.snapshot(start_over=True)))
    while desk.desk.risk.waiting:
        desk.desk.risk.work()
    desk.flush()
    sealed: list[tuple[float, int]] = []

    async def commit() -> None:
        async for unit in units:
            sealed.extend((trio.current_time() - begun, len(block.receipts)) for block in unit.blocks)

    async with trio.open_nursery() as nursery:
        begun = trio.current_time()
        nursery.start_soon(commit)
        nursery.start_soon(Engine(desk.desk, received, to_committer, interval).run)
        for nonce in (1, 2, 3):
            await to_engine.send([Submit(withdraw(2, USD, nonce), ())])
            await trio.sleep(interval / 10)
        await trio.sleep(5 * interval)
        await to_engine.send([Submit(withdraw(2, USD, 4), ())])
        await trio.sleep(5 * interval)
        await to_engine.aclose()
    assert [count for _, count in sealed] == [1, 2, 1]
    assert [moment for moment, _ in sealed] == pytest.approx([0, interval, 5.3 * interval])
