"""An export checked against L1, item by item, before anything of it is used.

L1's storage is enough for that, and every node has it: the root of the genesis, the rolling hashes of the inbox, and of
every batch that stands its hash, poster and time. What the file says is taken only where these say the same; the first
item of which they do not is named. Batches that were reverted since the export was made end it; L1's logs go on there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rollup.crypto.tree import MemoryNodes, Tree
from rollup.derive.export_source import Export, ExportSource
from rollup.derive.exports import BatchItem, End, GenesisItem, Head, Item, MessageItem, read_items
from rollup.derive.origin import Origin, read_origin
from rollup.derive.portions import Portion, PortionCheck
from rollup.derive.source import L1Source
from rollup.errors import ExportRefused, PlumblineError
from rollup.l1.client import L1Client
from rollup.types.genesis import decode_leaves

WINDOW: Final = 64
"""Batches looked up at once; their bytes are in memory meanwhile, 8 MB at most."""

OnChecked = Callable[[int], None]
"""Hears how many batches of an export were checked."""


async def open_source(
    l1: L1Client, rollup: bytes, export: Path | None = None, *, on_checked: OnChecked = lambda _: None
) -> L1Source:
    """Where a deployment's events come from: the node alone, or an export that is checked first.

    Raises `L1Error` if there is no such deployment (`L1Pruned` if the node has dropped its beginning), `ExportRefused`.
    """
    if export is None:
        return L1Source(l1, await read_origin(l1, rollup))
    return ExportSource(l1, await vet_export(l1, rollup, export, on_checked=on_checked))


async def vet_export(l1: L1Client, rollup: bytes, path: Path, *, on_checked: OnChecked = lambda _: None) -> Export:
    """Read the whole file and check all of it; `ExportRefused` names the first item that is wrong."""
    items = read_items(path)
    await _check_head(l1, rollup, next(items, None))
    origin, tail = await _check_genesis(l1, rollup, next(items, None))
    check = PortionCheck(l1, Export(path, origin, tail=tail))
    await check.prepare()
    portions = _Portions(items, tail)
    while window := portions.take(WINDOW):
        await check.check(window)
        on_checked(len(check.export.batches))
    if portions.end is None:
        raise ExportRefused("the end", "there is none: the file was cut short")
    return await check.finish(portions.end, portions.count)


async def _check_head(l1: L1Client, rollup: bytes, found: tuple[int, Item] | None) -> None:
    if found is None or not isinstance(found[1], Head):
        raise ExportRefused("the head", "the file is empty, or cut short")
    head, chain_id = found[1], await l1.chain_id()
    if (head.chain_id, head.rollup) != (chain_id, rollup):
        of = f"Rollup 0x{head.rollup.hex()[:40]} on chain {head.chain_id}"
        raise ExportRefused("the head", f"it is of {of}, and wanted is 0x{rollup.hex()} on chain {chain_id}")


async def _check_genesis(l1: L1Client, rollup: bytes, found: tuple[int, Item] | None) -> tuple[Origin, int]:
    """The deployment by L1 with the leaves of the file, and the offset behind these."""
    if found is None or not isinstance(found[1], GenesisItem):
        raise ExportRefused("the genesis", "it is missing")
    origin = await read_origin(l1, rollup, found[1].leaves)
    try:
        root = Tree(MemoryNodes()).update(decode_leaves(origin.leaves))
    except PlumblineError as error:
        raise ExportRefused("the genesis", str(error)) from error
    if root != origin.genesis.state_root:
        raise ExportRefused("the genesis", "its leaves do not have the root that L1 keeps")
    return origin, found[0]


@dataclass(slots=True)
class _Portions:
    """Items joined into portions: each batch with the messages before it; what is left at the end has no batch."""

    items: Iterator[tuple[int, Item]]
    offset: int
    end: End | None = None
    count: int = 0
    _over: bool = False
    _messages: list[bytes] = field(default_factory=list)

    def take(self, most: int) -> list[Portion]:
        """The next portions; none at the end."""
        taken: list[Portion] = []
        while len(taken) < most and not self._over:
            behind, item = next(self.items, (self.offset, None))
            if self.end is not None and item is not None:
                raise ExportRefused("the end", "there is something behind it")
            match item:
                case MessageItem():
                    self._messages.append(item.message)
                case BatchItem():
                    self.count += 1
                    taken.append(Portion(self.offset, self._messages, item))
                    self._messages, self.offset = [], behind
                case End():
                    self.end = item
                case None:
                    self._over = True
                    taken.append(Portion(self.offset, self._messages, None))
                case Head() | GenesisItem():
                    raise ExportRefused("the genesis", "there are two")
        return taken
