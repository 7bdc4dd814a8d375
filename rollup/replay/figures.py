"""The figures that a replay reports: measured, never assumed. Money in µUSD, sizes in µcoin, times in seconds."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rollup.derive.verification import Verification
from rollup.replay.audit import Head
from rollup.replay.challenger import Audited
from rollup.replay.posting import Posting
from rollup.replay.settings import ReplaySettings
from rollup.replay.stage import Stage
from rollup.replay.tally import Health, Tally
from rollup.stf.invariants import Report


def stretch_figures(stage: Stage, settings: ReplaySettings) -> dict[str, Any]:
    """Where and what is replayed."""
    tape, stretch = settings.tape, settings.stretch
    closes = tape.marks[stretch.first : stretch.last + 1]
    return {
        "l1": stage.l1.url,
        "rollup": stage.deployment.rollup,
        "candles": len(stretch),
        "from": show_time(tape.times[stretch.first]),
        "to": show_time(tape.times[stretch.last]),
        "first_price": closes[0],
        "last_price": closes[-1],
        "lowest_price": min(closes),
        "highest_price": max(closes),
        "seed": settings.seed,
    }


def trading_figures(tally: Tally, health: Health | None, clipped: int, seconds: float) -> dict[str, Any]:
    """What was traded and how fast; `worst_health` is the worst of several looks at all accounts."""
    counts = asdict(tally)
    refusals = counts.pop("refusals")
    return {
        **counts,
        "markets": len(tally.markets),
        "refused": sum(refusals.values()),
        "refusals": dict(sorted(refusals.items())),
        "oracle_clipped": clipped,
        "worst_health": None if health is None else asdict(health),
        "seconds": seconds,
        "orders_per_second": per(tally.orders, seconds),
        "trades_per_second": per(tally.trades, seconds),
    }


def posting_figures(posting: Posting, tally: Tally, head: Head) -> dict[str, Any]:
    """What L1 was paid for. Per trade everything is counted in: oracle updates, withdrawals, block headers."""
    return {
        **asdict(posting),
        "blocks": head.number,
        "final_batch": head.batch,
        "calldata_bytes_per_trade": per(posting.calldata_bytes, tally.trades),
        "l1_gas_per_trade": per(posting.gas, tally.trades),
    }


def state_figures(report: Report) -> dict[str, Any]:
    """The whole state's sums, which agreed to the unit."""
    return asdict(report)


def audit_figures(found: Audited) -> dict[str, Any]:
    """What a challenger executed in py-evm; it agreed with all of it."""
    return {**asdict(found), "blocks_per_second": per(found.audited, found.seconds)}


def verification_figures(found: Verification) -> dict[str, Any]:
    """What somebody found who knew nothing but L1."""
    return {
        "state_root": found.state_root,
        "batches": found.batches,
        "blocks": found.blocks,
        "transactions": found.transactions,
        "messages": found.messages,
        "seconds": found.seconds,
        "blocks_per_second": per(found.blocks, found.seconds),
        "transactions_per_second": per(found.transactions, found.seconds),
    }


def summary_figures(tally: Tally, posting: Posting, head: Head, seconds: dict[str, float]) -> dict[str, Any]:
    """The figures that matter most."""
    return {
        "candles": tally.ticks,
        "orders": tally.orders,
        "trades": tally.trades,
        "blocks": head.number,
        "batches": posting.batches,
        "state_root": head.root,
        "orders_per_second": per(tally.orders, seconds["trading"]),
        "trades_per_second": per(tally.trades, seconds["trading"]),
        "calldata_bytes": posting.calldata_bytes,
        "calldata_bytes_per_trade": per(posting.calldata_bytes, tally.trades),
        "l1_gas_per_trade": per(posting.gas, tally.trades),
        "trading_seconds": round(seconds["trading"], 3),
        "verification_seconds": round(seconds["verification"], 3),
    }


def per(amount: float, unit: float) -> float:
    """A rate, rounded for reading; 0 where there is nothing to divide by."""
    return round(amount / unit, 2) if unit else 0.0


def show_time(time: int) -> str:
    """Unix seconds as ISO 8601."""
    return datetime.fromtimestamp(time, UTC).isoformat()
