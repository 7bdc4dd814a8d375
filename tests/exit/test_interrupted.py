"""Whatever breaks off the walk, going on loses nothing and sends nothing twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import trio

from rollup.derive.mirror import open_mirror
from rollup.errors import L1Error, L1Refused, PlumblineError
from rollup.exit.contracts import find_contracts
from rollup.exit.errors import L1StandsStill
from rollup.exit.holdings import Whose
from rollup.exit.leaving import leave
from rollup.exit.plan import plan_leaving
from rollup.exit.sending import Done, WalletEmpty, send_steps
from rollup.exit.walking import Happening, Manner, Trouble, Waits
from rollup.l1 import dev
from rollup.l1.account import L1Account, SentTransaction
from rollup.l1.client import L1Client
from rollup.l1.devkeys import dev_key
from tests.support.derived import Liar
from tests.support.exits import LATE, STRANGER, WINDOW, WITHDRAWN, Ending, open_ending

EVERYONE = Whose(everyone=True)
STEPS = 1 + 1 + 1 + 3
"""Finalisation, claim, refund, registrations."""


class Killed(PlumblineError):  # noqa: N818 - what happens
    """The process ends here."""


class Mortal(L1Account):
    """A key in a process that is killed instead of sending once more."""

    def __init__(self, client: L1Client, private_key: bytes, sends: int) -> None:
        super().__init__(client, private_key)
        self.left = sends

    async def send(self, *arguments: Any, **terms: Any) -> SentTransaction:
        """Send, or die."""
        if not self.left:
            raise Killed
        self.left -= 1
        return await super().send(*arguments, **terms)


@pytest.fixture
async def ending() -> AsyncIterator[Ending]:
    """A frozen chain with positions."""
    async with open_ending() as opened:
        await opened.freeze()
        yield opened


async def live(ending: Ending, payer: L1Account, manner: Manner | None = None) -> bool:
    """One life of the program, from nothing; whether it went as far as it could."""
    rollup = ending.site.deployment.rollup
    contracts = await find_contracts(payer.client, rollup)
    async with open_mirror(payer.client, rollup) as mirror:
        try:
            await leave(payer, contracts, mirror, EVERYONE, manner or Manner())
        except Killed:
            return False
    return True


async def sent(ending: Ending) -> int:
    """Transactions of the stranger that pays."""
    return await ending.site.l1.get_nonce(ending.payer().address)


async def paid(ending: Ending) -> list[int]:
    """What each owner has."""
    return [await ending.held(key) for key in ending.owners.values()]


def worth(ending: Ending) -> list[int]:
    """What each owner should have in the end."""
    extra = {1: LATE, 2: WITHDRAWN}
    return [ending.equity(account) + extra.get(account, 0) for account in ending.owners]


async def test_a_kill_between_any_two_sends_loses_nothing(ending: Ending) -> None:
    """Each life sends one transaction and dies at the next; in all they send each step once."""
    before = await sent(ending)
    lives = 1
    while not await live(ending, Mortal(ending.site.l1, dev_key(STRANGER), 1)):
        lives += 1
    assert await sent(ending) - before == STEPS == lives
    await ending.travel(WINDOW + 1)
    while not await live(ending, Mortal(ending.site.l1, dev_key(STRANGER), 1)):
        lives += 1
    assert await paid(ending) == worth(ending)
    assert await sent(ending) - before == STEPS + 3


async def test_a_kill_before_anything_is_mined_sends_nothing_twice(ending: Ending) -> None:
    """What the earlier life left in the node's pool is waited for before anything is planned."""
    await live(ending, Mortal(ending.site.l1, dev_key(STRANGER), 1))  # the finalisation
    before = await sent(ending)
    await dev.set_automine(ending.site.l1, False)
    await live(ending, Mortal(ending.site.l1, dev_key(STRANGER), 2))
    async with trio.open_nursery() as nursery:
        resumed = trio.Event()

        async def resume() -> None:
            await live(ending, ending.payer())
            resumed.set()

        nursery.start_soon(resume)
        await trio.testing.wait_all_tasks_blocked()
        assert await sent(ending) == before
        await dev.set_automine(ending.site.l1, True)
        await dev.mine(ending.site.l1)
        await resumed.wait()
    assert await sent(ending) - before == STEPS - 1


async def test_what_l1_takes_back_is_done_again(ending: Ending) -> None:
    """A reorganisation undoes registrations in the middle of a walk; the next plan has them again."""
    contracts = await ending.contracts()
    async with ending.mirror() as mirror:
        await leave(Mortal(ending.site.l1, dev_key(STRANGER), 9), contracts, mirror, Whose(accounts=frozenset({0})))
        snapshot = await dev.take_snapshot(ending.site.l1)
        first = await leave(ending.payer(), contracts, mirror, EVERYONE)
        await dev.revert_to(ending.site.l1, snapshot)
        again = await leave(ending.payer(), contracts, mirror, EVERYONE)
        assert [done.step.key for done in again.done] == [done.step.key for done in first.done]
        assert len(again.done) == 4
        await ending.travel(WINDOW + 1)
        await leave(ending.payer(), contracts, mirror, EVERYONE)
    assert await paid(ending) == worth(ending)


async def test_others_who_are_faster_do_no_harm(ending: Ending) -> None:
    """Two strangers walk at once: each step is done by one of them, and passed over by the other."""
    async with trio.open_nursery() as nursery:
        for key in (STRANGER, STRANGER + 1):
            nursery.start_soon(live, ending, ending.payer(key))
    await ending.travel(WINDOW + 1)
    await live(ending, ending.payer())
    assert await paid(ending) == worth(ending)


async def test_a_node_that_fails_is_outlived_by_who_waits(ending: Ending) -> None:
    """Without waiting the failure is the end, typed; with it the walk goes on when the node is back."""
    async with Liar(ending.site.url) as node:
        broken = True

        def distort(method: str, _params: tuple[Any, ...], result: Any) -> Any:
            if broken and method == "eth_sendRawTransaction":
                raise L1Error("connection lost", retryable=True)
            return result

        payer = L1Account(node, dev_key(STRANGER))
        node.distort = distort
        with pytest.raises(L1Error, match="connection lost"):
            await live(ending, payer)
        troubles: list[Happening] = []

        def tell(happening: Happening) -> None:
            nonlocal broken
            if isinstance(happening, Trouble):
                troubles.append(happening)
                broken = False
            if isinstance(happening, Waits):
                raise Killed

        assert not await live(ending, payer, Manner(wait=True, tell=tell))
        assert len(troubles) == 1
        assert await live(ending, ending.payer())
    await ending.travel(WINDOW + 1)
    await live(ending, ending.payer())
    assert await paid(ending) == worth(ending)


async def test_l1_that_stands_still_ends_the_waiting(ending: Ending) -> None:
    """It says what it was waiting for, and until when."""
    head = await ending.site.l1.get_block()
    assert head is not None

    def stop(method: str, params: tuple[Any, ...], result: Any) -> Any:
        if method == "eth_call" and params[1] == "pending":
            raise L1Refused(method, -32000, "pending is not supported")
        return result

    async with Liar(ending.site.url) as node:
        node.distort = stop
        with pytest.raises(L1StandsStill, match="waiting to collect account 0 after"):
            await live(ending, L1Account(node, dev_key(STRANGER)), Manner(wait=True, patience=0, poll=0))


async def test_an_empty_wallet_sends_nothing(ending: Ending) -> None:
    """The key holds no ether: typed, before anything is sent or asked. Nor if it is spent on the way."""
    payer = L1Account(ending.site.l1, b"\x77" * 32)
    with pytest.raises(WalletEmpty, match=r"holds 0\.000000 ETH, and this costs about 0\.0"):
        await live(ending, payer)
    contracts = await ending.contracts()
    async with ending.mirror() as mirror:
        plan = await plan_leaving(contracts, mirror, EVERYONE)
    with pytest.raises(WalletEmpty, match="too little to finalise"):
        await send_steps(payer, contracts, plan.now, print)


async def test_a_transaction_that_is_not_mined_is_offered_at_a_higher_price(
    ending: Ending, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until L1 takes one of the offers; the step counts once."""
    monkeypatch.setattr("rollup.exit.sending.PATIENCE", 0.0)
    await dev.set_automine(ending.site.l1, False)
    offers: list[int] = []

    class Watched(L1Account):
        async def replace(self, sent: SentTransaction, fees: Any) -> SentTransaction:
            offers.append(fees.max_fee)
            if len(offers) == 2:
                await dev.set_automine(ending.site.l1, True)
            return await super().replace(sent, fees)

    seen: list[Done] = []
    manner = Manner(tell=lambda happening: seen.append(happening) if isinstance(happening, Done) else None)
    await live(ending, Watched(ending.site.l1, dev_key(STRANGER)), manner)
    assert len(seen) == STEPS
    assert len(offers) >= 2
    assert offers[0] < offers[1]
