"""Private keys: read from where others cannot see them, and never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollup.config import SequencerConfig, load_settings
from rollup.config.secrets import read_key
from rollup.errors import ConfigError
from rollup.l1.devkeys import dev_key

DIGITS = "0x" + "1f" * 32


def test_a_plain_key_is_taken_from_the_environment_and_never_shown() -> None:
    """Neither the configuration nor its parts print it."""
    config = load_settings(environment={"PLUMBLINE_SEQUENCER_KEY": DIGITS}).role(SequencerConfig)
    assert config.key is not None
    assert config.key.private_key() == bytes.fromhex(DIGITS[2:])
    assert "1f1f" not in f"{config} {config.key} {config.key!r}"


@pytest.mark.parametrize("source", ["flag", "file"])
def test_a_plain_key_in_a_flag_or_file_is_refused_without_repeating_it(tmp_path: Path, source: str) -> None:
    """Command lines and configuration files are read by others."""
    file = tmp_path / "plumbline.toml"
    file.write_text(f"[sequencer]\nkey = '{DIGITS}'" if source == "file" else "")
    flags = {"key": DIGITS} if source == "flag" else {}
    with pytest.raises(ConfigError, match="from the environment only") as caught:
        load_settings(file, {}).role(SequencerConfig, **flags)
    assert "1f1f" not in str(caught.value)


def test_a_key_file_holds_the_digits(tmp_path: Path) -> None:
    """With or without 0x and a line end."""
    (tmp_path / "key").write_text(DIGITS[2:] + "\n")
    assert read_key(f"file:{tmp_path / 'key'}", plain_allowed=False).private_key() == bytes.fromhex(DIGITS[2:])


@pytest.mark.parametrize("content", ["", "0x12", "00" * 32, "ff" * 32, "zz" * 32])
def test_a_key_file_with_anything_else_is_refused(tmp_path: Path, content: str) -> None:
    """Zero and what exceeds the curve order are no keys either."""
    (tmp_path / "key").write_text(content)
    with pytest.raises(ConfigError, match="does not hold a private key") as caught:
        read_key(f"file:{tmp_path / 'key'}", plain_allowed=False).private_key()
    assert not content or content not in str(caught.value)


def test_an_unreadable_key_file_is_named(tmp_path: Path) -> None:
    """The operator learns which file and why."""
    with pytest.raises(ConfigError, match=r"key file .*absent: No such file"):
        read_key(f"file:{tmp_path / 'absent'}", plain_allowed=False).private_key()
    (tmp_path / "binary").write_bytes(b"\xff" * 32)
    with pytest.raises(ConfigError, match="not a text file"):
        read_key(f"file:{tmp_path / 'binary'}", plain_allowed=False).private_key()


def test_a_development_key_is_named_by_number() -> None:
    """`dev:N` is the public key N of the development mnemonic."""
    source = read_key("dev:3", plain_allowed=False)
    assert (str(source), source.private_key()) == ("dev:3", dev_key(3))


@pytest.mark.parametrize("text", ["dev:", "dev:-1", "dev:1000", "file:", "key", "0x12"])
def test_anything_else_is_no_key_source(text: str) -> None:
    """The refusal says what a key source looks like."""
    with pytest.raises(ValueError, match="file:PATH or dev:N"):
        read_key(text, plain_allowed=True)
