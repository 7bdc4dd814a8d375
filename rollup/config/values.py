"""Reading one value of one key: strict about type and bounds, the same for TOML values, environment texts and flags."""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union, get_args, get_origin

from rollup.config.secrets import KeySource, read_key

_WORDS: Mapping[str, bool] = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True, slots=True)
class Bounds:
    """Inclusive bounds of a number."""

    least: float
    most: float = math.inf


@dataclass(frozen=True, slots=True)
class Choice:
    """The only texts that a value may be."""

    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Raw:
    """A value as a source gives it; `typed` values come from TOML or Python, others are text."""

    value: object
    typed: bool
    folder: Path
    """What a relative path is relative to."""
    private: bool
    """Whether the source is hidden from other users, so that it may hold a plain private key."""


def read_value(raw: Raw, wanted: Any, rule: Bounds | Choice | None) -> object:
    """Convert to the annotated type and check the rule; `ValueError` says what would be right."""
    alternatives = get_args(wanted) if get_origin(wanted) in {Union, types.UnionType} else (wanted,)
    if type(None) in alternatives and raw.value in {None, ""}:
        return None
    (plain,) = (a for a in alternatives if a is not type(None))
    value = _convert(raw, plain)
    if isinstance(rule, Bounds) and isinstance(value, int | float) and not rule.least <= value <= rule.most:
        upper = "" if rule.most == math.inf else f" and at most {_exact(rule.most)}"
        raise ValueError(f"must be at least {_exact(rule.least)}{upper}, not {value}")
    if isinstance(rule, Choice) and value not in rule.options:
        raise ValueError(f"must be one of {', '.join(rule.options)}, not {value!r}")
    return value


def _convert(raw: Raw, wanted: type) -> object:
    if wanted is KeySource:
        return raw.value if isinstance(raw.value, KeySource) else read_key(_text(raw), plain_allowed=raw.private)
    if wanted is Path:
        return raw.value if isinstance(raw.value, Path) else raw.folder / Path(_text(raw)).expanduser()
    if wanted is bool:
        return _read_bool(raw)
    if wanted is int:
        return _read_int(raw)
    if wanted is float:
        return _read_float(raw)
    if get_origin(wanted) is tuple:
        parts = raw.value if isinstance(raw.value, list | tuple) else [p.strip() for p in _text(raw).split(",")]
        if not parts or not all(isinstance(p, str) and p for p in parts):
            raise ValueError("must be a list of texts")
        return tuple(parts)
    return _text(raw)


def _text(raw: Raw) -> str:
    if not isinstance(raw.value, str) or not raw.value:
        raise ValueError(f"must be a text, not {_kind(raw.value)}")
    return raw.value


def _read_bool(raw: Raw) -> bool:
    if isinstance(raw.value, bool):
        return raw.value
    if not raw.typed and isinstance(raw.value, str) and raw.value.lower() in _WORDS:
        return _WORDS[raw.value.lower()]
    raise ValueError("must be true or false")


def _read_int(raw: Raw) -> int:
    if isinstance(raw.value, int) and not isinstance(raw.value, bool):
        return raw.value
    if not raw.typed and isinstance(raw.value, str):
        try:
            return int(raw.value)
        except ValueError:
            pass
    raise ValueError(f"must be a whole number, not {_kind(raw.value)}")


def _read_float(raw: Raw) -> float:
    if isinstance(raw.value, int | float) and not isinstance(raw.value, bool) and math.isfinite(raw.value):
        return float(raw.value)
    if not raw.typed and isinstance(raw.value, str):
        try:
            number = float(raw.value)
        except ValueError:
            number = math.nan
        if math.isfinite(number):
            return number
    raise ValueError(f"must be a number, not {_kind(raw.value)}")


def _exact(bound: float) -> str:
    return str(int(bound)) if float(bound).is_integer() else repr(bound)


def _kind(value: object) -> str:
    return repr(value) if isinstance(value, str | int | float) else f"a {type(value).__name__}"
