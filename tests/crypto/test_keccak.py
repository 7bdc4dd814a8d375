from __future__ import annotations

from eth_hash.backends import pycryptodome
from hypothesis import given
from hypothesis import strategies as st

from rollup.crypto.keccak import keccak, roll


@given(st.binary(max_size=300))
def test_keccak_equals_another_implementation(data: bytes) -> None:
    """Two independent libraries agree."""
    assert keccak(data) == pycryptodome.CryptodomeBackend().keccak256(data)


def test_roll_folds_the_hash_of_each_message() -> None:
    """The rolling hash depends on every message and their order."""
    start = bytes(32)
    assert roll(start, b"a") == keccak(start + keccak(b"a"))
    assert roll(roll(start, b"a"), b"b") != roll(roll(start, b"b"), b"a")
