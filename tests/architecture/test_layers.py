"""Imports go down the layers; a violation is named by file and line."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.support.source import ROOT, SourceFile, room_of, source_files

LAYERS = (
    {"rollup.errors"},
    {"rollup.types"},
    {"rollup.crypto", "rollup.quant"},
    {"rollup.stf"},
    {"rollup.store", "rollup.l1", "rollup.config"},
    {"rollup.sequencer", "rollup.batcher", "rollup.derive"},
    {"rollup.exit"},
    {"rollup.rpc"},
    {
        "rollup.cli",
        "rollup.devnet",
        "rollup.feeder",
        "rollup.liquidator",
        "rollup.demo",
        "rollup.replay",
        "rollup.bench",
        "rollup.__main__",
    },
)
CHALLENGER_MAY_USE = {
    "rollup.errors",
    "rollup.config",
    "rollup.types",
    "rollup.crypto",
    "rollup.stf",
    "rollup.derive",
    "rollup.l1",
    "rollup.store",
}
FRAME = {"rollup.cli.app", "rollup.cli.options", "rollup.cli.output"}
"""Modules of the command line that know no command: `challenger` stands on the same frame."""


def layer(room: str) -> int:
    """Height of a room, 0 at the bottom; unknown rooms are an error, so that a new room takes a place."""
    for height, rooms in enumerate(LAYERS):
        if room in rooms:
            return height
    raise LookupError(f"{room} has no layer: give it one in LAYERS")


def may_import(importer: str, imported: str) -> bool:
    """Whether room `importer` may use room `imported`."""
    if imported == importer:
        return True
    if importer == "challenger":
        return imported in CHALLENGER_MAY_USE
    if imported == "challenger":
        return False
    return layer(importer) >= layer(imported)


def violations(source: SourceFile) -> list[str]:
    """Imports of one file that go up, as `file:line: importer imports module`."""
    return [
        f"{source.at(node)}: {source.room} must not import {module}"
        for module, node in source.imports()
        if module.split(".")[0] in {"rollup", "challenger"} and not may_import(source.room, room_of(module))
        if not (source.room == "challenger" and ".".join(module.split(".")[:3]) in FRAME)
    ]


@pytest.mark.parametrize("package", ["rollup", "challenger"])
def test_imports_of_every_file_go_down_the_layers(package: str) -> None:
    """No file imports a room above its own, and the challenger none of the sequencer's."""
    found = [line for source in source_files(package) if source.module != "rollup" for line in violations(source)]
    assert not found, "\n".join(found)


def test_the_frame_of_the_command_line_knows_no_command() -> None:
    """So that the challenger may stand on it without standing on the sequencer."""
    allowed = {"rollup.errors", "rollup.config", "rollup.cli"}
    for source in source_files("rollup/cli"):
        if source.module in FRAME:
            used = {module for module, _ in source.imports() if module.startswith("rollup.")}
            assert {room_of(module) for module in used} <= allowed, source.module
            own = {".".join(module.split(".")[:3]) for module in used if room_of(module) == "rollup.cli"}
            assert own <= FRAME, source.module


def test_rooms_of_one_layer_form_no_cycle() -> None:
    """Neighbours may use each other one way only."""
    uses = {
        (source.room, room_of(module))
        for source in source_files("rollup")
        for module, _ in source.imports()
        if module.startswith("rollup.") and room_of(module) != source.room
    }
    assert {pair for pair in uses if pair[::-1] in uses} <= {
        ("rollup.cli", "rollup.devnet"),
        ("rollup.devnet", "rollup.cli"),
        ("rollup.cli", "rollup.demo"),
        ("rollup.demo", "rollup.cli"),
        ("rollup.cli", "rollup.bench"),
        ("rollup.bench", "rollup.cli"),
    }


@pytest.mark.parametrize(
    ("module", "code"),
    [
        ("rollup.stf.block", "from rollup.l1.client import L1Client"),
        ("rollup.sequencer.service", "def f():\n    import rollup.rpc.server"),
        ("rollup.types.keys", "from .. import crypto"),
        ("rollup.types.keys", "from rollup.config import files"),
        ("challenger.watch", "from rollup.sequencer import book"),
        ("challenger.watch", "from rollup.cli.deploy import deploy"),
        ("rollup.derive.replay", "import challenger"),
    ],
)
def test_an_import_that_goes_up_is_found(module: str, code: str) -> None:
    """The checker itself sees absolute, relative and deferred imports."""
    path = ROOT / Path(*module.split(".")).with_suffix(".py")
    (found,) = violations(SourceFile(path, module, ast.parse(code)))
    assert found.startswith(f"{path.relative_to(ROOT)}:{code.count(chr(10)) + 1}: ")


def test_a_room_without_a_layer_is_refused() -> None:
    """A new room has to be given its place."""
    with pytest.raises(LookupError, match=r"rollup\.attic"):
        layer("rollup.attic")


def test_floats_stay_out_of_the_rooms_that_decide() -> None:
    """What is off the chain uses only types, and nothing that derives, stores or proves the state uses it."""
    for source in source_files("rollup") + source_files("challenger"):
        rooms = {room_of(module) for module, _ in source.imports() if module.startswith("rollup.")}
        if source.room == "rollup.quant":
            assert rooms <= {"rollup.quant", "rollup.types", "rollup.errors"}, source.module
        elif "rollup.quant" in rooms:
            assert layer(source.room) >= layer("rollup.sequencer"), source.module
            assert source.room not in {"rollup.batcher", "rollup.derive", "challenger"}, source.module
