"""Signed transactions of the oracle, of combos and of liquidators; those of traders stand beside the world."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rollup.crypto.eip712 import acceptance_digest, bid_digest, legs_hash, quote_digest, surface_digest
from rollup.crypto.signatures import sign
from rollup.types.transactions import FLAG_SELL, Bid, ComboTrade, Leg, SurfaceUpdate
from tests.differential.world import NOW, SEPARATOR, SLICE, key_of

FOREVER = NOW + 10**7


def surface(underlying: int, series: int, time: int, forward: int, signers: Iterable[int] = (0, 1), **terms: int) -> SurfaceUpdate:  # fmt: skip  # noqa: E501
    """A forward and slice signed by these feeders; slice parameters and `confidence` may be given."""
    svi = {name: terms.get(name, value) for name, value in SLICE.items()}
    confidence = terms.get("confidence", 900_000)
    digest = surface_digest(
        SEPARATOR, underlying, series, time, forward, svi["a"], svi["b"], svi["rho"], svi["m"], svi["sigma"], confidence
    )
    numbers = sorted(signers)
    return SurfaceUpdate(
        underlying, series, time, forward, **svi, confidence=confidence, signers=sum(1 << n for n in numbers),
        signatures=tuple(sign(digest, key_of("feeder", n)) for n in numbers),
    )  # fmt: skip


def bid(account: int, liquidator: int, nonce: int, fraction: int = 10**6, limit: int = (1 << 63) - 1,
        expiry: int = FOREVER, key: bytes | None = None) -> Bid:  # fmt: skip
    """A bid signed by the liquidator's owner or by `key`: for all of a portfolio at any price unless told otherwise."""
    digest = bid_digest(SEPARATOR, account, liquidator, fraction, limit, nonce, expiry)
    signature = sign(digest, key or key_of("owner", liquidator))
    return Bid(account, liquidator, fraction, limit, nonce, expiry, signature)


def leg(market: int, size: int, price: int, *, sell: bool = False) -> Leg:
    """A leg that the maker buys, or sells."""
    return Leg(market, FLAG_SELL if sell else 0, size, price)


def combo(maker: int, taker: int, nonce: int, legs: Sequence[Leg], **terms: Any) -> ComboTrade:
    """A combo signed by both; `taker_nonce`, `maker_expiry`, `taker_expiry`, `maker_key`, `taker_key` may be given."""
    hashed = legs_hash((item.market, item.flags, item.size, item.price) for item in legs)
    second = terms.get("taker_nonce", nonce)
    made, taken = terms.get("maker_expiry", FOREVER), terms.get("taker_expiry", FOREVER)
    quote = quote_digest(SEPARATOR, maker, taker, hashed, nonce, made)
    acceptance = acceptance_digest(SEPARATOR, maker, taker, hashed, second, taken)
    return ComboTrade(
        maker, taker, tuple(legs), nonce, made, sign(quote, terms.get("maker_key") or key_of("owner", maker)),
        second, taken, sign(acceptance, terms.get("taker_key") or key_of("owner", taker)),
    )  # fmt: skip
