"""The state transition and what it stands on are pure: no I/O, clock, randomness, logging, scheduler or float."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.support.source import ROOT, SourceFile, parse, source_files

PURE_MODULES = {
    "__future__",
    "abc",
    "bisect",
    "collections",
    "dataclasses",
    "enum",
    "functools",
    "heapq",
    "itertools",
    "operator",
    "struct",
    "types",
    "typing",
}
INTEGER_FUNCTIONS = {"math.isqrt"}
"""What is exact in a module that is else of floats; to be imported by name."""
CRYPTOGRAPHY = {"coincurve", "sha3", "eth_hash"}
IMPURE_CALLS = {"open", "print", "input", "exec", "eval", "__import__", "id", "hash"}
ROOMS = {
    "rollup/types": PURE_MODULES,
    "rollup/crypto": PURE_MODULES | CRYPTOGRAPHY,
    "rollup/stf": PURE_MODULES,
}
INTEGER_ONLY = ("rollup/types", "rollup/stf")


def impure_imports(source: SourceFile, allowed: set[str]) -> Iterator[str]:
    """Imports of anything that is neither ours nor known to be pure."""
    for module, node in source.imports():
        if module not in INTEGER_FUNCTIONS and module.split(".")[0] not in {*allowed, "rollup"}:
            yield f"{source.at(node)}: imports {module}"


def impure_calls(source: SourceFile) -> Iterator[str]:
    """Calls of built-ins that reach the outside or depend on the process."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in IMPURE_CALLS:
            yield f"{source.at(node)}: calls {node.func.id}"


def floats(source: SourceFile) -> Iterator[str]:
    """Float and complex literals, calls of `float`, and true division, which makes one."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            yield f"{source.at(node)}: literal {node.value}"
        elif isinstance(node, ast.Name) and node.id == "float" and isinstance(node.ctx, ast.Load):
            yield f"{source.at(node)}: float"
        elif isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            yield f"{source.at(node)}: true division"


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_pure_room_imports_only_pure_modules(room: str) -> None:
    """What is imported is on a list of modules without effects."""
    found = [line for source in source_files(room) for line in impure_imports(source, ROOMS[room])]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_pure_room_calls_nothing_with_effects(room: str) -> None:
    """No file, terminal or process-dependent built-in is called."""
    found = [line for source in source_files(room) for line in impure_calls(source)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("room", INTEGER_ONLY)
def test_arithmetic_of_the_transition_is_integer_only(room: str) -> None:
    """There is no float in what both twins must compute alike."""
    found = [line for source in source_files(room) for line in floats(source)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("code", "faults"),
    [
        ("import time", 1),
        ("from random import choice", 1),
        ("open('x')", 1),
        ("x = 1 / 2", 1),
        ("y = 1.5", 1),
        ("x //= 2", 0),
    ],
)
def test_an_impurity_is_found(code: str, faults: int) -> None:
    """The checker itself sees each kind of impurity."""
    here = parse(ROOT / "rollup/errors.py")
    source = SourceFile(here.path, here.module, ast.parse(code))
    found = [*impure_imports(source, PURE_MODULES), *impure_calls(source), *floats(source)]
    assert len(found) == faults
