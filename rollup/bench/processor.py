"""Processor time of another process: what a rate would be if the measured one had a processor to itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_USER: Final = 11
_SYSTEM: Final = 12
"""Fields of /proc/PID/stat behind the name, in ticks."""


def processor_seconds(pid: int) -> float | None:
    """Seconds that all threads of a process have had so far; None where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[_USER]) + int(fields[_SYSTEM])) / os.sysconf("SC_CLK_TCK")
