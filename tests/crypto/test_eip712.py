"""Every digest against the general encoder of the wallet library."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from eth_account.messages import _hash_eip191_message, encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from rollup.crypto import eip712

CHAIN, ROLLUP = 31337, bytes(range(20))
SEPARATOR = eip712.domain_separator(CHAIN, ROLLUP)
DOMAIN = {"name": "Plumbline", "version": "1", "chainId": CHAIN, "verifyingContract": "0x" + ROLLUP.hex()}

u16 = st.integers(0, 2**16 - 1)
u32 = st.integers(0, 2**32 - 1)
u64 = st.integers(0, 2**64 - 1)
i64 = st.integers(-(2**63), 2**63 - 1)
legs_ = st.lists(st.tuples(u32, st.integers(0, 1), u64, u64), min_size=1, max_size=4)


def fields(type_text: str) -> tuple[str, list[dict[str, str]]]:
    """Name and members of a struct type as written in its type string."""
    name, members = type_text.rstrip(")").split("(")
    return name, [dict(zip(("type", "name"), member.split(), strict=True)) for member in members.split(",")]


LEG = [{"type": kind, "name": name} for kind, name in (
    ("uint32", "market"), ("bool", "isBuy"), ("uint64", "size"), ("uint64", "price")
)]  # fmt: skip


def combo_oracle(name: str, legs: list[tuple[int, int, int, int]], *values: int) -> bytes:
    """The digest of a quote or an acceptance by `encode_typed_data`."""
    kinds = ("uint32 maker", "uint32 taker", "Leg[] legs", "uint64 nonce", "uint64 expiry")
    members = [dict(zip(("type", "name"), kind.split(), strict=True)) for kind in kinds]
    maker, taker, nonce, expiry = values
    shown = [
        {"market": market, "isBuy": not flags & 1, "size": size, "price": price} for market, flags, size, price in legs
    ]
    message = {"maker": maker, "taker": taker, "legs": shown, "nonce": nonce, "expiry": expiry}
    return _hash_eip191_message(encode_typed_data(DOMAIN, {name: members, "Leg": LEG}, message))


def oracle(type_text: str, *values: Any) -> bytes:
    """The digest by `encode_typed_data`."""
    name, members = fields(type_text)
    message = {member["name"]: value for member, value in zip(members, values, strict=True)}
    return _hash_eip191_message(encode_typed_data(DOMAIN, {name: members}, message))


@settings(max_examples=50, deadline=None)
@given(u32, u32, st.integers(0, 15), u64, u64, u64, u64)
def test_order_digest_matches_a_wallet(
    account: int, market: int, flags: int, size: int, price: int, nonce: int, expiry: int
) -> None:
    """All sixteen combinations of flags and all field widths."""
    sell, post, reduce, immediate = (bool(flags >> bit & 1) for bit in range(4))
    expected = oracle(eip712.ORDER_TYPE, account, market, not sell, post, reduce, immediate, size, price, nonce, expiry)
    assert eip712.order_digest(SEPARATOR, account, market, flags, size, price, nonce, expiry) == expected


@settings(max_examples=25, deadline=None)
@given(u32, u32, st.booleans(), u64, u64, u64, st.binary(min_size=20, max_size=20), st.binary(min_size=32, max_size=32))
def test_other_digests_match_a_wallet(
    a: int, b: int, every: bool, x: int, y: int, z: int, address: bytes, hashed: bytes
) -> None:
    """Cancel, withdraw, transfer, signer, oracle and header digests."""
    assert eip712.cancel_digest(SEPARATOR, a, every, x) == oracle(eip712.CANCEL_TYPE, a, every, x)
    assert eip712.withdraw_digest(SEPARATOR, a, x, y) == oracle(eip712.WITHDRAW_TYPE, a, x, y)
    assert eip712.transfer_digest(SEPARATOR, a, b, x, y) == oracle(eip712.TRANSFER_TYPE, a, b, x, y)
    assert eip712.set_signer_digest(SEPARATOR, a, address, x) == oracle(
        eip712.SET_SIGNER_TYPE, a, "0x" + address.hex(), x
    )
    assert eip712.oracle_digest(SEPARATOR, a, x, y, z) == oracle(eip712.ORACLE_UPDATE_TYPE, a, x, y, z)
    assert eip712.header_digest(SEPARATOR, hashed) == oracle(eip712.BLOCK_HEADER_TYPE, hashed)


@settings(max_examples=25, deadline=None)
@given(u32, u32, u64, i64, u64, i64)
def test_surface_and_bid_digests_match_a_wallet(a: int, b: int, x: int, y: int, z: int, w: int) -> None:
    """Signed fields are extended over their whole word."""
    values = (a, b, x, z, y, x, w, y, z, x)
    assert eip712.surface_digest(SEPARATOR, *values) == oracle(eip712.SURFACE_UPDATE_TYPE, *values)
    assert eip712.bid_digest(SEPARATOR, a, b, x, y, z, x) == oracle(eip712.BID_TYPE, a, b, x, y, z, x)


@settings(max_examples=25, deadline=None)
@given(u32, u32, legs_, u64, u64)
def test_combo_digests_match_a_wallet(
    maker: int, taker: int, legs: list[tuple[int, int, int, int]], nonce: int, expiry: int
) -> None:
    """An array of structs is hashed leg by leg; the two sides sign different types."""
    hashed = eip712.legs_hash(legs)
    quote = eip712.quote_digest(SEPARATOR, maker, taker, hashed, nonce, expiry)
    assert quote == combo_oracle("Quote", legs, maker, taker, nonce, expiry)
    acceptance = eip712.acceptance_digest(SEPARATOR, maker, taker, hashed, nonce, expiry)
    assert acceptance == combo_oracle("Acceptance", legs, maker, taker, nonce, expiry)
    assert quote != acceptance


def test_digests_differ_between_chains_and_contracts() -> None:
    """A signature for one deployment is worth nothing at another."""
    separators = {eip712.domain_separator(chain, address) for chain in (1, 2) for address in (ROLLUP, bytes(20))}
    assert len({eip712.withdraw_digest(separator, 1, 2, 3) for separator in separators}) == 4


def test_digest_of_a_value_beyond_its_field_is_an_error() -> None:
    """Nothing is cut off silently."""
    with pytest.raises(struct.error):
        eip712.withdraw_digest(SEPARATOR, 1, 2**64, 1)
    with pytest.raises(struct.error):
        eip712.withdraw_digest(SEPARATOR, 2**32, 1, 1)
