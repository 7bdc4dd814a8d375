"""The figures that a leveraged replay reports. Money in µUSD, sizes in µcoin, times in seconds."""

from __future__ import annotations

from typing import Any

from rollup.replay.crash.inspector import Inspector
from rollup.replay.crash.venue import AUCTION, SPOT_STEP, Venue
from rollup.replay.ending import Outcome
from rollup.replay.figures import stretch_figures
from rollup.replay.settings import ReplaySettings
from rollup.replay.stage import Stage
from rollup.replay.tally import Tally


def venue_figures(stage: Stage, settings: ReplaySettings, venue: Venue) -> dict[str, Any]:
    """Where and what is replayed, and on which terms."""
    return {
        **stretch_figures(stage, settings),
        "spot_step_ppm": SPOT_STEP,
        "auction_seconds": AUCTION,
        "options": len(venue.options),
    }


def liquidation_figures(inspector: Inspector) -> dict[str, Any]:
    """What liquidation did, and when flags were raised.

    `raised` counts the times a sound account was flagged, `lags` the same by blocks after the crossing, `flags` the
    flag transactions that did it, found an account insolvent later or raised a spent flag anew, `cleared` those that
    took a flag back.
    """
    record = inspector.record
    return {
        "raised": sum(inspector.lags.values()),
        "flags": record.flags,
        "cleared": record.cleared,
        "accounts_flagged": len(record.accounts),
        "lags": {str(lag): count for lag, count in sorted(inspector.lags.items())},
        "bids": record.bids,
        "accounts_sold": len(record.sold),
        "sold_value": record.sold_value,
        "discount": record.discount,
        "dues": record.dues,
        "covered": record.covered,
        "deleveragings": record.deleveragings,
        "accounts_deleveraged": len(record.deleveraged),
        "counterparties": len(record.counterparties),
        "deleveraged_value": record.deleveraged_value,
        "write_offs": record.write_offs,
        "written_off": record.written_off,
        "bad_debt": record.bad_debt,
        "insolvent_peak": record.insolvent_peak,
        "insurance_peak": record.insurance_peak,
        "fund_peak": record.fund_peak,
        "fund_end": record.fund_end,
        "fund_emptied": record.fund_emptied,
        "worst_equity": inspector.worst_equity,
        "blocks": inspector.blocks,
        "margins": inspector.looks,
    }


def summary_figures(tally: Tally, inspector: Inspector, outcome: Outcome) -> dict[str, Any]:
    """The figures that matter most."""
    record = inspector.record
    return {
        "candles": tally.ticks,
        "orders": tally.orders,
        "trades": tally.trades,
        "flags": record.flags,
        "bids": record.bids,
        "deleveragings": record.deleveragings,
        "written_off": record.written_off,
        "blocks": outcome.head.number,
        "batches": outcome.posting.batches,
        "audited": outcome.audited,
        "state_root": outcome.head.root,
        "verification_seconds": round(outcome.seconds, 3),
    }
