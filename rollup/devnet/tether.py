"""Run a module as a program that dies with its parent.

    python -m rollup.devnet.tether MODULE [ARGUMENT …]

The parent keeps the other end of standard input open for as long as it lives. When it ends, however it ends (`kill -9`
included), reading here ends too, and this process stops in good order, or at the latest after `GRACE` seconds with
everything in its process group. No signal of the kernel does this as well: a death signal on Linux follows the *thread*
that started the child, and other systems have none.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time
from typing import Final

GRACE: Final = 8.0
"""Seconds for an orderly end; more than a sequencer needs to finish its block and its store."""


def watch_parent() -> None:
    """End this process when standard input does; returns never."""
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os.killpg(0, signal.SIGKILL)


def main() -> None:
    """Tie this process to its parent, then become the module."""
    if len(sys.argv) < 2:
        sys.exit("usage: python -m rollup.devnet.tether MODULE [ARGUMENT ...]")
    module = sys.argv[1]
    sys.argv = [module, *sys.argv[2:]]
    threading.Thread(target=watch_parent, name="tether", daemon=True).start()
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
