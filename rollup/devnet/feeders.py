"""The oracle's feeders: what the price sources say, within the rollup's limits, co-signed and submitted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import structlog
import trio

from rollup.crypto.eip712 import oracle_digest
from rollup.crypto.signatures import sign
from rollup.devnet.client import Client, Instrument, Ticker
from rollup.devnet.prices import PriceSource, Quote, within_limits
from rollup.rpc.client import RpcError
from rollup.types.genesis import UnderlyingConfig
from rollup.types.leaves import Underlying
from rollup.types.transactions import OracleUpdate

log = structlog.get_logger(__name__)

THIRDS: Final = 3


def threshold_of(feeders: int) -> int:
    """How many feeders must sign where two thirds must, rounded up."""
    return -(-2 * feeders // THIRDS)


class Feeders:
    """Private keys of the oracle set, in its order; `threshold` of them sign each price, taking turns."""

    def __init__(self, keys: Sequence[bytes], threshold: int, separator: bytes) -> None:
        self._keys = keys
        self._threshold = threshold
        self._separator = separator

    def sign(self, underlying: int, time: int, quote: Quote) -> OracleUpdate:
        """A co-signed price of `time` (s)."""
        digest = oracle_digest(self._separator, underlying, time, quote.spot, quote.mark)
        count = len(self._keys)
        signers = sorted((time + turn) % count for turn in range(self._threshold))
        bitmap = sum(1 << signer for signer in signers)
        signatures = tuple(sign(digest, self._keys[signer]) for signer in signers)
        return OracleUpdate(underlying, time, quote.spot, quote.mark, bitmap, signatures)

    async def publish(self, client: Client, instrument: Instrument, wanted: Quote) -> OracleUpdate:
        """Submit the allowed price nearest to `wanted` and return it, waiting if this second has one already.

        Raises RpcError if it is refused.
        """
        known = await client.ticker(instrument.name)
        while known.time <= known.price_time:
            await trio.sleep(0.1)
            known = await client.ticker(instrument.name)
        allowed = within_limits(wanted, limits_of(instrument, known), known.time)
        update = self.sign(instrument.underlying, known.time, allowed)
        await client.submit(update)
        return update


def limits_of(instrument: Instrument, ticker: Ticker) -> Underlying:
    """The coin as a feeder knows it: its last price, and the limits that devnets are deployed with."""
    terms = UnderlyingConfig(instrument.underlying)
    return Underlying(
        ticker.spot, ticker.mark, ticker.price_time, 0, 0,
        terms.funding_cap, terms.spot_step, terms.max_age, terms.max_move, terms.max_basis,
    )  # fmt: skip


async def run_feeders(
    client: Client,
    feeders: Feeders,
    sources: Mapping[str, PriceSource],
    seconds: float,
    begun: float,
    on_price: Callable[[str, OracleUpdate], None] = lambda *_: None,
) -> None:
    """Publish a price of each instrument (by name) every `seconds` until cancelled.

    `begun` is the moment on Trio's clock at which the sources begin. A refused price is logged and the next one tried.
    Raises RpcDisconnected or NoAnswer when the sequencer is gone.
    """
    while True:
        round_began = trio.current_time()
        for name, source in sources.items():
            instrument = await client.instrument(name)
            try:
                update = await feeders.publish(client, instrument, source.quote(trio.current_time() - begun))
            except RpcError as error:
                log.warning("price_refused", instrument=name, error=str(error))
            else:
                on_price(name, update)
        await trio.sleep_until(round_began + seconds)
