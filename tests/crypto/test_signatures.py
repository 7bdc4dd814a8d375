from __future__ import annotations

import pytest
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from rollup.crypto.signatures import (
    HALF_ORDER,
    ORDER,
    SignatureFault,
    SignatureInvalid,
    SignatureMalformed,
    address_of,
    recover,
    recover_many,
    sign,
)

digests = st.binary(min_size=32, max_size=32)
private_keys = st.integers(1, ORDER - 1).map(lambda secret: secret.to_bytes(32, "big"))


@settings(deadline=None)
@given(private_keys, digests)
def test_signature_recovers_to_its_address_and_equals_a_wallets(key: bytes, digest: bytes) -> None:
    """Signing is deterministic with low s, so a wallet makes the very same r, s and parity."""
    signature = sign(digest, key)
    wallet = Account.unsafe_sign_hash(digest, key)
    assert signature[:32] == wallet.r.to_bytes(32, "big")
    assert int.from_bytes(signature[32:], "big") == wallet.s | (wallet.v - 27) << 255
    assert recover(digest, signature) == address_of(key) == bytes.fromhex(Account.from_key(key).address[2:])


def compact(r: int, s: int, parity: int) -> bytes:
    """The 64 bytes for any numbers."""
    return r.to_bytes(32, "big") + (parity << 255 | s).to_bytes(32, "big")


@settings(deadline=None)
@given(private_keys, digests, st.integers(0, 1))
def test_twin_with_high_s_does_not_recover_to_the_signer(key: bytes, digest: bytes, parity: int) -> None:
    """(r, n - s) is a valid ECDSA signature as well; no way to write it into 64 bytes is accepted for the signer."""
    signature = sign(digest, key)
    s = int.from_bytes(signature[32:], "big") & (1 << 255) - 1
    twin = compact(int.from_bytes(signature[:32], "big"), ORDER - s, parity)
    assert recover_many([(digest, twin)]) != [address_of(key)]


@pytest.mark.parametrize(
    ("signature", "fault"),
    [
        (compact(1, HALF_ORDER + 1, 0), SignatureMalformed),
        (compact(1, HALF_ORDER + 1, 1), SignatureMalformed),
        (compact(1, (1 << 255) - 1, 0), SignatureMalformed),
        (compact(ORDER, HALF_ORDER + 1, 0), SignatureMalformed),
        (compact(0, 1, 0), SignatureInvalid),
        (compact(1, 0, 0), SignatureInvalid),
        (compact(1, 0, 1), SignatureInvalid),
        (compact(ORDER, 1, 0), SignatureInvalid),
        (compact(2**256 - 1, 1, 1), SignatureInvalid),
        (compact(5, 1, 0), SignatureInvalid),  # no point of the curve has x = 5
        (bytes(64), SignatureInvalid),
        (bytes(63), SignatureInvalid),
        (bytes(65), SignatureInvalid),
        (b"", SignatureInvalid),
    ],
)
def test_signature_at_each_bound_is_refused_by_its_type(signature: bytes, fault: type[SignatureFault]) -> None:
    """High s is looked at first; everything else that recovers nothing is invalid."""
    with pytest.raises(fault) as caught:
        recover(b"d" * 32, signature)
    assert type(caught.value) is fault


def test_half_order_itself_is_still_accepted() -> None:
    """The bound is inclusive, as on L1."""
    assert len(recover(b"d" * 32, compact(1, HALF_ORDER, 0))) == 20


def test_other_digest_recovers_to_another_address() -> None:
    """A signature speaks for one digest only."""
    key = b"\x01" * 32
    assert recover(b"b" * 32, sign(b"a" * 32, key)) != address_of(key)


def test_recover_many_keeps_order_and_faults() -> None:
    """One bad signature spoils no other."""
    key = b"\x01" * 32
    digest = b"a" * 32
    results = recover_many([(digest, sign(digest, key)), (digest, bytes(64)), (digest, compact(1, HALF_ORDER + 1, 0))])
    assert results[0] == address_of(key)
    assert type(results[1]) is SignatureInvalid
    assert type(results[2]) is SignatureMalformed
