"""Frozen values that are made by the hundred thousand every second.

To readers and to the type checker `@value(frozen=True, slots=True)` is `dataclass`, so nobody assigns to a field. At
run time the freeze is left out: a frozen dataclass sets each field through `object.__setattr__`, which makes a value of
14 fields in 1.7 µs instead of 0.27 µs, and a trade makes twenty values. Equality and hash are by value either way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

T = TypeVar("T")

if TYPE_CHECKING:
    from dataclasses import dataclass as value
else:

    def value(*, frozen: bool, slots: bool) -> Callable[[type[T]], type[T]]:
        """Make a value class; the arguments are what the type checker must see."""
        assert (frozen, slots) == (True, True), "a value is frozen and has slots"
        return dataclass(slots=True, unsafe_hash=True)


__all__ = ["value"]
