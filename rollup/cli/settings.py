"""`rollup config`: the configuration as it is in force, as a TOML file with the origin of each value."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from rollup.cli.options import DEFAULT, Common
from rollup.config import Settings
from rollup.config.roles import Role
from rollup.config.sources import PREFIX, ROLES
from rollup.errors import ConfigError


def show_config(
    section: Annotated[
        str | None, Parameter(help="l1, sequencer, challenger, client or devnet; all if not given")
    ] = None,
    *,
    common: Common = DEFAULT,
) -> None:
    """Show the configuration and where each value comes from. Private keys are not shown."""
    if section is not None and section not in ROLES:
        raise ConfigError(f"no section {section!r}; there are {', '.join(ROLES)}")
    settings = common.settings()
    chosen = [ROLES[section]] if section else list(ROLES.values())
    values = {role.SECTION: settings.role(role) for role in chosen}
    if common.json:
        common.output().result({name: dict(_plain(config)) for name, config in values.items()})
        return
    print("\n\n".join("\n".join(_section(settings, config)) for config in values.values()))


def _section(settings: Settings, config: Role) -> Iterator[str]:
    yield f"[{config.SECTION}] # environment: {PREFIX}{config.SECTION.upper()}_…"
    meanings: dict[str, str] = {item.name: item.metadata["meaning"] for item in _fields(config)}
    for name, value in _plain(config):
        line = f"# {name} = " if value is None else f"{name} = {msgspec.json.encode(value).decode()}"
        yield f"# {meanings[name]} ({settings.origin(config.SECTION, name)})"
        yield line


def _plain(config: Role) -> Iterator[tuple[str, Any]]:
    for item in _fields(config):
        value = getattr(config, item.name)
        plain = value is None or isinstance(value, bool | int | float | str)
        yield item.name, value if plain else str(value) if not isinstance(value, tuple) else list(value)


def _fields(config: Role) -> tuple[dataclasses.Field[Any], ...]:
    assert dataclasses.is_dataclass(config)
    return dataclasses.fields(config)
