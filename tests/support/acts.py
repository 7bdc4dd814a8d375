"""What happens on a desk so that each fault around options, futures and liquidation can show, and the verdict due."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from rollup.sequencer.rejections import Refused
from rollup.types.leaves import Status
from rollup.types.reasons import Reason
from tests.stf.venue import bid, combo, leg
from tests.stf.world import USD, price
from tests.support.pit import CALL, EXPIRY, FAR_CALL, FUTURE, PUT, P, Pit, surface

COIN = 1_000_000
REASONS = {
    "wrong-mark": Reason.MARGIN,
    "wrong-payoff": Reason.NONE,
    "wrong-settlement": Reason.NONE,
    "unjust-liquidation": Reason.NOT_FLAGGED,
    "missed-flag": Reason.NONE,
    "skipped-band": Reason.PRICE_BAND,
    "wrong-combo-leg": Reason.SIGNATURE_INVALID,
    "wrong-deleveraging-price": Reason.NONE,
}


def sell_too_much(desk: Pit) -> None:
    """Twenty short calls on 100,000 dollars, which bear nine."""
    desk.trade(1, 2, CALL, COIN)
    desk.trade(1, 0, CALL, 20 * COIN, 2_000 * USD)


def let_expire(desk: Pit) -> None:
    """A call and a put that expire."""
    desk.trade(1, 0, CALL, COIN)
    desk.trade(1, 0, PUT, COIN)
    desk.flush()
    expire(desk)


def expire(desk: Pit) -> None:
    """Let half an hour's prices be averaged, the series settle, and its holders be paid."""
    desk.wait(EXPIRY - 120)
    for seconds, spot in ((-60, P), (-30, P * 105 // 100), (1, P * 103 // 100)):
        desk.time = EXPIRY + seconds
        desk.submit(price(desk.time, spot))
        desk.submit(surface(desk.time, spot))
        desk.flush()
    desk.look()


def trade_calls(desk: Pit) -> None:
    """A trade that nobody has to worry about."""
    desk.trade(1, 0, CALL, COIN)


def sell_out(desk: Pit) -> None:
    """Somebody bids for all that a sound account holds, if the sequencer lets him."""
    desk.trade(1, 0, CALL, COIN)
    with suppress(Refused):
        desk.submit(bid(1, 2, 1))


def reduce_late(desk: Pit) -> None:
    """A future bought on all of an account's money loses nine per cent; a part of it is sold before anybody looks."""
    desk.trade(0, 1, FUTURE, 9_700_000)
    desk.flush()
    desk.now(P * 91 // 100, 60)
    desk.flush()
    desk.look()
    assert desk.account(0).status == Status.SOUND
    desk.trade(1, 0, FUTURE, COIN // 10)


def trade_far_off(desk: Pit) -> None:
    """A call at a price that is a fifth of the coin's above its own."""
    desk.trade(1, 0, CALL, COIN // 10, desk.mark(CALL) + P // 5)


def trade_combo(desk: Pit) -> None:
    """A spread that both sides have signed."""
    legs = [leg(CALL, COIN, desk.mark(CALL)), leg(FAR_CALL, COIN, desk.mark(FAR_CALL), sell=True)]
    desk.submit(combo(0, 1, 1, legs))


def fall_deep(desk: Pit) -> None:
    """An account loses more than it has, and there is no fund."""
    desk.trade(0, 1, FUTURE, 9 * COIN)
    desk.crash(P * 70 // 100)
    desk.look()
    desk.look()
    assert desk.position(0, FUTURE) == 0


ACTS: dict[str, Callable[[Pit], None]] = {
    "wrong-mark": sell_too_much,
    "wrong-payoff": let_expire,
    "wrong-settlement": let_expire,
    "unjust-liquidation": sell_out,
    "missed-flag": reduce_late,
    "skipped-band": trade_far_off,
    "wrong-combo-leg": trade_combo,
    "wrong-deleveraging-price": fall_deep,
}
"""By kind of fault. The acts are honest: without the fault each is right, or refused."""
