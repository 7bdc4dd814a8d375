"""What happened in a replay, counted: what the simulation asked for, and what the sequencer says was executed."""

from __future__ import annotations

from dataclasses import dataclass, field

from rollup.errors import Rejected
from rollup.sequencer.commands import OrderReport
from rollup.sequencer.unit import Unit
from rollup.types.limits import MILLION


@dataclass(slots=True, eq=False)
class Tally:
    """Running counts. `volume` is µUSD of all trades, `soft_cancels` are orders taken off the book by their makers.

    `refusals` are counted by reason, of orders and of everything else alike.
    """

    ticks: int = 0
    orders: int = 0
    rested: int = 0
    trades: int = 0
    volume: int = 0
    blocks: int = 0
    oracle_updates: int = 0
    deposits: int = 0
    withdrawals: int = 0
    forced_withdrawals: int = 0
    transfers: int = 0
    soft_cancels: int = 0
    hard_cancels: int = 0
    session_keys: int = 0
    markets: set[int] = field(default_factory=set)
    """Those in which there were trades."""
    refusals: dict[str, int] = field(default_factory=dict)

    def acknowledge(self, report: OrderReport) -> None:
        """An order was taken."""
        self.orders += 1
        self.rested += report.status == "open"

    def refuse(self, error: Rejected) -> None:
        """Something was refused: the state transition's reason, or the name of the exchange's own rule."""
        why = str(error.data.get("reason") or type(error).__name__)
        self.refusals[why] = self.refusals.get(why, 0) + 1

    def hear(self, unit: Unit) -> None:
        """The sequencer made blocks and trades durable."""
        self.blocks += len(unit.blocks)
        self.trades += len(unit.trades)
        self.markets.update(trade.market for trade in unit.trades)
        self.volume += sum(trade.size * trade.price for trade in unit.trades) // MILLION


@dataclass(frozen=True, slots=True)
class Health:
    """The accounts at one moment. `short` of their maintenance margin, `broke`: with negative equity; µUSD."""

    short: int
    broke: int
    worst_equity: int
    equity: int


def worse(before: Health, now: Health) -> Health:
    """The worst of two moments, figure by figure; the sum of equity is the later one's."""
    return Health(
        max(before.short, now.short),
        max(before.broke, now.broke),
        min(before.worst_equity, now.worst_equity),
        now.equity,
    )
