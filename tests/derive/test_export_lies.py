"""Nothing in an export is believed: whatever is wrong in it is refused, and the first wrong item named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgpack
import pytest

from rollup.derive.vetting import open_source
from rollup.errors import ExportRefused
from rollup.l1 import dev
from tests.support.deployed import Site
from tests.support.exports import export, finalise
from tests.support.frauds import post_variety
from tests.support.poster import Poster


def items_of(path: Path) -> list[list[Any]]:
    """The raw items of a file."""
    unpacker = msgpack.Unpacker()
    unpacker.feed(path.read_bytes())
    return list(unpacker)


def write(path: Path, items: list[Any]) -> Path:
    """A file of these items."""
    path.write_bytes(b"".join(map(msgpack.packb, items)))
    return path


def changed(value: Any) -> list[Any]:
    """Other values of one field."""
    if isinstance(value, int):
        return [value + 1, value - 1 if value else 2**40, True, "x"]
    if isinstance(value, str):
        return [value + "x", "", 1]
    flipped = bytes([value[0] ^ 1, *value[1:]]) if value else b"\1"
    return [flipped, value + b"\0", value[:-1], 7]


async def test_every_field_that_is_changed_is_refused_and_named(site: Site, poster: Poster, tmp_path: Path) -> None:
    """Each field of each item in turn, in several ways."""
    await post_variety(poster)
    await finalise(site, 2)
    await poster.deposit(1, 4_000_000)
    items = items_of(await export(site, tmp_path))
    await dev.increase_time(site.l1, 5)
    await dev.mine(site.l1)
    lie, tried = tmp_path / "lie", 0
    names = named(items)
    for place, item in enumerate(items):
        for field in range(len(item)):
            for value in changed(item[field]):
                if type(value) is type(item[field]) and value == item[field]:
                    continue
                if item[0] == 3 and field == 3 and await second(site, value) == await second(site, item[field]):
                    continue  # a development node makes several blocks a second; Ethereum does not
                other = [list(each) for each in items]
                other[place][field] = value
                refused = await refusal(site, write(lie, other))
                assert refused, (item, field, value)
                if field and type(value) is type(item[field]) and value not in (-1, b""):
                    assert refused == names[place], (item, field, value)
                tried += 1
    assert tried > 150


async def second(site: Site, number: Any) -> int | None:
    """Time of an L1 block, if there is one of that number."""
    block = await site.l1.get_block(number) if type(number) is int and 0 <= number < 2**50 else None
    return None if block is None else block.timestamp


async def refusal(site: Site, path: Path) -> str:
    """The item at which a file is refused; empty if it is not."""
    try:
        await open_source(site.l1, site.deployment.rollup, path)
    except ExportRefused as refused:
        return refused.item
    return ""


def named(items: list[list[Any]]) -> list[str]:
    """What each item is called."""
    messages = batches = 0
    names = []
    for item in items:
        match item[0]:
            case 0:
                names.append("the head")
            case 1:
                names.append("the genesis")
            case 2:
                names.append(f"message {messages}")
                messages += 1
            case 3:
                batches += 1
                names.append(f"batch {batches}")
            case _:
                names.append("the end")
    return names


REARRANGEMENTS: dict[str, Callable[[list[Any]], list[Any]]] = {
    "empty": lambda _: [],
    "without a head": lambda items: items[1:],
    "without a genesis": lambda items: [items[0], *items[2:]],
    "with two heads": lambda items: [items[0], *items],
    "with two geneses": lambda items: [*items[:2], items[1], *items[2:]],
    "without an end": lambda items: items[:-1],
    "with two ends": lambda items: [*items, items[-1]],
    "with something behind the end": lambda items: [*items, items[2]],
    "without its first message": lambda items: [*items[:2], *items[3:]],
    "with a message twice": lambda items: [*items[:3], *items[2:]],
    "without its last batch": lambda items: items[:-2] + items[-1:],
    "with a batch twice": lambda items: [*items[:-1], items[-2], items[-1]],
    "with batches exchanged": lambda items: [
        *items[:4], *items[-2:3:-1], items[-1],
    ],
    "with a foreign item": lambda items: [*items[:2], [9, b"x"], *items[2:]],
    "with no item at all": lambda items: [*items[:2], 17, *items[2:]],
}  # fmt: skip


@pytest.mark.parametrize("how", REARRANGEMENTS)
async def test_an_export_that_is_rearranged_is_refused(site: Site, poster: Poster, tmp_path: Path, how: str) -> None:
    """Items left out, repeated, exchanged, added."""
    await post_variety(poster)
    path = await export(site, tmp_path)
    write(path, REARRANGEMENTS[how](items_of(path)))
    with pytest.raises(ExportRefused):
        await open_source(site.l1, site.deployment.rollup, path)


async def test_a_file_that_ends_anywhere_but_at_its_end_is_refused(site: Site, poster: Poster, tmp_path: Path) -> None:
    """Cut after any of many bytes."""
    await post_variety(poster)
    path = await export(site, tmp_path)
    whole, cut = path.read_bytes(), tmp_path / "cut"
    for size in {*range(0, len(whole), 97), *range(len(whole) - 90, len(whole))}:
        cut.write_bytes(whole[:size])
        with pytest.raises(ExportRefused):
            await open_source(site.l1, site.deployment.rollup, cut)
    cut.write_bytes(whole + b"\xc1")
    with pytest.raises(ExportRefused):
        await open_source(site.l1, site.deployment.rollup, cut)


async def test_an_export_that_leaves_out_the_newest_and_claims_to_be_whole_is_refused(
    site: Site, poster: Poster, tmp_path: Path
) -> None:
    """Its end is moved behind a batch, or a message, that it does not have."""
    await poster.post(await poster.block())
    items = items_of(await export(site, tmp_path))
    for act in (deposit, post):
        await act(poster)
        await dev.increase_time(site.l1, 5)
        await dev.mine(site.l1)
        block = await site.l1.get_block()
        assert block is not None
        lie = [*items[:-1], [4, items[-1][1], items[-1][2], block.number, block.hash]]
        with pytest.raises(ExportRefused, match="is missing") as caught:
            await open_source(site.l1, site.deployment.rollup, write(tmp_path / "lie", lie))
        assert caught.value.item == "the end"
        items = items_of(await export(site, tmp_path))


async def deposit(poster: Poster) -> None:
    """A message."""
    await poster.deposit(1, 4_000_000)


async def post(poster: Poster) -> None:
    """A batch."""
    await poster.post(await poster.block(poster.trade()))


async def test_an_export_of_another_deployment_is_refused(site: Site, poster: Poster, tmp_path: Path) -> None:
    """It names both."""
    path = await export(site, tmp_path)
    del poster
    with pytest.raises(ExportRefused, match="wanted is 0x7777") as caught:
        await open_source(site.l1, b"\x77" * 20, path)
    assert caught.value.item == "the head"


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff" * 1_000, msgpack.packb({"a": 1}), msgpack.packb([0])])
async def test_a_file_that_is_no_export_is_refused(site: Site, tmp_path: Path, content: bytes) -> None:
    """Whatever it is."""
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(ExportRefused):
        await open_source(site.l1, site.deployment.rollup, path)
    with pytest.raises(ExportRefused, match="cannot be read"):
        await open_source(site.l1, site.deployment.rollup, tmp_path / "nothing")
