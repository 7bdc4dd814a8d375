"""The folder of one run, emptied at its start and kept from others while it lasts."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from rollup.errors import ConfigError

MARKER: Final = ".plumbline"
"""File that marks a folder as ours, to be emptied without asking; whoever uses the folder holds a lock on it."""


@contextmanager
def own_folder(folder: Path) -> Iterator[None]:
    """Delete what an earlier run left in `folder` and keep it until the end of the block.

    `ConfigError` if anybody else may have put something there, or another run uses it; nothing is deleted then. The
    system gives up the lock with the process, however it ends.
    """
    try:
        held = _claim(folder)
        _empty(folder)
    except OSError as error:
        raise ConfigError(f"{folder}: {error.strerror or error}") from error
    with held:
        yield


def _claim(folder: Path) -> IO[str]:
    marker = folder / MARKER
    if folder.exists() and any(folder.iterdir()) and not marker.is_file():
        raise ConfigError(f"{folder} is not empty and holds no devnet; name another folder with --data")
    folder.mkdir(parents=True, exist_ok=True)
    held = marker.open("a", encoding="utf-8")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        held.close()
        raise ConfigError(f"{folder} is in use by another run; stop it, or name another folder with --data") from None
    if held.tell() == 0:
        held.write("made by `rollup devnet` or `rollup demo`; emptied at the next start\n")
        held.flush()
    return held


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != MARKER:
            path.unlink()
