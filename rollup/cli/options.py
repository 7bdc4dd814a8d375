"""The flags that every command has."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from rollup.cli.output import Output
from rollup.config import Settings, load_settings


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Common:
    """Configuration file and form of output."""

    config: Annotated[
        Path | None, Parameter(help="TOML file; default: $PLUMBLINE_CONFIG, else ./plumbline.toml if it exists")
    ] = None
    json: Annotated[bool, Parameter(negative=(), help="print JSON, one object per line")] = False

    def settings(self) -> Settings:
        """The configuration without flags; `ConfigError` if it cannot be used."""
        return load_settings(self.config)

    def output(self) -> Output:
        """Where results go; what services log goes to standard error from now on."""
        import structlog  # noqa: PLC0415 - not worth its time on the way to `--help`

        structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
        return Output(self.json)


ExportFlag = Annotated[
    Path | None, Parameter(name="export", help="a watcher's export, where the node has dropped its old logs")
]
"""A flag of every command that rebuilds the state."""

DEFAULT = Common()
"""No flag given."""
