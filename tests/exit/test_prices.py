"""Which signed prices are worth bringing is decided by executing them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollup.crypto.signatures import sign
from rollup.exit.prices import Choice, Update, choose, subjects_of, trimmed
from rollup.exit.room import Rehearsal
from rollup.l1.devkeys import dev_address, dev_key
from rollup.types.genesis import BTC, ETH
from rollup.types.limits import FORCED_AGE, MAX_FORCED_MESSAGE
from rollup.types.messages import Forced, encode_message
from rollup.types.reasons import Reason
from rollup.types.transactions import OracleUpdate, SurfaceUpdate, encode_transaction
from tests.stf.venue import CALL, PERP, SERIES, P, Venue, dated, surface
from tests.stf.world import COIN, SEPARATOR, START, USD, price, withdraw

NOW = START + 86_400
SENDER = dev_address(6)


def choice(venue: Venue, *updates: Update, account: int = 0) -> Choice:
    """What would be forced for an account."""
    rehearsal = Rehearsal(venue.read, SEPARATOR, NOW)
    return choose(rehearsal, SENDER, updates, subjects_of(venue.read, account))


@pytest.fixture
def venue() -> Venue:
    """Account 0 holds BTC's perpetual, account 2 a call, account 3 both coins' perpetuals, account 1 the other side."""
    made = dated()
    made.give(0, 1, {PERP: COIN})
    made.give(2, 1, {CALL: COIN})
    made.give(3, 1, {PERP: COIN, 2: 1_000_000})
    return made


def test_an_account_needs_the_prices_of_what_it_holds(venue: Venue) -> None:
    """Of each underlying or series once."""
    assert [subjects_of(venue.read, n) for n in range(4)] == [
        [(BTC, 0)],
        [(BTC, 0), (BTC, SERIES), (ETH, 0)],
        [(BTC, SERIES)],
        [(BTC, 0), (ETH, 0)],
    ]


def test_the_newest_that_would_be_executed_is_chosen(venue: Venue) -> None:
    """Not one that is unsigned, too old, of the future, or of another coin; whatever their order in the journal."""
    good = price(NOW - 500, P)
    others = [
        price(NOW - 600, P),
        price(NOW - 400, P, keys=[7, 6]),
        price(NOW + 1, P),
        price(NOW - 300, P, underlying=ETH),
        price(START - 1, P),
    ]
    assert choice(venue, *others[:2], good, *others[2:]) == Choice((good,), ())
    assert choice(venue, price(START, P)) == Choice((), ((BTC, 0),))
    assert choice(venue) == Choice((), ((BTC, 0),))
    assert choice(venue, good, account=3) == Choice((good,), ((ETH, 0),))


def test_a_price_beyond_the_age_of_forced_ones_is_no_choice(venue: Venue) -> None:
    """To the second."""
    venue.change_underlying(time=NOW - FORCED_AGE - 100)
    late, last = price(NOW - FORCED_AGE - 1, P), price(NOW - FORCED_AGE, P)
    assert choice(venue, late) == Choice((), ((BTC, 0),))
    assert choice(venue, last, late) == Choice((last,), ())


def test_a_forward_brings_the_spot_that_it_needs(venue: Venue) -> None:
    """Where the market has moved further than the basis allows; else it comes alone."""
    near, far = surface(NOW - 60, P * 101 // 100), surface(NOW - 50, P * 120 // 100)
    spot = price(NOW - 70, P * 120 // 100)
    assert choice(venue, near, spot, account=2) == Choice((near,), ())
    assert choice(venue, far, spot, account=2) == Choice((spot, far), ())
    assert choice(venue, far, account=2) == Choice((), ((BTC, SERIES),))
    assert choice(venue, far, spot, account=1).updates == (spot, far)


def test_the_rehearsal_goes_on_from_what_is_taken(venue: Venue) -> None:
    """A withdrawal behind a chosen price; what is refused leaves nothing."""
    rehearsal = Rehearsal(venue.read, SEPARATOR, START + FORCED_AGE + 10)
    leaving = encode_message(Forced(SENDER, encode_transaction(withdraw(0, USD, 1))))
    assert rehearsal.take(leaving).reason is Reason.ORACLE_STALE
    bringing = encode_message(Forced(SENDER, encode_transaction(price(START + 20, P))))
    assert rehearsal.take(bringing, keep=False).reason is Reason.NONE
    assert rehearsal.take(leaving).reason is Reason.ORACLE_STALE
    assert rehearsal.take(bringing).reason is Reason.NONE
    assert rehearsal.take(bringing).reason is Reason.ORACLE_TIME
    assert rehearsal.take(leaving).reason is Reason.NONE
    assert rehearsal.take(leaving).reason is Reason.NONCE_STALE


def test_no_more_signatures_than_needed_are_paid_for() -> None:
    """Those that are left belong to the bits that are left; six of a slice and seven of a price fit a message."""
    full = price(NOW, P, signers=0b111)
    assert trimmed(full, 2) == replace(full, signers=0b011, signatures=full.signatures[:2])
    odd = price(NOW, P, signers=0b110)
    assert trimmed(odd, 1) == replace(odd, signers=0b010, signatures=odd.signatures[:1])
    assert trimmed(odd, 3) == odd
    seal = sign(bytes(32), dev_key(7))
    slice_of_six = replace(surface(NOW), signers=0b0011_1111, signatures=(seal,) * 6)
    price_of_seven = replace(full, signers=0b0111_1111, signatures=(seal,) * 7)
    for update in (slice_of_six, price_of_seven):
        assert len(encode_message(Forced(SENDER, encode_transaction(update)))) <= MAX_FORCED_MESSAGE
        more = replace(update, signers=update.signers << 1 | 1, signatures=(*update.signatures, seal))
        assert len(encode_message(Forced(SENDER, encode_transaction(more)))) > MAX_FORCED_MESSAGE
    assert isinstance(slice_of_six, SurfaceUpdate)
    assert isinstance(price_of_seven, OracleUpdate)
