"""Honest batches on L1, with all that a liar knows of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from challenger.execute import header_tuple
from rollup.crypto.keccak import keccak
from rollup.crypto.merkle import merkle_path
from rollup.derive.chain import DerivedBatch, DerivedBlock
from rollup.errors import L1Refused, L1Reverted
from rollup.l1.contract import Contract
from rollup.l1.limits import MAX_TX_GAS
from rollup.stf.block import BlockResult
from tests.support.deployed import CHALLENGER, Site
from tests.support.derived import derive
from tests.support.forgery import Evidence
from tests.support.frauds import post_variety
from tests.support.poster import Poster, start_poster
from tests.support.prover import HonestBlock


@dataclass(frozen=True, slots=True)
class Place:
    """Where a block stands, and the path that shows it."""

    batch: int
    position: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """An honest block on L1."""

    place: Place
    block: HonestBlock


@dataclass
class Stage:
    """A deployed rollup with honest batches, and whoever tries to prove them wrong."""

    site: Site
    poster: Poster
    blocks: list[Standing]

    @property
    def rollup(self) -> Contract:
        """The contract under attack."""
        return self.site.contract("Rollup")

    def calldata(self, place: Place, evidence: Evidence) -> bytes:
        """A call of `prove`."""
        return self.rollup.abi.encode_call("prove", *arguments(place, evidence))

    async def ask(self, place: Place, evidence: Evidence) -> str:
        """What `prove` would do: the name of the error, "" if it ran out of gas, "PROVEN" if it would go through."""
        sender = self.site.account(CHALLENGER).address
        data = self.calldata(place, evidence)
        try:
            await self.site.l1.call(self.rollup.address, data, sender=sender, gas=MAX_TX_GAS)
        except L1Reverted as error:
            return error.name
        except L1Refused:
            return ""
        return "PROVEN"

    async def send(self, place: Place, evidence: Evidence, gas: int) -> bool:
        """Really send the proof with so much gas; whether the transaction succeeded."""
        account = self.site.account(CHALLENGER)
        sent = await account.send(self.rollup.address, self.calldata(place, evidence), gas=gas)
        return (await account.wait(sent, poll=0.01)).success

    async def standing(self) -> tuple[int, int, int]:
        """How many batches stand, how often one was reverted, the sequencer's stake, after checking for proofs."""
        events = await self.rollup.events("FraudProven", from_block=0, to_block=await self.site.l1.block_number())
        assert not events, "an honest block was proven wrong"
        stake = await self.rollup.call("stakeOf", self.site.account(self.poster.key).address)
        return await self.rollup.call("batchCount"), await self.rollup.call("fork"), stake


def arguments(place: Place, evidence: Evidence) -> tuple[Any, ...]:
    """Arguments of `prove`."""
    header = header_tuple(evidence.header)
    return place.batch, place.position, header, place.path, evidence.txs, evidence.messages, evidence.witness


async def set_stage(site: Site) -> Stage:
    """Six honest blocks in three batches, with every kind of message."""
    poster = await start_poster(site)
    await poster.open(2)
    await post_variety(poster)
    return Stage(site, poster, await read_blocks(site))


async def read_blocks(site: Site) -> list[Standing]:
    """Every honest block of a site, derived from L1."""
    found: list[HonestBlock] = []
    batches: list[DerivedBatch] = []

    def hear(block: DerivedBlock, _result: BlockResult, witness: bytes) -> None:
        found.append(HonestBlock(block.header, block.txs, block.messages, witness))

    pipeline = await derive(site, on_block=hear, on_batch=batches.append)
    chain = pipeline.follower.chain
    await pipeline.advance()
    assert pipeline.replica.fraud is None
    assert chain.head.index == len(batches)
    blocks = iter(found)
    standing = []
    for batch in batches:
        hashes = [keccak(block.header.encode()) for block in batch.blocks]
        for position in range(len(hashes)):
            place = Place(batch.index, position, tuple(merkle_path(hashes, position)))
            standing.append(Standing(place, next(blocks)))
    return standing
