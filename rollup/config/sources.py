"""Merging the three sources, weakest first: the TOML file, the environment, the flags of the command line."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar, cast, get_type_hints

from rollup.config.roles import (
    ChallengerConfig,
    ClientConfig,
    DeployConfig,
    DevnetConfig,
    FeederConfig,
    L1Config,
    Role,
    SequencerConfig,
)
from rollup.config.values import Raw, read_value
from rollup.errors import ConfigError

PREFIX = "PLUMBLINE_"
FILE_VARIABLE = "PLUMBLINE_CONFIG"
DEFAULT_FILE = Path("plumbline.toml")
ROLES: Mapping[str, type[Role]] = {
    role.SECTION: role
    for role in (L1Config, SequencerConfig, ChallengerConfig, ClientConfig, DeployConfig, DevnetConfig, FeederConfig)
}


R = TypeVar("R", bound=Role)


@dataclass(frozen=True, slots=True)
class Given:
    """A value and the words for where it came from."""

    raw: Raw
    origin: str


@dataclass(frozen=True, slots=True)
class Settings:
    """What the sources give, by section and key; `role` checks and types it."""

    given: Mapping[tuple[str, str], Given]

    def role(self, role: type[R], **flags: object) -> R:
        """Typed configuration of one role. Flags that are None were not given. `ConfigError` names key and source."""
        section = role.SECTION
        hints = get_type_hints(role)
        chosen: dict[str, object] = {}
        for item in fields(cast("Any", role)):
            given = _flag(item.name, flags.pop(item.name, None)) or self.given.get((section, item.name))
            if given is None:
                continue
            try:
                chosen[item.name] = read_value(given.raw, hints[item.name], item.metadata["rule"])
            except ValueError as error:
                raise ConfigError(f"{section}.{item.name} ({given.origin}): {error}") from None
        if flags:
            raise AssertionError(f"{role.__name__} has no keys {', '.join(flags)}")
        return role(**chosen)

    def origin(self, section: str, name: str) -> str:
        """Where a key's value comes from, in words."""
        given = self.given.get((section, name))
        return given.origin if given else "default"


def load_settings(file: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the file and the environment. `ConfigError` for unknown keys or a file that is not TOML.

    Without `file` it is the one that `PLUMBLINE_CONFIG` names, else `plumbline.toml` in the working folder, if there.
    """
    environment = os.environ if environment is None else environment
    if file is None and environment.get(FILE_VARIABLE):
        file = Path(environment[FILE_VARIABLE])
    if file is None and DEFAULT_FILE.is_file():
        file = DEFAULT_FILE
    given = dict(_read_file(file)) if file else {}
    given.update(_read_environment(environment))
    return Settings(given)


def _read_file(path: Path) -> Iterator[tuple[tuple[str, str], Given]]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error
    for section, table in content.items():
        if section not in ROLES or not isinstance(table, dict):
            raise ConfigError(f"{path}: no section [{section}]; there are {', '.join(ROLES)}")
        for name, value in table.items():
            _check_known(section, name, str(path))
            raw = Raw(value, typed=True, folder=path.parent, private=False)
            yield (section, name), Given(raw, str(path))


def _read_environment(environment: Mapping[str, str]) -> Iterator[tuple[tuple[str, str], Given]]:
    for variable, value in environment.items():
        section, _, name = variable.removeprefix(PREFIX).lower().partition("_")
        if not variable.startswith(PREFIX) or section not in ROLES:
            continue
        _check_known(section, name, f"environment variable {variable}")
        raw = Raw(value, typed=False, folder=Path(), private=True)
        yield (section, name), Given(raw, f"environment variable {variable}")


def _flag(name: str, value: object) -> Given | None:
    if value is None:
        return None
    return Given(Raw(value, typed=False, folder=Path(), private=False), f"flag --{name.replace('_', '-')}")


def _check_known(section: str, name: str, origin: str) -> None:
    known = [item.name for item in fields(cast("Any", ROLES[section]))]
    if name not in known:
        raise ConfigError(f"{section}.{name} ({origin}): no such key; [{section}] has {', '.join(known)}")
