"""The state tree and its witness once more, recursively and straight from their definition, as an oracle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hypothesis import strategies as st

from rollup.crypto.keccak import ZERO_HASH, keccak

ACCOUNT_KIND = 1 << 38

account_keys = st.integers(0, 40).map(lambda account: ACCOUNT_KIND | account << 14)
slot_keys = st.builds(
    lambda account, nonce: ACCOUNT_KIND | account << 14 | 8192 | nonce, st.integers(0, 6), st.integers(0, 20)
)
system_keys = st.sampled_from([0, 1, 1 << 32, 1 << 32 | 1, 3 << 32, 3 << 32 | 7])
keys = st.one_of(account_keys, slot_keys, system_keys, st.integers(0, (1 << 40) - 1))
values = st.binary(min_size=1, max_size=80)
states = st.dictionaries(keys, values, max_size=30)


def reference_root(leaves: Mapping[int, bytes]) -> bytes:
    """The root by definition."""
    return node_hash(leaves, 0, 0)


def node_hash(leaves: Mapping[int, bytes], level: int, index: int) -> bytes:
    """The hash of a node by definition, from the leaves of (at least) its subtree."""
    here = {key: value for key, value in leaves.items() if value and key >> 2 * (20 - level) == index}
    if not here:
        return ZERO_HASH
    if level == 20:
        return keccak(here[index])
    return keccak(b"".join(node_hash(here, level + 1, 4 * index + child) for child in range(4)))


def reference_witness(leaves: Mapping[int, bytes], touched: Iterable[int]) -> bytes:
    """The witness by definition."""
    listed = sorted(touched)
    data = len(listed).to_bytes(2, "big")
    for key in listed:
        value = leaves.get(key, b"")
        data += key.to_bytes(5, "big") + len(value).to_bytes(2, "big") + value
    masks, siblings = b"", b""
    for level in range(19, -1, -1):
        on_path = {key >> 2 * (19 - level) for key in listed}
        for parent in sorted({index >> 2 for index in on_path}):
            mask = 0
            for child in range(4):
                index = 4 * parent + child
                hashed = node_hash(leaves, level + 1, index)
                if index not in on_path and hashed != ZERO_HASH:
                    mask |= 1 << child
                    siblings += hashed
            masks += bytes([mask])
    return data + masks + siblings
