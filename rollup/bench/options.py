"""A desk on a state full of options, and what it costs to re-check every account after a word of the oracle."""

from __future__ import annotations

import time
from dataclasses import replace
from random import Random
from typing import Any, Final

from rollup.bench.crowd import NOW, OWNER, SEPARATOR
from rollup.bench.figures import Report, Scale, timed
from rollup.bench.signatures import KEY
from rollup.crypto.eip712 import oracle_digest, surface_digest
from rollup.crypto.signatures import sign
from rollup.sequencer.catalogue import Catalogue, listed_leaves
from rollup.sequencer.commands import Submit
from rollup.sequencer.desk import Desk
from rollup.sequencer.ledger import Ledger
from rollup.sequencer.memo import Memo
from rollup.sequencer.risk.register import Register
from rollup.store.identity import ChainIdentity
from rollup.store.state import StateStore
from rollup.types.accounts import NO_ADDRESS, Account, Position
from rollup.types.genesis import BTC, Genesis, MarketConfig, SeriesConfig, devnet_genesis
from rollup.types.keys import GLOBALS, account_key
from rollup.types.leaves import Globals, MarketKind
from rollup.types.limits import MILLION
from rollup.types.transactions import OracleUpdate, SurfaceUpdate

FORWARD: Final = 40_000 * MILLION
STRIKES: Final = range(20_000, 60_001, 2_000)
SERIES: Final = 4
HELD: Final = 8
"""Options in each account."""
SIZE: Final = 100_000
DAY: Final = 86_400
SLICE: Final = (200_000_000, 200_000_000, -300_000_000, 0, 500_000_000)
FALL: Final = 97
"""Per cent of the price that the oracle tells of next."""
LEAST: Final = 2_000
MOST: Final = 30_000
"""USD of an account: some of them do not bear the fall."""


def measure_risk(report: Report, scale: Scale) -> None:
    """Exact margins a second, accounts screened a second, and how long until everybody is re-checked."""
    clock = [NOW + 10]
    desk = make_desk(scale.option_accounts, clock)
    numbers = range(scale.option_accounts)
    speak(desk, clock, FORWARD)
    register = Register()
    register.look(desk.risk.snapshot(start_over=True))
    builder = desk.ledger.begin()
    seconds = timed(lambda: [builder.margin_of(number) for number in numbers])
    about = f"exact margins of accounts of {HELD} options, sheets drawn once"
    report.rate("accounts_margined", about, len(numbers), seconds)
    for _ in range(3):  # the oracle's limits allow a few per cent a minute
        clock[0] += 60
        speak(desk, clock, FORWARD)
    speak(desk, clock, FORWARD * FALL // 100, later=60)
    screening, whole, flagged = recheck(desk, register)
    about = f"{len(numbers):,} accounts of {HELD} options in {len(desk.catalogue):,} markets"
    report.rate("accounts_screened", f"screened with a proven bound: {about}", len(numbers), screening)
    about = f"from a word of the oracle until all are re-checked, {flagged} of them flagged: {about}"
    report.add("recheck_seconds", whole, "s", about)


def recheck(desk: Desk, register: Register) -> tuple[float, float, int]:
    """Seconds of screening, seconds until every doubtful account was decided, and how many were flagged."""
    begun = time.perf_counter()
    findings = register.look(desk.risk.snapshot(start_over=False))
    screened = time.perf_counter()
    desk.risk.take(findings)
    while desk.risk.waiting:
        desk.risk.work()
        desk.take_unit()
    return screened - begun, time.perf_counter() - begun, len(desk.flagged)


def make_desk(accounts: int, clock: list[int]) -> Desk:
    """A desk in memory whose accounts come in pairs that hold the opposite of each other."""
    leaves = _genesis().leaves()
    totals, luck = Globals.decode(leaves[GLOBALS]), Random(5)  # noqa: S311 - repeatable on purpose
    markets = [market.number for market in _genesis().markets if market.kind >= MarketKind.CALL]
    deposits = 0
    for pair in range(0, accounts, 2):
        held = sorted(luck.sample(markets, HELD))
        sizes = [luck.choice((-1, 1)) * SIZE for _ in held]
        for number, side in ((pair, 1), (pair + 1, -1)):
            cash = luck.randint(LEAST, MOST) * MILLION
            positions = tuple(Position(market, side * size, 0) for market, size in zip(held, sizes, strict=True))
            deposits += cash
            leaves[account_key(number)] = Account(OWNER, NO_ADDRESS, cash, 0, 0, 0, positions).encode()
    leaves[GLOBALS] = replace(totals, accounts=accounts, deposits=deposits).encode()
    store = StateStore.in_memory(ChainIdentity(1, b"\x11" * 20))
    store.initialise(leaves)
    memo = Memo()
    ledger = Ledger(store, 0, SEPARATOR, memo.recover, lambda: clock[0])
    return Desk(ledger, Catalogue.of_leaves(listed_leaves(store)), memo, 512)


def speak(desk: Desk, clock: list[int], forward: int, later: int = 1) -> None:
    """Have the oracle say that everything costs this now."""
    clock[0] += later
    now = clock[0]
    spoken: list[Any] = [
        OracleUpdate(BTC, now, forward, forward, 1, (sign(oracle_digest(SEPARATOR, BTC, now, forward, forward), KEY),))
    ]
    for series in range(1, SERIES + 1):
        digest = surface_digest(SEPARATOR, BTC, series, now, forward, *SLICE, MILLION)
        spoken.append(SurfaceUpdate(BTC, series, now, forward, *SLICE, MILLION, 1, (sign(digest, KEY),)))
    for update in spoken:
        desk.submit(Submit(update, ()))
    desk.take_unit()


def _genesis() -> Genesis:
    plain = devnet_genesis(NOW, (OWNER,), 1)
    series = tuple(SeriesConfig(BTC, number, NOW + 30 * DAY * number) for number in range(1, SERIES + 1))
    options = [
        MarketConfig(0, BTC, tick=100_000, lot=1_000, kind=kind, series=dated.number, strike=strike * MILLION)
        for dated in series
        for strike in STRIKES
        for kind in (MarketKind.CALL, MarketKind.PUT)
    ]
    numbered = tuple(replace(option, number=number) for number, option in enumerate(options, start=10))
    return replace(plain, markets=plain.markets + numbered, series=series)
