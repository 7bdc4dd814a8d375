"""What people and files are shown: tables lose nothing."""

from __future__ import annotations

import pytest

from rollup.cli.output import Output

NAME = "BTC-20261225-60000-C"
FIGURE = "0.0000000123456789"
ROWS = [[NAME, *[FIGURE] * 8]]
COLUMNS = ["instrument_name", *(f"figure_{n}" for n in "abcdefgh")]


def test_table_in_a_file_is_as_wide_as_it_must_be(capsys: pytest.CaptureFixture[str]) -> None:
    """One line a row, names and figures whole, whatever width a terminal would have."""
    Output().table(COLUMNS, ROWS)
    heading, row = capsys.readouterr().out.splitlines()
    assert heading.split() == COLUMNS
    assert row.split() == ROWS[0]


def test_table_on_a_narrow_terminal_keeps_names_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What does not fit is broken into lines, and no digit is lost."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")
    Output().table(COLUMNS, ROWS)
    shown = capsys.readouterr().out
    assert NAME in shown
    assert "…" not in shown
    digits = [letter for letter in shown.replace(NAME, "") if letter in "0123456789."]
    assert sorted(digits) == sorted(FIGURE * 8)
