"""What the market admin lists, in both twins: every reason, at both ends of every parameter's range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import pytest

from rollup.types.keys import market_key, series_key, underlying_key
from rollup.types.leaves import Market, MarketKind
from rollup.types.listing import Item, MarketConfig, SeriesConfig, UnderlyingConfig
from rollup.types.messages import List, encode_message
from rollup.types.reasons import Reason
from rollup.types.transactions import Trade, Transaction
from tests.differential import world as w
from tests.differential.cases import LOT, buy, sell
from tests.differential.signed import surface
from tests.differential.twins import accept, assert_agreement, fast_verifier, make_proof, reference_verifier
from tests.differential.world import DOLLAR, World, make_world

COIN: Final = UnderlyingConfig(77)
SERIES: Final = SeriesConfig(w.BTC, 9, w.FAR_EXPIRY)
PERP: Final = MarketConfig(500, w.BTC, 100_000, 1_000)
CALL: Final = replace(PERP, number=501, kind=MarketKind.CALL, series=w.FAR, strike=w.BTC_MARK)
GOOD, BAD = Reason.NONE, Reason.LISTING_INVALID
OPENS: Final = w.NOW + 100


def changed(item: Item, **fields: Any) -> Item:
    """The item with other fields."""
    return replace(item, **fields)


PPM: Final = ("funding_cap", "max_basis", "vol_up", "vol_down", "call_contingency", "confidence_factor", "max_vol_move")
PERIODS: Final = ("max_age", "halt_window", "halt_period", "settlement_window")
COINS: Final = [
    (COIN, GOOD), (changed(COIN, number=w.BTC), Reason.LISTED), (changed(COIN, number=65_535), GOOD),
    *((changed(COIN, **{name: 10**6}), GOOD) for name in PPM), *((changed(COIN, **{name: 0}), GOOD) for name in PPM),
    *((changed(COIN, **{name: 10**6 + 1}), BAD) for name in (*PPM, "max_move", "halt_move")),
    *((changed(COIN, **{name: 0}), BAD) for name in ("spot_step", "max_age", "max_move", "halt_move", "halt_window",
                                                     "settlement_window")),
    *((changed(COIN, **{name: 1}), GOOD) for name in ("spot_step", "max_age", "max_move", "halt_move", "halt_window",
                                                      "settlement_window")),
    (changed(COIN, spot_step=200_000), GOOD), (changed(COIN, spot_step=200_001), BAD),
    *((changed(COIN, **{name: 86_400}), GOOD) for name in PERIODS),
    *((changed(COIN, **{name: most}), BAD) for name in PERIODS for most in (86_401, 10**6, (1 << 32) - 1)),
    (changed(COIN, halt_period=0), GOOD),
]  # fmt: skip
EXPIRIES: Final = [
    (SERIES, GOOD), (changed(SERIES, number=w.FAR), Reason.LISTED), (changed(SERIES, number=0), BAD),
    (changed(SERIES, underlying=404), Reason.UNDERLYING_UNKNOWN), (changed(SERIES, expiry=OPENS), BAD),
    (changed(SERIES, underlying=404, number=0), Reason.UNDERLYING_UNKNOWN), (changed(SERIES, expiry=OPENS + 1), GOOD),
]  # fmt: skip
MARKETS: Final = [
    (PERP, GOOD), (CALL, GOOD), (changed(PERP, number=w.BTC_PERP), Reason.LISTED), (changed(PERP, number=0), GOOD),
    (changed(CALL, kind=MarketKind.PUT), GOOD), (changed(CALL, kind=MarketKind.FUTURE, strike=0), GOOD),
    (changed(CALL, kind=MarketKind.FUTURE), BAD), (changed(CALL, kind=4), BAD), (changed(CALL, kind=255), BAD),
    (changed(CALL, series=404), Reason.SERIES_UNKNOWN), (changed(CALL, underlying=404), Reason.UNDERLYING_UNKNOWN),
    (changed(CALL, kind=4, series=404), Reason.SERIES_UNKNOWN), (changed(PERP, series=w.FAR), BAD),
    (changed(PERP, series=404), BAD), (changed(PERP, strike=1), BAD), (changed(CALL, strike=0), BAD),
    (changed(CALL, strike=1), GOOD), (changed(CALL, strike=(1 << 47) - 1), GOOD), (changed(CALL, strike=1 << 47), BAD),
    (changed(PERP, tick=0), BAD), (changed(PERP, lot=0), BAD), (changed(PERP, lot=1_001), BAD),
    (changed(PERP, tick=1, lot=10**6), GOOD), (changed(PERP, tick=(1 << 48) - 1, lot=10**6), GOOD),
    *((changed(PERP, **{name: limit}), GOOD) for name, limit in (("taker_fee", 10**5), ("maker_fee", 10**5),
                                                                 ("band", 10**6), ("contingency", 10**6))),
    *((changed(PERP, **{name: limit + 1}), BAD) for name, limit in (("taker_fee", 10**5), ("maker_fee", 10**5),
                                                                    ("band", 10**6), ("contingency", 10**6))),
    *((changed(PERP, **{name: value}), reason) for name in ("max_position", "max_open_interest")
      for value, reason in ((0, BAD), (1, GOOD), (1 << 62, GOOD), ((1 << 62) + 1, BAD), ((1 << 64) - 1, BAD))),
]  # fmt: skip


def listing(item: Item, opens: int = OPENS) -> bytes:
    """The inbox message that lists an item."""
    return encode_message(List(opens, item))


def reasons_of(world: World, messages: Sequence[bytes]) -> list[int]:
    """What becomes of the messages, in both twins and both EVMs."""
    proof = make_proof(world, (), messages)
    assert assert_agreement(proof, fast_verifier()) == assert_agreement(proof, reference_verifier())
    assert proof.result.reason == Reason.NONE
    return [receipt.reason for receipt in proof.result.receipts]


@pytest.mark.parametrize("items", [COINS, EXPIRIES, MARKETS], ids=["underlyings", "series", "markets"])
def test_item_is_listed_or_refused(items: Sequence[tuple[Item, Reason]]) -> None:
    """Each alone on the same state: the leaf is written, or nothing is."""
    world = make_world()
    for item, reason in items:
        proof = make_proof(world, (), [listing(item)])
        assert_agreement(proof, fast_verifier())
        assert proof.result.receipts[0].reason == reason, item
        written = {key for key in proof.result.writes if key} - {underlying_key(w.BTC)}
        assert bool(written) == (reason == GOOD), item


def test_nothing_is_listed_twice() -> None:
    """The second of two equal listings in one block is refused, and so is one whose coin comes later."""
    dependent = changed(SERIES, underlying=77)
    messages = [listing(dependent), listing(COIN), listing(COIN), listing(dependent), listing(dependent)]
    expected = [Reason.UNDERLYING_UNKNOWN, GOOD, Reason.LISTED, GOOD, Reason.LISTED]
    assert reasons_of(make_world(), messages) == expected


@pytest.mark.parametrize("item", [COIN, SERIES, CALL], ids=["underlying", "series", "market"])
def test_bytes_that_are_no_item_do_nothing(item: Item) -> None:
    """Cut anywhere, longer, of another kind: UNDECODABLE."""
    whole = listing(item)
    wrong = [whole[:length] for length in range(0, len(whole), 5)] + [whole[:-1], whole + b"\0"]
    wrong += [whole[:6] + bytes([kind]) + whole[7:] for kind in range(6) if kind != whole[6]]
    for first in range(0, len(wrong), 30):
        part = wrong[first : first + 30]
        assert reasons_of(make_world(), part) == [Reason.UNDECODABLE] * len(part)


def test_listed_market_trades_once_it_is_open() -> None:
    """A coin, its expiry and an option on it, from the listing to the first trade."""
    world = make_world()
    option = changed(CALL, underlying=77, series=1, tick=1_000)
    messages = [listing(COIN, w.NOW), listing(SeriesConfig(77, 1, w.FAR_EXPIRY), w.NOW), listing(option, w.NOW + 5)]
    priced: list[Transaction] = [w.oracle_update(77, w.NOW, w.BTC_MARK, w.BTC_MARK), surface(77, 1, w.NOW, w.BTC_MARK)]
    terms = {"market": 501, "price": 3_600 * DOLLAR}
    trade = Trade(buy(**terms), sell(**terms), LOT)
    early = make_proof(world, [*priced, trade], messages)
    assert_agreement(early, fast_verifier())
    assert (early.result.reason, early.result.index) == (Reason.MARKET_CLOSED, 5)
    listed = make_proof(world, priced, messages)
    assert_agreement(listed, fast_verifier())
    accept(world, listed)
    assert {underlying_key(77), series_key(77, 1), market_key(501)} <= world.leaves.keys()
    traded = make_proof(world, [trade], timestamp=w.NOW + 5)
    assert_agreement(traded, fast_verifier())
    assert traded.result.reason == Reason.NONE
    accept(world, traded)
    assert Market.decode(world.read(market_key(501))).open_interest == LOT
