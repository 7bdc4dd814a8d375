"""Headers and batch calldata."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollup.errors import InvalidBatch, Undecodable, Unencodable
from rollup.types.blocks import BatchBlock, Header, decode_batch, encode_batch

root = st.binary(min_size=32, max_size=32)
u40 = st.integers(0, 2**40 - 1)
headers = st.builds(Header, u40, st.integers(0, 2**32 - 1), root, u40, u40, root, root, root)
blocks = st.builds(BatchBlock, u40, st.integers(0, 32), root, st.binary(max_size=100))


@given(headers)
def test_a_header_survives_its_encoding(header: Header) -> None:
    """147 bytes, no other reading."""
    data = header.encode()
    assert len(data) == 147
    assert Header.decode(data) == header
    with pytest.raises(Undecodable):
        Header.decode(data[:-1])


@given(st.lists(blocks, min_size=1, max_size=10))
def test_a_batch_survives_its_encoding(batch: list[BatchBlock]) -> None:
    """Blocks are joined, 40 bytes of head each."""
    data = encode_batch(batch)
    assert len(data) == sum(40 + len(block.txs) for block in batch)
    assert decode_batch(data) == batch


@given(st.lists(blocks, min_size=1, max_size=3), st.data())
def test_a_batch_cut_inside_of_a_block_is_refused(batch: list[BatchBlock], data: st.DataObject) -> None:
    """Cut anywhere but between blocks, bytes are no batch."""
    encoded = encode_batch(batch)
    borders = {0}
    for block in batch:
        borders.add(max(borders) + 40 + len(block.txs))
    cut = data.draw(st.integers(0, len(encoded)).filter(lambda at: at not in borders))
    with pytest.raises(InvalidBatch):
        decode_batch(encoded[:cut])


BLOCK = BatchBlock(1, 0, bytes(32), b"")


def test_batches_of_no_or_too_many_blocks_are_refused() -> None:
    """1 … 256 blocks."""
    assert len(decode_batch(encode_batch([BLOCK] * 256))) == 256
    with pytest.raises(InvalidBatch):
        decode_batch(b"")
    with pytest.raises(InvalidBatch):
        decode_batch(encode_batch([BLOCK]) * 257)
    for wrong in ([], [BLOCK] * 257):
        with pytest.raises(Unencodable):
            encode_batch(wrong)


def test_blocks_that_no_proof_could_carry_are_refused() -> None:
    """33 messages or 8,193 bytes of transactions: L1 refuses them as well."""
    head = bytes(5) + b"\x21" + bytes(2) + bytes(32)
    with pytest.raises(InvalidBatch):
        decode_batch(head)
    with pytest.raises(InvalidBatch):
        decode_batch(bytes(6) + (8193).to_bytes(2, "big") + bytes(32) + bytes(8193))
    for wrong in (BatchBlock(1, 33, bytes(32), b""), BatchBlock(1, 0, bytes(32), bytes(8193))):
        with pytest.raises(Unencodable):
            encode_batch([wrong])


def test_values_outside_of_their_field_have_no_encoding() -> None:
    """Wrong hash lengths and huge numbers."""
    late, negative, rootless = (
        replace(BLOCK, timestamp=1 << 40),
        replace(BLOCK, inbox_count=-1),
        replace(BLOCK, state_root=b""),
    )
    for wrong in (late, negative, rootless):
        with pytest.raises(Unencodable):
            encode_batch([wrong])
    with pytest.raises(Unencodable):
        Header(1 << 40, 0, bytes(32), 0, 0, bytes(32), bytes(32), bytes(32)).encode()
    with pytest.raises(Unencodable):
        Header(0, 0, bytes(31), 0, 0, bytes(32), bytes(32), bytes(32)).encode()
