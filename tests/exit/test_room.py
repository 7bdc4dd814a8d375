"""What may leave an account, and the forecast of a forced transaction, are what the state transition then does."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from rollup.errors import InvalidTransaction
from rollup.exit.payloads import sign_cancel, sign_withdrawal
from rollup.exit.room import Room, rehearse, room_of
from rollup.l1.devkeys import dev_address
from rollup.stf.invariants import check_invariants
from rollup.types.keys import GLOBALS, underlying_key
from rollup.types.leaves import Globals, Underlying
from rollup.types.limits import FORCED_AGE, WIND_UP
from rollup.types.messages import Deposit, Forced, encode_message
from rollup.types.reasons import Reason
from tests.support.deployed import Site, open_site
from tests.support.poster import CASH, FIRST_OWNER, Poster, start_poster


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """The contracts on an embedded L1."""
    async with open_site() as opened:
        yield opened


@pytest.fixture
async def poster(site: Site) -> Poster:
    """Two accounts that have traded a tenth of a coin."""
    honest = await start_poster(site)
    await honest.open(2)
    await honest.block(honest.trade())
    return honest


def read(poster: Poster, key: int) -> bytes:
    """A leaf of the poster's state."""
    return poster.leaves.get(key, b"")


def now(poster: Poster) -> int:
    """Time of the poster's state."""
    return Globals.decode(poster.leaves[GLOBALS]).time


def forecast(poster: Poster, *messages: bytes, at: int | None = None) -> Reason | None:
    """What the last of some messages would do."""
    time = now(poster) if at is None else at
    receipt = rehearse(lambda key: read(poster, key), poster.separator, messages, time)
    return None if receipt is None else receipt.reason


def withdrawal(amount: int, nonce: int = 1, account: int = 0) -> bytes:
    """A forced withdrawal by its owner."""
    return encode_message(
        Forced(dev_address(FIRST_OWNER + account), sign_withdrawal(bytes(32), account, amount, nonce))
    )


def room(poster: Poster, account: int = 0, later: int = 0) -> Room:
    """What may leave."""
    return room_of(lambda key: read(poster, key), account, now(poster) + later)


async def test_the_most_that_may_leave_leaves_and_not_a_millionth_more(poster: Poster) -> None:
    """To the unit, with a position."""
    found = room(poster)
    assert 0 < found.initial < CASH
    assert (found.positions, found.stale, found.bad_debt) == (1, (), 0)
    assert forecast(poster, withdrawal(found.most)) is Reason.NONE
    assert forecast(poster, withdrawal(found.most + 1)) is Reason.MARGIN
    assert found.with_spare(0) == found.most
    assert found.with_spare(50) == found.most - -(-found.initial // 2)
    assert found.with_spare(10**9) == 0


async def test_without_positions_everything_may_leave(poster: Poster) -> None:
    """Nothing is needed."""
    await poster.open()
    await poster.block()
    found = room(poster, 2)
    assert (found.most, found.initial, found.with_spare(1_000)) == (CASH, 0, CASH)
    assert forecast(poster, withdrawal(CASH, account=2)) is Reason.NONE


async def test_a_price_that_is_too_old_is_named_until_it_is_abandoned(poster: Poster) -> None:
    """First it takes twice the margin, then nothing goes; in the end the rules wind the market up."""
    age = Underlying.decode(poster.leaves[underlying_key(1)]).max_age
    fresh, old, abandoned = room(poster, later=age), room(poster, later=age + 1), room(poster, later=WIND_UP + 1)
    oldest, lost = room(poster, later=FORCED_AGE), room(poster, later=FORCED_AGE + 1)
    assert (fresh.stale, old.stale, abandoned.stale) == ((), (1,), ())
    assert (fresh.lost, oldest.lost, lost.lost, abandoned.lost) == ((), (), (1,), ())
    assert fresh.required == fresh.initial
    for each, later in ((old, age + 1), (oldest, FORCED_AGE)):
        assert each.required == 2 * each.initial
        assert forecast(poster, withdrawal(each.most), at=now(poster) + later) is Reason.NONE
        assert forecast(poster, withdrawal(each.most + 1), at=now(poster) + later) is Reason.MARGIN
    assert abs(lost.equity - fresh.equity) < CASH // 1_000
    assert forecast(poster, withdrawal(5), at=now(poster) + FORCED_AGE + 1) is Reason.ORACLE_STALE
    gone = now(poster) + WIND_UP + 1
    assert forecast(poster, withdrawal(abandoned.most), at=gone) is Reason.NONE
    assert forecast(poster, withdrawal(abandoned.most + 1), at=gone) is Reason.MARGIN


async def test_a_forecast_counts_what_waits_before_and_changes_nothing(poster: Poster) -> None:
    """The second withdrawal finds what the first has left; more than one block's messages are no matter."""
    most = room(poster).most
    before = dict(poster.leaves)
    assert forecast(poster, withdrawal(most, 1), withdrawal(1, 2)) is Reason.MARGIN
    assert forecast(poster, withdrawal(most, 1), encode_message(Deposit(0, 10)), withdrawal(10, 2)) is Reason.NONE
    assert forecast(poster, withdrawal(1, 1), withdrawal(1, 1)) is Reason.NONCE_STALE
    crowd = [encode_message(Forced(dev_address(FIRST_OWNER), sign_cancel(bytes(32), 0, n))) for n in range(10, 110)]
    assert forecast(poster, *crowd, withdrawal(most)) is Reason.NONE
    assert forecast(poster) is None
    assert poster.leaves == before
    check_invariants(poster.leaves.items())


async def test_an_account_that_there_is_not_has_no_room(poster: Poster) -> None:
    """The state transition's own word for it."""
    with pytest.raises(InvalidTransaction):
        room(poster, 77)
