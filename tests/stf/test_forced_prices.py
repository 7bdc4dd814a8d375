"""Prices that come through L1, and who leaves behind them however long a sequencer lets both lie."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rollup.l1.devkeys import dev_address
from rollup.stf.margin import initial
from rollup.stf.receipts import Kind
from rollup.types.genesis import ETH
from rollup.types.limits import FORCED_AGE, WIND_UP
from rollup.types.messages import Forced, Message
from rollup.types.reasons import Reason
from rollup.types.transactions import Flag, Settle, Transaction, encode_transaction
from tests.stf.venue import CALL, EXPIRY, FUTURE, LOT, PERP, P, Venue, combo, dated, leg, surface
from tests.stf.world import COIN, START, USD, price, trade, transfer, withdraw

CASH = 100_000 * USD
DAY = 86_400
STRANGER = 6
"""Forces what others have signed."""


def force(*txs: Transaction) -> list[Message]:
    """Messages of a stranger, one for each transaction."""
    return [Forced(dev_address(STRANGER), encode_transaction(tx)) for tx in txs]


def reasons(venue: Venue, txs: Sequence[Transaction], at: int, *behind: Transaction) -> list[Reason]:
    """What becomes of these as messages of one block, which then executes the transactions `behind` them."""
    return [receipt.reason for receipt in venue.must(*behind, messages=force(*txs), at=at).receipts[: len(txs)]]


def held(amount: int = CASH) -> Venue:
    """Account 0 is long a coin of the perpetual, account 1 short."""
    venue = dated(4, amount)
    venue.give(0, 1, {PERP: COIN})
    return venue


def required(venue: Venue, account: int) -> int:
    """Its initial margin at present prices (µUSD)."""
    return initial(venue.margin(account).maintenance)


def test_a_holder_leaves_behind_prices_that_were_forced_with_the_withdrawal() -> None:
    """The sequencer takes both a day later, and has brought no price for two."""
    venue = held()
    signed, taken = START + DAY, START + 2 * DAY
    before = venue.must(messages=force(withdraw(0, USD, 1)), at=START + FORCED_AGE + 1).receipts[0]
    assert before.reason is Reason.ORACLE_STALE
    venue = held()
    update = price(signed, P + 100 * USD)
    receipts = venue.must(messages=force(update, withdraw(0, 50_000 * USD, 1)), at=taken).receipts
    assert [(r.kind, r.reason, r.forced) for r in receipts] == [
        (Kind.ORACLE_UPDATE, Reason.NONE, True),
        (Kind.WITHDRAW, Reason.NONE, True),
    ]
    assert (venue.underlying().spot, venue.underlying().time) == (P + 100 * USD, signed)
    assert venue.account(0).withdrawn == 50_000 * USD
    venue.check()


def test_slices_are_forced_like_prices() -> None:
    """A holder of futures and options leaves behind them."""
    venue = dated(4)
    venue.give(0, 1, {FUTURE: COIN, CALL: -COIN})
    signed, taken = START + 3 * DAY, START + 6 * DAY
    assert reasons(venue, [withdraw(0, USD, 1)], taken) == [Reason.ORACLE_STALE]
    updates: list[Transaction] = [price(signed, P), surface(signed, P + 50 * USD)]
    assert reasons(venue, [*updates, withdraw(0, USD, 1)], taken) == [Reason.NONE] * 3
    assert (venue.series().forward, venue.series().time) == (P + 50 * USD, signed)
    venue.check()


@pytest.mark.parametrize(("age", "leaves"), [(60, True), (61, True), (FORCED_AGE, True), (FORCED_AGE + 1, False)])
def test_a_price_serves_for_four_days(age: int, leaves: bool) -> None:
    """Not a second longer, though it is not abandoned for ten more days."""
    venue = held()
    found = reasons(venue, [transfer(1, 2, USD, 1)], START + age)
    assert found == [Reason.NONE if leaves else Reason.ORACLE_STALE]


def test_an_old_price_counts_the_margin_twice() -> None:
    """To the unit; a fresh one counts it once."""
    venue = held()
    equity, margin = venue.margin(0).equity, required(venue, 0)
    fresh = [withdraw(0, equity - margin + 1, 1), withdraw(0, equity - margin, 2)]
    assert reasons(venue, fresh, START + 60) == [Reason.MARGIN, Reason.NONE]
    venue = held()
    outdated = [withdraw(0, equity - 2 * margin + 1, 1), withdraw(0, equity - 2 * margin, 2)]
    assert reasons(venue, outdated, START + 61) == [Reason.MARGIN, Reason.NONE]
    venue.check()


def test_one_old_price_counts_all_margin_twice() -> None:
    """Else a large position could hide behind the fresh price of its own coin, a small one would do."""
    venue = held()
    venue.give(0, 1, {2: 1_000_000})
    equity, margin = venue.margin(0).equity, required(venue, 0)
    at = START + DAY
    amounts = [equity - 2 * margin + USD, equity - 2 * margin - USD]
    txs: list[Transaction] = [price(at, P), withdraw(0, amounts[0], 1), withdraw(0, amounts[1], 2)]
    assert reasons(venue, txs, at) == [Reason.NONE, Reason.MARGIN, Reason.NONE]


def test_fresh_and_outdated_messages_of_a_block_do_not_mix() -> None:
    """The one between two old ones needs its margin once; so does the block's own transaction behind them."""
    venue = held()
    venue.give(2, 3, {2: 50 * COIN})
    at = START + DAY
    venue.must(price(at, P // 10, underlying=ETH), at=at)
    margin = required_at(venue, 2, at)
    equity = venue.margin(2, at).equity
    once = withdraw(2, equity - margin - USD, 1)
    assert (
        reasons(venue, [withdraw(0, USD, 1), once, withdraw(0, USD, 2)], at, withdraw(2, USD // 2, 2))
        == [Reason.NONE] * 3
    )
    venue.check()


def required_at(venue: Venue, account: int, at: int) -> int:
    """Initial margin at a later time."""
    return initial(venue.margin(account, at).maintenance)


def test_sheets_are_drawn_anew_behind_a_forced_price() -> None:
    """In one block: at the price before, at the forced one, and by a transaction at a fresh one."""
    venue = held()
    at = START + DAY
    equity, margin = venue.margin(0).equity, required(venue, 0)
    after = P - 10_000 * USD
    most = equity - 10_000 * USD - 2 * (margin * 3 // 4)
    txs: list[Transaction] = [
        withdraw(0, USD, 1),
        price(at - 120, after),
        withdraw(0, most, 2),
        withdraw(0, most - 2 * USD, 3),
    ]
    found = reasons(venue, txs, at, price(at, P - 9_000 * USD), withdraw(0, USD, 4))
    assert found == [Reason.NONE, Reason.NONE, Reason.MARGIN, Reason.NONE]
    venue.check()


def test_a_price_comes_once_and_never_goes_back() -> None:
    """Replayed, or older than the last, or of the future, it does nothing."""
    venue = dated()
    at = START + 3_600
    txs: list[Transaction] = [
        price(at - 60, P),
        price(at - 60, P + USD),
        price(at - 61, P),
        price(at + 1, P),
        price(at - 59, P - USD),
    ]
    assert reasons(venue, txs, at) == [
        Reason.NONE,
        Reason.ORACLE_TIME,
        Reason.ORACLE_TIME,
        Reason.ORACLE_TIME,
        Reason.NONE,
    ]
    assert venue.underlying().spot == P - USD


def test_who_has_a_newer_price_overrules_an_older_one() -> None:
    """Of two that were signed, the later counts, whoever came first; the block's own comes last."""
    venue = held()
    most = venue.margin(0).equity - 2 * required(venue, 0)
    at = START + DAY
    high, low = price(at - 7_200, P + 5_000 * USD), price(at - 3_600, P - 5_000 * USD)
    assert [
        r.reason for r in venue.execute(messages=force(high, withdraw(0, most, 1)), at=at, keep=False).receipts
    ] == [Reason.NONE] * 2
    txs: list[Transaction] = [high, low, withdraw(0, most, 1)]
    assert reasons(venue, txs, at, price(at, P)) == [Reason.NONE, Reason.NONE, Reason.MARGIN]
    assert venue.underlying().spot == P
    at += DAY
    assert reasons(venue, [price(at - 60, P), withdraw(0, 30_000 * USD, 2)], at) == [Reason.NONE, Reason.NONE]


def test_a_forced_price_moves_and_halts_as_any_other() -> None:
    """The limit of move and the signatures hold; a jump halts, from the block's time on."""
    venue = dated()
    at = START + DAY
    txs: list[Transaction] = [
        price(at - 60, P * 120 // 100, signers=0b001),
        price(at - 60, P * 120 // 100, keys=[7, 6]),
        price(at - 60, P * 120 // 100),
        price(at - 59, P * 60 // 100),
    ]
    assert reasons(venue, txs, at) == [
        Reason.ORACLE_SIGNERS,
        Reason.SIGNATURE_INVALID,
        Reason.NONE,
        Reason.ORACLE_MOVE,
    ]
    assert venue.underlying().halted_until == at + venue.underlying().halt_period


def test_a_forced_old_price_opens_no_market() -> None:
    """Neither orders nor what is not forced go by it."""
    venue = held()
    at = START + DAY
    assert reasons(venue, [price(at - 61, P), trade(COIN, P, 1)], at) == [Reason.NONE, Reason.ORACLE_STALE]
    for tx in (trade(COIN, P, 1), withdraw(0, USD, 1), Flag(0), Settle(0)):
        assert venue.refusal(tx, at) is Reason.ORACLE_STALE
    assert reasons(venue, [Flag(0), Settle(0)], at) == [Reason.ORACLE_STALE] * 2
    assert reasons(venue, [price(at - 60, P), Flag(0), trade(COIN, P, 1)], at)[2] is Reason.NONE


def test_two_who_agree_close_at_an_old_price() -> None:
    """By a combo, which each signs for the other: the one who closes needs nothing, who takes over twice the margin."""
    venue = held()
    margin = required(venue, 0)
    venue.set_cash(0, venue.account(0).cash - venue.margin(0).equity + margin)
    fee = P * 3 // 10_000
    venue.set_cash(2, 2 * margin + fee - 1)
    close = [combo(0, 2, nonce, [leg(PERP, COIN, P, sell=True)]) for nonce in (9, 10)]
    assert reasons(venue, close[:1], START + DAY) == [Reason.MARGIN]
    venue.set_cash(2, 2 * margin + fee)
    assert reasons(venue, close[1:], START + DAY) == [Reason.NONE]
    assert (venue.account(0).positions, venue.account(2).position_in(PERP)) == ((), COIN)
    venue.check()


def test_health_is_recorded_at_the_state_s_price() -> None:
    """A flag goes down when its account is sound at a newer price, be it old; none goes up but by its own deed."""
    venue = held()
    venue.set_cash(0, -P + 2_000 * USD)
    venue.must(Flag(0))
    assert venue.account(0).status == 1
    at = START + DAY
    up = P * 150 // 100
    assert reasons(venue, [withdraw(0, 1, 1), price(at - 600, up), withdraw(0, 1, 2)], at) == [
        Reason.MARGIN,
        Reason.NONE,
        Reason.MARGIN,
    ]
    venue.set_cash(0, 0)
    assert reasons(venue, [withdraw(0, 1, 3)], at) == [Reason.NONE]
    assert (venue.account(0).status, venue.account(0).flagged) == (0, 0)
    venue.check()


def test_no_funding_accrues_for_a_price_that_came_late() -> None:
    """It lapsed before it came."""
    venue = held()
    at = START + DAY
    venue.must(messages=force(price(at - 7_200, P, P + 100 * USD)), at=at)
    index = venue.underlying().funding_index
    venue.must(messages=force(withdraw(0, USD, 1)), at=at + 3_600)
    assert venue.underlying().funding_index == index
    assert venue.underlying().funding_time == at + 3_600


def test_an_abandoned_coin_takes_no_forced_price_either() -> None:
    """Its holders are being paid out at the last mark."""
    venue = held()
    at = START + WIND_UP + 1
    assert reasons(venue, [price(at, P), withdraw(0, CASH, 1)], at) == [Reason.MARKET_EXPIRED, Reason.NONE]
    assert venue.account(0).positions == ()


def test_withheld_forwards_settle_a_series_through_l1() -> None:
    """The last of them comes hours after expiry, and the average is what it would have been."""
    venue, honest = dated(), dated()
    for each in (venue, honest):
        each.give(0, 1, {FUTURE: LOT})
        each.change_series(expiry=START + 3_600, time=START + 1_700)
        each.change_underlying(time=START + 3_500)
    times = range(START + 1_740, START + 3_601, 60)
    updates = [surface(time, P + (time - START) * USD // 100) for time in times]
    for update in updates:
        honest.must(update, at=update.time)
    at = START + 6 * 3_600
    for some in (updates[:30], updates[30:]):
        assert reasons(venue, some, at) == [Reason.NONE] * len(some)
    assert reasons(venue, [surface(START + 3_660, P)], at) == [Reason.MARKET_EXPIRED]
    assert venue.series().settlement == honest.series().settlement != 0
    assert venue.series().expiry < EXPIRY
    venue.must(Settle(0), Settle(1), at=at)
    venue.check()
