"""What the attack on a method is made of: honest parameters, the kind of each, and distortions of the whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.rpc.hostile import INVALID, SHAPES, Attack, Kind, encode
from tests.rpc.requests import Signer

Params = dict[str, Any]
Make = Callable[[Signer], Params]
Special = Mapping[str, tuple[Make, int]]
"""Whole parameters by name, each with the code that refuses them."""

WRONG_SIGNER = 11027


@dataclass(frozen=True, slots=True)
class Entry:
    """One way to call a method. `writes` says that the honest call changes the state.

    `refused` is the code of what refuses even the honest call, because nothing is there that it could be about.
    """

    method: str
    honest: Make
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    special: Special = field(default_factory=dict)
    variant: str = ""
    websocket_only: bool = False
    writes: bool = False
    refused: int | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.variant}".rstrip()

    def attacks(self, signer: Signer) -> Iterator[Attack]:
        """Everything that must be refused."""
        honest = self.honest(signer)
        assert set(honest) <= set(self.kinds), f"{self}: {set(honest) - set(self.kinds)} have no kind"
        yield from self._shapes()
        yield Attack("an unknown member", encode({**honest, "unexpected": 1}), INVALID)
        yield Attack("an empty name", encode({**honest, "": 1}), INVALID)
        for name, kind in self.kinds.items():
            rest = {key: value for key, value in honest.items() if key != name}
            yield Attack(f"{name} in capitals", encode({**rest, name.upper(): honest.get(name, 1)}), INVALID)
            if kind.missing is not None:
                yield Attack(f"no {name}", encode(rest), kind.missing)
            for what, (raw, code) in kind.attacks().items():
                yield Attack(f"{name}: {what}", encode({**honest, name: raw}), code)
        for name, (make, code) in self.special.items():
            yield Attack(name, encode(make(signer)), code)

    def _shapes(self) -> Iterator[Attack]:
        """Something else instead of the parameters; the empty object is good if nothing is required."""
        required = any(kind.missing is not None for kind in self.kinds.values())
        for name, (raw, code) in SHAPES.items():
            if name != "object" or required:
                yield Attack(f"params: {name}", raw, code)


def with_(make: Make, **changes: Any) -> Make:
    """The same parameters, some of them others after signing."""
    return lambda signer: make(signer) | changes


def less(make: Make, *names: str) -> Make:
    """The same without some."""
    return lambda signer: {key: value for key, value in make(signer).items() if key not in names}


def abroad(make: Make) -> dict[str, tuple[Make, int]]:
    """Signed for another chain, and for another contract."""
    return {
        "signed for another chain": (lambda signer: make(signer.foreign()[0]), WRONG_SIGNER),
        "signed for another contract": (lambda signer: make(signer.foreign()[1]), WRONG_SIGNER),
    }
