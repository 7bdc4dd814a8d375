"""Every block that these tests execute goes through the compiled verifier as well: both twins agree, or it fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from challenger.execute import Verifier
from rollup.crypto.tree import MemoryNodes, Tree
from rollup.crypto.witness import build_witness
from rollup.stf import block
from rollup.stf.block import BlockResult
from rollup.types.blocks import Header
from rollup.types.reasons import Reason
from tests.stf import world
from tests.support.evm import PyRevm, code_of

NO_ROOT = bytes(32)


@pytest.fixture(scope="module")
def verifier() -> Verifier:
    """The compiled verifier on the fast executor."""
    return Verifier(PyRevm(code_of("Verifier")))


@pytest.fixture(autouse=True)
def _both_twins(verifier: Verifier, monkeypatch: pytest.MonkeyPatch) -> None:
    """`World.execute` asks both."""

    def execute(
        read: Callable[[int], bytes], header: Header, txs: bytes, messages: Sequence[bytes], separator: bytes,
    ) -> BlockResult:  # fmt: skip
        result = block.execute_block(read, header, txs, messages, separator)
        leaves = cast("Any", read).__self__.leaves
        assert_agreement(verifier, leaves, header, (txs, messages, separator), result)
        return result

    monkeypatch.setattr(world, "execute_block", execute)


def assert_agreement(
    verifier: Verifier,
    leaves: dict[int, bytes],
    header: Header,
    content: tuple[bytes, Sequence[bytes], bytes],
    result: BlockResult,
) -> None:
    """The contract finds the same reason, index and root on the same state."""
    txs, messages, separator = content
    tree = Tree(MemoryNodes())
    tree.update(leaves)
    root = NO_ROOT if result.reason else tree.changes(result.writes)[0]
    proven = replace(header, parent_root=tree.root)
    verdict = verifier.verify(proven, txs, messages, build_witness(tree, result.pre), separator)
    assert (Reason(verdict.reason), verdict.index, verdict.post_root) == (result.reason, result.index, root)
