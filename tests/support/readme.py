"""README.md taken apart: its shell commands, the commands it names in passing, its links and its tree of files."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from tests.support.source import ROOT

TEXT = (ROOT / "README.md").read_text()
PROGRAMS = ("rollup", "challenger")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Line:
    """One command of a shell block."""

    block: int
    tokens: tuple[str, ...]

    def __str__(self) -> str:
        return shlex.join(self.tokens)


def blocks(language: str) -> list[str]:
    """The contents of the fenced blocks of one language, in order."""
    return [content for found, content in _FENCE.findall(TEXT) if found == language]


def languages() -> set[str]:
    """Every kind of block there is."""
    return {language for language, _ in _FENCE.findall(TEXT)}


def shell_lines() -> list[Line]:
    """Every command of every shell block, comments taken off."""
    split = [
        (block, shlex.split(line, comments=True))
        for block, text in enumerate(blocks("sh"))
        for line in text.split("\n")
    ]
    return [Line(block, tuple(tokens)) for block, tokens in split if tokens]


def mentioned() -> list[tuple[str, ...]]:
    """Commands in the running text: code spans that begin with a program's name and say more than that."""
    prose = _FENCE.sub("", TEXT)
    spans = (tuple(span.split()) for span in re.findall(r"`([^`\n]+)`", prose))
    return sorted({span for span in spans if span[0] in PROGRAMS and len(span) > 1})


def links() -> list[str]:
    """Relative link targets."""
    return sorted({target for target in re.findall(r"\]\(([^)#]+)\)", TEXT) if "://" not in target})


def named_paths() -> list[str]:
    """First words of the tree of files, and files and folders of tests in code spans."""
    tree = [line.split()[0] for text in blocks("text") for line in text.splitlines() if line.strip()]
    spans = re.findall(r"`((?:tests|contracts|rollup|challenger|docker)/[\w./]*)`", _FENCE.sub("", TEXT))
    return sorted({*tree, *spans})
