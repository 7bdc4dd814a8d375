"""Deterministic witness vectors, written to `tests/vectors/witness.json` for the contract's tests to read.

`python -m tests.crypto.witness_vectors` rewrites the file. Bytes are hex with 0x, keys decimal numbers. A `valid` case
has the leaves of the whole state, the witness, the writes and both roots; a `refused` case a witness and its fault.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rollup.crypto import witness as w
from rollup.crypto.keccak import keccak
from rollup.crypto.tree import MemoryNodes, Tree
from rollup.crypto.witness import build_witness, read_witness, roots_of
from tests.crypto.reference import ACCOUNT_KIND

FILE = Path(__file__).parents[1] / "vectors" / "witness.json"

GLOBALS, UNDERLYING, MARKET = 0, 1 << 32, 3 << 32


def account(index: int) -> int:
    """Key of an account."""
    return ACCOUNT_KIND | index << 14


def slot(index: int, nonce: int) -> int:
    """Key of an order slot."""
    return account(index) | 8192 | nonce


def value(name: str, length: int) -> bytes:
    """A value that depends on a name only."""
    return (keccak(name.encode()) * (length // 32 + 1))[:length]


STATE = {
    GLOBALS: value("globals", 77),
    1: value("oracle set", 62),
    UNDERLYING: value("underlying", 50),
    MARKET: value("market", 74),
    MARKET | 1: value("market 1", 74),
    **{account(i): value(f"account {i}", 73 + 18 * (i % 4)) for i in (1, 2, 3, 6, 500, 65_535, (1 << 24) - 1)},
    **{slot(2, n): value(f"slot {n}", 34) for n in (0, 1, 2, 77, 8191)},
}
CASES: dict[str, tuple[dict[int, bytes], list[int], dict[int, bytes]]] = {
    "one leaf alone": ({GLOBALS: b"g"}, [GLOBALS], {GLOBALS: b"h"}),
    "absent leaf of an empty tree, written": ({}, [account(1)], {account(1): b"new"}),
    "absent leaf of an empty tree, left": ({}, [account(1)], {}),
    "all leaves": (STATE, sorted(STATE), {key: value(f"new {key}", 40) for key in STATE}),
    "four siblings under one parent": (STATE, [0, 1, 2, 3], {2: b"two"}),
    "a trade": (
        STATE,
        [GLOBALS, UNDERLYING, MARKET, account(2), account(500), slot(2, 77), slot(500, 5)],
        {
            GLOBALS: value("globals after", 77),
            account(2): value("account 2 after", 91),
            account(500): value("account 500 after", 91),
            slot(2, 77): value("slot 77 after", 34),
            slot(500, 5): value("slot 5 of 500", 34),
        },
    ),
    "lowest and highest key": (STATE, [0, (1 << 40) - 1], {(1 << 40) - 1: b"top"}),
    "nothing written": (STATE, [account(3), slot(2, 1)], {}),
}


def corrupt(good: bytes) -> dict[str, tuple[str, bytes]]:
    """Refused witnesses made from a good one, by what was done to it."""
    witness = read_witness(good)
    first = 2 + 7 + len(next(iter(witness.leaves.values())))
    masks = len(good) - len(witness.siblings) - len(witness.masks)
    leaves = [(key, body) for key, body in witness.leaves.items()]
    listed = [key.to_bytes(5, "big") + len(body).to_bytes(2, "big") + body for key, body in leaves]
    rest = good[masks:]
    own = min(i for i, mask in enumerate(witness.masks) if mask == 0)
    return {
        "no bytes": (w.TRUNCATED, b""),
        "no leaf": (w.EMPTY, bytes(2)),
        "count one too low": (w.MASK_RESERVED, (len(leaves) - 1).to_bytes(2, "big") + good[2:]),
        "two keys swapped": (w.UNSORTED, good[:2] + listed[1] + listed[0] + b"".join(listed[2:]) + rest),
        "first key twice": (w.UNSORTED, (len(leaves) + 1).to_bytes(2, "big") + good[2:first] + good[2:]),
        "cut in a leaf": (w.TRUNCATED, good[: first - 1]),
        "cut in the masks": (w.TRUNCATED, good[: masks + 3]),
        "cut in a sibling": (w.TRUNCATED, good[:-1]),
        "one sibling less": (w.TRUNCATED, good[:-32]),
        "one sibling more": (w.LEFTOVER, good + good[-32:]),
        "one byte more": (w.LEFTOVER, good + b"\x00"),
        "reserved bit 4": (w.MASK_RESERVED, good[:masks] + bytes([good[masks] | 16]) + good[masks + 1 :]),
        "reserved bit 7": (w.MASK_RESERVED, good[:masks] + b"\x80" + good[masks + 1 :]),
        "listed child in a mask": (
            w.MASK_LISTED,
            good[: masks + own] + b"\x0f" + good[masks + own + 1 :] + good[-32:] * 4,
        ),
        "zero sibling": (w.SIBLING_ZERO, good[:-32] + bytes(32)),
    }


def generate() -> dict[str, Any]:
    """All vectors."""
    valid, refused = [], []
    for name, (state, keys, writes) in CASES.items():
        tree = Tree(MemoryNodes())
        tree.update(state)
        encoded = build_witness(tree, {key: state.get(key, b"") for key in keys})
        pre_root, post_root = roots_of(read_witness(encoded), writes)
        valid.append(
            {
                "name": name,
                "state": _leaves(state),
                "writes": _leaves(writes),
                "witness": "0x" + encoded.hex(),
                "preRoot": "0x" + pre_root.hex(),
                "postRoot": "0x" + post_root.hex(),
            }
        )
        if name == "a trade":
            refused = [
                {"name": what, "kind": kind, "witness": "0x" + bad.hex()}
                for what, (kind, bad) in corrupt(encoded).items()
            ]
    return {"valid": valid, "refused": refused}


def _leaves(leaves: dict[int, bytes]) -> list[dict[str, Any]]:
    return [{"key": key, "value": "0x" + leaves[key].hex()} for key in sorted(leaves)]


if __name__ == "__main__":
    FILE.write_text(json.dumps(generate(), indent=1) + "\n")
