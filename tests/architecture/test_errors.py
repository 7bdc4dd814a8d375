"""Every refusal has a code of its own that callers may rely on, and a test that provokes it."""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from collections.abc import Iterator
from typing import TypeVar

import rollup
from rollup.errors import PlumblineError, Rejected
from tests.support.source import ROOT

T = TypeVar("T")

RESERVED_BY_JSON_RPC = range(-32768, -32099)
"""The JSON-RPC specification keeps these codes for the protocol itself; only its transport may raise them."""


def subclasses(base: type[T]) -> Iterator[type[T]]:
    """All classes below `base`, each once."""
    children: list[type[T]] = base.__subclasses__()
    for child in children:
        yield child
        yield from subclasses(child)


def refusals() -> list[type[Rejected]]:
    """Every kind of `Rejected`, wherever it is defined."""
    for module in pkgutil.walk_packages(rollup.__path__, "rollup."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return sorted({c for c in subclasses(Rejected) if c.__module__.startswith("rollup.")}, key=lambda c: c.__name__)


def test_each_refusal_states_a_code_of_its_own() -> None:
    """No kind inherits or shares its code."""
    kinds = refusals()
    without = [c.__name__ for c in kinds if "code" not in vars(c)]
    assert not without, f"no code: {without}"
    every: list[type[Rejected]] = [Rejected, *kinds]
    shared = {code: n for code, n in Counter(kind.code for kind in every).items() if n > 1}
    assert not shared, {code: [c.__name__ for c in kinds if c.code == code] for code in shared}


def test_each_refusal_is_named_by_a_test() -> None:
    """A refusal that no test mentions is one that nobody has seen happen."""
    here = ROOT / "tests" / "architecture"
    text = "\n".join(p.read_text() for p in (ROOT / "tests").rglob("*.py") if here not in p.parents)
    unseen = [c.__name__ for c in refusals() if c.__name__ not in text and str(c.code) not in text]
    assert not unseen


def test_all_errors_descend_from_one_root() -> None:
    """One `except PlumblineError` at the border of a process catches whatever is raised on purpose."""
    assert issubclass(Rejected, PlumblineError)
    refusals()
    strays = [
        c
        for c in {*subclasses(Exception)}
        if c.__module__.split(".")[0] in {"rollup", "challenger"} and not issubclass(c, PlumblineError)
    ]
    assert not strays, strays
