"""Recoverable ECDSA signatures over secp256k1 in the 64-byte form of EIP-2098: r ‖ (yParity << 255 | s).

One signature has exactly one accepted encoding: `s` above half the group order is malformed, so nobody can turn a seen
signature into a second valid one. What recovers here recovers to the same address in the `ecrecover` precompile.

libsecp256k1 releases the interpreter's lock only around each single call, so a worker thread should be handed many at
once (`recover_many`): a thread hop per signature costs three times the recovery.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from coincurve import PrivateKey, PublicKey

from rollup.crypto.keccak import keccak
from rollup.errors import SignatureFault, SignatureInvalid, SignatureMalformed

__all__ = [
    "HALF_ORDER",
    "Recover",
    "SignatureFault",
    "SignatureInvalid",
    "SignatureMalformed",
    "Signer",
    "address_of",
    "recover",
    "recover_many",
    "sign",
]

Recover = Callable[[bytes, bytes], bytes]
"""(digest, 64-byte signature) → 20-byte address, or raises a `SignatureFault`."""

ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
HALF_ORDER: Final = ORDER // 2
_PARITY: Final = 1 << 255
_MALFORMED: Final = "s is above half the group order"


def recover(digest: bytes, signature: bytes) -> bytes:
    """Return the 20-byte address whose key signed the 32-byte `digest`.

    Raises SignatureMalformed if s > n/2 (looked at first), else SignatureInvalid if nothing can be recovered.
    """
    assert len(digest) == 32, "a digest has 32 bytes"
    if len(signature) != 64:
        raise SignatureInvalid(f"a signature has 64 bytes, not {len(signature)}")
    s = int.from_bytes(signature[32:], "big")
    parity = s >> 255
    if parity:
        s ^= _PARITY
    if s > HALF_ORDER:
        raise SignatureMalformed(_MALFORMED)
    compact = signature[:32] + s.to_bytes(32, "big") + (b"\x01" if parity else b"\x00")
    try:
        key = PublicKey.from_signature_and_message(compact, digest, None)
    except ValueError as error:
        raise SignatureInvalid("no key recovers from the signature") from error
    return keccak(key.format(compressed=False)[1:])[12:]


def recover_many(pairs: Iterable[tuple[bytes, bytes]]) -> list[bytes | SignatureFault]:
    """Return for each (digest, signature) the address, or the fault itself. Meant for a worker thread."""
    results: list[bytes | SignatureFault] = []
    for digest, signature in pairs:
        try:
            results.append(recover(digest, signature))
        except SignatureFault as fault:
            results.append(fault)
    return results


class Signer:
    """A private key ready to sign often: to make it ready takes twice as long as to sign."""

    def __init__(self, private_key: bytes) -> None:
        self._key = PrivateKey(private_key)

    def sign(self, digest: bytes) -> bytes:
        """Return the 64-byte signature of the 32-byte `digest`, deterministic (RFC 6979) and with low s."""
        assert len(digest) == 32, "a digest has 32 bytes"
        compact = self._key.sign_recoverable(digest, None)
        signature = compact[:64]
        if compact[64]:
            signature = signature[:32] + bytes([signature[32] | 0x80]) + signature[33:]
        return signature


def sign(digest: bytes, private_key: bytes) -> bytes:
    """Return what a `Signer` of the 32-byte key signs."""
    return Signer(private_key).sign(digest)


def address_of(private_key: bytes) -> bytes:
    """Return the 20-byte address of a 32-byte private key."""
    return keccak(PrivateKey(private_key).public_key.format(compressed=False)[1:])[12:]
