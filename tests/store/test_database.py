from __future__ import annotations

import random
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollup.errors import StoreError
from rollup.store.database import Database, LevelDatabase, MemoryDatabase
from rollup.store.identity import ChainIdentity
from rollup.store.rooms import prefix_range
from rollup.store.state import StateStore
from tests.store.building import GENESIS, IDENTITY

keys = st.binary(min_size=1, max_size=3)


@pytest.fixture(scope="module")
def level(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One LevelDB for all examples."""
    database = LevelDatabase(tmp_path_factory.mktemp("database") / "db", create=True)
    yield database
    database.close()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.dictionaries(keys, st.none() | st.binary(max_size=5), max_size=8), max_size=4), keys, keys)
def test_both_databases_answer_alike(
    level: Database, writes: list[dict[bytes, bytes | None]], start: bytes, stop: bytes
) -> None:
    """Reads, ranges in both directions and snapshots are those of a dictionary."""
    level.write(dict.fromkeys(key for key, _ in level.iterate(b"", b"\xff" * 4)))
    memory = MemoryDatabase()
    for puts in writes:
        level.write(puts)
        memory.write(puts)
    snapshots = level.snapshot(), memory.snapshot()
    for reverse in (False, True):
        found = list(level.iterate(start, stop, reverse=reverse))
        assert found == list(memory.iterate(start, stop, reverse=reverse))
        assert [level.get(key) for key, _ in found] == [memory.get(key) for key, _ in found]
    everything = list(level.iterate(b"", b"\xff" * 4))
    level.write({start: b"later", stop: None})
    for snapshot in snapshots:
        assert list(snapshot.iterate(b"", b"\xff" * 4)) == everything
        assert snapshot.get(start) == dict(everything).get(start)
        snapshot.close()


@pytest.mark.parametrize("only", [b"a", b"b", b"\x00"])
def test_range_of_a_single_key_is_found_backwards(tmp_path: Path, only: bytes) -> None:
    """Also where the key is the start of the range, with or without a key behind its end."""
    database = LevelDatabase(tmp_path, create=True)
    for more in ({}, {b"z": b""}):
        database.write({only: b"x", **more})
        assert list(database.iterate(only, only + b"\x00", reverse=True)) == [(only, b"x")]
    database.close()


@given(st.binary(min_size=1, max_size=3).filter(lambda prefix: prefix[0] != 0xFF), st.binary(max_size=4))
def test_prefix_range_holds_exactly_the_keys_with_the_prefix(prefix: bytes, key: bytes) -> None:
    """Whatever bytes the prefix ends in."""
    start, stop = prefix_range(prefix)
    assert (start <= key < stop) == key.startswith(prefix)
    assert start <= prefix + key < stop


def test_directory_has_one_owner(tmp_path: Path) -> None:
    """A second opener is told so, and may open it once the first has closed."""
    first = StateStore.open(tmp_path, IDENTITY, create=True)
    with pytest.raises(StoreError, match="in use by another process"):
        StateStore.open(tmp_path, IDENTITY)
    first.close()
    StateStore.open(tmp_path, IDENTITY).close()


@pytest.mark.parametrize("other", [ChainIdentity(1, IDENTITY.rollup), ChainIdentity(IDENTITY.chain_id, b"\x22" * 20)])
def test_directory_of_another_deployment_is_refused(tmp_path: Path, other: ChainIdentity) -> None:
    """The message names both deployments; the directory is left unlocked and unchanged."""
    StateStore.open(tmp_path, IDENTITY, create=True).close()
    with pytest.raises(StoreError, match=f"belongs to rollup 0x{'11' * 20} on chain 31337, not to {other}"):
        StateStore.open(tmp_path, other, create=True)
    StateStore.open(tmp_path, IDENTITY).close()


def test_directory_of_another_layout_is_refused(tmp_path: Path) -> None:
    """A store written by other software is not guessed at."""
    store = StateStore.open(tmp_path, IDENTITY, create=True)
    store._database.write({b"S": b"\x00\x63" + IDENTITY.encode()[2:]})
    store.close()
    with pytest.raises(StoreError, match="layout 99"):
        StateStore.open(tmp_path, IDENTITY)


def test_missing_or_foreign_directory_is_refused(tmp_path: Path) -> None:
    """Nothing is created unless asked, and no other database is taken over."""
    with pytest.raises(StoreError, match="holds no database"):
        StateStore.open(tmp_path / "none", IDENTITY)
    assert not (tmp_path / "none").exists()
    foreign = LevelDatabase(tmp_path / "foreign", create=True)
    foreign.write({b"key": b"value"})
    foreign.close()
    with pytest.raises(StoreError, match="does not say"):
        StateStore.open(tmp_path / "foreign", IDENTITY, create=True)
    (tmp_path / "file").write_text("no directory")
    with pytest.raises(StoreError, match="cannot be opened"):
        StateStore.open(tmp_path / "file", IDENTITY, create=True)


def test_closed_database_refuses_everything(tmp_path: Path) -> None:
    """With the one type of error, not the library's."""
    database = LevelDatabase(tmp_path, create=True)
    database.close()
    for use in (
        lambda: database.get(b"k"),
        lambda: database.write({b"k": b"v"}),
        lambda: list(database.iterate(b"", b"\xff")),
        database.snapshot,
    ):
        with pytest.raises(StoreError):
            use()


def test_corrupt_table_is_noticed(tmp_path: Path) -> None:
    """A flipped bit on disk ends in StoreError where its keys are read or scanned, and never in a wrong value."""
    database = LevelDatabase(tmp_path, create=True)
    source = random.Random(1)
    expected = {b"l" + number.to_bytes(5, "big"): source.randbytes(200) for number in range(5000)}
    database.write(expected)
    database._db.compact_range()
    database.close()
    table = max(tmp_path.glob("*.ldb"), key=lambda file: file.stat().st_size)
    damaged = bytearray(table.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    table.write_bytes(damaged)
    database = LevelDatabase(tmp_path, create=False)
    with pytest.raises(StoreError, match="checksum"):
        list(database.iterate(b"", b"\xff"))
    refused = 0
    for key, value in expected.items():
        try:
            assert database.get(key) == value
        except StoreError:
            refused += 1
    database.close()
    assert 0 < refused < 100


def test_damaged_state_is_noticed_when_opened(tmp_path: Path) -> None:
    """A root node that does not hash to the root stops the process before it serves anything."""
    store = StateStore.open(tmp_path, IDENTITY, create=True)
    store.initialise(GENESIS)
    store._database.write({b"n" + (1).to_bytes(5, "big"): b"x" * 128})
    store.close()
    with pytest.raises(StoreError, match="does not have the root"):
        StateStore.open(tmp_path, IDENTITY)
    database = LevelDatabase(tmp_path, create=False)
    database.write({b"H": b"torn"})
    database.close()
    with pytest.raises(StoreError, match="head is torn"):
        StateStore.open(tmp_path, IDENTITY)


FULL_DISK = """
    import random, resource, sys
    from pathlib import Path
    from rollup.errors import StoreError
    from rollup.store.changes import Notes
    from rollup.store.state import StateStore
    from tests.store.building import GENESIS, IDENTITY, random_writes, seal

    store = StateStore.open(Path(sys.argv[1]), IDENTITY, create=True)
    store.initialise(GENESIS)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, resource.RLIM_INFINITY))
    source = random.Random(1)
    try:
        while True:
            store.commit([seal(store.stage(random_writes(source)))])
            print(store.number, store.root.hex(), flush=True)
    except StoreError as error:
        print("refused", error, flush=True)
    try:
        store.commit((), Notes(meta={"a": b"b"}))
        print("accepted", flush=True)
    except StoreError:
        print("refused again", flush=True)
"""


def test_full_disk_acknowledges_nothing_and_keeps_what_was(tmp_path: Path) -> None:
    """Where a file may grow no further the commit raises StoreError, so do all later ones; what was stays whole."""
    program = textwrap.dedent(FULL_DISK)
    ran = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, timeout=120, check=True
    )
    *acknowledged, refused, again = ran.stdout.splitlines()
    assert refused.startswith("refused")
    assert "cannot be written" in refused
    assert again == "refused again"
    assert len(acknowledged) > 3
    number, root = acknowledged[-1].split()
    store = StateStore.open(tmp_path, IDENTITY)
    assert (store.number, store.root.hex()) == (int(number), root)
    assert store.view().root.hex() == root
    store.close()
