"""Three sources, in their order of weakness, and clear refusals."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from rollup.config import (
    ChallengerConfig,
    ClientConfig,
    DevnetConfig,
    L1Config,
    SequencerConfig,
    Settings,
    load_settings,
)
from rollup.errors import ConfigError


def settings(tmp_path: Path, toml: str = "", environment: Mapping[str, str] | None = None) -> Settings:
    """Settings of a file with this content and of this environment."""
    file = tmp_path / "plumbline.toml"
    file.write_text(toml)
    return load_settings(file, environment or {})


def test_without_any_source_the_defaults_hold(tmp_path: Path) -> None:
    """Nothing has to be configured for a devnet."""
    assert settings(tmp_path).role(SequencerConfig) == SequencerConfig()


def test_the_environment_beats_the_file_and_a_flag_beats_both(tmp_path: Path) -> None:
    """Each source overrides the weaker ones key by key."""
    given = settings(
        tmp_path, "[sequencer]\nport = 1\nhost = 'file'\nbatch_bytes = 2000", {"PLUMBLINE_SEQUENCER_PORT": "2"}
    )
    config = given.role(SequencerConfig, host="flag", key=None)
    assert (config.host, config.port, config.batch_bytes) == ("flag", 2, 2000)


def test_the_origin_of_each_value_is_told(tmp_path: Path) -> None:
    """`rollup config` can say why a value is what it is."""
    given = settings(tmp_path, "[l1]\nurl = 'http://x'", {"PLUMBLINE_L1_TIMEOUT": "3.5"})
    assert given.origin("l1", "url").endswith("plumbline.toml")
    assert given.origin("l1", "timeout") == "environment variable PLUMBLINE_L1_TIMEOUT"
    assert given.origin("l1", "confirmations") == "default"


@pytest.mark.parametrize(
    ("toml", "complaint"),
    [
        ("[sequencer]\nprot = 1", r"sequencer\.prot \(.*plumbline\.toml\): no such key; \[sequencer\] has host, port"),
        ("[sequenser]\nport = 1", r"no section \[sequenser\]; there are l1, sequencer"),
        ("l1 = 3", r"no section \[l1\]"),
        ("[l1", "is not TOML"),
    ],
)
def test_an_unknown_key_or_section_in_the_file_is_refused(tmp_path: Path, toml: str, complaint: str) -> None:
    """A misspelt key never passes silently."""
    with pytest.raises(ConfigError, match=complaint):
        settings(tmp_path, toml)


def test_an_unknown_key_in_the_environment_is_refused(tmp_path: Path) -> None:
    """A misspelt variable never passes silently; other programs' variables are none of our business."""
    with pytest.raises(ConfigError, match=r"l1\.ulr \(environment variable PLUMBLINE_L1_ULR\): no such key"):
        settings(tmp_path, "", {"PLUMBLINE_L1_ULR": "x"})
    settings(tmp_path, "", {"PLUMBLINE_ARTIFACTS": "x", "L1_ULR": "x"})


@pytest.mark.parametrize(
    ("section", "line", "complaint"),
    [
        ("sequencer", "port = 70000", r"must be at least 0 and at most 65535, not 70000"),
        ("sequencer", "port = '80'", r"must be a whole number, not '80'"),
        ("sequencer", "port = true", r"must be a whole number, not True"),
        ("sequencer", "host = 3", r"must be a text, not 3"),
        ("sequencer", "block_seconds = nan", r"must be a number"),
        ("sequencer", "block_seconds = 0", r"must be at least 0.001"),
        ("sequencer", "key = 'abc'", r"a key is given as file:PATH or dev:N"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(tmp_path: Path, section: str, line: str, complaint: str) -> None:
    """The error names key, source and what would be right; TOML texts are not taken for numbers."""
    given = settings(tmp_path, f"[{section}]\n{line}")
    with pytest.raises(ConfigError, match=rf"{section}\.\w+ \(.*plumbline\.toml\): .*{complaint}"):
        given.role(SequencerConfig)


def test_texts_of_the_environment_and_of_flags_are_converted(tmp_path: Path) -> None:
    """They have no types of their own."""
    given = settings(tmp_path, "", {"PLUMBLINE_DEVNET_CHALLENGER": "no", "PLUMBLINE_DEVNET_MAKERS": "5"})
    config = given.role(DevnetConfig, seconds="2.5", takers=1)
    assert (config.challenger, config.makers, config.takers, config.seconds) == (False, 5, 1, 2.5)
    with pytest.raises(ConfigError, match=r"devnet\.challenger \(flag --challenger\): must be true or false"):
        given.role(DevnetConfig, challenger="perhaps")
    with pytest.raises(ConfigError, match=r"devnet\.makers .*whole number, not 'many'"):
        settings(tmp_path, "", {"PLUMBLINE_DEVNET_MAKERS": "many"}).role(DevnetConfig)


def test_one_of_a_choice_is_required(tmp_path: Path) -> None:
    """The choices are listed."""
    with pytest.raises(
        ConfigError, match=r"challenger\.mode \(flag --mode\): must be one of watch, defend, not 'sleep'"
    ):
        settings(tmp_path).role(ChallengerConfig, mode="sleep")


def test_an_empty_variable_unsets_an_optional_value_and_no_other(tmp_path: Path) -> None:
    """What may be absent can be made so from outside."""
    given = settings(tmp_path, "[devnet]\nl1 = 'http://x'", {"PLUMBLINE_DEVNET_L1": "", "PLUMBLINE_L1_URL": ""})
    assert given.role(DevnetConfig).l1 is None
    with pytest.raises(ConfigError, match="must be a text"):
        given.role(L1Config)


def test_paths_in_the_file_are_relative_to_the_file(tmp_path: Path) -> None:
    """A configuration file works from any working folder; flags are relative to the working folder."""
    given = settings(tmp_path, "[l1]\ndeployment = 'net/deployment.json'")
    assert given.role(L1Config).deployment == tmp_path / "net" / "deployment.json"
    assert given.role(L1Config, deployment="x.json").deployment == Path("x.json")


def test_the_file_is_found_by_variable_and_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`PLUMBLINE_CONFIG` names it, else `plumbline.toml` is taken if it is there; a named one must exist."""
    monkeypatch.chdir(tmp_path)
    assert load_settings(environment={}).given == {}
    (tmp_path / "plumbline.toml").write_text("[l1]\nurl = 'http://here'")
    (tmp_path / "other.toml").write_text("[l1]\nurl = 'http://other'")
    assert load_settings(environment={}).role(L1Config).url == "http://here"
    assert load_settings(environment={"PLUMBLINE_CONFIG": "other.toml"}).role(L1Config).url == "http://other"
    with pytest.raises(ConfigError, match=r"absent\.toml: No such file"):
        load_settings(Path("absent.toml"), {})


def test_bounds_are_told_to_the_last_digit(tmp_path: Path) -> None:
    """The largest account number is not rounded to six digits."""
    with pytest.raises(ConfigError, match=r"at least 0 and at most 16777215, not 16777216"):
        settings(tmp_path).role(ClientConfig, account="16777216")
