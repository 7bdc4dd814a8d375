"""The sums of the escape under any order of claims, refunds, registrations and payments."""

from __future__ import annotations

from dataclasses import dataclass, field

import hypothesis.strategies as st
from hypothesis import given, settings

from rollup.errors import L1Reverted
from tests.support.chain import ALICE, BOB, DAVE
from tests.support.ending import EndState, holder, state_of
from tests.support.world import MINIMUM_OPENING, World, trial_world

AMOUNTS = st.integers(-(10**6), 10**7)
WITHDRAWN = st.integers(0, 10**5)


@dataclass(slots=True)
class Ledger:
    """What should happen, in plain sums."""

    equities: list[int]
    withdrawn: list[int]
    pot: int
    timely: set[int] = field(default_factory=set)
    late: dict[int, int] = field(default_factory=dict)

    @property
    def registered(self) -> int:
        """Σ equity of those in time."""
        return sum(self.equities[account] for account in self.timely)

    def share(self, account: int) -> int:
        """What a timely account gets."""
        if self.pot >= self.registered:
            return self.equities[account]
        return self.equities[account] * self.pot // self.registered

    def leave(self, account: int) -> int:
        """What a late account gets."""
        spare = max(0, self.pot - self.registered) - sum(self.late.values())
        return min(self.equities[account], spare)


def attempt(world: World, name: str, *arguments: object) -> int:
    """What a call moves out of the vault; 0 if it is refused."""
    before = balance(world)
    try:
        world.vault.send(name, *arguments, sender=ALICE)
    except L1Reverted:
        assert balance(world) == before
    return before - balance(world)


def balance(world: World) -> int:
    """µUSD in the vault."""
    held: int = world.token.call("balanceOf", world.vault.address)
    return held


def begin(equities: list[int], withdrawn: list[int], kept: int) -> tuple[World, EndState, int, Ledger]:
    """An ended world whose vault holds `kept` µUSD (at least an opening) beyond withdrawals, and one late deposit."""
    world = trial_world((ALICE, BOB, DAVE)).fork()
    deposits = MINIMUM_OPENING + kept + sum(withdrawn)
    world.inbox.send("open", BOB, deposits, sender=DAVE)
    accounts = {n: holder(BOB, e, w) for n, (e, w) in enumerate(zip(equities, withdrawn, strict=True))}
    state = state_of(accounts, deposits=deposits)
    pending = world.post(world.block(root=state.tree.root, messages=1))
    world.inbox.send("deposit", 0, 1_234, sender=DAVE)
    world.finalise(pending)
    world.chain.travel(101)
    world.rollup.send("freeze")
    return world, state, pending.index, Ledger(equities, withdrawn, MINIMUM_OPENING + kept)


@settings(max_examples=25, deadline=None)
@given(data=st.data(), size=st.integers(1, 6))
def test_payments_are_those_of_the_ledger_in_any_order(data: st.DataObject, size: int) -> None:
    """Each payment equals an independent computation to the unit, and together they never exceed what is there."""
    equities = data.draw(st.lists(AMOUNTS, min_size=size, max_size=size))
    withdrawn = data.draw(st.lists(WITHDRAWN, min_size=size, max_size=size))
    world, state, batch, ledger = begin(equities, withdrawn, data.draw(st.integers(0, 2 * 10**7)))
    accounts = range(size)
    late_deposit = b"\x02" + bytes(3) + (1_234).to_bytes(8, "big")
    claims, refunds = dict(enumerate(withdrawn)), [1_234]

    def settle_senior() -> None:
        """At any moment, what comes first is paid in full."""
        chosen = data.draw(st.sampled_from([*accounts, -1]))
        if chosen < 0:
            assert attempt(world, "refund", 1, late_deposit) == (refunds.pop() if refunds else 0)
        else:
            assert attempt(world, "claim", batch, state.leaf(chosen)) == claims.pop(chosen, 0)

    for account in data.draw(st.lists(st.sampled_from(accounts), max_size=8)):
        settle_senior()
        assert attempt(world, "register", state.estate(account)) == 0
        if equities[account] > 0:
            ledger.timely.add(account)
    assert world.vault.call("registeredEquity") == ledger.registered
    world.chain.travel(world.vault.call("registrationDeadline") + 1 - world.chain.now)
    paid: dict[int, int] = {}
    for account in data.draw(st.lists(st.sampled_from(accounts), max_size=12)):
        settle_senior()
        if account in ledger.timely:
            expected = 0 if account in paid else ledger.share(account)
            assert attempt(world, "collect", account) == expected
            paid[account] = expected
        elif equities[account] > 0 and account not in ledger.late:
            expected = ledger.leave(account)
            assert attempt(world, "register", state.estate(account)) == expected
            if expected:
                ledger.late[account] = expected
        else:
            assert attempt(world, "collect", account) == 0
    for account in ledger.timely - paid.keys():
        assert attempt(world, "collect", account) == ledger.share(account)
    for account in list(claims):
        assert attempt(world, "claim", batch, state.leaf(account)) == claims.pop(account)
    assert attempt(world, "refund", 1, late_deposit) == sum(refunds)
    shared = sum(map(ledger.share, ledger.timely)) + sum(ledger.late.values())
    assert balance(world) == ledger.pot - shared >= 0
