"""What the exchange shows: plain values with integer units, made from the newest state, durable or not."""

from __future__ import annotations

from dataclasses import dataclass

from rollup.sequencer.book import DepthLevel
from rollup.sequencer.commands import OrderReport
from rollup.sequencer.sensitivities import Greeks
from rollup.sequencer.trading_status import TradingStatus
from rollup.types.blocks import Header


@dataclass(frozen=True, slots=True)
class TickerView:
    """A market now. Prices µUSD per coin, sizes µcoin; an empty side is 0. `funding_rate` is ppm of spot per 8 h.

    `price_time` is the oracle's own time of what the mark comes from, `forward`, `settlement` and `confidence` (ppm)
    those of its expiry, 0 for perpetuals. `volatility` and `greeks` are for showing.
    """

    time: int
    bid_price: int
    bid_size: int
    ask_price: int
    ask_size: int
    mark: int
    spot: int
    forward: int
    price_time: int
    settlement: int
    confidence: int
    last_price: int
    open_interest: int
    funding_index: int
    funding_rate: int
    status: TradingStatus
    volatility: float | None
    greeks: Greeks


@dataclass(frozen=True, slots=True)
class DepthView:
    """A book's best levels; `sequence` rises with every change of any book."""

    time: int
    sequence: int
    bids: list[DepthLevel]
    asks: list[DepthLevel]


@dataclass(frozen=True, slots=True)
class PositionView:
    """A position (µcoin) with the mark (µUSD per coin), its value (µUSD, rounded down) and its Greeks.

    `average` is the average price that it was traded at (µUSD per coin), None where that was not seen.
    """

    market: int
    size: int
    mark: int
    value: int
    greeks: Greeks
    average: int | None

    @property
    def gain(self) -> int | None:
        """What it has gained since it was traded (µUSD, rounded down)."""
        return None if self.average is None else self.size * (self.mark - self.average) // 10**6


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account; margin figures (µUSD) are None while a price they need is stale.

    `health` is its status in the state and `flagged` since when (s); `greeks` go by underlying.
    """

    number: int
    owner: bytes
    signer: bytes
    owner_nonce: int
    nonce_floor: int
    cash: int
    withdrawn: int
    equity: int | None
    maintenance: int | None
    initial: int | None
    health: int
    flagged: int
    positions: tuple[PositionView, ...]
    greeks: dict[int, Greeks]
    orders: tuple[OrderReport, ...]


@dataclass(frozen=True, slots=True)
class BlockView:
    """A stored block; `batch` is the L1 batch it stands in, None while it stands in none."""

    header: Header
    hash: bytes
    txs: bytes
    messages: tuple[bytes, ...]
    signature: bytes
    signer: bytes
    batch: int | None


@dataclass(frozen=True, slots=True)
class BatchView:
    """A batch on L1."""

    index: int
    hash: bytes
    fork: int
    poster: bytes
    l1_block: int
    first_number: int
    last_number: int
    state_root: bytes
    inbox_index: int
    is_final: bool


@dataclass(frozen=True, slots=True)
class StatusView:
    """The chain and this sequencer: `posted` is the last block known to stand on L1."""

    chain_id: int
    rollup: bytes
    inbox: bytes
    separator: bytes
    sequencer: bytes
    number: int
    root: bytes
    fork: int
    time: int
    inbox_index: int
    posted: int
    posted_batch: int
    finalised_batch: int
    open_orders: int
    alarms: tuple[str, ...]
    fault: str | None
