"""Oracle updates, co-signed by the feeders whose bits stand in `signers`; one signature per bit, ascending."""

from __future__ import annotations

import struct
from typing import Final

from rollup.errors import Unencodable
from rollup.types.fields import LOW, SIGNATURE_SIZE, signatures_at, word
from rollup.types.value import value

_ORACLE: Final = struct.Struct(">BHBIHIHIB")
_SURFACE: Final = struct.Struct(">BHHBIHIhIHIihIHIIB")


@value(frozen=True, slots=True)
class OracleUpdate:
    """A coin's spot and the mark of its perpetual (µUSD per coin) at `time` (s)."""

    underlying: int
    time: int
    spot: int
    mark: int
    signers: int
    signatures: tuple[bytes, ...]


@value(frozen=True, slots=True)
class SurfaceUpdate:
    """The forward (µUSD per coin) and the SVI slice (10^-9) of one expiry at `time` (s); `confidence` in ppm."""

    underlying: int
    series: int
    time: int
    forward: int
    a: int
    b: int
    rho: int
    m: int
    sigma: int
    confidence: int
    signers: int
    signatures: tuple[bytes, ...]


def encode_oracle_update(tx: OracleUpdate) -> bytes:
    """The update's bytes; struct.error or Unencodable if a field does not fit."""
    head = _ORACLE.pack(
        6, tx.underlying, tx.time >> 32, tx.time & LOW, tx.spot >> 32, tx.spot & LOW, tx.mark >> 32, tx.mark & LOW,
        tx.signers,
    )  # fmt: skip
    return head + _join_signatures(tx)


def decode_oracle_update(data: bytes, offset: int) -> tuple[OracleUpdate, int]:
    """The update at `offset`, and the offset after it."""
    _, underlying, th, tl, sh, sl, mh, ml, signers = _ORACLE.unpack_from(data, offset)
    signatures, end = signatures_at(data, offset + _ORACLE.size, signers.bit_count())
    return OracleUpdate(underlying, th << 32 | tl, sh << 32 | sl, mh << 32 | ml, signers, signatures), end


def encode_surface_update(tx: SurfaceUpdate) -> bytes:
    """The update's bytes; struct.error or Unencodable if a field does not fit."""
    head = _SURFACE.pack(
        11, tx.underlying, tx.series, tx.time >> 32, tx.time & LOW, tx.forward >> 32, tx.forward & LOW, tx.a >> 32,
        tx.a & LOW, tx.b >> 32, tx.b & LOW, tx.rho, tx.m >> 32, tx.m & LOW, tx.sigma >> 32, tx.sigma & LOW,
        tx.confidence, tx.signers,
    )  # fmt: skip
    return head + _join_signatures(tx)


def decode_surface_update(data: bytes, offset: int) -> tuple[SurfaceUpdate, int]:
    """The update at `offset`, and the offset after it."""
    (_, underlying, series, th, tl, fh, fl, ah, al, bh, bl, rho, mh, ml, sh, sl, confidence,
     signers) = _SURFACE.unpack_from(data, offset)  # fmt: skip
    signatures, end = signatures_at(data, offset + _SURFACE.size, signers.bit_count())
    update = SurfaceUpdate(
        underlying, series, th << 32 | tl, fh << 32 | fl, ah << 32 | al, bh << 32 | bl, rho, mh << 32 | ml,
        sh << 32 | sl, confidence, signers, signatures,
    )  # fmt: skip
    return update, end


def _join_signatures(tx: OracleUpdate | SurfaceUpdate) -> bytes:
    if tx.signers.bit_count() != len(tx.signatures):
        raise Unencodable(f"{len(tx.signatures)} signatures for signers {tx.signers:#x}")
    return b"".join(word(signature, SIGNATURE_SIZE) for signature in tx.signatures)
