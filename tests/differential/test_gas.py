"""What proofs of usual blocks cost: margins cold and warm, one transaction of each type, and a full block of trades.

After a change that is meant, `PLUMBLINE_UPDATE_SNAPSHOTS=1 pytest tests/differential/test_gas.py` writes the new
figures. The worst blocks there can be stand in tests/bounds.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from challenger.execute import encode_verify
from rollup.l1.limits import TX_BASE_GAS, floor_gas
from rollup.types.keys import market_key, series_key
from rollup.types.leaves import MarketKind
from rollup.types.messages import Forced, List, encode_message
from rollup.types.reasons import Reason
from rollup.types.transactions import (
    FLAG_SELL,
    Deleverage,
    Flag,
    Settle,
    Trade,
    Transaction,
    WriteOff,
    encode_transaction,
)
from tests.differential import cases_deleverage as deleverage
from tests.differential import cases_risk as risk
from tests.differential import world as w
from tests.differential.cases import LOT, PRICE
from tests.differential.signed import bid, combo, leg, surface
from tests.differential.test_listing import CALL
from tests.differential.twins import Proof, assert_agreement, fast_verifier, make_proof
from tests.differential.world import COIN, DOLLAR, SEPARATOR, World, make_world

SNAPSHOT: Final = Path(__file__).resolve().parents[1] / "snapshots" / "verifier_gas.json"
ACCOUNTS: Final = 400
FIRST: Final = 1_001
COLD_BOUND: Final = 1_300_000
WARM_BOUND: Final = 150_000

FUTURE_PRICE, CALL_PRICE = PRICE + 100 * DOLLAR, 1_900 * DOLLAR


def gas_of(world: World, txs: Sequence[Transaction] = (), messages: Sequence[bytes] = ()) -> int:
    """Gas that the verifier uses on a valid block."""
    proof = make_proof(world, txs, messages)
    assert proof.result.reason == Reason.NONE
    return assert_agreement(proof, fast_verifier()).gas_used


def measure_block(proof: Proof) -> dict[str, int]:
    """Execution, the whole L1 transaction around it, and its calldata."""
    assert proof.result.reason == Reason.NONE
    execution = assert_agreement(proof, fast_verifier()).gas_used
    data = encode_verify(proof.header, proof.txs, proof.messages, proof.witness, SEPARATOR)
    zeros = data.count(0)
    paid = TX_BASE_GAS + 4 * zeros + 16 * (len(data) - zeros) + execution
    return {"execution": execution, "transaction": max(paid, floor_gas(data)), "bytes": len(data)}


# -- margin ------------------------------------------------------------------------------------------------------------


def make_holder(options: int) -> World:
    """A world in which account 0 is sound and holds calls and puts, long and short, of seven expiries."""
    world = make_world(ACCOUNTS)
    leaves: dict[int, bytes] = {}
    for n in range(7):
        leaves[series_key(w.BTC, 10 + n)] = w.series(expiry=w.FAR_EXPIRY + n * 10**6).encode()
    numbers = range(FIRST, FIRST + options)
    for n, number in enumerate(numbers):
        kind = MarketKind.CALL if n % 2 else MarketKind.PUT
        leaves[market_key(number)] = w.option(kind, 10 + n % 7, PRICE * (70 + 2 * n) // 100).encode()
    world.write(leaves)
    world.hold(0, {number: LOT if number % 3 else -LOT for number in numbers})
    return world


def measure_margin(options: int) -> dict[str, int]:
    """Looks at an account through forced messages that change nothing.

    *Cold* draws every sheet, on leaves that are already there. *All* is the whole block instead, leaves and their proof
    included. *Warm* is one more look in the same block.
    """
    world = make_holder(options)
    settled, looked = (encode_message(Forced(w.owner(0), encode_transaction(tx))) for tx in (Settle(0), Flag(0)))
    loaded, cold, warm = (gas_of(world, (), [settled, *[looked] * times]) for times in (0, 1, 2))
    return {"cold": cold - loaded, "warm": warm - cold, "all": gas_of(world, (), [looked])}


# -- one transaction of each type --------------------------------------------------------------------------------------


def trade(market: int, price: int, nonce: int = 1) -> Trade:
    """Two fresh orders of accounts that hold nothing."""
    return Trade(
        w.order(0, market, 0, LOT, price, nonce), w.order(1, market, FLAG_SELL, LOT, price, nonce), LOT
    )  # fmt: skip


def aged(world: World) -> World:
    """A world whose prices may be updated."""
    world.set_underlying(w.BTC, time=w.NOW - 10)
    world.set_series(w.BTC, w.FAR, time=w.NOW - 10)
    return world


def expired(world: World) -> World:
    """A world in which account 0 has an option, a future and a perpetual, and the first two have expired."""
    world.set_series(w.BTC, w.FAR, settlement=PRICE)
    world.hold(0, {w.FAR_CALL: LOT, w.BTC_FUTURE: LOT, w.BTC_PERP: LOT})
    world.count_interest()
    return world


def same(world: World) -> World:
    """The world as it is."""
    return world


LEGS: Final = (
    leg(w.BTC_PERP, LOT, PRICE), leg(w.BTC_FUTURE, LOT, FUTURE_PRICE), leg(w.FAR_CALL, LOT, CALL_PRICE),
    leg(w.FAR_PUT, LOT, 1_400 * DOLLAR),
)  # fmt: skip
ONE: Final[dict[str, tuple[Callable[[World], World], Callable[[], Transaction]]]] = {
    "trade of a perpetual": (same, partial(trade, w.BTC_PERP, PRICE)),
    "trade of a future": (same, partial(trade, w.BTC_FUTURE, FUTURE_PRICE)),
    "trade of an option": (same, partial(trade, w.FAR_CALL, CALL_PRICE)),
    "combo of four legs": (same, partial(combo, 0, 1, 1, LEGS)),
    "cancel": (same, partial(w.cancel, 0, 1)),
    "withdrawal": (same, partial(w.withdraw, 0, DOLLAR, 1)),
    "transfer": (same, partial(w.transfer, 0, 1, DOLLAR, 1)),
    "session signer": (same, partial(w.set_signer, 0, w.owner(5), 1)),
    "price, two of three feeders": (aged, partial(w.oracle_update, w.BTC, w.NOW, PRICE, PRICE)),
    "slice, two of three feeders": (aged, partial(surface, w.BTC, w.FAR, w.NOW, FUTURE_PRICE)),
    "settlement of an option and a future": (expired, partial(Settle, 0)),
    "flag": (partial(risk.distress, status=0), partial(Flag, 2)),
    "bid": (risk.distress, partial(bid, 2, 0, 1)),
    "deleveraging": (partial(risk.distress, since=600), partial(Deleverage, 2, 3, w.BTC_PERP, COIN)),
    "write-off": (deleverage.ruin, partial(WriteOff, 2)),
}


def measure_types() -> dict[str, int]:
    """Execution of a block with nothing but the one transaction, and of one with a listing."""
    found = {name: gas_of(prepare(make_world(ACCOUNTS)), [make()]) for name, (prepare, make) in ONE.items()}
    return found | {"listing of an option": gas_of(make_world(ACCOUNTS), (), [encode_message(List(w.NOW, CALL))])}


# -- full blocks -------------------------------------------------------------------------------------------------------


def typical(market: int, price: int, size: int) -> Proof:
    """Eighteen trades of fresh orders between 36 accounts of a few positions each, in a state of four hundred."""
    world = make_world(ACCOUNTS)
    for number in range(36):
        world.hold(9 * number, {w.BTC_PERP: 1_000 * (number - 18) or 1_000, w.ETH_PERP: 10_000, w.NEAR_PUT: LOT})
    world.count_interest()
    trades = [
        Trade(w.order(9 * n, market, 0, size, price, 1), w.order(9 * (35 - n), market, FLAG_SELL, size, price, 1), LOT)
        for n in range(18)
    ]
    return make_proof(world, trades)


def test_gas_equals_the_snapshot() -> None:
    """Every figure, to the unit; margins within their bounds."""
    figures: dict[str, dict[str, int]] = {
        "18 trades of a perpetual": measure_block(typical(w.BTC_PERP, PRICE, COIN)),
        "18 trades of an option": measure_block(typical(w.FAR_CALL, CALL_PRICE, COIN)),
        **{f"margin of {options} options": measure_margin(options) for options in (8, 16, 32)},
        "a block of one": {"nothing": gas_of(make_world(ACCOUNTS)), **measure_types()},
    }
    print(json.dumps(figures, indent=1))
    if os.environ.get("PLUMBLINE_UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(json.dumps(figures, indent=1) + "\n")
    assert figures == json.loads(SNAPSHOT.read_text())
    assert figures["margin of 32 options"]["cold"] <= COLD_BOUND
    assert figures["margin of 32 options"]["warm"] <= WARM_BOUND
    assert figures["18 trades of a perpetual"]["transaction"] < 5_000_000
