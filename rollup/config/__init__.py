"""Configuration of every role: a TOML file, overridden by the environment, overridden by flags.

`roles` lists the keys of each role, `sources` merges the three sources, `values` reads single values strictly,
`secrets` keeps private keys out of sight. Whatever cannot be used is a `ConfigError` that names the key and its source.
"""

from rollup.config.roles import (
    ChallengerConfig,
    ClientConfig,
    DeployConfig,
    DevnetConfig,
    FeederConfig,
    L1Config,
    SequencerConfig,
)
from rollup.config.secrets import KeySource
from rollup.config.sources import Settings, load_settings

__all__ = [
    "ChallengerConfig",
    "ClientConfig",
    "DeployConfig",
    "DevnetConfig",
    "FeederConfig",
    "KeySource",
    "L1Config",
    "SequencerConfig",
    "Settings",
    "load_settings",
]
