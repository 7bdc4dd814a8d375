"""Whatever block L1 accepts, one transaction proves it wrong: below 2^24 gas and 128 KiB, on the fullest state.

Each block is posted with a wrong root and proven, on py-evm with EIP-7623 prices. The figures are compared exactly;
after a change that is meant, `PLUMBLINE_UPDATE_SNAPSHOTS=1 pytest tests/bounds` writes the new ones.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rollup.crypto.tree import KEY_BITS, LEVELS
from rollup.l1.limits import MAX_TX_BYTES, MAX_TX_GAS
from rollup.stf.meters import Usage, leaf_bytes
from rollup.types.keys import GLOBALS, ORACLE_SET, account_key, market_key, series_key, slot_key, underlying_key
from rollup.types.limits import (
    MAX_ACCOUNT,
    MAX_ACCOUNTS,
    MAX_BYTES,
    MAX_FORCED_MESSAGE,
    MAX_LEAF_BYTES,
    MAX_SLOTS,
    MAX_SYSTEM,
    SLOT_COUNT,
)
from rollup.types.transactions import TransactionType, decode_transaction
from tests.bounds.blocks import KINDS
from tests.bounds.trial import try_on_l1
from tests.differential.fullest import can_be_inhabited, fill_tree, make_full_witness
from tests.differential.twins import Proof, assert_agreement, fast_verifier

FEEDS = {TransactionType.ORACLE_UPDATE, TransactionType.SURFACE_UPDATE}
CHEAP = {TransactionType.CANCEL, TransactionType.SET_SIGNER, *FEEDS}
"""Cost as much in a message as in a block."""
SNAPSHOT = Path(__file__).resolve().parents[1] / "snapshots" / "proofs.json"
U16 = (1 << 16) - 1
TOP_OF_TREE = 6_000
"""What the ways of all leaves have in common, and the keys and lengths before their values."""
ACCOUNTS = st.integers(0, MAX_ACCOUNT).map(account_key)
SLOTS = st.builds(slot_key, st.integers(0, MAX_ACCOUNT), st.integers(0, SLOT_COUNT - 1))


def record(name: str, figures: dict[str, int]) -> dict[str, int]:
    """The recorded figures of a block, after writing them if asked to."""
    recorded: dict[str, dict[str, int]] = json.loads(SNAPSHOT.read_text()) if SNAPSHOT.exists() else {}
    if os.environ.get("PLUMBLINE_UPDATE_SNAPSHOTS"):
        recorded[name] = figures
        ordered = {kind: recorded[kind] for kind in KINDS if kind in recorded}
        SNAPSHOT.write_text(json.dumps(ordered, indent=1) + "\n")
    return recorded[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_worst_block_is_proven_in_one_transaction(name: str) -> None:
    """Both twins agree in both EVMs, L1 reverts the batch, and gas and size stay within what L1 takes."""
    proof = fill_tree(KINDS[name].make())
    verdict = assert_agreement(proof, fast_verifier())
    trial = try_on_l1(proof)
    found = (trial.verdict.reason, trial.verdict.index, trial.verdict.post_root)
    assert found == (verdict.reason, verdict.index, verdict.post_root)
    assert trial.gas * 100 < MAX_TX_GAS * 97
    assert trial.transaction_bytes * 100 < MAX_TX_BYTES * 97
    figures = {
        "gas": trial.gas,
        "gas of the verifier": verdict.gas_used,
        "bytes": trial.transaction_bytes,
        "bytes of the witness": len(proof.witness),
    }
    assert record(name, figures) == figures


@pytest.mark.parametrize("name", KINDS)
def test_worst_block_takes_its_meters_to_their_limits(name: str) -> None:
    """A block that stopped short would bound nothing."""
    kind = KINDS[name]
    result = kind.make().result
    assert result.reason == kind.reason
    limits = Usage.limits()
    assert {meter: getattr(result.usage, meter) for meter in kind.full} == {
        meter: getattr(limits, meter) for meter in kind.full
    }


def test_worst_blocks_cover_every_meter() -> None:
    """Those that count whole pieces are reached exactly, those of bytes within one leaf or one transaction."""
    reached = {meter for kind in KINDS.values() for meter in kind.full}
    assert reached >= {"transactions", "bytes", "accounts", "slots", "system", "recoveries", "revaluations"}
    assert max(kind.make().result.usage.leaf_bytes for kind in KINDS.values()) > MAX_LEAF_BYTES - 1_655


def test_worst_blocks_cover_every_transaction_type() -> None:
    """Each type of transaction fills a block, plain or forced, and whoever may force it does."""
    plain: set[int] = set()
    forced: set[int] = set()
    for kind in KINDS.values():
        proof = kind.make()
        plain.update(tx_types(proof))
        forced.update(message[21] for message in proof.messages)
    assert plain | forced >= set(TransactionType)
    assert forced >= set(TransactionType) - CHEAP


def tx_types(proof: Proof) -> set[int]:
    """Types of the transactions of a block, up to the first that is none."""
    found, offset = set(), 0
    while offset < len(proof.txs) and proof.txs[offset] <= max(TransactionType):
        found.add(proof.txs[offset])
        _, offset = decode_transaction(proof.txs, offset)
    return found


def test_largest_proof_carries_every_byte_that_a_batch_takes() -> None:
    """Transactions up to what posting refuses, and messages as long as the trades in them leave room for."""
    proof = KINDS["most bytes"].make()
    assert len(proof.txs) == MAX_BYTES
    assert {len(message) for message in proof.messages} == {219, MAX_FORCED_MESSAGE}


def spread(count: int, bits: int) -> list[int]:
    """So many numbers of so many bits, as far apart as they can be."""
    return [(2 * i + 1) * (1 << bits) // (2 * count) for i in range(count)]


@given(
    accounts=st.integers(0, MAX_ACCOUNTS), slots=st.integers(0, MAX_SLOTS), markets=st.integers(0, MAX_SYSTEM),
    coins=st.integers(0, 40), series=st.integers(0, MAX_SYSTEM),
)  # fmt: skip
@example(accounts=36, slots=36, markets=26, coins=26, series=26)
def test_meter_of_leaf_bytes_bounds_the_witness(
    accounts: int, slots: int, markets: int, coins: int, series: int
) -> None:
    """Wherever the keys are: no witness is more than some kilobytes longer than the meter says."""
    numbers = spread(accounts, 24)
    pre = dict.fromkeys([GLOBALS, *map(account_key, numbers), *map(market_key, spread(markets, 16))], b"")
    pre |= dict.fromkeys([slot_key(n, 77 * i) for i, n in enumerate(numbers[:slots])], b"")
    pre |= dict.fromkeys(map(underlying_key, spread(coins, 16)), b"")
    pre |= dict.fromkeys([series_key(n, n) for n in spread(series, 16)], b"")
    assert len(make_full_witness(pre)) <= sum(leaf_bytes(key, 0) for key in pre) + TOP_OF_TREE


@given(
    st.one_of(
        ACCOUNTS, SLOTS, st.integers(0, U16).map(underlying_key), st.integers(0, U16).map(market_key),
        st.builds(series_key, st.integers(0, U16), st.integers(0, U16)),
    )
)  # fmt: skip
@example(GLOBALS)
@example(ORACLE_SET)
def test_fullest_tree_has_a_sibling_wherever_a_key_can_be(key: int) -> None:
    """No state has a larger witness: the tree that the bounds are measured on leaves out nothing that can exist."""
    for level in range(LEVELS + 1):
        assert can_be_inhabited(level, key >> KEY_BITS - 2 * level), level
