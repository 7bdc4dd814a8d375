"""The oracle of a replay: the tape's prices, co-signed by its feeders and submitted like anybody's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import trio

from rollup.crypto.eip712 import oracle_digest
from rollup.crypto.signatures import sign
from rollup.devnet.prices import Quote, within_limits
from rollup.sequencer.exchange import Exchange
from rollup.sequencer.rejections import REFUSALS
from rollup.types.leaves import Underlying
from rollup.types.reasons import Reason
from rollup.types.transactions import OracleUpdate

PATIENCE: Final = 100
"""Tries, a hundredth of a second apart, until the block that was opened before the clock moved is sealed."""


class Feed:
    """Feeders of one underlying. `known` is its leaf, whose limits a price must keep or be refused."""

    def __init__(
        self, exchange: Exchange, separator: bytes, underlying: int, known: Underlying, keys: Sequence[bytes]
    ) -> None:
        self.clipped = 0
        """Prices that moved too fast to be said at once, so that the oracle lagged behind the tape."""
        self._exchange = exchange
        self._separator = separator
        self._underlying = underlying
        self._known = known
        self._keys = keys

    async def publish(self, wanted: Quote, time: int) -> None:
        """Have the rollup take the price of `time`; raises Refused if it will not."""
        quote = within_limits(wanted, self._known, time)
        self.clipped += quote != wanted
        digest = oracle_digest(self._separator, self._underlying, time, quote.spot, quote.mark)
        signatures = tuple(sign(digest, key) for key in self._keys)
        bitmap = (1 << len(self._keys)) - 1
        update = OracleUpdate(self._underlying, time, quote.spot, quote.mark, bitmap, signatures)
        for attempt in range(PATIENCE):
            try:
                await self._exchange.submit(update)
                break
            except REFUSALS[Reason.ORACLE_TIME]:
                if attempt == PATIENCE - 1:
                    raise
                await trio.sleep(0.01)
        self._known = replace(self._known, spot=quote.spot, mark=quote.mark, time=time)
