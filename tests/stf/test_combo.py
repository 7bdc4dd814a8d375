"""Combos: all legs or none, between two accounts that both signed them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from rollup.l1.devkeys import dev_address
from rollup.stf.receipts import Combo
from rollup.types.messages import Forced
from rollup.types.reasons import Reason
from rollup.types.transactions import EMPTY_SIGNATURE, ComboTrade, Leg, encode_transaction
from tests.stf.test_liquidation import weak
from tests.stf.venue import CALL, FAR_CALL, FUTURE, LOT, PERP, PUT, P, Venue, combo, dated, leg
from tests.stf.world import COIN, START, USD, cancel

MAKER, TAKER = 0, 1


def spread(venue: Venue, size: int = COIN) -> list[Leg]:
    """The maker buys a call and sells the one with the higher strike."""
    return [leg(CALL, size, venue.mark(CALL)), leg(FAR_CALL, size, venue.mark(FAR_CALL), sell=True)]


def refused(venue: Venue, legs: list[Leg] | None = None, nonce: int = 1, **terms: Any) -> Reason:
    """The reason why this combo alone invalidates a block."""
    maker, taker = terms.pop("maker", MAKER), terms.pop("taker", TAKER)
    return venue.refusal(combo(maker, taker, nonce, spread(venue) if legs is None else legs, **terms))


def with_leg(**changes: int) -> Reason:
    """The usual combo with its second leg changed."""
    venue = dated()
    legs = spread(venue)
    return refused(venue, [legs[0], replace(legs[1], **changes)])


def changed(**fields: Any) -> Reason:
    """The usual combo changed after it was signed."""
    venue = dated()
    return venue.refusal(replace(combo(MAKER, TAKER, 1, spread(venue)), **fields))


def with_market(number: int = CALL, legs: int = 2, **terms: int) -> Reason:
    """The usual combo after a market's terms were changed."""
    venue = dated()
    shown = spread(venue)[:legs]
    venue.change_market(number, **terms)
    return refused(venue, shown)


def with_series(**terms: int) -> Reason:
    """The usual combo after its series was changed."""
    venue = dated()
    shown = spread(venue)
    venue.change_series(**terms)
    return refused(venue, shown)


def after(tx: Any) -> Venue:
    """A venue in which something has happened."""
    venue = dated()
    venue.must(tx)
    return venue


def halted() -> Reason:
    """A combo that shrinks one leg and opens another, while the coin trades reduce-only."""
    venue = dated()
    venue.give(MAKER, TAKER, {CALL: -COIN})
    venue.change_underlying(halted_until=START + 1)
    return refused(venue)


def crowded() -> Reason:
    """31 positions and two legs."""
    venue = dated()
    numbers = [venue.list_option(strike=(30_000 + n) * USD) for n in range(31)]
    venue.give(MAKER, 3, dict.fromkeys(numbers, LOT))
    return refused(venue)


def rich() -> Reason:
    """A maker whose cash leaves the range."""
    venue = dated()
    venue.change_account(TAKER, cash=2**62 - 1)
    return refused(venue)


CASES: dict[str, tuple[Reason, Callable[[], Reason]]] = {
    "one account": (Reason.SELF_TRADE, lambda: refused(dated(), taker=MAKER)),
    "unknown maker": (Reason.ACCOUNT_UNKNOWN, lambda: refused(dated(), maker=9)),
    "unknown taker": (Reason.ACCOUNT_UNKNOWN, lambda: refused(dated(), taker=9)),
    "one market twice": (Reason.COMBO_LEGS, lambda: with_leg(market=CALL)),
    "descending": (Reason.COMBO_LEGS, lambda: with_leg(market=PERP)),
    "expired quote": (Reason.ORDER_EXPIRED, lambda: refused(dated(), maker_expiry=START - 1)),
    "expired acceptance": (Reason.ORDER_EXPIRED, lambda: refused(dated(), taker_expiry=START - 1)),
    "maker's nonce used": (Reason.NONCE_STALE, lambda: refused(after(cancel(MAKER, 1)))),
    "taker's nonce used": (Reason.NONCE_STALE, lambda: refused(after(cancel(TAKER, 1)))),
    "maker's nonce given up": (Reason.NONCE_FLOOR, lambda: refused(after(cancel(MAKER, 2, cancel_all=True)))),
    "forged quote": (Reason.SIGNATURE_INVALID, lambda: refused(dated(), maker_key=TAKER)),
    "forged acceptance": (Reason.SIGNATURE_INVALID, lambda: refused(dated(), taker_key=MAKER)),
    "other nonce": (Reason.SIGNATURE_INVALID, lambda: changed(taker_nonce=2)),
    "legs left out": (Reason.SIGNATURE_INVALID, lambda: changed(legs=(leg(CALL, COIN, P),))),
    "acceptance for quote": (
        Reason.SIGNATURE_INVALID,
        lambda: changed(maker_signature=combo(MAKER, TAKER, 1, spread(dated()), taker_key=MAKER).taker_signature),
    ),
    "malformed": (Reason.SIGNATURE_MALFORMED, lambda: changed(maker_signature=b"\x01" * 32 + b"\x7f" + b"\xff" * 31)),
    "no size": (Reason.ORDER_INVALID, lambda: with_leg(size=0)),
    "no price": (Reason.ORDER_INVALID, lambda: with_leg(price=0)),
    "price too high": (Reason.ORDER_INVALID, lambda: with_leg(price=1 << 47)),
    "unknown market": (Reason.MARKET_UNKNOWN, lambda: with_leg(market=99)),
    "not open": (Reason.MARKET_CLOSED, lambda: with_market(opens=START + 1)),
    "no series": (Reason.SERIES_UNKNOWN, lambda: with_market(series=9)),
    "expired": (Reason.MARKET_EXPIRED, lambda: with_series(expiry=START)),
    "tick": (Reason.TICK, lambda: with_leg(price=1)),
    "lot": (Reason.LOT, lambda: with_leg(size=COIN + 1)),
    "old slice": (Reason.ORACLE_STALE, lambda: with_series(time=START - 61)),
    "band": (Reason.PRICE_BAND, lambda: with_leg(price=P // 2)),
    "halted": (Reason.HALTED, halted),
    "position limit": (Reason.POSITION_LIMIT, lambda: with_market(max_position=LOT)),
    "33rd position": (Reason.POSITIONS_FULL, crowded),
    "open interest": (Reason.OPEN_INTEREST, lambda: with_market(FAR_CALL, max_open_interest=LOT)),
    "cash": (Reason.CASH_RANGE, rich),
    "margin": (
        Reason.MARGIN,
        lambda: refused(dated().but(lambda v: v.set_cash(TAKER, 10 * USD))),
    ),
    "good": (Reason.NONE, lambda: refused(dated(), maker_expiry=START, taker_expiry=START)),
}


@pytest.mark.parametrize("name", CASES)
def test_a_combo_is_refused_for(name: str) -> None:
    """A single combo makes its block invalid with exactly this reason."""
    reason, case = CASES[name]
    assert case() is reason


def test_all_legs_trade_at_their_prices() -> None:
    """Premiums, fees and positions of each leg; both nonces are used up."""
    venue = dated()
    legs = spread(venue)
    detail = venue.done(Combo, combo(MAKER, TAKER, 1, legs, taker_nonce=7))
    premium = legs[0].price - legs[1].price
    fees = [sum(fill.maker_fee for fill in detail.legs), sum(fill.taker_fee for fill in detail.legs)]
    assert fees[1] == 2 * P * 300 // 10**6
    assert venue.account(MAKER).cash == 100_000 * USD - premium - fees[0]
    assert venue.account(TAKER).cash == 100_000 * USD + premium - fees[1]
    assert venue.globals().fees == sum(fees)
    assert [(p.market, p.size) for p in venue.account(MAKER).positions] == [(CALL, COIN), (FAR_CALL, -COIN)]
    assert [(p.market, p.size) for p in venue.account(TAKER).positions] == [(CALL, -COIN), (FAR_CALL, COIN)]
    assert (venue.slot(MAKER, 1).size, venue.slot(TAKER, 7).nonce) == (0, 7)
    assert venue.refusal(combo(MAKER, TAKER, 1, legs, taker_nonce=8)) is Reason.NONCE_STALE
    venue.check()


@pytest.mark.parametrize("fault", range(4))
def test_a_combo_with_one_bad_leg_changes_nothing(fault: int) -> None:
    """Forced through L1, so that the block is valid: no leg trades, no nonce is used, open interest stands."""
    venue = dated()
    shown = {market: venue.mark(market) for market in (PERP, FUTURE, CALL, PUT)}
    legs = [leg(market, COIN, at) for market, at in shown.items()]
    legs[fault] = replace(legs[fault], price=2 * P)
    unsigned = replace(combo(MAKER, TAKER, 1, legs), maker_signature=EMPTY_SIGNATURE, taker_signature=EMPTY_SIGNATURE)
    venue.change_account(TAKER, owner=dev_address(MAKER))
    before = {key: value for key, value in venue.leaves.items() if key != 0}
    message = Forced(dev_address(MAKER), encode_transaction(unsigned))
    receipt = venue.must(messages=[message]).receipts[0]
    assert receipt.reason is Reason.PRICE_BAND
    assert isinstance(receipt.subject, ComboTrade)
    assert {key: value for key, value in venue.leaves.items() if key != 0} == before


def test_a_combo_may_need_less_margin_than_its_legs() -> None:
    """Both legs together pass where the first alone would not."""
    venue = dated()
    venue.set_cash(TAKER, 6_000 * USD)
    far = venue.mark(FAR_CALL)
    near = venue.mark(CALL)
    assert refused(venue, [leg(CALL, COIN, near)]) is Reason.MARGIN
    assert refused(venue, [leg(CALL, COIN, near), leg(FAR_CALL, COIN, far, sell=True)]) is Reason.NONE


def test_a_weak_account_may_shrink_every_leg_but_not_open_one() -> None:
    """The rule of a trade, leg by leg."""
    venue = weak(2_000 * USD, m1=COIN, m3=-COIN // 2)
    both = [leg(PERP, COIN // 4, venue.mark(PERP), sell=True), leg(FUTURE, COIN // 8, venue.mark(FUTURE))]
    assert refused(venue, both) is Reason.NONE
    opening = [both[0], leg(CALL, LOT, venue.mark(CALL))]
    assert refused(venue, opening) is Reason.MARGIN
    worse = [leg(FUTURE, COIN // 8, venue.mark(FUTURE) * 109 // 100 // USD * USD)]
    assert refused(venue, worse) is Reason.MARGIN
