"""Which of the rules about silence, dust and the clock a valid block went through, told from what it read and wrote."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from rollup.stf.funding import accrue
from rollup.stf.receipts import Receipt
from rollup.types.accounts import Account, Position
from rollup.types.keys import GLOBALS, KeyKind, kind_of, market_key, series_key, underlying_key, underlying_of
from rollup.types.leaves import Globals, Market, MarketKind, Series, Underlying
from rollup.types.limits import CLOSING, WIND_UP
from rollup.types.reasons import Reason
from rollup.types.transactions import Deleverage, Flag, Transfer, Withdraw
from tests.differential.twins import Proof
from tests.differential.world import World

PATHS: Final = (
    "abandoned perpetual paid out", "series closed by a holder", "series ended late", "option on an abandoned slice",
    "premium lapsed", "flag raised again", "losses repaid", "forced past an insolvency",
    "deleveraged at mark", "deleveraged at bankruptcy", "Bid: AMOUNT", "Bid: NOT_FLAGGED", "Deleverage: NOT_FLAGGED",
    "Flag: FLAGGED", "OracleUpdate: MARKET_EXPIRED", "List: LISTING_INVALID", "Withdraw: INSOLVENCY",
    "Settle: ORACLE_STALE",
)  # fmt: skip
"""What a run must have gone through often; the last ones are refusals, forced or not. A closing that a failing message
takes back is too rare for games: `test_silence.py` has it."""

_AFTER_SETTLING: Final = {Reason.MARGIN, Reason.NOT_LIQUIDATABLE, Reason.FLAGGED}


def paths_of(world: World, proof: Proof) -> Counter[str]:
    """Paths of a valid block on the world as it is before it."""
    found: Counter[str] = Counter()
    time = proof.header.timestamp
    for key, value in proof.result.writes.items():
        old = world.read(key)
        match kind_of(key):
            case _ if not old:
                pass
            case KeyKind.SERIES:
                found.update(_of_series(world, key, old, value))
            case KeyKind.UNDERLYING:
                found.update(_of_underlying(old, time))
            case KeyKind.ACCOUNT:
                found.update(_of_account(world, Account.decode(old), Account.decode(value), time))
    stood = Globals.decode(world.read(GLOBALS))
    stands = Globals.decode(proof.result.writes.get(GLOBALS) or world.read(GLOBALS))
    found["losses repaid"] += stands.bad_debt < stood.bad_debt
    for receipt in proof.result.receipts:
        found.update(_of_receipt(world, receipt, proof))
    return +found


def _of_series(world: World, key: int, old: bytes, new: bytes) -> Iterator[str]:
    before, after = Series.decode(old), Series.decode(new)
    if not after.settlement or before.settlement:
        return
    coin = Underlying.decode(world.read(underlying_key(underlying_of(key))))
    if after.time == before.time:
        yield "series closed by a holder"
    elif after.time > after.expiry + coin.max_age and before.time:
        yield "series ended late"


def _of_underlying(old: bytes, time: int) -> Iterator[str]:
    before = Underlying.decode(old)
    if before.time and before.mark != before.spot and before.time + before.max_age < time:
        assert accrue(before, time) == accrue(accrue(before, before.time + before.max_age), time)
        yield "premium lapsed"


def _of_account(world: World, before: Account, after: Account, time: int) -> Iterator[str]:
    if before.status and after.status and before.flagged != after.flagged:
        yield "flag raised again"
    kept = {position.market for position in after.positions}
    for position in before.positions:
        market, priced, series = _terms(world, position)
        if position.market not in kept and market.kind == MarketKind.PERP and 0 < priced < time - WIND_UP:
            yield "abandoned perpetual paid out"
        if position.market in kept and series and not series.settlement and 0 < series.time < time - WIND_UP:
            yield "option on an abandoned slice"


def _terms(world: World, position: Position) -> tuple[Market, int, Series | None]:
    market = Market.decode(world.read(market_key(position.market)))
    priced = Underlying.decode(world.read(underlying_key(market.underlying))).time
    if market.kind == MarketKind.PERP:
        return market, priced, None
    return market, priced, Series.decode(world.read(series_key(market.underlying, market.series)))


def _of_receipt(world: World, receipt: Receipt, proof: Proof) -> Iterator[str]:
    tx, reason = receipt.subject, Reason(receipt.reason)
    if reason:
        yield f"{type(tx).__name__}: {reason.name}"
        if reason in _AFTER_SETTLING and isinstance(tx, Flag | Withdraw | Transfer):
            number = tx.sender if isinstance(tx, Transfer) else tx.account
            yield from _taken_back(world, number, proof.header.timestamp)
    elif isinstance(tx, Deleverage):
        # Its status is 2 as long as it is worth less than nothing.
        status = world.account(tx.account).status
        yield "deleveraged at mark" if status == 1 else "deleveraged at bankruptcy"
    elif isinstance(tx, Withdraw) and receipt.forced:
        totals = (world.read(GLOBALS), proof.result.writes[GLOBALS])
        if all(Globals.decode(value).insolvent for value in totals):
            yield "forced past an insolvency"


def _taken_back(world: World, number: int, time: int) -> Iterator[str]:
    for position in world.account(number).positions:
        series = _terms(world, position)[2]
        if series and not series.settlement and series.expiry + CLOSING <= time:
            yield "closing taken back"
            return
