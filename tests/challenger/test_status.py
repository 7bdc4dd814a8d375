"""The status file: whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from challenger.status import FILE, Status, read_status
from rollup.errors import StoreError


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """Exactly, and nothing else is left in the folder."""
    status = Status("0x12", "watch", l1_block=5, fraud={"batch": 2}, disagreements=[7], alarm="look")
    status.write(tmp_path)
    status.batch = 9
    status.write(tmp_path)
    read = read_status(tmp_path)
    assert (read["l1_block"], read["batch"], read["fraud"], read["disagreements"]) == (5, 9, {"batch": 2}, [7])
    assert read["updated"] > 0
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_a_missing_or_torn_file_is_an_error_that_says_so(tmp_path: Path) -> None:
    """Neither is taken for a status."""
    with pytest.raises(StoreError, match="no challenger has run"):
        read_status(tmp_path)
    for torn in (b"", b'{"batch": 1', b"[]"):
        (tmp_path / FILE).write_bytes(torn)
        with pytest.raises(StoreError, match="torn"):
            read_status(tmp_path)
