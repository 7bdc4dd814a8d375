"""The figures that a replay of an option chain reports. Money in µUSD, sizes in µcoin, times in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rollup.replay.chain.desks import Desk
from rollup.replay.chain.plan import Plan
from rollup.replay.chain.settings import LISTING_DELAY, ChainSettings
from rollup.replay.chain.table import Row
from rollup.replay.chain.takers import Taker
from rollup.replay.ending import Outcome
from rollup.replay.figures import per, show_time
from rollup.replay.stage import Stage
from rollup.replay.tally import Tally
from rollup.sequencer.exchange import Exchange
from rollup.sequencer.oracle import OracleView


def listing_figures(stage: Stage, plan: Plan, seconds: float) -> dict[str, Any]:
    """What was listed, and where."""
    return {
        "l1": stage.l1.url,
        "rollup": stage.deployment.rollup,
        "recorded": show_time(plan.time),
        "series": len(plan.dated),
        "options": len(plan.options),
        "delay": LISTING_DELAY,
        "seconds": round(seconds, 3),
    }


def surface_figures(rows: Sequence[Row], oracle: OracleView) -> dict[str, Any]:
    """The agreement, expiry by expiry; `time` is that of the rollup's state."""
    return {
        "time": show_time(oracle.time),
        "expiries": [row.figures() for row in rows],
        "options": sum(row.options for row in rows),
        "worst_median": max(row.marks.median for row in rows),
        "worst_high": max(row.marks.high for row in rows),
        "quoted": sum(row.quoted for row in rows),
        "inside": sum(row.inside for row in rows),
    }


def book_figures(desks: Sequence[Desk], takers: int, tally: Tally, seconds: float) -> dict[str, Any]:
    """How much of the recorded books stands."""
    return {
        "makers": len(desks),
        "takers": takers,
        "deposited": sum(desk.deposit for desk in desks),
        "levels": sum(len(desk.levels) for desk in desks),
        "markets": len({level.market for desk in desks for level in desk.levels}),
        "rested": tally.rested,
        "refused": sum(tally.refusals.values()),
        "refusals": dict(sorted(tally.refusals.items())),
        "seconds": round(seconds, 3),
        "orders_per_second": per(tally.orders, seconds),
    }


def trade_figures(
    exchange: Exchange, tally: Tally, settings: ChainSettings, takers: Sequence[Taker], seconds: float
) -> dict[str, Any]:
    """What was traded; `positions` is the most that any taker holds."""
    views = [exchange.account(taker.signer.account) for taker in takers]
    return {
        "rounds": settings.rounds,
        "orders": tally.orders,
        "trades": tally.trades,
        "premium": tally.volume,
        "blocks": tally.blocks,
        "markets": len(tally.markets),
        "refused": sum(tally.refusals.values()),
        "refusals": dict(sorted(tally.refusals.items())),
        "positions": max((len(view.positions) for view in views), default=0),
        "resting": exchange.status().open_orders,
        "seconds": round(seconds, 3),
        "trades_per_second": per(tally.trades, seconds),
    }


def summary_figures(plan: Plan, books: Tally, trades: Tally, outcome: Outcome) -> dict[str, Any]:
    """The figures that matter most."""
    return {
        "options": len(plan.options),
        "levels": books.rested,
        "trades": trades.trades,
        "blocks": outcome.head.number,
        "audited": outcome.audited,
        "batches": outcome.posting.batches,
        "state_root": outcome.head.root,
        "open_interest": sum(outcome.report.open_interest.values()),
        "calldata_bytes": outcome.posting.calldata_bytes,
        "verification_seconds": round(outcome.seconds, 3),
    }
