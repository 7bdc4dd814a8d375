"""A node may refuse, lie or leave things out: derivation stops with an error, and never holds a wrong state."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest

from rollup.derive.pipeline import Pipeline
from rollup.errors import L1Error, PlumblineError, StoreError
from rollup.l1.artifacts import load_artifact
from rollup.l1.contract import ContractAbi
from tests.support.deployed import Site
from tests.support.derived import Liar, derive, leaves_of
from tests.support.frauds import post_variety
from tests.support.poster import Poster

Json = Any
Distortion = Callable[[str, tuple[Any, ...], Json], Json]


def topic(contract: str, event: str) -> str:
    """First topic of an event's logs."""
    return "0x" + ContractAbi(load_artifact(contract).abi).event(event).digest.hex()


MESSAGE, POSTED = topic("Inbox", "MessageAdded"), topic("Rollup", "BatchPosted")
REVERTED, FINALISED = topic("Rollup", "Reverted"), topic("Rollup", "Finalised")


@asynccontextmanager
async def lied_to(site: Site, distortion: Distortion) -> AsyncIterator[tuple[Pipeline, Liar]]:
    """A pipeline whose node lies from now on, after it told the truth about the genesis."""
    async with Liar(site.url) as liar:
        pipeline = await derive(site, l1=liar)
        liar.distort = distortion
        yield pipeline, liar


def in_logs(change: Callable[[list[Json]], list[Json] | None]) -> Distortion:
    """A lie about logs; `change` may edit the list in place, or return another."""

    def distort(method: str, _params: tuple[Any, ...], result: Json) -> Json:
        if method != "eth_getLogs":
            return result
        logs = copy.deepcopy(result)
        changed = change(logs)
        return logs if changed is None else changed

    return distort


def without(kind: str, number: int) -> Distortion:
    """The node leaves out the `number`th log of a kind."""

    def change(logs: list[Json]) -> list[Json]:
        chosen = [log for log in logs if log["topics"][0] == kind][number]
        return [log for log in logs if log is not chosen]

    return in_logs(change)


def invented(kind: str, *words: int) -> Distortion:
    """The node adds a log of the Rollup: first word the indexed value, the rest data."""

    def change(logs: list[Json]) -> None:
        last = next(log for log in logs if log["topics"][0] == POSTED)
        texts = [f"{word:064x}" for word in words]
        logs.append({**logs[-1], "address": last["address"], "topics": [kind, "0x" + texts[0]]})
        logs[-1] |= {"data": "0x" + "".join(texts[1:]), "logIndex": hex(int(logs[-1]["logIndex"], 16) + 1)}

    return in_logs(change)


def in_calldata(start: int, stop: int, text: str) -> Distortion:
    """The node shows other calldata: the hexadecimal digits of bytes `start` … `stop` replaced."""

    def distort(method: str, _params: tuple[Any, ...], result: Json) -> Json:
        if method != "eth_getTransactionByHash" or result is None:
            return result
        data = result["input"]
        return {**result, "input": data[: 2 + 2 * start] + text + data[2 + 2 * stop :]}

    return distort


def elsewhere(method: str, _params: tuple[Any, ...], result: Json) -> Json:
    """The transaction went to another contract."""
    return {**result, "to": "0x" + "77" * 20} if method == "eth_getTransactionByHash" else result


def unknown(method: str, _params: tuple[Any, ...], result: Json) -> Json:
    """The node does not know the transaction that emitted the log."""
    return None if method == "eth_getTransactionByHash" else result


LIES = {
    "no first message": without(MESSAGE, 0),
    "no middle message": without(MESSAGE, 2),
    "no first batch": without(POSTED, 0),
    "no middle batch": without(POSTED, 1),
    "reversion of nothing": invented(REVERTED, 9, 1),
    "reversion of the genesis": invented(REVERTED, 0, 1),
    "reversion to a wrong fork": invented(REVERTED, 3, 7),
    "finality of nothing": invented(FINALISED, 9, 0),
    "another function": in_calldata(0, 4, "12345678"),
    "another parent": in_calldata(4, 36, "ab" * 32),
    "another offset": in_calldata(36, 68, f"{128:064x}"),
    "another inbox hash": in_calldata(68, 100, "ab" * 32),
    "a shorter batch": in_calldata(100, 132, f"{40:064x}"),
    "an endless batch": in_calldata(100, 132, "ff" * 32),
    "another time": in_calldata(132, 137, "0000000001"),
    "another state root": in_calldata(140, 172, "ab" * 32),
    "bytes behind the end": in_calldata(132, 132, "00" * 32),
    "no calldata": in_calldata(0, 10**6, ""),
    "another contract": elsewhere,
    "no transaction": unknown,
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_lie_is_an_error_and_the_truth_afterwards_is_taken(site: Site, poster: Poster, lie: str) -> None:
    """The state stays where it was; once the node tells the truth, derivation goes on to the poster's state."""
    genesis = dict(poster.leaves)
    await post_variety(poster)
    async with lied_to(site, LIES[lie]) as (pipeline, liar):
        with pytest.raises(L1Error):
            await pipeline.advance()
        assert leaves_of(pipeline) == genesis
        assert pipeline.replica.fraud is None
        del liar.distort
        liar.distort = lambda _method, _params, result: result
        await pipeline.advance()
        assert leaves_of(pipeline) == poster.leaves


async def test_no_changed_word_of_any_log_leads_to_a_wrong_state(site: Site, poster: Poster) -> None:
    """Each topic and each word of each log is changed in turn: either it is noticed, or it did not matter."""
    genesis = dict(poster.leaves)
    await post_variety(poster)
    noticed = unimportant = 0
    async with lied_to(site, in_logs(lambda logs: logs)) as (pipeline, liar):
        first, last = pipeline.follower.source.origin.block, await site.l1.block_number()
        wanted = {"fromBlock": hex(first), "toBlock": hex(last), "address": addresses(site)}
        logs = await liar.request("eth_getLogs", wanted)
        for place, word in words(logs):
            replica = await derive(site, l1=liar)
            liar.distort = in_logs(partial(flip, target=logs[place], word=word))
            try:
                await replica.advance()
            except PlumblineError:
                noticed += 1
                assert leaves_of(replica) == genesis
            else:
                unimportant += 1
                assert leaves_of(replica) == poster.leaves, (logs[place], word)
            liar.distort = lambda _method, _params, result: result
    assert noticed > 3 * unimportant


def addresses(site: Site) -> list[str]:
    """The contracts that are followed."""
    return ["0x" + site.deployment.rollup.hex(), "0x" + site.deployment.inbox.hex()]


def words(logs: list[Json]) -> Iterator[tuple[int, int]]:
    """Places to change: (log, word); topics are counted first, then the words of the data."""
    for place, log in enumerate(logs):
        if log["topics"][0] in {MESSAGE, POSTED}:
            yield from ((place, word) for word in range(len(log["topics"]) + (len(log["data"]) - 2) // 64))


def flip(logs: list[Json], target: Json, word: int) -> None:
    """Change one bit of a word of the log that equals `target`."""
    log = next((each for each in logs if each == target), None)
    if log is None:
        return
    topics: list[str] = log["topics"]
    if word < len(topics):
        topics[word] = topics[word][:-1] + flipped(topics[word][-1])
    else:
        end = 2 + 64 * (word - len(topics) + 1)
        log["data"] = log["data"][: end - 1] + flipped(log["data"][end - 1]) + log["data"][end:]


def flipped(digit: str) -> str:
    """The hexadecimal digit with its lowest bit changed."""
    return f"{int(digit, 16) ^ 1:x}"


async def test_a_false_genesis_is_refused(site: Site) -> None:
    """Leaves that do not have the root that the contract stores make no replica."""

    def distort(method: str, _params: tuple[Any, ...], result: Json) -> Json:
        if method != "eth_getLogs":
            return result
        (log,) = copy.deepcopy(result)
        digits = log["data"]
        log["data"] = digits[:-70] + flipped(digits[-70]) + digits[-69:]
        return [log]

    async with Liar(site.url) as liar:
        liar.distort = distort
        with pytest.raises((StoreError, L1Error)):
            await derive(site, l1=liar)


async def test_a_false_domain_is_refused(site: Site) -> None:
    """With another separator every honest signature would look forged, and every honest batch like fraud."""
    selector = ContractAbi(load_artifact("Rollup").abi).function("domainSeparator").selector.hex()

    def distort(method: str, params: tuple[Any, ...], result: Json) -> Json:
        false = method == "eth_call" and params[0]["data"] == f"0x{selector}"
        return "0x" + "11" * 32 if false else result

    async with Liar(site.url) as liar:
        liar.distort = distort
        with pytest.raises(L1Error, match="contradicts itself"):
            await derive(site, l1=liar)
