"""The folder of a run: emptied if it is ours, never while another run uses it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rollup.devnet.folder import MARKER, own_folder
from rollup.errors import ConfigError

HOLDER = """
import sys, time
from pathlib import Path
from rollup.devnet.folder import own_folder
with own_folder(Path(sys.argv[1])):
    (Path(sys.argv[1]) / "data").write_text("in use")
    print("held", flush=True)
    time.sleep(3600)
"""


def test_a_folder_of_an_earlier_run_is_emptied(tmp_path: Path) -> None:
    """With everything in it; a new or empty one is taken as well. What a link leads to is not ours."""
    folder, elsewhere = tmp_path / "a" / "devnet", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "thesis.tex").write_text("years of work")
    with own_folder(folder):
        (folder / "sequencer").mkdir()
        (folder / "sequencer" / "CURRENT").write_text("old")
        (folder / "deployment.json").write_text("old")
        (folder / "link").symlink_to(elsewhere)
    with own_folder(folder):
        assert [path.name for path in folder.iterdir()] == [MARKER]
    assert (elsewhere / "thesis.tex").exists()


def test_a_folder_of_somebody_elses_is_refused_and_left_alone(tmp_path: Path) -> None:
    """Whoever mistypes a path loses nothing."""
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ConfigError, match="is not empty and holds no devnet"), own_folder(tmp_path):
        pass
    assert (tmp_path / "thesis.tex").read_text() == "years of work"
    with pytest.raises(ConfigError, match=r"Not a directory|File exists"), own_folder(tmp_path / "thesis.tex"):
        pass


def test_a_folder_in_use_is_refused_and_left_alone_until_its_user_is_gone(tmp_path: Path) -> None:
    """Another process, and one that is killed: its lock goes with it."""
    folder = tmp_path / "devnet"
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(folder)], stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            with pytest.raises(ConfigError, match="is in use by another run"), own_folder(folder):
                pass
            assert (folder / "data").read_text() == "in use"
        finally:
            holder.send_signal(signal.SIGKILL)
    with own_folder(folder):
        assert not (folder / "data").exists()


def test_an_error_within_the_run_stays_what_it_is(tmp_path: Path) -> None:
    """Only what is wrong with the folder is a matter of configuration."""
    with pytest.raises(FileNotFoundError), own_folder(tmp_path / "devnet"):
        (tmp_path / "nowhere").read_text()
