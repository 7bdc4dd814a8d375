"""What blocks mean, frozen: a change that both twins share, and that no comparison of them would show, fails here.

Each vector holds the hash of a proof's calldata and the verdict on it. After a change of the protocol,
`PLUMBLINE_UPDATE_SNAPSHOTS=1 pytest tests/differential/test_vectors.py` writes the new ones.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from challenger.execute import encode_verify
from rollup.crypto.keccak import keccak
from rollup.types.reasons import Reason
from tests.bounds.blocks import KINDS
from tests.differential.cases import CASES
from tests.differential.test_reasons import FAMILIES, prove
from tests.differential.twins import Proof, fast_verifier, verify
from tests.differential.world import SEPARATOR

VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "blocks.json"


def summarise(proof: Proof) -> dict[str, Any]:
    """The proof's fingerprint, and what the contract says of it."""
    calldata = encode_verify(proof.header, proof.txs, proof.messages, proof.witness, SEPARATOR)
    verdict = verify(proof, fast_verifier())
    return {
        "calldata": keccak(calldata).hex(),
        "reason": Reason(verdict.reason).name,
        "index": verdict.index,
        "root": verdict.post_root.hex(),
    }


def test_blocks_mean_what_they_always_meant() -> None:
    """Every case and every heavy block: same bytes, same verdict."""
    assert FAMILIES
    found = {case.name: summarise(prove(case)[0]) for case in CASES}
    found |= {name: summarise(kind.make()) for name, kind in KINDS.items()}
    if os.environ.get("PLUMBLINE_UPDATE_SNAPSHOTS"):
        VECTORS.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    assert found == json.loads(VECTORS.read_text())
