"""The oracle of a replay: prices and surfaces, co-signed by its feeders and submitted like anybody's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import trio

from rollup.crypto.signatures import sign
from rollup.feeder.limits import allowed_surface, prices_within_limits
from rollup.feeder.statements import Statement, Subject, digest_of, price_statement, surface_statement
from rollup.quant.sources import Prices
from rollup.quant.surfaces import Surface
from rollup.sequencer.exchange import Exchange
from rollup.sequencer.rejections import REFUSALS
from rollup.types.leaves import Series, Underlying
from rollup.types.reasons import Reason
from rollup.types.transactions import SurfaceUpdate

PATIENCE: Final = 100
"""Tries, a hundredth of a second apart, until the block that was opened before the clock moved is sealed."""


class Feed:
    """Feeders of one underlying. `known` is its leaf, whose limits a price must keep or be refused."""

    def __init__(
        self, exchange: Exchange, separator: bytes, underlying: int, known: Underlying, keys: Sequence[bytes]
    ) -> None:
        self.clipped = 0
        """Prices and surfaces that moved too fast to be said at once, so that the oracle lagged behind its source."""
        self._exchange = exchange
        self._separator = separator
        self._underlying = underlying
        self._known = known
        self._series: dict[int, Series] = {}
        self._keys = keys

    async def publish(self, wanted: Prices, time: int, surfaces: Mapping[int, Surface] | None = None) -> None:
        """Have the rollup take the price of `time`, and surfaces by series right after it; Refused if it will not."""
        prices = prices_within_limits(wanted, self._known, time)
        self.clipped += prices != wanted
        known = replace(self._known, spot=prices.spot, mark=prices.mark, time=time)
        statements: list[Statement] = [price_statement(self._underlying, time, prices)]
        for number, surface in (surfaces or {}).items():
            allowed = allowed_surface(surface, known, self._leaf(number), time)
            self.clipped += allowed != surface
            statements.append(surface_statement(Subject(self._underlying, number), time, allowed))
        signed = await trio.to_thread.run_sync(self._sign_all, statements)
        async with trio.open_nursery() as nursery:
            for statement in signed:
                await nursery.start(self._submit, statement)
        self._known = known
        for statement in signed:
            if isinstance(statement, SurfaceUpdate):
                self._remember(statement)

    def _leaf(self, number: int) -> Series:
        """What the rollup last took for a series; its terms are read once."""
        if number not in self._series:
            self._series[number] = self._exchange.oracle().series[self._underlying, number]
        return self._series[number]

    def _remember(self, said: SurfaceUpdate) -> None:
        self._series[said.series] = replace(
            self._series[said.series], time=said.time, forward=said.forward, a=said.a, b=said.b, rho=said.rho,
            m=said.m, sigma=said.sigma, confidence=said.confidence,
        )  # fmt: skip

    def _sign_all(self, statements: Sequence[Statement]) -> list[Statement]:
        bitmap = (1 << len(self._keys)) - 1
        signed: list[Statement] = []
        for statement in statements:
            digest = digest_of(self._separator, statement)
            signed.append(replace(statement, signers=bitmap, signatures=tuple(sign(digest, key) for key in self._keys)))
        return signed

    async def _submit(
        self, statement: Statement, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        task_status.started()  # up to the exchange's queue nothing else runs, so statements arrive in order
        for attempt in range(PATIENCE):
            try:
                await self._exchange.submit(statement)
                break
            except REFUSALS[Reason.ORACLE_TIME]:
                if attempt == PATIENCE - 1:
                    raise
                await trio.sleep(0.01)
