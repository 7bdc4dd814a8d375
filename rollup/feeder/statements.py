"""What feeders sign: an update without its signatures, the digest of it, and what it is about."""

from __future__ import annotations

from typing import NamedTuple

from rollup.crypto.eip712 import oracle_digest, surface_digest
from rollup.quant.sources import Prices
from rollup.quant.surfaces import Surface
from rollup.quant.svi import WireSvi
from rollup.types.markets import Series
from rollup.types.prices import OracleUpdate, SurfaceUpdate

Statement = OracleUpdate | SurfaceUpdate
"""Unsigned as long as `signers` is 0."""


class Subject(NamedTuple):
    """What a statement is about: a coin, or (series 1 and up) one of its expiries."""

    underlying: int
    series: int = 0


def price_statement(underlying: int, time: int, prices: Prices) -> OracleUpdate:
    """An unsigned price of `time` (s)."""
    return OracleUpdate(underlying, time, prices.spot, prices.mark, 0, ())


def surface_statement(subject: Subject, time: int, surface: Surface) -> SurfaceUpdate:
    """An unsigned forward and slice of `time` (s)."""
    svi = surface.svi
    return SurfaceUpdate(
        subject.underlying, subject.series, time, surface.forward, svi.a, svi.b, svi.rho, svi.m, svi.sigma,
        surface.confidence, 0, (),
    )  # fmt: skip


def subject_of(statement: Statement) -> Subject:
    """What it is about."""
    return Subject(statement.underlying, statement.series if isinstance(statement, SurfaceUpdate) else 0)


def surface_of(values: SurfaceUpdate | Series) -> Surface:
    """The surface that an update or a series' leaf holds."""
    svi = WireSvi(values.a, values.b, values.rho, values.m, values.sigma)
    return Surface(values.forward, svi, values.confidence)


def digest_of(separator: bytes, statement: Statement) -> bytes:
    """What a feeder signs."""
    if isinstance(statement, OracleUpdate):
        return oracle_digest(separator, statement.underlying, statement.time, statement.spot, statement.mark)
    return surface_digest(
        separator, statement.underlying, statement.series, statement.time, statement.forward, statement.a, statement.b,
        statement.rho, statement.m, statement.sigma, statement.confidence,
    )  # fmt: skip
