"""What a replay of an option chain is made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from rollup.errors import ConfigError
from rollup.quant.chain import Chain, Expiry
from rollup.types.limits import MILLION

LISTING_DELAY: Final = 600
"""Seconds between a listing on L1 and its opening."""
ROUND: Final = 15
"""Recorded seconds from one round of trades to the next; surfaces are renewed in each."""


@dataclass(frozen=True, slots=True)
class ChainSettings:
    """One replay. `l1` is the URL of a development node, None for an embedded one; `folder` keeps database and logs.

    In each of `rounds` the takers place about `orders` orders. `audit_ppm` of the blocks are executed by a challenger
    in py-evm.
    """

    chain: Chain
    folder: Path
    rounds: int = 12
    orders: int = 40
    takers: int = 12
    seed: int = 1
    audit_ppm: int = MILLION
    l1: str | None = None


def cut_chain(chain: Chain, expiries: int | None, strikes: int | None) -> Chain:
    """The first so many expiries, each with so many strikes nearest to its forward; None keeps all.

    ConfigError if nothing would be left.
    """
    if (expiries is not None and expiries < 1) or (strikes is not None and strikes < 1):
        raise ConfigError("expiries and strikes: at least one")
    kept = chain.expiries[:expiries]
    return replace(chain, expiries=tuple(_nearest(expiry, strikes) for expiry in kept))


def _nearest(expiry: Expiry, strikes: int | None) -> Expiry:
    if strikes is None:
        return expiry
    forward = expiry.forward() * MILLION
    near = sorted({quote.strike for quote in expiry.quotes}, key=lambda strike: abs(strike - forward))[:strikes]
    return replace(expiry, quotes=tuple(quote for quote in expiry.quotes if quote.strike in near))
