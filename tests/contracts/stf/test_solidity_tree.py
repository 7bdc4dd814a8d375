"""The multiproof on L1 computes the roots of the Python tree, and refuses every other witness."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollup.crypto.keccak import keccak
from rollup.crypto.tree import MemoryNodes, Tree, leaf_hash
from rollup.crypto.witness import build_witness, read_witness
from rollup.types.keys import account_key, market_key, slot_key
from tests.support.evm import Contract, Reverted, contract
from tests.support.source import ROOT

VECTORS = json.loads((ROOT / "tests" / "vectors" / "witness.json").read_text())
KEYS = st.integers(0, (1 << 40) - 1) | st.integers(0, 40) | st.integers(0, 40).map(lambda low: (1 << 38) | low << 13)
STATES = st.dictionaries(KEYS, st.binary(min_size=1, max_size=40), max_size=40)


@pytest.fixture(scope="module")
def libraries() -> Contract:
    """The libraries behind external functions."""
    return contract("StfLibraries")


def build(leaves: dict[int, bytes]) -> Tree:
    """A tree of these leaves."""
    tree = Tree(MemoryNodes())
    tree.update(leaves)
    return tree


def later_hashes(pre: dict[int, bytes], writes: dict[int, bytes]) -> list[bytes]:
    """Leaf hashes after the writes, by ascending key."""
    return [leaf_hash(writes.get(key, pre[key])) for key in sorted(pre)]


def leaves_of(listed: list[dict[str, Any]]) -> dict[int, bytes]:
    """Leaves of a vector."""
    return {leaf["key"]: bytes.fromhex(leaf["value"][2:]) for leaf in listed}


@pytest.mark.parametrize("vector", VECTORS["valid"], ids=lambda vector: vector["name"])
def test_witness_vectors_lead_to_their_roots(libraries: Contract, vector: dict[str, Any]) -> None:
    """What Python wrote, Solidity reads."""
    witness = bytes.fromhex(vector["witness"][2:])
    pre = read_witness(witness).leaves
    before, after = libraries.call("roots", witness, later_hashes(pre, leaves_of(vector["writes"])))
    assert ("0x" + before.hex(), "0x" + after.hex()) == (vector["preRoot"], vector["postRoot"])


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda vector: vector["name"])
def test_refused_witness_vectors_revert(libraries: Contract, vector: dict[str, Any]) -> None:
    """Every kind of fault that Python names."""
    witness = bytes.fromhex(vector["witness"][2:])
    assert roots_or_refusal(libraries, witness, [bytes(32)] * 200) == b""


@settings(deadline=None, max_examples=200)
@given(state=STATES, touched=st.sets(KEYS, min_size=1, max_size=20), data=st.data())
def test_roots_equal_the_python_tree(
    libraries: Contract, state: dict[int, bytes], touched: set[int], data: st.DataObject
) -> None:
    """Leaves present and absent, written and only read."""
    touched |= set(data.draw(st.lists(st.sampled_from(sorted(state)), max_size=20))) if state else set()
    writes = {key: data.draw(st.binary(min_size=1, max_size=8)) for key in touched if data.draw(st.booleans())}
    tree = build(state)
    before = tree.root
    pre = {key: state.get(key, b"") for key in touched}
    witness = build_witness(tree, pre)
    after = tree.update(writes)
    assert libraries.call("roots", witness, later_hashes(pre, writes)) == (before, after)


@settings(deadline=None)
@given(listed=st.sets(KEYS, min_size=1, max_size=30), wanted=KEYS)
def test_find_returns_the_place_of_a_listed_key(libraries: Contract, listed: set[int], wanted: int) -> None:
    """A key that is not listed gives the number of keys."""
    keys = sorted(listed)
    witness = build_witness(build({}), dict.fromkeys(keys, b""))
    for key in [*keys, wanted]:
        expected = keys.index(key) if key in listed else len(keys)
        assert libraries.call("find", witness, key) == expected


@pytest.fixture(scope="module")
def sample() -> tuple[bytes, dict[int, bytes], bytes]:
    """A witness with siblings on most levels, the leaves it lists, and the root."""
    source = random.Random(1)
    state = {source.randrange(1 << 40): source.randbytes(8) for _ in range(300)}
    pre = dict(list(state.items())[:4])
    tree = build(state)
    return build_witness(tree, pre), pre, tree.root


def roots_or_refusal(libraries: Contract, witness: bytes, later: list[bytes]) -> bytes:
    """The root before, or nothing if the witness is refused."""
    try:
        return bytes(libraries.call("roots", witness, later)[0])
    except Reverted as revert:
        if revert.name not in {"MalformedWitness", "UnsortedLeaf", ""}:
            raise
        return b""


def test_every_changed_bit_of_a_witness_changes_the_root_or_is_refused(
    libraries: Contract, sample: tuple[bytes, dict[int, bytes], bytes]
) -> None:
    """No second witness leads to the same root."""
    witness, pre, root = sample
    later = later_hashes(pre, {})
    assert roots_or_refusal(libraries, witness, later) == root
    refused = 0
    for position in range(len(witness)):
        bit = 1 << position % 8
        changed = witness[:position] + bytes([witness[position] ^ bit]) + witness[position + 1 :]
        answer = roots_or_refusal(libraries, changed, [*later, *[bytes(32)] * 4])
        refused += not answer
        assert answer != root, f"byte {position}"
    assert refused > 20


@pytest.mark.parametrize("change", ["cut", "cut_word", "pad", "pad_word", "empty", "count"])
def test_truncated_and_padded_witnesses_are_refused(
    libraries: Contract, sample: tuple[bytes, dict[int, bytes], bytes], change: str
) -> None:
    """The bytes end exactly with the last sibling."""
    witness, pre, _ = sample
    changed = {
        "cut": witness[:-1],
        "cut_word": witness[:-32],
        "pad": witness + b"\x00",
        "pad_word": witness + keccak(b"more"),
        "empty": b"",
        "count": b"\xff\xff" + witness[2:],
    }[change]
    assert roots_or_refusal(libraries, changed, later_hashes(pre, {})) == b""


def test_masks_and_siblings_have_one_form(libraries: Contract, sample: tuple[bytes, dict[int, bytes], bytes]) -> None:
    """Reserved bits, listed children and zero siblings are refused even where everything else fits."""
    witness, pre, _ = sample
    read = read_witness(witness)
    head = witness[: len(witness) - len(read.masks) - len(read.siblings)]
    later = later_hashes(pre, {})

    def refuses(masks: bytes, siblings: bytes) -> bool:
        return roots_or_refusal(libraries, head + masks + siblings, later) == b""

    assert not refuses(read.masks, read.siblings)
    for bit in (0x10, 0x80):
        assert refuses(bytes([read.masks[0] | bit]) + read.masks[1:], read.siblings)
    own = 1 << (min(pre) & 3)
    assert refuses(bytes([read.masks[0] | own]) + read.masks[1:], keccak(b"extra") + read.siblings)
    assert refuses(read.masks, bytes(32) + read.siblings[32:])
    free = next(bit for bit in (1, 2, 4, 8) if bit != own and not read.masks[0] & bit)
    assert refuses(bytes([read.masks[0] | free]) + read.masks[1:], bytes(32) + read.siblings)


@pytest.mark.parametrize("keys", [[5, 5], [7, 5]])
def test_keys_that_do_not_ascend_are_refused(libraries: Contract, keys: list[int]) -> None:
    """Duplicates and descents are named."""
    listed = b"".join(key.to_bytes(5, "big") + bytes(2) for key in keys)
    with pytest.raises(Reverted) as caught:
        libraries.call("roots", b"\x00\x02" + listed + bytes(40), [bytes(32)] * 2)
    assert caught.value.name == "UnsortedLeaf"


def test_more_leaves_than_a_block_can_touch_are_refused(libraries: Contract) -> None:
    """The meters admit 152 at most; a longer list must hold leaves that the block does not touch."""
    for count, refused in ((152, False), (153, True), (1_000, True)):
        pre = dict.fromkeys(range(count), b"")
        witness = build_witness(build({}), pre)
        assert (roots_or_refusal(libraries, witness, [bytes(32)] * count) == b"") is refused


def test_multiproof_of_a_full_block_in_a_large_tree(libraries: Contract) -> None:
    """152 leaves of 80,000, all written: the gas of both roots in one pass."""
    source = random.Random(2)
    accounts, markets = range(20_000), range(20_000)
    state = {account_key(account): source.randbytes(79) for account in accounts}
    state |= {slot_key(account, nonce): source.randbytes(34) for account in accounts for nonce in (1, 2)}
    state |= {market_key(market): source.randbytes(76) for market in markets}
    tree = build(state)
    keys = [k for a in source.sample(accounts, 36) for k in (account_key(a), slot_key(a, 1))]
    keys += [market_key(market) for market in source.sample(markets, 80)]
    pre = {key: state[key] for key in keys}
    witness = build_witness(tree, pre)
    writes = {key: source.randbytes(len(pre[key])) for key in keys}
    later = later_hashes(pre, writes)
    before = tree.root
    assert libraries.call("roots", witness, later) == (before, tree.update(writes))
    gas = libraries.gas_of("roots", witness, later)
    print(f"multiproof of 152 leaves of 80,000: {gas:,} gas, {len(witness):,} bytes of witness")
    assert gas < 1_400_000
