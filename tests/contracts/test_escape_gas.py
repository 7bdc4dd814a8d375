"""What leaving costs, held to the unit of gas; the dearest account that a state can hold leaves in one transaction.

After a change that is meant, PLUMBLINE_UPDATE_SNAPSHOTS=1 writes the new figures.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from rollup.crypto.keccak import keccak
from rollup.l1.limits import MAX_TX_GAS
from rollup.types.keys import market_key, series_key, underlying_key
from rollup.types.leaves import MarketKind, Position
from tests.support.chain import BOB, CAROL, DAVE
from tests.support.ending import COIN, USD, coin, end, expiry, holder, instrument, state_of
from tests.support.world import FORCE_DEADLINE, FREEZE_GRACE, World

SNAPSHOT = Path(__file__).resolve().parents[1] / "snapshots" / "escape_gas.json"
ACCOUNTS = 1_000
SPREAD = 23
"""Coins, with a series each, that 32 positions can be in: all these leaves were touched in one block."""


def options(first: int, count: int, coins: int) -> tuple[dict[int, bytes], list[Position]]:
    """`count` options from market `first` on, in the series of so many coins, and a holding of each."""
    leaves, held = {}, []
    for number in range(first, first + count):
        kind = MarketKind.CALL if number % 2 else MarketKind.PUT
        strike = (30_000 + 500 * (number - first)) * USD
        leaves[market_key(number)] = instrument(kind, 1 + number % coins, 1, strike).encode()
        held.append(Position(number, (number % 5 + 1) * COIN // (3 if number % 3 else -4), 0))
    for number in range(1, coins + 1):
        leaves[underlying_key(number)] = coin().encode()
        leaves[series_key(number, 1)] = expiry().encode()
    return leaves, held


def measure(world: World) -> dict[str, int]:
    """All steps, in a state of a thousand accounts and many markets."""
    world.inbox.send("open", BOB, 10**9, sender=DAVE)
    far, wide = options(100, 32, SPREAD)
    near, narrow = options(200, 32, 1)
    markets = far | near | {market_key(n): instrument(MarketKind.PERP, 1).encode() for n in range(300, 400)}
    funds = 10**6 * USD
    accounts = {n: holder(keccak(bytes([n % 256]))[:20], funds, n) for n in range(ACCOUNTS)}
    accounts[500] = holder(CAROL, 5, 6)
    accounts[501] = holder(CAROL, funds)
    accounts[502] = holder(CAROL, funds, 0, narrow[:8])
    accounts[503] = holder(CAROL, funds, 0, narrow)
    accounts[504] = holder(CAROL, funds, 0, wide)
    state = state_of(accounts, markets, deposits=10**9)
    figures = {}
    frozen = world.fork()
    frozen.inbox.send("force", b"\x02", value=frozen.inbox.call("forceFee"))
    frozen.chain.travel(FORCE_DEADLINE + FREEZE_GRACE + 1)
    figures["freeze, nothing pending"] = frozen.rollup.send("freeze").gas_used
    figures["refund"] = frozen.vault.send("refund", 0, opening(10**9)).gas_used
    end(world, state)
    for name, account in (
        ("register, the first", 500),
        ("register, 0 positions", 501),
        ("register, 8 options", 502),
        ("register, 32 options of one series", 503),
        (f"register, 32 options of {SPREAD} coins", 504),
    ):
        witness = state.estate(account)
        figures[name] = world.vault.send("register", witness).gas_used
        figures[f"{name}: witness bytes"] = len(witness)
    world.chain.travel(world.vault.call("registrationDeadline") + 1 - world.chain.now)
    figures["collect, the first"] = world.vault.send("collect", 503).gas_used
    figures["collect"] = world.vault.send("collect", 504).gas_used
    return figures


def opening(amount: int) -> bytes:
    """The message that opened account 0."""
    return b"\x01" + bytes(3) + BOB + amount.to_bytes(8, "big")


def test_gas_is_as_recorded(world: World) -> None:
    """Nothing gets dearer, or cheaper, unnoticed; all of it fits a transaction many times."""
    measured = measure(world)
    if os.environ.get("PLUMBLINE_UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(json.dumps(measured, indent=2) + "\n")
    assert json.loads(SNAPSHOT.read_text()) == measured
    assert max(measured.values()) < MAX_TX_GAS // 10
