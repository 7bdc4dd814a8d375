"""What the README shows exists: every command with its flags, every file, every target."""

from __future__ import annotations

import re

import pytest

from challenger.cli import CHALLENGER
from rollup.cli.app import ROLLUP, Program, make_app
from tests.support import readme
from tests.support.readme import Line
from tests.support.source import ROOT

APPS: dict[str, Program] = {"rollup": ROLLUP, "challenger": CHALLENGER}
TARGETS = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
LINES = readme.shell_lines()


def parse(tokens: tuple[str, ...]) -> None:
    """Read the command as the program itself would; raises what is wrong with it."""
    program = APPS[tokens[0]]
    wanted = [token for token in tokens[1:] if token != "--help"]
    assert wanted[0] in {name for _, name, _, _ in program.commands}, f"{program.name} has no command {wanted[0]}"
    function, _, unknown = make_app(program).parse_args(wanted, exit_on_error=False, print_error=False)
    assert callable(function)
    assert not unknown


def test_the_readme_has_commands_and_only_known_kinds_of_blocks() -> None:
    """A block of another kind would be run by nobody."""
    assert readme.languages() == {"sh", "text"}
    assert len(LINES) > 10
    assert len(readme.mentioned()) > 5


@pytest.mark.parametrize("line", LINES, ids=str)
def test_every_shell_line_is_a_command_that_exists(line: Line) -> None:
    """Programs with all their flags, targets of the Makefile, and variables of the configuration."""
    program = line.tokens[0]
    if program == "make":
        assert set(line.tokens[1:]) <= TARGETS
    elif program == "export":
        assert all(re.fullmatch(r"PLUMBLINE_[A-Z0-9_]+=\S+", token) for token in line.tokens[1:])
    else:
        parse(line.tokens)


@pytest.mark.parametrize("tokens", readme.mentioned(), ids=" ".join)
def test_every_command_in_the_text_exists(tokens: tuple[str, ...]) -> None:
    """With the flags it is named with."""
    parse(tokens)


@pytest.mark.parametrize("path", sorted({*readme.links(), *readme.named_paths()}))
def test_every_file_that_is_named_is_there(path: str) -> None:
    """Links, the tree, and where the promises are held."""
    assert (ROOT / path).exists()
