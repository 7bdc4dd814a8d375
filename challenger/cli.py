"""The console script `challenger`: three commands on the frame that `rollup` stands on as well."""

from __future__ import annotations

import sys
from typing import Final

from rollup.cli.app import Program, run

CHALLENGER: Final = Program(
    "challenger",
    "Plumbline's challenger: derives a rollup from L1 alone, and proves what is wrong in one L1 transaction.",
    (
        ("Running", "watch", "challenger.commands:watch", "Follow a rollup; prove fraud and earn the reward."),
        ("Running", "status", "challenger.commands:status", "Tell what a running challenger has found."),
        ("By hand", "export", "challenger.export:export", "Write a rollup's whole past to a file, for pruned nodes."),
        ("By hand", "prove", "challenger.once:prove", "Look once whether there is fraud, and prove it."),
    ),
    frozenset({"watch"}),
)


def main() -> None:
    """Entry point of the console script."""
    sys.exit(run(sys.argv[1:], program=CHALLENGER))


if __name__ == "__main__":
    main()
