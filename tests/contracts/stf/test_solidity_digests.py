"""What is signed and hashed on L1 is what Python signs and hashes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from challenger.execute import PyEvm, header_tuple
from rollup.crypto.eip712 import (
    acceptance_digest,
    bid_digest,
    cancel_digest,
    legs_hash,
    oracle_digest,
    order_digest,
    quote_digest,
    set_signer_digest,
    surface_digest,
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
U16, U32, FLAGS = st.integers(0, (1 << 16) - 1), st.integers(0, (1 << 32) - 1), st.integers(0, 15)
I32, I48, I64 = (st.integers(-(1 << bits - 1), (1 << bits - 1) - 1) for bits in (32, 48, 64))
WORD, ADDRESS = st.binary(min_size=32, max_size=32), st.binary(min_size=20, max_size=20)
KEY = bytes(31) + b"\x07"
NO_ADDRESS = bytes(20)


def wire(*fields: tuple[int, int]) -> bytes:
    """Numbers and their widths in bytes, as they stand in a transaction."""
    return b"".join(value.to_bytes(width, "big", signed=value < 0) for value, width in fields)


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
    fields = wire((account, 3), (market, 2), (flags, 1), (size, 6), (price, 6), (nonce, 8), (expiry, 5))
    expected = order_digest(SEPARATOR, account, market, flags, size, price, nonce, expiry)
    assert libraries.call("order", SEPARATOR, fields) == expected


@settings(deadline=None)
@given(account=U24, other=U24, amount=U64, nonce=U64, cancel_all=st.booleans(), signer=ADDRESS)
def test_account_digests_equal_the_python_ones(
    libraries: Contract, account: int, other: int, amount: int, nonce: int, cancel_all: bool, signer: bytes
) -> None:
    """Cancel, withdraw, transfer and signer."""

    def call(name: str, fields: bytes) -> bytes:
        return bytes(libraries.call(name, SEPARATOR, fields))

    who, number, sum_ = wire((account, 3)), wire((nonce, 8)), wire((amount, 8))
    assert call("cancel", who + bytes([cancel_all]) + number) == cancel_digest(SEPARATOR, account, cancel_all, nonce)
    assert call("withdraw", who + sum_ + number) == withdraw_digest(SEPARATOR, account, amount, nonce)
    transferred = transfer_digest(SEPARATOR, account, other, amount, nonce)
    assert call("transfer", who + wire((other, 3)) + sum_ + number) == transferred
    assert call("setSigner", who + signer + number) == set_signer_digest(SEPARATOR, account, signer, nonce)


@settings(deadline=None)
@given(underlying=U16, time=U40, spot=U48, mark=U48)
def test_oracle_digest_equals_the_python_one(
    libraries: Contract, underlying: int, time: int, spot: int, mark: int
) -> None:
    """What a feeder signs."""
    expected = oracle_digest(SEPARATOR, underlying, time, spot, mark)
    fields = wire((underlying, 2), (time, 5), (spot, 6), (mark, 6))
    assert libraries.call("oracle", SEPARATOR, fields) == expected


@settings(deadline=None)
@given(underlying=U16, series=U16, time=U40, forward=U48, a=I48, b=U48, rho=I32, m=I48, sigma=U48, confidence=U32)
def test_surface_digest_equals_the_python_one(
    libraries: Contract, underlying: int, series: int, time: int, forward: int, a: int, b: int, rho: int, m: int,
    sigma: int, confidence: int,
) -> None:  # fmt: skip
    """Negative parameters are signed as what they are."""
    expected = surface_digest(SEPARATOR, underlying, series, time, forward, a, b, rho, m, sigma, confidence)
    fields = wire(
        (underlying, 2), (series, 2), (time, 5), (forward, 6), (a, 6), (b, 6), (rho, 4), (m, 6), (sigma, 6),
        (confidence, 4),
    )  # fmt: skip
    assert libraries.call("surface", SEPARATOR, fields) == expected


@settings(deadline=None)
@given(account=U24, liquidator=U24, fraction=U32, limit=I64, nonce=U64, expiry=U40)
def test_bid_digest_equals_the_python_one(
    libraries: Contract, account: int, liquidator: int, fraction: int, limit: int, nonce: int, expiry: int
) -> None:
    """The limit may be below zero."""
    expected = bid_digest(SEPARATOR, account, liquidator, fraction, limit, nonce, expiry)
    fields = wire((account, 3), (liquidator, 3), (fraction, 4), (limit, 8), (nonce, 8), (expiry, 5))
    assert libraries.call("bid", SEPARATOR, fields) == expected


@settings(deadline=None)
@given(
    maker=U24, taker=U24, legs=st.lists(st.tuples(U16, st.integers(0, 1), U48, U48), min_size=1, max_size=4),
    nonce=U64, expiry=U40,
)  # fmt: skip
def test_combo_digests_equal_the_python_ones(
    libraries: Contract, maker: int, taker: int, legs: list[tuple[int, int, int, int]], nonce: int, expiry: int
) -> None:
    """Quote and acceptance of the same legs are different words."""
    data = b"".join(wire((m, 2), (f, 1), (size, 6), (price, 6)) for m, f, size, price in legs)
    for is_maker, digest in ((True, quote_digest), (False, acceptance_digest)):
        expected = digest(SEPARATOR, maker, taker, legs_hash(legs), nonce, expiry)
        assert libraries.call("consent", SEPARATOR, is_maker, maker, taker, data, nonce, expiry) == expected


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
