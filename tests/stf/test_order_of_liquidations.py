"""The order of liquidations is irrelevant to who is paid."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rollup.stf.receipts import Deleveraged, Liquidated
from rollup.types.reasons import Reason
from rollup.types.transactions import Deleverage, Flag, Transaction, WriteOff
from tests.stf.test_deleverage import with_fund
from tests.stf.test_liquidation import AUCTION
from tests.stf.venue import CALL, FUTURE, LOT, PERP, PUT, Venue, bid, dated
from tests.stf.world import USD

WEAK = (0, 1, 2)
GIVERS = (3, 4)
KEEPER, REST = 5, 6
DEPTH = 3_000
RICH = 10**7 * USD
PLENTY = 10**7 * USD


@dataclass(frozen=True)
class Plight:
    """What a weak account has from each giver by market, in lots (from the first one twice that); its equity in µUSD.

    And what is tried on it, in this order: kind, which of its markets, and how many tenths.
    """

    held: dict[int, int]
    equity: int
    steps: list[tuple[int, int, int]]

    def transactions(self, account: int) -> list[Transaction]:
        """Bids for a fraction (kind 0) and deleveragings of a part against the one or other giver; then a write-off."""
        found: list[Transaction] = []
        for turn, (kind, which, tenths) in enumerate(self.steps):
            if kind == 0:
                found.append(bid(account, KEEPER, 1 + 100 * account + turn, fraction=100_000 * tenths))
                continue
            market = sorted(self.held)[which % len(self.held)]
            whole = 3 * abs(self.held[market])
            found.append(Deleverage(account, GIVERS[kind - 1], market, max(1, whole * tenths // 10) * LOT))
        return [*found, WriteOff(account)]


MARKETS = (PERP, FUTURE, CALL, PUT)
sides = st.fixed_dictionaries(dict.fromkeys(MARKETS, st.sampled_from((1, -1))))
"""In each market all who are in distress are long, or all short."""
plights = st.builds(
    Plight,
    st.dictionaries(st.sampled_from(MARKETS), st.integers(1, 300), min_size=1, max_size=3),
    st.one_of(st.integers(-3_000 * USD, 300 * USD), st.integers(-70_000 * USD, 0)),
    st.lists(st.tuples(st.sampled_from((0, 1, 1, 2, 2)), st.integers(0, 2), st.integers(1, 10)), max_size=6),
)


def stricken(plights: list[Plight], sides: dict[int, int]) -> Venue:
    """Each weak account holds its part against both givers, who have more on the other side than all of it."""
    venue = dated(7)
    for giver in GIVERS:
        venue.give(REST, giver, {market: side * DEPTH * LOT for market, side in sides.items()})
    for number, plight in zip(WEAK, plights, strict=True):
        for giver, share in zip(GIVERS, (2, 1), strict=True):
            venue.give(number, giver, {market: share * size * LOT for market, size in plight.held.items()})
        venue.set_cash(number, venue.account(number).cash + plight.equity - venue.margin(number).equity)
    for number in (*GIVERS, KEEPER, REST):
        venue.set_cash(number, RICH)
    return venue


def flagged(venue: Venue, fund: int) -> Venue:
    """All flags are up, so long that the auctions are over, and the fund has this much."""
    for number in WEAK:
        venue.must(Flag(number))
        venue.change_account(number, flagged=venue.now - AUCTION)
    return with_fund(venue, fund)


def play(venue: Venue, plights: list[Plight], order: list[int]) -> tuple[Venue, dict[int, list[object]]]:
    """Try everything in this order of accounts, each account's own steps in theirs; what came of each, by account."""
    venue = Venue(dict(venue.leaves), venue.now)
    left = {number: iter(plight.transactions(number)) for number, plight in zip(WEAK, plights, strict=True)}
    outcomes: dict[int, list[object]] = {number: [] for number in WEAK}
    for number in order:
        result = venue.execute(next(left[number]))
        outcomes[number].append(result.receipts[0].detail if result.reason is Reason.NONE else result.reason)
        venue.check()
    return venue, outcomes


@settings(max_examples=60, deadline=None)
@given(st.lists(plights, min_size=3, max_size=3), sides, st.booleans(), st.data())
def test_the_order_of_liquidations_is_irrelevant_to_who_is_paid(
    troubles: list[Plight], sides: dict[int, int], plenty: bool, data: st.DataObject
) -> None:
    """What is true, to the unit: liquidations of different accounts commute.

    Take accounts in distress, none of which is counterparty of another, at one moment; bids for them, deleveragings and
    write-offs, each account's own in a fixed order; counterparties who hold enough of the other side for all, and can
    afford it, as the liquidator can; and a fund that can pay for all of them, or for none (then nobody bids: dues would
    be the fund's, and the first to come would have them). However the accounts' steps are interleaved, each is taken or
    refused alike with the same receipt, and every account, the fund and the bad debt end alike. Counterparties may be
    shared: what an account receives depends on what it holds itself. Only of its own parts the order can shift a µUSD,
    by rounding.
    """
    troubles = [replace(each, held={m: sides[m] * size for m, size in each.held.items()}) for each in troubles]
    if not plenty:
        troubles = [Plight(each.held, each.equity, [step for step in each.steps if step[0]]) for each in troubles]
    venue = stricken(troubles, sides)
    assume(all(venue.margin(number).equity < venue.margin(number).maintenance for number in WEAK))
    flagged(venue, PLENTY if plenty else 0)
    turns = [number for number, each in zip(WEAK, troubles, strict=True) for _ in range(len(each.steps) + 1)]
    first, outcomes = play(venue, troubles, data.draw(st.permutations(turns)))
    second, again = play(venue, troubles, data.draw(st.permutations(turns)))
    assert outcomes == again
    for number in (*WEAK, *GIVERS, KEEPER):
        assert first.account(number) == second.account(number)
    totals, others = first.globals(), second.globals()
    assert totals == others
    assert plenty or totals.insurance + totals.fees == 0


def test_the_steps_that_are_interleaved_do_something() -> None:
    """A whole bid for the first, parts and all of the second, and a third that leaves a debt: in both orders."""
    troubles = [
        Plight({PERP: 300}, -100 * USD, [(0, 0, 10)]),
        Plight({PERP: 100, CALL: -50}, -500 * USD, [(1, 0, 5), (2, 1, 3), (1, 1, 6), (2, 0, 3)]),
        Plight({FUTURE: -100}, -60_000 * USD, [(1, 0, 6), (2, 0, 3), (2, 0, 1)]),
    ]
    venue = flagged(stricken(troubles, {PERP: 1, FUTURE: -1, CALL: -1, PUT: 1}), PLENTY)
    turns = [0, 0, *[1] * 5, *[2] * 4]
    first, outcomes = play(venue, troubles, turns)
    second, again = play(venue, troubles, turns[::-1])
    assert outcomes == again
    assert isinstance(outcomes[0][0], Liquidated)
    assert sum(isinstance(outcome, Deleveraged) for outcome in (*outcomes[1], *outcomes[2])) == 7
    assert [first.account(number).cash for number in WEAK] == [second.account(number).cash for number in WEAK]
    assert first.globals() == second.globals() != venue.globals()
