"""The users' machine of the escape: what it has, and what it does with commands that fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollup.demo.escape.machine import Machine
from rollup.demo.report import NotVerified
from rollup.l1.devkeys import dev_key

NOWHERE = "http://127.0.0.1:9"


def machine(folder: Path, patience: float = 120.0) -> Machine:
    """One whose L1 node does not answer."""
    return Machine(folder / "machine", NOWHERE, b"\7" * 20, patience)


def test_keys_are_files_that_only_their_owner_reads(tmp_path: Path) -> None:
    """And nothing else lies there."""
    ours = machine(tmp_path)
    assert ours.holds() == []
    kind, _, path = ours.key(41).partition(":")
    assert kind == "file"
    assert Path(path).read_text().strip() == f"0x{dev_key(41).hex()}"
    assert Path(path).stat().st_mode & 0o077 == 0
    assert ours.key(41) == f"file:{path}"
    assert ours.holds() == ["key-41"]


async def test_its_folder_may_be_named_from_where_the_caller_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its commands run inside it, and still find their keys."""
    monkeypatch.chdir(tmp_path)
    ours = machine(Path("demo"))
    with pytest.raises(NotVerified, match=r"127\.0\.0\.1:9"):
        await ours.run("escape", "--yes", "--key", ours.key(41))


async def test_a_command_that_fails_is_told_with_its_reason(tmp_path: Path) -> None:
    """Unless it was expected to; then its lines are returned."""
    ours = machine(tmp_path)
    command = ("escape", "--yes", "--key", ours.key(41))
    with pytest.raises(NotVerified, match=r"`rollup escape` ended with code 1: .*127\.0\.0\.1:9"):
        await ours.run(*command)
    (refusal,) = await ours.run(*command, codes=(1,))
    assert not refusal["ok"]


async def test_nothing_of_the_callers_configuration_reaches_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key in the environment would sign for somebody else."""
    monkeypatch.setenv("PLUMBLINE_CLIENT_KEY", "dev:3")
    (refusal,) = await machine(tmp_path).run("escape", "--yes", codes=(2,))
    assert "no key" in refusal["error"]["message"]


async def test_a_command_that_does_not_end_is_given_up(tmp_path: Path) -> None:
    """And killed."""
    with pytest.raises(NotVerified, match=r"`rollup escape` did not end within 0\.01 s"):
        await machine(tmp_path, 0.01).run("escape")
