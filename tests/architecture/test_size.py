"""Files stay small enough to be read at one sitting."""

from __future__ import annotations

from tests.support.source import ROOT

LIMIT = 350
"""Lines. Files are meant to have 60 to 200; beyond this one they are split."""


def test_no_source_file_is_longer_than_one_sitting() -> None:
    """Python and Solidity alike, tests included."""
    paths = [p for folder in ("rollup", "challenger", "tests") for p in (ROOT / folder).rglob("*.py")]
    paths += (ROOT / "contracts").rglob("*.sol")
    lengths = {p.relative_to(ROOT): len(p.read_text().splitlines()) for p in paths}
    assert lengths
    long = {str(path): lines for path, lines in lengths.items() if lines > LIMIT}
    assert not long
