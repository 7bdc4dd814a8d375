"""A process killed at any moment has lost nothing that it acknowledged."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import textwrap
from contextlib import suppress
from pathlib import Path

import pytest

from rollup.crypto.tree import MemoryNodes, Tree
from rollup.errors import StoreError
from rollup.store.state import StateStore
from tests.store.building import GENESIS, IDENTITY, grow

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


@pytest.mark.parametrize("lost", [1, 100, 5_000, 20_000])
def test_torn_log_opens_at_an_earlier_block_or_not_at_all(tmp_path: Path, lost: int) -> None:
    """If a disk lied about a sync and the log's end is gone, what opens is one whole state."""
    roots = write_log(tmp_path)
    log = newest_log(tmp_path)
    log.write_bytes(log.read_bytes()[:-lost])
    with suppress(StoreError):
        store = StateStore.open(tmp_path, IDENTITY)
        assert store.number < len(roots) - 1
        assert store.root == roots[store.number] == Tree(MemoryNodes()).update(dict(store.iterate_leaves()))
        store.close()


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_corrupt_log_is_refused(tmp_path: Path, place: float) -> None:
    """A flipped bit amid the log is no crash: going on would silently drop acknowledged blocks."""
    write_log(tmp_path)
    log = newest_log(tmp_path)
    damaged = bytearray(log.read_bytes())
    damaged[int(len(damaged) * place)] ^= 1
    log.write_bytes(damaged)
    with pytest.raises(StoreError, match="cannot be opened"):
        StateStore.open(tmp_path, IDENTITY)


def write_log(path: Path) -> list[bytes]:
    """Fill a store with twenty blocks, none of which has left the log for a table, and return the roots."""
    store = StateStore.open(path, IDENTITY, create=True)
    roots = [store.initialise(GENESIS)]
    source = random.Random(3)
    for _ in range(20):
        grow(store, 1, source)
        roots.append(store.root)
    store.close()
    return roots


def newest_log(path: Path) -> Path:
    """The log that LevelDB would replay."""
    return max(path.glob("*.log"))


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
