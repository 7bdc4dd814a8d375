"""What becomes durable together: the engine's changes since the last group commit, and who waits for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rollup.sequencer.catalogue import Instrument
from rollup.sequencer.commands import OrderReport, Reply, TradeReport
from rollup.sequencer.ledger import NewBlock


@dataclass(slots=True, eq=False)
class Unit:
    """Sealed blocks in order, records of the order journal (None deletes one), replies to release, news to publish.

    A unit is written whole or not at all, and units are written in order: a trade, the order book it left behind and
    the answers about both stand or fall together.
    """

    blocks: list[NewBlock] = field(default_factory=list)
    records: dict[bytes, bytes | None] = field(default_factory=dict)
    replies: list[Reply[Any]] = field(default_factory=list)
    trades: list[TradeReport] = field(default_factory=list)
    orders: list[OrderReport] = field(default_factory=list)
    markets: set[int] = field(default_factory=set)
    listed: list[Instrument] = field(default_factory=list)
    priced: bool = False
    """Whether the oracle said something."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not (self.blocks or self.records or self.replies or self.orders)
