"""How the model refuses: by the very error that L1 should raise."""

from __future__ import annotations

from typing import Any


class Refused(Exception):  # noqa: N818 - what happened, as tests read it
    """L1 should revert with the custom error `name` and these arguments."""

    def __init__(self, name: str, *arguments: Any) -> None:
        super().__init__(f"{name}{arguments}")
        self.name = name
        self.arguments = arguments


def require(holds: bool, name: str, *arguments: Any) -> None:
    """Refuse unless it holds."""
    if not holds:
        raise Refused(name, *arguments)
