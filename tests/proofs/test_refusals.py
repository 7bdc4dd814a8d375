"""Honest blocks on L1 against everything a liar can send: each attempt is refused, and the batches stand."""

from __future__ import annotations

from dataclasses import replace

from rollup.l1 import dev
from tests.proofs.stage import Place, Stage, Standing, read_blocks, set_stage
from tests.support.deployed import DISPUTE_WINDOW, SEQUENCER, Site
from tests.support.derived import derive
from tests.support.forgery import Evidence, forge, join_messages, spread
from tests.support.frauds import LIE
from tests.support.poster import start_poster, with_root
from tests.support.world import tampered

EVIDENCE = {
    "MalformedWitness", "UnsortedLeaf", "MissingLeaf", "UntouchedLeaf", "MalformedLeaf", "WrongPreRoot",
    "WrongTransactions", "WrongMessages",
}  # fmt: skip
"""How the verifier refuses a proof that is not the canonical one."""


async def test_honest_blocks_survive_every_forgery(any_site: Site) -> None:
    """Transactions, messages and witness changed in every way; all of them on a fast node, a sample on the other."""
    stage = await set_stage(any_site)
    before = await stage.standing()
    fast = await is_fast(any_site)
    answers: set[str] = set()
    for standing in stage.blocks:
        block = standing.block
        assert await stage.ask(standing.place, block.evidence) == "BlockValid"
        forgeries = list(forge(block.evidence, block.messages))
        for i in range(len(forgeries)) if fast else spread(len(forgeries), 12):
            answer = await stage.ask(standing.place, forgeries[i].evidence)
            assert answer in EVIDENCE, (standing.place, forgeries[i].name, answer)
            answers.add(answer)
    assert answers == EVIDENCE or not fast
    assert await stage.standing() == before


async def test_headers_cannot_be_changed(any_site: Site) -> None:
    """Each field of a posted header, with the evidence fitted to it as far as it can be."""
    stage = await set_stage(any_site)
    for standing in stage.blocks:
        for header in tampered(standing.block.header):
            evidence = replace(standing.block.evidence, header=header)
            assert await stage.ask(standing.place, evidence) == "WrongBlock", header


async def test_blocks_are_proven_in_their_own_place_only(any_site: Site) -> None:
    """Another position, path or batch, a batch that is not there, and the genesis."""
    stage = await set_stage(any_site)
    for standing in stage.blocks:
        for place, errors in wrong_places(standing, stage.blocks):
            answer = await stage.ask(place, standing.block.evidence)
            assert answer in errors, (place, answer)


def wrong_places(standing: Standing, blocks: list[Standing]) -> list[tuple[Place, set[str]]]:
    """Places where the block does not stand, with the errors due."""
    own = standing.place
    wrong = {"WrongBlock", "PathMismatch"}
    places = [(replace(own, position=position), wrong) for position in range(4) if position != own.position]
    places += [(other.place, wrong) for other in blocks if other.place != own]
    paths = (own.path[:-1], (*own.path, LIE), (LIE, *own.path[1:]), own.path[::-1], (), (LIE,))
    places += [(replace(own, path=path), wrong) for path in paths if path != own.path]
    places.append((replace(own, batch=99), {"BatchUnknown"}))
    places.append((replace(own, batch=(1 << 256) - 1), {"BatchUnknown"}))
    places.append((replace(own, batch=0), {"BatchFinal"}))
    return places


async def test_evidence_of_one_block_does_not_serve_another(any_site: Site) -> None:
    """Transactions, messages and witness of each block under the header of each other one."""
    stage = await set_stage(any_site)
    for standing in stage.blocks:
        for other in stage.blocks:
            if other is standing:
                continue
            parts = other.block.evidence
            for evidence in mixtures(standing.block.evidence, parts):
                answer = await stage.ask(standing.place, evidence)
                assert answer in EVIDENCE, (standing.place, other.place, answer)


def mixtures(own: Evidence, other: Evidence) -> list[Evidence]:
    """One block's evidence with parts of another's."""
    mixed = [
        replace(own, txs=other.txs),
        replace(own, messages=other.messages),
        replace(own, witness=other.witness),
        replace(other, header=own.header),
    ]
    return [evidence for evidence in mixed if evidence != own]


async def test_final_batches_are_beyond_proof(any_site: Site) -> None:
    """After finality neither an honest nor a dishonest block is judged any more."""
    stage = await set_stage(any_site)
    await dev.increase_time(any_site.l1, DISPUTE_WINDOW + 1)
    await stage.rollup.transact(any_site.account(SEQUENCER), "finalise", 2)
    for standing in stage.blocks:
        answer = await stage.ask(standing.place, standing.block.evidence)
        assert answer == ("BatchFinal" if standing.place.batch <= 2 else "BlockValid")
    assert await stage.rollup.call("batchCount") == 4


async def test_proof_from_another_fork_of_l1_is_refused(any_site: Site) -> None:
    """L1 reorganises, and where a wrong root stood the true one is posted: the proof of the wrong one is void."""
    poster = await start_poster(any_site)
    await poster.open(2)
    honest = await poster.block(poster.trade())
    stage, place = Stage(any_site, poster, []), Place(1, 0, ())
    snapshot = await dev.take_snapshot(any_site.l1)
    await poster.post(with_root(honest, LIE))
    wrong = await true_evidence(any_site)
    assert await stage.ask(place, wrong) == "PROVEN"
    await dev.revert_to(any_site.l1, snapshot)
    await poster.post(honest)
    assert await stage.ask(place, wrong) == "WrongBlock"
    (standing,) = await read_blocks(any_site)
    assert await stage.ask(place, replace(wrong, header=standing.block.header)) == "BlockValid"
    assert await stage.standing() == (2, 0, 10**18)


async def true_evidence(site: Site) -> Evidence:
    """The proof of the fraud that stands on a site."""
    pipeline = await derive(site)
    await pipeline.advance()
    fraud = pipeline.replica.fraud
    assert fraud is not None
    return Evidence(fraud.block.header, fraud.block.txs, join_messages(fraud.block.messages), fraud.witness)


async def is_fast(site: Site) -> bool:
    """Whether the node executes more than a few calls a second."""
    return "anvil" in str(await site.l1.request("web3_clientVersion")).lower()
