"""The sequencer that is measured, as a process: `python -m rollup.bench.serve L1_URL ROLLUP FOLDER`.

It is the same node as `rollup sequencer` runs, but posts no batches: an L1 node would share the processors with what is
measured, and acknowledgements do not wait for L1. What posting costs is measured apart.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Final

import msgspec
import trio

from rollup.devnet.roles import SEQUENCER
from rollup.l1.devkeys import dev_key
from rollup.rpc.node import Node, run_node
from rollup.sequencer.options import SequencerOptions

BLOCK_SECONDS: Final = 0.003
"""Blocks are sealed after a few milliseconds: the answers to the orders in them wait for that."""
POLL_SECONDS: Final = 1.0
"""Between two looks at L1, whose blocks take twelve seconds on the main net."""


async def serve(l1_url: str, rollup: bytes, folder: Path) -> None:
    """Serve until cancelled; says on standard output where."""
    options = SequencerOptions(
        data_dir=folder,
        l1_url=l1_url,
        rollup=rollup,
        key=dev_key(SEQUENCER),
        block_interval=BLOCK_SECONDS,
        poll_interval=POLL_SECONDS,
        confirmations=0,
        post_batches=False,
    )
    async with trio.open_nursery() as nursery:
        node: Node = await nursery.start(run_node, options, "127.0.0.1", 0)
        print(
            msgspec.json.encode({"event": "listening", "ws": node.address.ws_url, "pid": os.getpid()}).decode(),
            flush=True,
        )


def main() -> None:
    """Run until interrupted or asked to end."""
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    l1_url, rollup, folder = sys.argv[1:]
    try:
        trio.run(serve, l1_url, bytes.fromhex(rollup), Path(folder))
    except* KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
