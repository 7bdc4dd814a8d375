"""A watcher's export in place of L1's logs: the same state, nothing believed, the first wrong item named."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgpack
import pytest

from challenger.export import write_export
from rollup.derive.export_source import ExportSource
from rollup.derive.follower import Follower
from rollup.derive.pipeline import Pipeline
from rollup.derive.replica import Replica
from rollup.derive.vetting import open_source
from rollup.errors import ExportRefused, L1Pruned
from rollup.l1 import dev
from rollup.l1.client import L1Client
from rollup.store.identity import ChainIdentity
from rollup.store.state import StateStore
from tests.support.deployed import CHALLENGER, DISPUTE_WINDOW, RIVAL, Site
from tests.support.derived import Liar, leaves_of
from tests.support.frauds import LIE, post_variety, revert_fraud, stake_again
from tests.support.poster import Poster, with_root


class Pruned(Liar):
    """A node that has dropped logs and transactions of blocks before `horizon`."""

    def __init__(self, url: str, horizon: int) -> None:
        super().__init__(url)
        self.horizon = horizon
        self.asked_for_old = False
        self.distort = self.forget

    def forget(self, method: str, params: tuple[Any, ...], result: Any) -> Any:
        """Leave out what is old, without a word."""
        if method == "eth_getLogs":
            self.asked_for_old |= int(params[0]["fromBlock"], 16) < self.horizon
            return [log for log in result if int(log["blockNumber"], 16) >= self.horizon]
        if method == "eth_getTransactionByHash" and result is not None:
            return result if int(result["blockNumber"], 16) >= self.horizon else None
        return result


@asynccontextmanager
async def pruned(site: Site) -> AsyncIterator[Pruned]:
    """The site's node, everything up to now forgotten."""
    await dev.increase_time(site.l1, 5)
    await dev.mine(site.l1)
    async with Pruned(site.url, await site.l1.block_number()) as client:
        yield client


async def export(site: Site, folder: Path, l1: L1Client | None = None, earlier: Path | None = None) -> Path:
    """Export everything up to now."""
    path = folder / f"export-{await site.l1.block_number()}"
    await write_export(l1 or site.l1, site.deployment.rollup, path, earlier=earlier)
    return path


async def derive_with(
    site: Site, l1: L1Client, path: Path | None, store: StateStore | None = None, span: int = 500
) -> Pipeline:
    """Derive to L1's head."""
    source = await open_source(l1, site.deployment.rollup, path)
    kept = store or StateStore.in_memory(ChainIdentity(source.origin.chain_id, site.deployment.rollup))
    replica = Replica(kept, source.origin)
    pipeline = Pipeline(Follower(source, anchor=replica.anchor, span=span), replica)
    await pipeline.advance()
    return pipeline


async def finalise(site: Site, up_to: int) -> None:
    """Make batches final."""
    await dev.increase_time(site.l1, DISPUTE_WINDOW + 1)
    await site.contract("Rollup").transact(site.account(RIVAL), "finalise", up_to)


@pytest.mark.parametrize("span", [1, 500])
async def test_an_export_stands_in_for_logs_that_are_gone(
    site: Site, poster: Poster, tmp_path: Path, span: int
) -> None:
    """The same state, finality and waiting messages, and no log from before is asked for."""
    await post_variety(poster)
    await finalise(site, 2)
    await poster.deposit(1, 4_000_000)
    path = await export(site, tmp_path)
    async with pruned(site) as client:
        pipeline = await derive_with(site, client, path, span=span)
        assert not client.asked_for_old
    chain = pipeline.follower.chain
    assert leaves_of(pipeline) == poster.leaves
    assert (chain.head.index, chain.finalised, len(chain.inbox)) == (3, 2, len(poster.messages))
    assert chain.inbox.slice(chain.head.inbox_index, 1)[0] == poster.messages[-1]


async def test_after_its_end_an_export_gives_way_to_l1(site: Site, poster: Poster, tmp_path: Path) -> None:
    """Messages, batches and finality that came later are L1's."""
    await poster.post(await poster.block())
    await poster.deposit(0, 3_000_000)
    path = await export(site, tmp_path)
    async with pruned(site) as client:
        await post_variety(poster)
        await finalise(site, 3)
        pipeline = await derive_with(site, client, path)
        assert leaves_of(pipeline) == poster.leaves
        assert pipeline.follower.chain.finalised == 3
        await poster.post(await poster.block(poster.trade()))
        await pipeline.advance()
        assert leaves_of(pipeline) == poster.leaves


async def test_a_restart_goes_on_from_its_anchor_with_and_without_the_export(
    site: Site, poster: Poster, tmp_path: Path
) -> None:
    """A store that was filled from an export is as good as any."""
    await post_variety(poster)
    await finalise(site, 2)
    path = await export(site, tmp_path)
    identity = ChainIdentity(site.deployment.chain_id, site.deployment.rollup)
    for given in (path, path, None):
        store = StateStore.open(tmp_path / "replica", identity, create=True)
        try:
            pipeline = await derive_with(site, site.l1, given, store)
            assert leaves_of(pipeline) == poster.leaves
            await poster.post(await poster.block(poster.trade()))
            await pipeline.advance()
            assert leaves_of(pipeline) == poster.leaves
        finally:
            store.close()


async def test_reversions_before_the_export_are_left_out_of_it(site: Site, poster: Poster, tmp_path: Path) -> None:
    """Only what stands is in it; forks are counted all the same."""
    await poster.post(await poster.block())
    for _ in range(2):
        honest = dict(poster.leaves)
        await poster.post(with_root(await poster.block(), LIE))
        poster.leaves = honest
        await revert_fraud(site, await derive_with(site, site.l1, None), CHALLENGER)
        await stake_again(site, poster)
        path = await export(site, tmp_path)
        async with pruned(site) as client:
            await poster.post(await poster.block(poster.trade()))
            pipeline = await derive_with(site, client, path)
            assert leaves_of(pipeline) == poster.leaves
    again = await export(site, tmp_path)
    async with pruned(site) as client:
        pipeline = await derive_with(site, client, again)
        assert leaves_of(pipeline) == poster.leaves
        assert pipeline.follower.chain.fork == 2


async def test_a_reversion_after_the_export_ends_it_at_the_batch_before(
    site: Site, poster: Poster, tmp_path: Path
) -> None:
    """What of it stands no more is not used; from the last batch that does on L1 is read."""
    await poster.post(await poster.block())
    honest = dict(poster.leaves)
    await poster.deposit(0, 3_000_000)
    await poster.post(with_root(await poster.block(), LIE))
    path = await export(site, tmp_path)
    poster.leaves = honest
    await revert_fraud(site, await derive_with(site, site.l1, None), CHALLENGER)
    await stake_again(site, poster)
    for _ in range(2):
        source = await open_source(site.l1, site.deployment.rollup, path)
        assert isinstance(source, ExportSource)
        assert (source.export.cut, len(source.export.batches)) == (True, 1)
        for span in (1, 500):
            pipeline = await derive_with(site, site.l1, path, span=span)
            assert leaves_of(pipeline) == (poster.leaves if poster.leaves != honest else honest)
        await poster.post(await poster.block(poster.trade()))


async def test_an_export_goes_on_from_an_earlier_one(site: Site, poster: Poster, tmp_path: Path) -> None:
    """A watcher whose own node prunes keeps its export up to date."""
    await post_variety(poster)
    earlier = await export(site, tmp_path)
    async with pruned(site) as client:
        await poster.post(await poster.block(poster.trade()))
        later = await export(site, tmp_path, client, earlier)
    assert later.read_bytes() != earlier.read_bytes()
    async with pruned(site) as client:
        assert leaves_of(await derive_with(site, client, later)) == poster.leaves
    full = await export(site, tmp_path)
    assert full.read_bytes()[:-60] == later.read_bytes()[:-60], "but for the end it is the same file"


# -- lies --------------------------------------------------------------------------------------------------------------


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


# -- nodes that have dropped logs --------------------------------------------------------------------------------------


async def test_a_node_without_old_logs_is_found_out_and_the_remedy_named(site: Site, poster: Poster) -> None:
    """The genesis is the first that is missing."""
    await post_variety(poster)
    async with pruned(site) as client:
        with pytest.raises(L1Pruned, match=r"genesis.*challenger export") as caught:
            await derive_with(site, client, None)
        assert "genesis" in caught.value.what


@pytest.mark.parametrize("horizon", ["first message", "first batch", "middle", "all but nothing"])
@pytest.mark.parametrize("span", [1, 500])
async def test_a_node_that_dropped_some_logs_is_found_out_by_the_counters_on_l1(
    site: Site, poster: Poster, horizon: str, span: int
) -> None:
    """Whatever is the first missing event; and nothing is executed on a gap."""
    await post_variety(poster)
    newest, blocks = await site.l1.block_number(), list[int]()
    for contract, event in (("Inbox", "MessageAdded"), ("Rollup", "BatchPosted")):
        shown = await site.contract(contract).events(event, from_block=0, to_block=newest)
        blocks += [each.log.block_number for each in shown]
    blocks.sort()
    forgotten = {
        "first message": blocks[:1],
        "first batch": blocks[:3],
        "middle": blocks[3:5],
        "all but nothing": blocks,
    }[horizon]
    await dev.increase_time(site.l1, 5)
    await dev.mine(site.l1)

    def forget(method: str, _params: tuple[Any, ...], result: Any) -> Any:
        if method == "eth_getLogs":
            return [log for log in result if int(log["blockNumber"], 16) not in forgotten]
        return result

    async with Liar(site.url) as client:
        client.distort = forget
        with pytest.raises(L1Pruned, match="--export FILE"):
            await derive_with(site, client, None, span=span)


async def test_a_node_that_refuses_old_logs_and_one_that_forgot_the_calldata_are_named(
    site: Site, poster: Poster
) -> None:
    """The first answers with an error, the second still has the logs."""
    await post_variety(poster)
    async with Pruned(site.url, 2**20) as client:
        client.distort = lambda method, params, result: (
            result if method == "eth_getLogs" else client.forget(method, params, result)
        )
        with pytest.raises(L1Pruned, match="which posted batch 1"):
            await derive_with(site, client, None)
