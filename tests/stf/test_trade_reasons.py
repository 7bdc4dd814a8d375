"""Every reason for which a trade is refused, and the order of the checks where it shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from rollup.l1.devkeys import dev_address
from rollup.types.leaves import Position
from rollup.types.reasons import Reason
from rollup.types.transactions import FLAG_IMMEDIATE, FLAG_POST_ONLY, FLAG_REDUCE_ONLY, FreshOrder, OrderRef, Trade
from tests.stf.world import COIN, START, USD, World, cancel, funded, order, price, set_signer, trade

P = 40_000 * USD
LOT = 1_000


def sell(account: int = 1, size: int = COIN, at: int = P, nonce: int = 1, **terms: object) -> FreshOrder:
    """The usual maker."""
    return order(account, True, size, at, nonce, **terms)


def buy(account: int = 0, size: int = COIN, at: int = P, nonce: int = 1, **terms: object) -> FreshOrder:
    """The usual taker."""
    return order(account, False, size, at, nonce, **terms)


def refused(world: World, maker: FreshOrder | OrderRef, taker: FreshOrder | OrderRef, fill: int = COIN) -> Reason:
    """The reason why this trade alone invalidates a block."""
    return world.refusal(Trade(maker, taker, fill))


def high_s(side: FreshOrder) -> FreshOrder:
    """The order with an s above half the group order (what still fits 255 bits of it)."""
    return replace(side, signature=side.signature[:32] + b"\x7f" + b"\xff" * 31)


def after_trade(world: World, size: int = COIN) -> World:
    """Account 0 is long `size`, account 1 short."""
    world.must(trade(size, P, 100))
    return world


def with_floor(world: World) -> World:
    """Account 1 has cancelled all below nonce 50; an order of nonce 1 stands in its slot, half filled."""
    world.must(Trade(sell(size=2 * COIN), buy(), COIN), cancel(1, 50, cancel_all=True))
    return world


def with_market(world: World, **terms: int) -> World:
    """Market 1 with other terms."""
    world.change_market(**terms)
    return world


def crowded(world: World) -> World:
    """Account 0 holds 32 positions, none in market 1."""
    for market in range(10, 42):
        world.leaves[(3 << 32) | market] = world.leaves[(3 << 32) | 1]
    world.change_account(0, positions=tuple(Position(market, 1, 0) for market in range(10, 42)))
    return world


def rich(world: World, account: int, sign: int) -> World:
    """An account whose cash is one µUSD from the bound."""
    world.change_account(account, cash=sign * (2**62 - 1))
    return world


Case = tuple[Reason, Callable[[World], Reason]]
CASES: dict[str, Case] = {
    "same account": (Reason.SELF_TRADE, lambda w: refused(w, sell(0), buy(0))),
    "maker unknown": (Reason.ACCOUNT_UNKNOWN, lambda w: refused(w, sell(6), buy())),
    "taker unknown": (Reason.ACCOUNT_UNKNOWN, lambda w: refused(w, sell(), buy(6))),
    "size zero": (Reason.ORDER_INVALID, lambda w: refused(w, sell(size=0), buy())),
    "price zero": (Reason.ORDER_INVALID, lambda w: refused(w, sell(), buy(at=0))),
    "price too high": (Reason.ORDER_INVALID, lambda w: refused(w, sell(), buy(at=1 << 47))),
    "floor, fresh": (Reason.NONCE_FLOOR, lambda w: refused(with_floor(w), sell(nonce=49), buy(nonce=2))),
    "floor, reference": (Reason.NONCE_FLOOR, lambda w: refused(with_floor(w), OrderRef(1, 1), buy(nonce=2))),
    "slot reused since": (
        Reason.NONCE_STALE,
        lambda w: (w.must(trade(LOT, P, 8193)), refused(w, sell(nonce=1), buy(nonce=2)))[1],
    ),
    "other terms": (
        Reason.ORDER_CONFLICT,
        lambda w: (w.must(trade(LOT, P, 1)), refused(w, sell(size=2 * LOT), buy(nonce=2)))[1],
    ),
    "cancelled, fresh": (Reason.ORDER_CONFLICT, lambda w: (w.must(cancel(1, 1)), refused(w, sell(), buy()))[1]),
    "reference to nothing": (Reason.ORDER_UNKNOWN, lambda w: refused(w, OrderRef(1, 5), buy())),
    "reference to cancelled": (
        Reason.ORDER_UNKNOWN,
        lambda w: (w.must(cancel(1, 1)), refused(w, OrderRef(1, 1), buy()))[1],
    ),
    "high s": (Reason.SIGNATURE_MALFORMED, lambda w: refused(w, high_s(sell()), buy())),
    "no signature": (Reason.SIGNATURE_INVALID, lambda w: refused(w, sell(), buy(signature=bytes(64)))),
    "other key": (Reason.SIGNATURE_INVALID, lambda w: refused(w, sell(), buy(key=2))),
    "signature of other terms": (
        Reason.SIGNATURE_INVALID,
        lambda w: refused(w, sell(), replace(buy(), price=P + 100_000)),
    ),
    "former session signer": (
        Reason.SIGNATURE_INVALID,
        lambda w: (
            w.must(set_signer(0, dev_address(5), 1), set_signer(0, bytes(20), 2)),
            refused(w, sell(), buy(key=5)),
        )[1],
    ),
    "two markets": (Reason.MARKET_MISMATCH, lambda w: refused(w, sell(), buy(market=2))),
    "one side": (Reason.SIDE_MISMATCH, lambda w: refused(w, sell(), order(0, True, COIN, P, 1))),
    "immediate maker": (Reason.MAKER_IMMEDIATE, lambda w: refused(w, sell(extra=FLAG_IMMEDIATE), buy())),
    "post-only taker": (Reason.TAKER_POST_ONLY, lambda w: refused(w, sell(), buy(extra=FLAG_POST_ONLY))),
    "maker expired": (Reason.ORDER_EXPIRED, lambda w: refused(w, sell(expiry=START - 1), buy())),
    "taker expired": (Reason.ORDER_EXPIRED, lambda w: refused(w, sell(), buy(expiry=START - 1))),
    "no market": (Reason.MARKET_UNKNOWN, lambda w: refused(w, sell(market=9), buy(market=9))),
    "not open yet": (Reason.MARKET_CLOSED, lambda w: refused(with_market(w, opens=START + 1), sell(), buy())),
    "tick": (Reason.TICK, lambda w: refused(w, sell(at=P + 1), buy(at=P + 1))),
    "lot": (Reason.LOT, lambda w: refused(w, sell(), buy(), LOT + 1)),
    "no fill": (Reason.LOT, lambda w: refused(w, sell(), buy(), 0)),
    "above the buyer's limit": (Reason.PRICE_LIMIT, lambda w: refused(w, sell(), buy(at=P - 1))),
    "below the seller's limit": (Reason.PRICE_LIMIT, lambda w: refused(w, buy(), sell(at=P + 1))),
    "maker overfilled": (Reason.OVERFILL, lambda w: refused(w, sell(size=COIN - 1), buy())),
    "taker overfilled": (Reason.OVERFILL, lambda w: refused(w, sell(), buy(size=COIN - 1))),
    "replayed order": (
        Reason.OVERFILL,
        lambda w: (w.must(trade(LOT, P, 1)), refused(w, sell(size=LOT), buy(nonce=2), LOT))[1],
    ),
    "no underlying": (Reason.UNDERLYING_UNKNOWN, lambda w: refused(with_market(w, underlying=9), sell(), buy())),
    "old price": (Reason.ORACLE_STALE, lambda w: w.refusal(trade(COIN, P, 1), at=START + 61)),
    "no price": (
        Reason.ORACLE_STALE,
        lambda w: (
            w.leaves.update(World().leaves | {k: v for k, v in w.leaves.items() if k >> 38}),
            refused(w, sell(), buy()),
        )[1],
    ),
    "above the band": (Reason.PRICE_BAND, lambda w: refused(w, sell(at=P * 105 // 100 + 100_000), buy(at=2 * P))),
    "below the band": (Reason.PRICE_BAND, lambda w: refused(w, buy(at=P * 95 // 100 - 100_000), sell(at=1))),
    "reduce-only opens": (Reason.REDUCE_ONLY, lambda w: refused(w, sell(), buy(extra=FLAG_REDUCE_ONLY))),
    "reduce-only enlarges": (
        Reason.REDUCE_ONLY,
        lambda w: refused(after_trade(w), sell(), buy(extra=FLAG_REDUCE_ONLY)),
    ),
    "reduce-only crosses zero": (
        Reason.REDUCE_ONLY,
        lambda w: refused(after_trade(w), buy(1, COIN * 2), sell(0, COIN * 2, extra=FLAG_REDUCE_ONLY), COIN + LOT),
    ),
    "position limit": (Reason.POSITION_LIMIT, lambda w: refused(with_market(w, max_position=COIN - 1), sell(), buy())),
    "33rd position": (Reason.POSITIONS_FULL, lambda w: refused(crowded(w), sell(), buy())),
    "open interest": (Reason.OPEN_INTEREST, lambda w: refused(with_market(w, max_open_interest=LOT), sell(), buy())),
    "cash above range": (Reason.CASH_RANGE, lambda w: refused(rich(w, 1, 1), sell(), buy())),
    "cash below range": (Reason.CASH_RANGE, lambda w: refused(rich(w, 0, -1), sell(), buy())),
    "margin": (Reason.MARGIN, lambda w: refused(w, sell(size=20 * COIN), buy(size=20 * COIN), 20 * COIN)),
}


@pytest.mark.parametrize("name", CASES)
def test_a_trade_is_refused_for(name: str) -> None:
    """A single trade makes its block invalid with exactly this reason."""
    reason, case = CASES[name]
    assert case(funded()) is reason


def test_fees_beyond_their_range_are_refused() -> None:
    """The chain's own balance is a cash amount as well."""
    world = funded()
    totals = replace(world.globals(), fees=2**62 - 1)
    world.leaves[0] = totals.encode()
    assert world.refusal(trade(COIN, P, 1)) is Reason.CASH_RANGE
    world.leaves[0] = replace(totals, fees=2**62 - 1 - 12 * USD).encode()
    assert world.refusal(trade(COIN, P, 1)) is Reason.NONE


def test_a_pool_beyond_its_range_is_refused() -> None:
    """Nothing wraps: the pool of a market is a cash amount."""
    world = after_trade(funded())
    world.must(price(START + 30, P, P + 100 * USD), at=START + 30)
    world.change_market(pool=2**62 - 1)
    assert world.refusal(trade(COIN, P, 1, buyer=1, seller=0), at=START + 60) is Reason.CASH_RANGE
    assert world.refusal(trade(COIN, P, 1, buyer=2, seller=1), at=START + 60) is Reason.NONE


def test_the_edges_of_every_limit_are_allowed() -> None:
    """Exactly at limit, band, size, expiry and position limit a trade is good."""
    world = with_market(funded(), max_position=COIN, max_open_interest=COIN)
    edge = P * 105 // 100
    assert refused(world, sell(at=edge, expiry=START), buy(at=edge, expiry=START)) is Reason.NONE
    assert refused(world, buy(at=P * 95 // 100), sell(at=1)) is Reason.NONE


def test_the_first_failing_check_is_the_reason() -> None:
    """A trade wrong in every way fails step by step as its faults are mended."""
    world = with_market(funded(), max_position=LOT)
    bad = {"at": P + 1, "extra": FLAG_IMMEDIATE, "expiry": START - 1}
    taker = order(2, True, COIN, P * 2, 1, market=2, key=5, extra=FLAG_POST_ONLY, expiry=START - 1)
    maker = sell(**bad)
    steps: list[Reason] = [refused(world, replace(maker, size=0), taker, 7)]
    steps.append(refused(world, maker, taker, 7))
    terms = {"market": 2, "extra": FLAG_POST_ONLY, "expiry": START - 1}
    for change in (
        {},
        {"market": 1},
        {"market": 1, "sell": False},
        {"market": 1, "sell": False, "maker": FLAG_POST_ONLY},
        {"market": 1, "sell": False, "maker": FLAG_POST_ONLY, "extra": 0},
        {"market": 1, "sell": False, "maker": FLAG_POST_ONLY, "extra": 0, "expiry": START},
    ):
        mended = {**terms, **change}
        extra, selling = mended.pop("maker", FLAG_IMMEDIATE), bool(mended.pop("sell", True))
        maker = sell(at=P + 1, extra=extra, expiry=mended["expiry"])
        steps.append(refused(world, maker, order(2, selling, COIN, P // 2, 1, **mended), 7))
    maker = sell(at=P * 2)
    steps.append(refused(world, maker, buy(2, at=P // 2), 7))
    steps.append(refused(world, maker, buy(2, at=P // 2), 2 * COIN))
    steps.append(refused(world, maker, buy(2, at=P * 2), 2 * COIN))
    steps.append(refused(world, maker, buy(2, at=P * 2)))
    steps.append(refused(world, sell(), buy(2, extra=FLAG_REDUCE_ONLY)))
    assert steps == [
        Reason.ORDER_INVALID,
        Reason.SIGNATURE_INVALID,
        Reason.MARKET_MISMATCH,
        Reason.SIDE_MISMATCH,
        Reason.MAKER_IMMEDIATE,
        Reason.TAKER_POST_ONLY,
        Reason.ORDER_EXPIRED,
        Reason.TICK,
        Reason.LOT,
        Reason.PRICE_LIMIT,
        Reason.OVERFILL,
        Reason.PRICE_BAND,
        Reason.POSITION_LIMIT,
    ]
