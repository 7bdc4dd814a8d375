from __future__ import annotations

import json
from typing import Any

import pytest

from rollup.crypto.witness import WitnessFault, read_witness, roots_of
from tests.crypto import witness_vectors
from tests.crypto.reference import reference_root

VECTORS = json.loads(witness_vectors.FILE.read_text())


def leaves(listed: list[dict[str, Any]]) -> dict[int, bytes]:
    """Leaves as bytes by key."""
    return {leaf["key"]: bytes.fromhex(leaf["value"][2:]) for leaf in listed}


def test_vectors_on_disk_are_those_of_the_code() -> None:
    """The committed file is what the generator makes today."""
    assert witness_vectors.generate() == VECTORS


@pytest.mark.parametrize("case", VECTORS["valid"], ids=lambda case: case["name"])
def test_valid_vector_leads_to_its_roots(case: dict[str, Any]) -> None:
    """Both roots are those of the definition."""
    state, writes = leaves(case["state"]), leaves(case["writes"])
    roots = roots_of(read_witness(bytes.fromhex(case["witness"][2:])), writes)
    assert ["0x" + root.hex() for root in roots] == [case["preRoot"], case["postRoot"]]
    assert roots == (reference_root(state), reference_root({**state, **writes}))


@pytest.mark.parametrize("case", VECTORS["refused"], ids=lambda case: case["name"])
def test_refused_vector_has_its_kind(case: dict[str, Any]) -> None:
    """The fault is told by its kind."""
    with pytest.raises(WitnessFault) as caught:
        read_witness(bytes.fromhex(case["witness"][2:]))
    assert caught.value.kind == case["kind"]
