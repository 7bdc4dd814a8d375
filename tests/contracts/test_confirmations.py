"""A poster that breaks a signed promise loses its stake; an honest one never does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rollup.crypto.eip712 import header_digest
from rollup.crypto.keccak import keccak
from rollup.crypto.merkle import merkle_path
from rollup.crypto.signatures import HALF_ORDER, sign
from rollup.l1.devkeys import dev_key
from rollup.types.blocks import Header
from tests.support.chain import ALICE, BOB, CAROL, Outcome, reverts
from tests.support.world import MIN_STAKE, MINIMUM_OPENING, PROPOSER_TIMEOUT, REWARD_DELAY, Posted, World, as_tuple

STAKE = 2 * MIN_STAKE


def signed(world: World, header: Header, signer: int = 0) -> bytes:
    """The soft confirmation of a header by development account `signer`."""
    separator = world.rollup.call("domainSeparator")
    return sign(header_digest(separator, keccak(header.encode())), dev_key(signer))


def report(world: World, first: Header, second: Header, *, signers: tuple[int, int] = (0, 0)) -> Outcome:
    """BOB shows two signed headers."""
    signatures = [signed(world, h, s) for h, s in zip((first, second), signers, strict=True)]
    return world.rollup.send(
        "slashEquivocation", as_tuple(first), signatures[0], as_tuple(second), signatures[1], sender=BOB
    )


def report_mismatch(world: World, promised: Header, batch: Posted, position: int = 0, *, signer: int = 0) -> Outcome:
    """BOB shows a signed header beside the posted one."""
    path = merkle_path([keccak(h.encode()) for h in batch.headers], position)
    posted = as_tuple(batch.headers[position])
    return world.rollup.send(
        "slashMismatch", as_tuple(promised), signed(world, promised, signer), batch.index, position, posted, path,
        sender=BOB,
    )  # fmt: skip


def two_headers(world: World) -> tuple[Header, Header]:
    """Two different next blocks."""
    return world.headers([world.block(txs=b"\x01")])[0], world.headers([world.block(txs=b"\x02")])[0]


def test_two_headers_for_one_height_cost_the_stake(world: World) -> None:
    """Half burns, half goes to the reporter after the delay."""
    first, second = two_headers(world)
    events = world.rollup.events(report(world, first, second))
    assert events["Equivocated"] == {"poster": ALICE, "reporter": BOB, "number": 1, "fork": 0}
    assert events["Slashed"] == {"poster": ALICE, "stake": STAKE, "burnt": STAKE // 2}
    assert world.rollup.call("stakeOf", ALICE) == 0
    world.chain.travel(REWARD_DELAY + 1)
    before = world.chain.balance(BOB)
    world.rollup.send("claimReward", ALICE)
    assert world.chain.balance(BOB) == before + STAKE // 2
    assert world.held() == 0


@pytest.mark.parametrize("field", ["timestamp", "txs_hash", "state_root", "parent_root"])
def test_any_difference_is_equivocation(world: World, field: str) -> None:
    """A header is one promise as a whole."""
    header = two_headers(world)[0]
    value = getattr(header, field)
    other: Any = value + 1 if isinstance(value, int) else keccak(value)
    report(world, header, replace(header, **{field: other}))


def test_honest_headers_are_no_equivocation(world: World) -> None:
    """The same header twice, another height or another fork break no promise."""
    first, second = two_headers(world)
    for other in (first, replace(second, number=2), replace(second, fork=1)):
        with reverts("NotEquivocation"):
            report(world, first, other)


def test_headers_of_two_signers_are_no_equivocation(world: World) -> None:
    """Each poster answers for itself."""
    world.stake(CAROL)
    first, second = two_headers(world)
    with reverts("NotEquivocation"):
        report(world, first, second, signers=(0, 2))


def test_header_on_a_vanished_inbox_binds_nobody(world: World) -> None:
    """After a reorganisation of L1 a sequencer may sign anew what depended on it."""
    world.inbox.send("open", BOB, MINIMUM_OPENING)
    header = world.headers([world.block(messages=1)])[0]
    vanished = replace(header, inbox_hash=keccak(b"a message that L1 forgot"))
    ahead = replace(header, inbox_index=2)
    for other in (vanished, ahead):
        for pair in ((header, other), (other, header)):
            with reverts("InboxNotCanonical", other.inbox_index, other.inbox_hash):
                report(world, *pair)


def test_unstaked_signer_has_nothing_to_lose(world: World) -> None:
    """Signing is free for those who do not post, and a slashed poster is slashed once."""
    first, second = two_headers(world)
    with reverts("NoStake", CAROL):
        report(world, first, second, signers=(2, 2))
    report(world, first, second)
    with reverts("NoStake", ALICE):
        report(world, first, second)


def test_bad_signatures_are_refused(world: World) -> None:
    """High s, a zero signature, one that recovers nobody, and other lengths are no evidence."""
    first, second = two_headers(world)
    good = signed(world, first)
    other = signed(world, second)
    # 64 bytes leave no room for most high values of s; this is the lowest one.
    high = good[:32] + (HALF_ORDER + 1).to_bytes(32, "big")
    for bad in (high, bytes(64), b"\xff" * 32 + good[32:], good[:63], good + b"\0", b""):
        for signatures in ((bad, other), (other, bad)):
            headers = (first, second) if signatures[1] == other else (second, first)
            with reverts("BadSignature", bad):
                world.rollup.send(
                    "slashEquivocation", as_tuple(headers[0]), signatures[0], as_tuple(headers[1]), signatures[1]
                )


def test_posting_another_block_than_promised_costs_the_stake(world: World) -> None:
    """A soft confirmation that does not become the posted block is a broken promise."""
    promised = world.headers([world.block(), world.block(txs=b"\x01")])[1]
    posted = world.post(world.block(), world.block(txs=b"\x02"))
    report_mismatch(world, promised, posted, 1)
    assert world.rollup.call("stakeOf", ALICE) == 0
    assert world.rollup.call("bountyOf", ALICE)[0] == BOB


def test_kept_promise_is_safe(world: World) -> None:
    """The posted header itself is no mismatch, nor a promise about another block."""
    posted = world.post(world.block(), world.block(txs=b"\x02"))
    with reverts("NotEquivocation"):
        report_mismatch(world, posted.headers[0], posted, 0)
    with reverts("NotEquivocation"):
        report_mismatch(world, posted.headers[0], posted, 1)


def test_mismatch_needs_the_posted_block(world: World) -> None:
    """The other header must really stand in the batch."""
    first, second = two_headers(world)
    posted = world.post()
    invented = Posted(posted.index, posted.batch_hash, (second,), posted.outcome)
    with reverts("WrongBlock"):
        report_mismatch(world, first, invented)


def test_promise_overtaken_by_another_poster_is_safe(world: World) -> None:
    """Who signed and was then overtaken after its silence has not posted anything else."""
    promised = world.headers([world.block(txs=b"\x01")])[0]
    world.stake(CAROL)
    world.chain.travel(PROPOSER_TIMEOUT + 1)
    posted = world.post(sender=CAROL)
    with reverts("NotEquivocation"):
        report_mismatch(world, promised, posted)


def test_promise_on_a_vanished_inbox_is_safe_after_posting(world: World) -> None:
    """A header of a forgotten L1 does not bind, even beside the posted one."""
    world.inbox.send("open", BOB, MINIMUM_OPENING)
    posted = world.post(world.block(messages=1))
    vanished = replace(posted.headers[0], inbox_hash=keccak(b"forgotten"))
    with reverts("InboxNotCanonical"):
        report_mismatch(world, vanished, posted)


def test_proven_fraud_takes_the_reporters_bounty(world: World) -> None:
    """A fraudulent poster cannot rescue half of its stake by reporting itself before the proof arrives."""
    bad = world.post()
    first, second = two_headers(world)
    report(world, first, second)
    with reverts("NoBounty", ALICE):
        world.rollup.send("reveal", ALICE, bytes(32), sender=CAROL)
    world.verifier.send("choose", 1, 0, bytes(32))
    world.prove(bad, sender=CAROL)
    assert world.rollup.call("bountyOf", ALICE)[0] == CAROL
