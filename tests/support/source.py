"""The project's own source as the architecture tests see it: parsed files and the imports they make."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One parsed Python file; `module` is its dotted name."""

    path: Path
    module: str
    tree: ast.Module

    @property
    def room(self) -> str:
        """The first two parts of the name within `rollup`, else the package: `rollup.stf`, `challenger`."""
        return room_of(self.module)

    def at(self, node: ast.AST) -> str:
        """`file:line`, as editors open it."""
        return f"{self.path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"

    def imports(self) -> Iterator[tuple[str, ast.AST]]:
        """Every imported module with its place, deferred and type-only imports included."""
        package = self.module if self.path.name == "__init__.py" else self.module.rpartition(".")[0]
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((alias.name, node) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = node.module or ""
                if node.level:
                    parent = package.split(".")[: len(package.split(".")) - node.level + 1]
                    base = ".".join([*parent, base]).rstrip(".")
                yield from ((f"{base}.{alias.name}", node) for alias in node.names)


def room_of(module: str) -> str:
    """The room a dotted name belongs to."""
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "rollup" else parts[0]


@cache
def source_files(folder: str) -> tuple[SourceFile, ...]:
    """All Python files below a folder of the project, sorted."""
    return tuple(parse(path) for path in sorted((ROOT / folder).rglob("*.py")))


def parse(path: Path) -> SourceFile:
    """Parse one file."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return SourceFile(path, module, ast.parse(path.read_bytes()))
