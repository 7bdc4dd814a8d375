"""The sequencer as feeders know it: the oracle's part of the state by its RPC, and the door for updates.

What it says of the state only decides what is proposed. Each key signs by its own sources (`judge`), so that a
sequencer that lies about the last price gets no signature for a wrong one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import trio

from rollup.errors import PlumblineError
from rollup.feeder.statements import Statement
from rollup.rpc.client import HttpRpc, RpcError, WsRpc
from rollup.types.markets import Series, Underlying
from rollup.types.prices import OracleUpdate

SECONDS: Final = 20.0
"""How long one answer is waited for."""
MALFORMED: Final = -32_603
"""Code of an answer that is none."""


class VenueSilent(PlumblineError):  # noqa: N818 - a state of affairs
    """The sequencer did not answer in time; whether an update took effect is unknown."""


@dataclass(frozen=True, slots=True)
class Known:
    """The oracle's part of the state. `time` (s) is that of the block under construction, `feeders` are addresses."""

    time: int
    threshold: int
    feeders: tuple[bytes, ...]
    underlyings: Mapping[int, Underlying]
    series: Mapping[tuple[int, int], Series]

    def open_series(self, underlying: int) -> dict[int, Series]:
        """The coin's series that are not settled, by number."""
        return {
            number: series
            for (coin, number), series in self.series.items()
            if coin == underlying and not series.settlement
        }


class Venue:
    """A sequencer on one connection. Raises RpcError, RpcDisconnected, RpcUnreachable, VenueSilent."""

    def __init__(self, rpc: WsRpc | HttpRpc) -> None:
        self._rpc = rpc

    async def known(self) -> Known:
        """The state as the sequencer has it now, durable or not."""
        answer = await self._call("public/get_oracle", {})
        try:
            return read_known(answer)
        except (KeyError, TypeError, ValueError) as error:
            raise RpcError(MALFORMED, f"public/get_oracle answered something else: {error!r}") from error

    async def submit(self, update: Statement) -> int:
        """Have a signed update executed; the number of its block."""
        method, params = update_params(update)
        answer = await self._call(method, params)
        block: int = answer["block_number"]
        return block

    async def _call(self, method: str, params: Mapping[str, Any]) -> Any:
        with trio.move_on_after(SECONDS):
            return await self._rpc.call(method, params)
        raise VenueSilent(f"no answer to {method} within {SECONDS:g} s")


def read_known(answer: Mapping[str, Any]) -> Known:
    """The answer of `public/get_oracle`; KeyError, TypeError or ValueError if it is none."""
    underlyings = {
        row["underlying"]: Underlying(**_leaf(row, "underlying", "currency")) for row in answer["underlyings"]
    }
    series = {
        (row["underlying"], row["series"]): Series(**_leaf(row, "underlying", "series")) for row in answer["series"]
    }
    feeders = tuple(bytes.fromhex(text[2:]) for text in answer["feeders"])
    return Known(answer["time"], answer["threshold"], feeders, underlyings, series)


def update_params(update: Statement) -> tuple[str, dict[str, Any]]:
    """Method and parameters that submit an update."""
    signed = {"signers": update.signers, "signatures": [f"0x{each.hex()}" for each in update.signatures]}
    if isinstance(update, OracleUpdate):
        prices = {"spot": str(update.spot), "mark": str(update.mark)}
        return "oracle/update", {"underlying": update.underlying, "time": update.time, **prices, **signed}
    names = ("underlying", "series", "time", "forward", "a", "b", "rho", "m", "sigma", "confidence")
    return "oracle/surface", {**{name: getattr(update, name) for name in names}, **signed}


def _leaf(row: Mapping[str, Any], *besides: str) -> dict[str, int]:
    """A leaf's fields; numbers that are too long for JSON came as text."""
    return {name: int(value) for name, value in row.items() if name not in besides}
