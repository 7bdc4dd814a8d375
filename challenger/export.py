"""`challenger export`: all that L1's logs and calldata say of a rollup, written to a file for whoever needs it.

Nodes drop old logs. Whoever rebuilds the state later on such a node takes this file for them; it is not believed there,
but checked against L1's storage, so anybody may make it and anybody may pass it on.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from challenger.target import REPLICA, ConfirmationsFlag, DeploymentFlag, L1Flag, RollupFlag, find_target
from rollup.cli.options import DEFAULT, Common, ExportFlag
from rollup.derive.exports import BatchItem, ExportWriter, Head
from rollup.derive.follower import Follower
from rollup.derive.replica import GENESIS
from rollup.derive.vetting import open_source
from rollup.errors import ConfigError, L1Error, StoreError
from rollup.l1.artifacts import load_artifact
from rollup.l1.client import L1Client
from rollup.l1.contract import Contract
from rollup.store.identity import ChainIdentity
from rollup.store.state import StateStore
from rollup.types.blocks import BatchBlock, encode_batch


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: counts, size in bytes, and the L1 block up to which nothing is missing (0: its end is open)."""

    batches: int
    messages: int
    size: int
    l1_block: int


async def export(
    *,
    out: Annotated[Path, Parameter(help="file to write; it appears whole or not at all")],
    l1: L1Flag = None,
    rollup: RollupFlag = None,
    deployment: DeploymentFlag = None,
    confirmations: ConfirmationsFlag = None,
    earlier: ExportFlag = None,
    data: Annotated[
        Path | None, Parameter(help="data folder of a challenger that does not run: take its replica and not L1's logs")
    ] = None,
    common: Common = DEFAULT,
) -> None:
    """Write everything that is needed to rebuild a rollup where L1's old logs are gone.

    The genesis, every inbox message, and the calldata of every batch that stands; checked against L1 by its readers.
    Where no node has the logs any more, --data takes them from what a challenger has kept.
    """
    settings, output = common.settings(), common.output()
    chain, address = find_target(settings, l1, rollup, deployment, confirmations, earlier)
    async with L1Client(chain.url, timeout=chain.timeout) as client:
        if data is None:
            written = await write_export(
                client,
                address,
                out,
                confirmations=chain.confirmations,
                earlier=chain.export,
                on_progress=tell_percent(output.note),
            )
        else:
            written = await copy_replica(client, address, data / REPLICA, out)
    output.result(
        {
            "file": out,
            "batches": written.batches,
            "messages": written.messages,
            "bytes": written.size,
            "l1_block": written.l1_block,
        }
    )


async def write_export(
    l1: L1Client,
    rollup: bytes,
    path: Path,
    *,
    confirmations: int = 0,
    earlier: Path | None = None,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Exported:
    """Read a rollup from L1 (or from an `earlier` export as far as that goes) and write it to `path`.

    Batches are written as soon as they are final and held in memory until then. `on_progress` hears how many L1 blocks
    were read, of how many. Raises `L1Error`, `ExportRefused`;
    `ConfigError` if the file cannot be written.
    """
    source = await open_source(l1, rollup, earlier)
    follower = Follower(source, confirmations=confirmations)
    with open_writer(path, Head(source.origin.chain_id, rollup), source.origin.leaves) as writer:
        copy = _Copy(follower, writer)
        while await follower.read_on():
            copy.write(follower.chain.finalised)
            cursor, head = follower.cursor, follower.head
            if cursor is not None and head is not None:
                on_progress(cursor.number - source.origin.block, head.number - source.origin.block)
        end = follower.cursor
        if end is None:
            raise L1Error("nothing was read", retryable=True)
        copy.write(follower.chain.head.index)
        copy.write_messages(len(follower.chain.inbox))
        size = writer.finish(end.number, end.hash)
        return Exported(writer.batches, writer.messages, size, end.number)


async def copy_replica(l1: L1Client, rollup: bytes, folder: Path, path: Path) -> Exported:
    """Write what a replica in `folder` has kept, as far as it stands on L1; its end is open.

    Raises `StoreError` if there is no replica of this rollup, or it is in use.
    """
    store = StateStore.open(folder, ChainIdentity(await l1.chain_id(), rollup))
    try:
        leaves, last = store.records.meta(GENESIS), store.records.last_batch()
        if leaves is None:
            raise StoreError(f"{folder} was filled before genesis leaves were kept: it cannot be exported")
        contract = Contract(l1, rollup, load_artifact("Rollup"))
        standing = await contract.call("batchCount") - 1
        with open_writer(path, Head(store.identity.chain_id, rollup), leaves) as writer:
            for index in range(1, min(standing, 0 if last is None else last.index) + 1):
                record, facts = store.records.batch(index), await contract.call("batches", index)
                if record is None or record.batch_hash != facts[2]:
                    break  # reverted since
                blocks = list(store.records.blocks(record.first, record.last))
                for block in blocks:
                    for message in block.messages:
                        writer.add_message(message)
                encoded = encode_batch(
                    BatchBlock(block.header.timestamp, len(block.messages), block.header.state_root, block.txs)
                    for block in blocks
                )
                writer.add_batch(BatchItem(facts[9], facts[3], record.l1_block, encoded))
            return Exported(writer.batches, writer.messages, writer.finish(), 0)
    finally:
        store.close()


def tell_percent(note: Callable[[str], None], step: int = 5) -> Callable[[int, int], None]:
    """Tell progress in words, each time that it has grown by `step` per cent."""
    told = 0

    def hear(done: int, total: int) -> None:
        nonlocal told
        percent = 100 * done // max(1, total)
        if percent >= told + step:
            told = percent
            note(f"{percent} % of L1's blocks since the deployment read")

    return hear


def open_writer(path: Path, head: Head, leaves: bytes) -> AbstractContextManager[ExportWriter]:
    """A writer of the file; `ConfigError` if it cannot be made."""
    try:
        return ExportWriter(path, head, leaves)
    except OSError as error:
        raise ConfigError(f"--out: {path} cannot be written: {error.strerror}") from error


class _Copy:
    """Writes what a follower has read, in order, and lets go of it."""

    def __init__(self, follower: Follower, writer: ExportWriter) -> None:
        self._follower = follower
        self._writer = writer

    def write(self, up_to: int) -> None:
        """Write the batches up to this one that were not written."""
        chain, writer = self._follower.chain, self._writer
        for index in range(writer.batches + 1, up_to + 1):
            batch = chain.batch(index)
            if not batch.blocks:
                raise L1Error(f"L1 reorganised batch {index}, which was final: begin anew", retryable=False)
            self.write_messages(batch.inbox_index)
            blocks = encode_batch(
                BatchBlock(block.header.timestamp, len(block.messages), block.header.state_root, block.txs)
                for block in batch.blocks
            )
            writer.add_batch(BatchItem(batch.fork, batch.poster, batch.l1_block, blocks))
        chain.trim(min(writer.batches, chain.head.index))

    def write_messages(self, up_to: int) -> None:
        """Write the inbox messages before number `up_to` that were not written."""
        inbox, first = self._follower.chain.inbox, self._writer.messages
        for message in inbox.slice(first, max(0, up_to - first)):
            self._writer.add_message(message)
