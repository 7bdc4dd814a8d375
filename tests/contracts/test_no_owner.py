"""Nobody rules the contracts: nothing in them can be replaced, paused or taken by whoever deployed them."""

from __future__ import annotations

import pytest

from rollup.l1.artifacts import load_artifact

FORBIDDEN = {0xF2: "CALLCODE", 0xF4: "DELEGATECALL", 0xFF: "SELFDESTRUCT"}
PUSH1, PUSH32 = 0x60, 0x7F
CHANGES = {
    "Rollup": {
        "claimReward", "commit", "finalise", "freeze", "postBatch", "prove", "reveal", "slashEquivocation",
        "slashMismatch", "stake", "unstake",
    },
    "Inbox": {"deposit", "force", "list", "open"},
    "Vault": {"claim", "collect", "refund", "register"},
    "Verifier": set(),
    "Pricer": set(),
    "Appraiser": set(),
}  # fmt: skip
"""Every function that changes anything. Only `list` asks who calls as such, and it can only add markets."""


def opcodes(code: bytes) -> set[int]:
    """The instructions of a contract, without what they push."""
    found: set[int] = set()
    at = 0
    while at < len(code):
        found.add(code[at])
        at += 1 + (code[at] - PUSH1 + 1 if PUSH1 <= code[at] <= PUSH32 else 0)
    return found


@pytest.mark.parametrize("name", CHANGES)
def test_nothing_but_what_is_specified_changes_anything(name: str) -> None:
    """No function sets an owner, a parameter or another contract's address."""
    functions = [entry for entry in load_artifact(name).abi if entry.get("type") == "function"]
    changing = {entry["name"] for entry in functions if entry["stateMutability"] not in {"view", "pure"}}
    assert changing == CHANGES[name]


@pytest.mark.parametrize("name", CHANGES)
def test_no_code_but_its_own_runs_in_a_contract(name: str) -> None:
    """Neither a proxy nor a self-destruct: what was deployed stays."""
    used = opcodes(load_artifact(name).deployed_bytecode)
    assert not {FORBIDDEN[code] for code in FORBIDDEN if code in used}
