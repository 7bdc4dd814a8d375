"""A process killed at any moment has lost nothing that it acknowledged."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

from rollup.crypto.tree import MemoryNodes, Tree
from rollup.store.state import StateStore
from tests.store.building import IDENTITY

COMMITTER = textwrap.dedent("""
    import random, sys
    from pathlib import Path
    import trio
    from rollup.store.changes import Notes
    from rollup.store.state import StateStore
    from rollup.store.writer import StoreWriter
    from tests.store.building import GENESIS, IDENTITY, random_writes, seal

    async def commit(writer, block, number):
        await writer.commit([block], Notes(meta={"cursor": b"%d" % number}))
        sys.stdout.write(f"{number} {block.staged.root.hex()}\\n")
        sys.stdout.flush()

    async def main():
        store = StateStore.open(Path(sys.argv[1]), IDENTITY, create=True)
        if store.number < 0:
            store.initialise(GENESIS)
        writer = StoreWriter(store)
        source = random.Random(int(sys.argv[2]))
        async with trio.open_nursery() as nursery:
            await nursery.start(writer.run)
            while True:
                for _ in range(source.randrange(1, 6)):
                    nursery.start_soon(commit, writer, seal(store.stage(random_writes(source))), store.number)
                    await trio.lowlevel.checkpoint()
                while store.number - store.committed > 8:
                    await trio.lowlevel.checkpoint()

    trio.run(main)
""")


def test_kill_at_any_moment_keeps_every_acknowledged_block(tmp_path: Path) -> None:
    """Six times: commit in groups, SIGKILL in the middle, compare the last acknowledged block with the disk."""
    source = random.Random(7)
    number = 0
    for attempt in range(6):
        acknowledged = run_until_killed(tmp_path, attempt, lines=source.randrange(3, 60))
        store = StateStore.open(tmp_path, IDENTITY)
        assert store.committed >= max(acknowledged) > number
        for block, root in acknowledged.items():
            record = store.records.block(block)
            assert record is not None
            assert record.header.state_root.hex() == root
        assert store.records.meta("cursor") == b"%d" % store.committed
        assert store.root == Tree(MemoryNodes()).update(dict(store.iterate_leaves()))
        if attempt % 2:
            store.rollback(store.committed - 2)
        number = store.committed
        assert store.view(number).root == store.root
        store.close()


def run_until_killed(path: Path, seed: int, *, lines: int) -> dict[int, str]:
    """Start a committer, kill it once it printed `lines` acknowledgements, and return all that it had printed."""
    committer = subprocess.Popen(
        [sys.executable, "-c", COMMITTER, str(path), str(seed)], stdout=subprocess.PIPE, text=True
    )
    assert committer.stdout is not None
    with committer:
        printed = [committer.stdout.readline() for _ in range(lines)]
        committer.send_signal(signal.SIGKILL)
        printed += committer.stdout.readlines()
    assert committer.returncode == -signal.SIGKILL
    whole = [line.split() for line in printed if line.endswith("\n")]
    return {int(block): root for block, root in whole}
