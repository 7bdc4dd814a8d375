"""Signed orders over WebSocket: as many as the sequencer takes, then half as many at an even pace, timed to the answer.

Orders are signed and their frames made before the clock starts, so that the measuring process takes little from the
measured one. Odd and even accounts take opposite sides at one price, so that every two orders make one trade; an order
is answered when it is on disk, with the trade if it made one.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import msgspec
import trio

from rollup.bench.figures import PER_SECOND, Report, Scale
from rollup.bench.processor import processor_seconds
from rollup.bench.stage import INSTRUMENT, PRICE, Stage
from rollup.devnet.client import order_params
from rollup.errors import PlumblineError
from rollup.rpc.answers import encode_call
from rollup.rpc.frames import masked_text_frame
from rollup.rpc.ws_client import shake_hands

IN_FLIGHT: Final = 60
"""Unanswered orders on one connection; the server reads no more than 64."""
ORDER_LIFE: Final = 3_600
RESTING: Final = 400
"""Open orders of one account, below what a sequencer lets it have."""
DEPTH: Final = 100
"""Prices on each side of a book of resting orders."""
WARM_UP: Final = 0.1
"""Share of the orders sent before the clock starts."""
PACE_SECONDS: Final = 0.001
"""How often the even pace looks at the clock."""
_TEXT: Final = 0x81
_MEDIUM: Final = 126


class OrderRefused(PlumblineError):  # noqa: N818 - what happened
    """The measured sequencer refused an order, so that a rate would mean nothing."""


class _Answer(msgspec.Struct, gc=False):
    id: int = -1
    error: msgspec.Raw | None = None


_decode: Final = msgspec.json.Decoder(_Answer).decode


@dataclass
class Line:
    """One connection: orders go out, and the time of each answer is noted."""

    stream: trio.abc.Stream
    waiting: int = 0
    answered: dict[int, float] = field(default_factory=dict)
    room: trio.Event = field(default_factory=trio.Event)
    _buffer: bytearray = field(default_factory=bytearray)

    async def send(self, frames: Sequence[bytes]) -> None:
        """Send frames that the caller has counted against `IN_FLIGHT`."""
        self.waiting += len(frames)
        await self.stream.send_all(b"".join(frames))

    async def listen(self) -> None:
        """Note answers until the connection ends or the listener is cancelled. Raises OrderRefused."""
        while data := await self.stream.receive_some(1 << 16):
            self._buffer += data
            now = time.perf_counter()
            for text in _messages(self._buffer):
                answer = _decode(text)
                if answer.error is not None:
                    raise OrderRefused(bytes(answer.error).decode())
                self.answered[answer.id] = now
                self.waiting -= 1
            self.room.set()
            self.room = trio.Event()


async def measure_load(report: Report, scale: Scale, stage: Stage) -> None:
    """Peak rate of orders that trade, the time to the answer at half of it, and the peak rate of orders that rest."""
    frames = sign_orders(stage, scale.orders)
    before = processor_seconds(stage.pid)
    peak = await measure_peak(stage.ws_url, frames, scale.connections)
    after = processor_seconds(stage.pid)
    about = "signed orders over WebSocket, answered when on disk; every two make a trade"
    report.add("orders_end_to_end", peak, PER_SECOND, about)
    spent = None if before is None or after is None else (after - before) / len(frames) * 1_000_000
    about = "processor time of the sequencer's process for each such order"
    report.add("sequencer_per_order", spent, "µs", about, "" if spent else "this system does not tell")
    count = max(2, int(peak / 2 * scale.latency_seconds))
    frames = sign_orders(stage, count)
    delays = sorted(await measure_delays(stage.ws_url, frames, scale.connections, peak / 2))
    about = f"milliseconds from sending an order to its durable answer, at {peak / 2:,.0f} orders a second"
    for name, share in (("ack_p50", 0.5), ("ack_p99", 0.99)):
        report.add(name, 1_000 * delays[min(len(delays) - 1, int(share * len(delays)))], "ms", about)
    frames = sign_orders(stage, min(scale.orders, RESTING * len(stage.traders)), spread=stage.tick)
    resting = await measure_peak(stage.ws_url, frames, scale.connections)
    report.add("orders_resting", resting, PER_SECOND, "the same, but no order meets another")


def sign_orders(stage: Stage, count: int, spread: int = 0) -> list[bytes]:
    """Frames of signed orders; the position in the list is the call's id. With a spread no two of them trade."""
    frames = []
    for number in range(count):
        account, wallet = stage.traders[number % len(stage.traders)]
        sell = bool(number % 2)
        price = PRICE + spread * (1 + number % DEPTH) * (1 if sell else -1)
        order = wallet.order(account, stage.market, sell=sell, size=stage.lot, price=price, life=ORDER_LIFE)
        frames.append(masked_text_frame(encode_call(number, "private/order", order_params(order, INSTRUMENT))))
    return frames


async def measure_peak(url: str, frames: Sequence[bytes], connections: int) -> float:
    """Orders answered a second while every connection has as many under way as the server admits."""
    warm = int(len(frames) * WARM_UP)
    await _exhaust(url, frames[:warm], connections)
    begun = time.perf_counter()
    await _exhaust(url, frames[warm:], connections)
    return (len(frames) - warm) / (time.perf_counter() - begun)


async def _exhaust(url: str, frames: Sequence[bytes], connections: int) -> None:
    async with trio.open_nursery() as nursery:
        for start in range(connections):
            nursery.start_soon(_send_all, url, frames[start::connections])


async def _send_all(url: str, frames: Sequence[bytes]) -> None:
    """Send everything on one connection, as fast as answers come."""
    line = await _connect(url)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(line.listen)
        sent = 0
        while len(line.answered) < len(frames):
            free = IN_FLIGHT - line.waiting
            if free > 0 and sent < len(frames):
                await line.send(frames[sent : sent + free])
                sent += len(frames[sent : sent + free])
            else:
                await line.room.wait()
        nursery.cancel_scope.cancel()
    await trio.aclose_forcefully(line.stream)


async def measure_delays(url: str, frames: Sequence[bytes], connections: int, rate: float) -> list[float]:
    """Seconds from the moment each order was due to its answer. A late sender's delay counts: it is the load's."""
    lines = [await _connect(url) for _ in range(connections)]
    async with trio.open_nursery() as nursery:
        for line in lines:
            nursery.start_soon(line.listen)
        begun = time.perf_counter()
        sent = 0
        while sent < len(frames):
            due = min(len(frames), int((time.perf_counter() - begun) * rate))
            for place, line in enumerate(lines):
                own = [frames[n] for n in range(sent, due) if n % connections == place]
                if own:
                    await line.send(own)
            sent = max(sent, due)
            await trio.sleep(PACE_SECONDS)
        for line in lines:
            while line.waiting:
                await line.room.wait()
        nursery.cancel_scope.cancel()
    for line in lines:
        await trio.aclose_forcefully(line.stream)
    return [moment - begun - number / rate for line in lines for number, moment in line.answered.items()]


async def _connect(url: str) -> Line:
    parts = urlsplit(url)
    assert parts.hostname is not None, "the stage gives whole addresses"
    stream = await trio.open_tcp_stream(parts.hostname, parts.port or 80)
    await shake_hands(stream, parts.netloc, parts.path or "/", {})
    return Line(stream)


def _messages(buffer: bytearray) -> list[bytes]:
    """Take whole text frames out of `buffer`; the server sends one frame a message and masks none."""
    found: list[bytes] = []
    start = 0
    while len(buffer) - start >= 2:
        size, body = buffer[start + 1], start + 2
        if size == _MEDIUM:
            size, body = int.from_bytes(buffer[start + 2 : start + 4], "big"), start + 4
        elif size > _MEDIUM:
            size, body = int.from_bytes(buffer[start + 2 : start + 10], "big"), start + 10
        if len(buffer) < body + size:
            break
        if buffer[start] == _TEXT:
            found.append(bytes(buffer[body : body + size]))
        start = body + size
    del buffer[:start]
    return found
