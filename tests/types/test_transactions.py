"""Transactions and inbox messages on the wire."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollup.errors import Undecodable, Unencodable
from rollup.types.listing import MarketConfig, SeriesConfig, UnderlyingConfig
from rollup.types.messages import Deposit, Forced, List, Message, Open, decode_message, encode_message
from rollup.types.transactions import (
    Bid,
    Cancel,
    ComboTrade,
    Deleverage,
    Flag,
    FreshOrder,
    Leg,
    OracleUpdate,
    OrderRef,
    SetSigner,
    Settle,
    SurfaceUpdate,
    Trade,
    Transaction,
    Transfer,
    Withdraw,
    WriteOff,
    decode_transaction,
    decode_transactions,
    encode_transaction,
)


def u(bits: int) -> st.SearchStrategy[int]:
    """Unsigned numbers of so many bits."""
    return st.integers(0, 2**bits - 1)


def i(bits: int) -> st.SearchStrategy[int]:
    """Signed numbers of so many bits."""
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def raw(size: int) -> st.SearchStrategy[bytes]:
    """Bytes of one length."""
    return st.binary(min_size=size, max_size=size)


orders = st.builds(FreshOrder, u(24), u(16), u(4), u(48), u(48), u(64), u(40), raw(64))
references = st.builds(OrderRef, u(24), u(13))
sides = st.one_of(orders, references)
oracle_updates = u(8).flatmap(
    lambda signers: st.builds(
        OracleUpdate,
        u(16),
        u(40),
        u(48),
        u(48),
        st.just(signers),
        st.tuples(*[raw(64)] * signers.bit_count()),
    )
)
surface_updates = u(8).flatmap(
    lambda signers: st.builds(
        SurfaceUpdate,
        *(u(16), u(16), u(40), u(48), i(48), u(48), i(32), i(48), u(48), u(32)),
        st.just(signers),
        st.tuples(*[raw(64)] * signers.bit_count()),
    )
)
legs = st.lists(st.builds(Leg, u(16), u(1), u(48), u(48)), min_size=1, max_size=4).map(tuple)
transactions = st.one_of(
    st.builds(Trade, sides, sides, u(48)),
    st.builds(Cancel, u(24), st.booleans(), u(64), raw(64)),
    st.builds(Withdraw, u(24), u(64), u(64), raw(64)),
    st.builds(Transfer, u(24), u(24), u(64), u(64), raw(64)),
    st.builds(SetSigner, u(24), raw(20), u(64), raw(64)),
    oracle_updates,
    surface_updates,
    st.builds(Settle, u(24)),
    st.builds(Flag, u(24)),
    st.builds(Bid, u(24), u(24), u(32), i(64), u(64), u(40), raw(64)),
    st.builds(Deleverage, u(24), u(24), u(16), u(48)),
    st.builds(WriteOff, u(24)),
    st.builds(ComboTrade, u(24), u(24), legs, u(64), u(40), raw(64), u(64), u(40), raw(64)),
)
items = st.one_of(
    st.builds(UnderlyingConfig, u(16), *[u(32)] * 14),
    st.builds(SeriesConfig, u(16), u(16), u(40)),
    st.builds(MarketConfig, u(16), u(16), u(48), u(48), u(8), u(16), u(48), *[u(32)] * 4, u(64), u(64)),
)
messages = st.one_of(
    st.builds(Open, u(24), raw(20), u(64)),
    st.builds(Deposit, u(24), u(64)),
    st.builds(Forced, raw(20), st.binary(max_size=491)),
    st.builds(List, u(40), items),
)
COMBO = ComboTrade(1, 2, (Leg(3, 0, 5, 6), Leg(4, 1, 7, 8)), 9, 10, b"m" * 64, 11, 12, b"t" * 64)
ORDER = FreshOrder(1, 1, 0, 10, 10, 1, 1, bytes(64))


@given(st.lists(transactions, max_size=5))
def test_transactions_survive_their_encoding(txs: list[Transaction]) -> None:
    """Joined transactions need no separators."""
    assert decode_transactions(b"".join(map(encode_transaction, txs))) == txs


@given(transactions, st.binary(max_size=8), st.binary(max_size=8))
def test_decoding_stops_where_the_transaction_ends(tx: Transaction, before: bytes, after: bytes) -> None:
    """Surrounding bytes do not matter, and the next offset is exact."""
    data = encode_transaction(tx)
    assert decode_transaction(before + data + after, len(before)) == (tx, len(before) + len(data))


@given(transactions, st.data())
def test_a_cut_transaction_is_undecodable(tx: Transaction, data: st.DataObject) -> None:
    """Missing bytes are never taken as zero."""
    encoded = encode_transaction(tx)
    with pytest.raises(Undecodable):
        decode_transaction(encoded[: data.draw(st.integers(0, len(encoded) - 1))])


typed_bytes = st.tuples(st.sampled_from([bytes([kind]) for kind in range(12)]), st.binary(max_size=260)).map(b"".join)


@given(st.one_of(st.binary(max_size=300), typed_bytes))
def test_whatever_decodes_is_canonical(data: bytes) -> None:
    """No transaction has a second encoding."""
    try:
        tx, end = decode_transaction(data)
    except Undecodable:
        return
    assert encode_transaction(tx) == data[:end]


def test_sizes_are_those_of_the_spec() -> None:
    """Calldata costs money: a fresh order is 95 bytes, a reference 5."""
    assert len(encode_transaction(Trade(ORDER, ORDER, 1))) == 8 + 95 + 95
    assert len(encode_transaction(Trade(OrderRef(1, 2), ORDER, 1))) == 8 + 5 + 95
    assert len(encode_transaction(Cancel(1, False, 1, bytes(64)))) == 77
    assert len(encode_transaction(Withdraw(1, 1, 1, bytes(64)))) == 84
    assert len(encode_transaction(Transfer(1, 2, 1, 1, bytes(64)))) == 87
    assert len(encode_transaction(SetSigner(1, bytes(20), 1, bytes(64)))) == 96
    assert len(encode_transaction(OracleUpdate(1, 1, 1, 1, 0b101, (bytes(64),) * 2))) == 21 + 128
    surface = SurfaceUpdate(1, 1, 1, 1, -1, 1, -1, -1, 1, 1, 0b101, (bytes(64),) * 2)
    assert len(encode_transaction(surface)) == 49 + 128
    assert len(encode_transaction(Settle(1))) == 4
    assert len(encode_transaction(Flag(1))) == len(encode_transaction(WriteOff(1))) == 5
    assert len(encode_transaction(Bid(1, 2, 1, -1, 1, 1, bytes(64)))) == 97
    assert len(encode_transaction(Deleverage(1, 2, 1, 1))) == 16
    assert len(encode_transaction(COMBO)) == 8 + 2 * 15 + 2 * 77


def test_the_bytes_of_each_new_transaction_stand_where_the_spec_says() -> None:
    """Consensus, so literal values are pinned."""
    assert encode_transaction(Settle(0x010203)).hex() == "07010203"
    assert encode_transaction(Flag(0x010203)).hex() == "0800010203"
    assert encode_transaction(WriteOff(0x010203)).hex() == "0901010203"
    assert encode_transaction(Deleverage(1, 2, 3, 4)).hex() == "0900000001000002" + "0003" + "000000000004"
    bid = encode_transaction(Bid(1, 2, 3, -4, 5, 6, b"s" * 64))
    assert (
        bid.hex()
        == "0801000001000002" + "00000003" + "fffffffffffffffc" + "0000000000000005" + "0000000006" + "73" * 64
    )
    assert encode_transaction(COMBO).hex() == (
        "0a00000100000202" + "000300" + "000000000005" + "000000000006" + "000401" + "000000000007" + "000000000008"
        + "0000000000000009" + "000000000a" + "6d" * 64 + "000000000000000b" + "000000000c" + "74" * 64
    )  # fmt: skip
    surface = SurfaceUpdate(1, 2, 3, 4, -5, 6, -7, -8, 9, 10, 0, ())
    assert encode_transaction(surface).hex() == (
        "0b00010002" + "0000000003" + "000000000004" + "fffffffffffb" + "000000000006" + "fffffff9" + "fffffffffff8"
        + "000000000009" + "0000000a" + "00"
    )  # fmt: skip


def test_the_bytes_of_a_listing_stand_where_the_spec_says() -> None:
    """The market admin writes them by hand, so literal values are pinned."""
    assert (
        encode_message(List(1, SeriesConfig(2, 3, 4))).hex()
        == "04" + "0000000001" + "02" + "0002" + "0003" + "0000000004"
    )
    market = MarketConfig(1, 2, tick=6, lot=7, kind=3, series=4, strike=5, taker_fee=8, maker_fee=9, band=10,
                          contingency=11, max_position=12, max_open_interest=13)  # fmt: skip
    assert encode_message(List(1, market)).hex() == (
        "04" + "0000000001" + "03" + "0001" + "03" + "0002" + "0004" + "000000000005" + "000000000006" + "000000000007"
        + "00000008" + "00000009" + "0000000a" + "0000000b" + "000000000000000c" + "000000000000000d"
    )  # fmt: skip
    coin = UnderlyingConfig(1, *range(2, 16))
    assert encode_message(List(1, coin)).hex() == "04000000000101" + "0001" + "".join(f"{n:08x}" for n in range(2, 16))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00" * 200,
        b"\x0c" * 200,
        b"\x08\x02" + bytes(200),  # liquidation mode 2
        b"\x09\x02" + bytes(200),  # deleveraging mode 2
        b"\x0a" + bytes(300),  # no leg
        b"\x0a" + bytes(6) + b"\x05" + bytes(300),  # five legs
        b"\x0a" + bytes(6) + b"\x01" + b"\x00\x00\x02" + bytes(300),  # undefined leg flag
        b"\xff" * 200,
        b"\x01\x04" + bytes(206),  # undefined mode bit
        b"\x01\x00" + bytes(6) + b"\x00\x00\x01\x20\x00" + b"\x00\x00\x02\x00\x00",  # slot 8192
        b"\x01\x01" + bytes(6) + b"\x00\x00\x01\x00\x01\x10" + bytes(89) + bytes(5),  # undefined order flag
        b"\x02\x00\x00\x01\x02" + bytes(72),  # cancel mode 2
    ],
)
def test_anything_else_is_undecodable(data: bytes) -> None:
    """Unknown types and undefined bits are refused, with nothing raised but Undecodable."""
    with pytest.raises(Undecodable):
        decode_transaction(data)


@pytest.mark.parametrize(
    "tx",
    [
        Trade(OrderRef(1, 8192), ORDER, 1),
        Trade(OrderRef(1 << 24, 0), ORDER, 1),
        Trade(ORDER, ORDER, 1 << 48),
        Trade(ORDER, ORDER, -1),
        Trade(FreshOrder(1, 1, 16, 1, 1, 1, 1, bytes(64)), ORDER, 1),
        Trade(FreshOrder(1, 1, 0, 1 << 48, 1, 1, 1, bytes(64)), ORDER, 1),
        Trade(FreshOrder(1, 1, 0, 1, 1, 1 << 64, 1, bytes(64)), ORDER, 1),
        Trade(FreshOrder(1, 1, 0, 1, 1, 1, 1, bytes(65)), ORDER, 1),
        Cancel(-1, False, 1, bytes(64)),
        Withdraw(1, 1 << 64, 1, bytes(64)),
        Transfer(1, 2, -1, 1, bytes(64)),
        SetSigner(1, bytes(19), 1, bytes(64)),
        OracleUpdate(1, 1, 1, 1, 0b11, (bytes(64),)),
        OracleUpdate(1, 1 << 40, 1, 1, 0, ()),
        OracleUpdate(1, 1, 1, 1, 256, (bytes(64),)),
        Settle(1 << 24),
        Flag(-1),
        WriteOff(1 << 24),
        Deleverage(1, 1, 1 << 16, 1),
        Deleverage(1, 1, 1, 1 << 48),
        Bid(1, 1, 1 << 32, 1, 1, 1, bytes(64)),
        Bid(1, 1, 1, 1 << 63, 1, 1, bytes(64)),
        replace(COMBO, legs=()),
        replace(COMBO, legs=COMBO.legs[:1] * 5),
        replace(COMBO, legs=(Leg(1, 2, 1, 1),)),
        replace(COMBO, taker_signature=bytes(63)),
        SurfaceUpdate(1, 1, 1, 1, 1 << 47, 1, 1, 1, 1, 1, 0, ()),
        SurfaceUpdate(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, ()),
    ],
)
def test_a_value_outside_of_its_field_has_no_encoding(tx: Transaction) -> None:
    """Huge or negative numbers from outside are refused with a typed error, never wrapped."""
    with pytest.raises(Unencodable):
        encode_transaction(tx)


@given(messages)
def test_messages_survive_their_encoding(message: Message) -> None:
    """Including forced bytes that are no transaction at all."""
    assert decode_message(encode_message(message)) == message


@given(st.binary(max_size=60))
def test_whatever_message_decodes_is_canonical(data: bytes) -> None:
    """No message has a second encoding."""
    try:
        message = decode_message(data)
    except Undecodable:
        return
    assert encode_message(message) == data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        b"\x04" * 32,
        b"\x05" * 32,
        b"\x04" + bytes(5) + b"\x02" + bytes(8),
        b"\x01" + bytes(30),
        b"\x02" + bytes(12),
        b"\x03" + bytes(19),
    ],
)
def test_other_message_bytes_are_undecodable(data: bytes) -> None:
    """Wrong lengths and kinds are no message."""
    with pytest.raises(Undecodable):
        decode_message(data)


def test_a_message_outside_of_its_field_has_no_encoding() -> None:
    """As for transactions."""
    for message in (Open(1 << 24, bytes(20), 1), Open(1, bytes(3), 1), Deposit(1, -1), Forced(bytes(21), b"")):
        with pytest.raises(Unencodable):
            encode_message(message)
