"""Admission: a lone command goes straight through, and commands that come while others are recovered are gathered."""

from __future__ import annotations

import trio
import trio.testing
from trio.testing import MockClock

from rollup.crypto.keccak import keccak
from rollup.crypto.signatures import SignatureFault
from rollup.sequencer import admission as module
from rollup.sequencer.admission import Admission
from rollup.sequencer.commands import PlaceOrder, Submit
from rollup.sequencer.engine import Input
from rollup.sequencer.matching_orders import TimeInForce
from rollup.sequencer.memo import Memo
from rollup.sequencer.recovery import Recovery
from rollup.types.transactions import Flag, FreshOrder


class SlowRecovery(Recovery):
    """Takes its time, and counts what it is given at once."""

    sizes: list[int]

    async def recover(self, pairs: object) -> list[bytes | SignatureFault]:
        """Half of what admission would wait at most."""
        assert isinstance(pairs, list)
        self.sizes.append(len(pairs))
        await trio.sleep(module.PATIENCE / 2)
        return [bytes(20) for _ in pairs]


def placing(number: int) -> PlaceOrder:
    """An order whose signature is looked at by `SlowRecovery` alone."""
    digest = keccak(bytes([number]))
    return PlaceOrder(FreshOrder(0, 1, 0, 1, 1, number, 1, bytes(64)), digest, TimeInForce.GTC)


async def test_a_lone_command_waits_for_no_other(autojump_clock: MockClock) -> None:
    """Nothing is under way, so nothing is gained by waiting."""
    assert autojump_clock.rate == 0
    to_engine, received = trio.open_memory_channel[list[Input]](4)
    admission = Admission(to_engine, Memo())
    command = Submit(Flag(0), ())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(admission.run)
        await trio.testing.wait_all_tasks_blocked()
        begun = trio.current_time()
        admission.offer(command)
        assert await received.receive() == [command]
        assert trio.current_time() == begun
        nursery.cancel_scope.cancel()


async def test_what_comes_while_others_are_recovered_is_gathered_and_delivered_in_order(
    autojump_clock: MockClock,
) -> None:
    """One by itself, then all that came meanwhile, as one batch."""
    assert autojump_clock.rate == 0
    to_engine, received = trio.open_memory_channel[list[Input]](4)
    admission = Admission(to_engine, Memo())
    admission._recovery = recovery = SlowRecovery()
    recovery.sizes = []
    commands = [placing(number) for number in range(5)]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(admission.run)
        for command in commands:
            await trio.testing.wait_all_tasks_blocked()
            admission.offer(command)
        delivered = [*await received.receive(), *await received.receive()]
        nursery.cancel_scope.cancel()
    assert delivered == commands
    assert recovery.sizes == [1, 4]
