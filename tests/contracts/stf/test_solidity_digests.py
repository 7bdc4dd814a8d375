"""What is signed and hashed on L1 is what Python signs and hashes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from challenger.execute import PyEvm, header_tuple
from rollup.crypto.eip712 import (
    cancel_digest,
    oracle_digest,
    order_digest,
    set_signer_digest,
    transfer_digest,
    withdraw_digest,
)
from rollup.crypto.keccak import keccak
from rollup.crypto.signatures import HALF_ORDER, ORDER, address_of, recover, sign
from rollup.errors import SignatureInvalid, SignatureMalformed
from rollup.types.blocks import Header
from rollup.types.reasons import Reason
from tests.support.evm import Contract, PyRevm, Reverted, contract

SEPARATOR = keccak(b"domain")
U24, U40, U48, U64 = (st.integers(0, (1 << bits) - 1) for bits in (24, 40, 48, 64))
U16, FLAGS = st.integers(0, (1 << 16) - 1), st.integers(0, 15)
WORD, ADDRESS = st.binary(min_size=32, max_size=32), st.binary(min_size=20, max_size=20)
KEY = bytes(31) + b"\x07"
NO_ADDRESS = bytes(20)


@pytest.fixture(scope="module")
def libraries() -> Contract:
    """The libraries behind external functions."""
    return contract("StfLibraries")


@settings(deadline=None)
@given(account=U24, market=U16, flags=FLAGS, size=U48, price=U48, nonce=U64, expiry=U40)
def test_order_digest_equals_the_python_one(
    libraries: Contract, account: int, market: int, flags: int, size: int, price: int, nonce: int, expiry: int
) -> None:
    """Every term is part of the digest, in its place."""
    terms = (True, nonce, market, flags, size, price, expiry, 0)
    expected = order_digest(SEPARATOR, account, market, flags, size, price, nonce, expiry)
    assert libraries.call("order", SEPARATOR, account, terms) == expected


@settings(deadline=None)
@given(account=U24, other=U24, amount=U64, nonce=U64, cancel_all=st.booleans(), signer=ADDRESS)
def test_account_digests_equal_the_python_ones(
    libraries: Contract, account: int, other: int, amount: int, nonce: int, cancel_all: bool, signer: bytes
) -> None:
    """Cancel, withdraw, transfer and signer."""
    call = libraries.call
    assert call("cancel", SEPARATOR, account, int(cancel_all), nonce) == cancel_digest(
        SEPARATOR, account, cancel_all, nonce
    )
    assert call("withdraw", SEPARATOR, account, amount, nonce) == withdraw_digest(SEPARATOR, account, amount, nonce)
    assert call("transfer", SEPARATOR, account, other, amount, nonce) == transfer_digest(
        SEPARATOR, account, other, amount, nonce
    )
    assert call("setSigner", SEPARATOR, account, signer, nonce) == set_signer_digest(SEPARATOR, account, signer, nonce)


@settings(deadline=None)
@given(underlying=U16, time=U40, spot=U48, mark=U48)
def test_oracle_digest_equals_the_python_one(
    libraries: Contract, underlying: int, time: int, spot: int, mark: int
) -> None:
    """What a feeder signs."""
    expected = oracle_digest(SEPARATOR, underlying, time, spot, mark)
    assert libraries.call("oracle", SEPARATOR, underlying, time, spot, mark) == expected


@settings(deadline=None)
@given(number=U40, fork=st.integers(0, (1 << 32) - 1), root=WORD, time=U40, index=U40, inbox=WORD, txs=WORD, state=WORD)
def test_header_hash_equals_the_python_one(
    libraries: Contract, number: int, fork: int, root: bytes, time: int, index: int, inbox: bytes, txs: bytes,
    state: bytes,
) -> None:  # fmt: skip
    """147 packed bytes."""
    header = Header(number, fork, root, time, index, inbox, txs, state)
    assert libraries.call("hashHeader", header_tuple(header)) == keccak(header.encode())


def python_answer(digest: bytes, signature: bytes) -> tuple[int, bytes]:
    """Reason and signer as the Python twin sees them."""
    try:
        return Reason.NONE, recover(digest, signature)
    except SignatureMalformed:
        return Reason.SIGNATURE_MALFORMED, NO_ADDRESS
    except SignatureInvalid:
        return Reason.SIGNATURE_INVALID, NO_ADDRESS


@settings(deadline=None)
@given(digest=WORD, key=st.integers(1, ORDER - 1))
def test_signatures_recover_to_their_signer(libraries: Contract, digest: bytes, key: int) -> None:
    """Both parities occur."""
    secret = key.to_bytes(32, "big")
    assert libraries.call("recover", digest, sign(digest, secret)) == (0, address_of(secret))


SCALARS = st.integers(0, 3) | st.integers(ORDER - 2, ORDER + 2) | st.integers(HALF_ORDER - 2, HALF_ORDER + 2)


@settings(deadline=None)
@given(
    digest=WORD | st.just(bytes(32)),
    r=SCALARS | st.integers(0, (1 << 256) - 1),
    s=SCALARS | st.integers(0, (1 << 255) - 1),
    parity=st.integers(0, 1),
)
def test_odd_signatures_are_judged_alike(libraries: Contract, digest: bytes, r: int, s: int, parity: int) -> None:
    """At the edges of r and s the twins give the same reason or the same address."""
    signature = r.to_bytes(32, "big") + (parity << 255 | s & ((1 << 255) - 1)).to_bytes(32, "big")
    assert libraries.call("recover", digest, signature) == python_answer(digest, signature)


@pytest.mark.parametrize("executor", [PyEvm, PyRevm])
def test_recovery_with_too_little_gas_reverts(executor: type[PyEvm | PyRevm]) -> None:
    """At no amount of gas is a good signature called invalid: it recovers, or the call reverts."""
    libraries = contract("StfLibraries", executor)
    digest = keccak(b"message")
    signature = sign(digest, KEY)
    needed = libraries.gas_of("recover", digest, signature)
    answers, reverts = 0, set()
    for gas in range(200, needed + 2000, 50):
        try:
            assert libraries.call("recover", digest, signature, gas=gas) == (0, address_of(KEY))
            answers += 1
        except Reverted as revert:
            reverts.add(revert.name)
    assert answers > 0
    assert reverts >= {""}
