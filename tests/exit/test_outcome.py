"""What became of a forced message: waiting, overdue, done, refused with its reason, reverted, final."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from rollup.derive.mirror import Mirror, open_mirror
from rollup.exit.forcing import Forced, force_message
from rollup.exit.outcome import MessageUnknown, Stage, outcome_of, outcomes_about
from rollup.exit.payloads import sign_cancel, sign_set_signer, sign_withdrawal, waiting_messages
from rollup.exit.reasons import SENTENCES, sentence
from rollup.l1 import dev
from rollup.l1.devkeys import dev_address, dev_key
from rollup.types.reasons import Reason
from rollup.types.transactions import Transaction
from tests.support.deployed import CHALLENGER, DISPUTE_WINDOW, Site
from tests.support.exits import GRACE
from tests.support.frauds import LIE, revert_fraud, stake_again
from tests.support.poster import CASH, FIRST_OWNER, Poster, with_root

OWNER = FIRST_OWNER


@pytest.fixture
async def mirror(site: Site, poster: Poster) -> AsyncIterator[Mirror]:
    """The state rebuilt from L1, in which two accounts are open."""
    await poster.post(await poster.block())
    async with open_mirror(site.l1, site.deployment.rollup) as opened:
        await opened.advance()
        yield opened


async def force(site: Site, payload: bytes, key: int = OWNER) -> Forced:
    """Force something with a development key."""
    return await force_message(site.account(key), site.deployment.inbox, payload)


async def take(poster: Poster, mirror: Mirror, *transactions: Transaction) -> None:
    """Have the poster take all that waits, and look."""
    await hear(poster, mirror)
    await poster.post(await poster.block(*transactions))
    await mirror.advance()


async def hear(poster: Poster, mirror: Mirror) -> None:
    """Have the poster know all that waits."""
    await mirror.advance()
    poster.messages += [message for index, message in waiting_messages(mirror) if index >= len(poster.messages)]


async def finalise(site: Site, batch: int) -> None:
    """Let the window pass, and finalise."""
    await dev.increase_time(site.l1, DISPUTE_WINDOW + 1)
    await dev.mine(site.l1)
    await site.contract("Rollup").transact(site.account(CHALLENGER), "finalise", batch)


async def test_a_message_waits_then_is_done_then_final(site: Site, poster: Poster, mirror: Mirror) -> None:
    """A withdrawal by its sender alone; each step is told with its times."""
    forced = await force(site, sign_withdrawal(bytes(32), 0, 7_000_000, 1))
    await mirror.advance()
    waiting = await outcome_of(mirror, forced.index)
    assert (waiting.stage, waiting.ahead, waiting.reason, waiting.what) == (Stage.WAITING, 0, None, "Withdraw")
    assert (waiting.sent_at, waiting.due, waiting.overdue) == (forced.sent_at, forced.due, False)
    assert waiting.tell().startswith("waiting for 0 s; due in 600 s")

    await take(poster, mirror)
    pending = await outcome_of(mirror, forced.index)
    assert (pending.stage, pending.done, pending.paid, pending.haircut) == (Stage.PENDING, True, 7_000_000, 0)
    assert (pending.block, pending.batch) == (mirror.store.committed, mirror.batch)
    batch = await site.contract("Rollup").call("batches", mirror.batch)
    assert pending.final_at == batch[4] + DISPUTE_WINDOW
    assert "is pending for" in pending.tell()

    await dev.increase_time(site.l1, DISPUTE_WINDOW + 1)
    await dev.mine(site.l1)
    await mirror.advance()
    assert "anyone may do now" in (await outcome_of(mirror, forced.index)).tell()
    await finalise(site, mirror.batch)
    await poster.post(await poster.block())
    await mirror.advance()
    final = await outcome_of(mirror, forced.index)
    assert (final.stage, final.done, final.final_at) == (Stage.FINAL, True, None)
    assert final.tell() == f"done in block {pending.block}; batch {pending.batch} is final"
    account = mirror.account(0)
    assert account is not None
    assert account.withdrawn == 7_000_000


async def test_a_refusal_is_never_swallowed(site: Site, poster: Poster, mirror: Mirror) -> None:
    """Every forced message has its own reason, in words, and keeps it when it is final."""
    payloads = {
        Reason.MARGIN: sign_withdrawal(poster.separator, 0, CASH * 2, 1, dev_key(OWNER)),
        Reason.SIGNATURE_INVALID: sign_withdrawal(poster.separator, 1, 5, 1),
        Reason.ACCOUNT_UNKNOWN: sign_withdrawal(poster.separator, 99, 5, 1),
        Reason.AMOUNT: sign_withdrawal(poster.separator, 0, 0, 1),
        Reason.NONCE_STALE: sign_withdrawal(poster.separator, 0, 5, 0),
        Reason.UNDECODABLE: b"\3 and nothing that follows from it",
    }
    sent = {reason: await force(site, payload) for reason, payload in payloads.items()}
    await take(poster, mirror)
    for reason, forced in sent.items():
        outcome = await outcome_of(mirror, forced.index)
        assert (outcome.stage, outcome.done, outcome.reason) == (Stage.PENDING, False, reason)
        assert outcome.tell().startswith(f"refused in block {outcome.block}: {sentence(reason)} ({reason.name})")
        assert outcome.describe()["why"] == sentence(reason)
    await finalise(site, mirror.batch)
    await poster.post(await poster.block())
    await mirror.advance()
    found = [await outcome_of(mirror, forced.index) for forced in sent.values()]
    assert [outcome.reason for outcome in found] == list(sent)
    assert {outcome.stage for outcome in found} == {Stage.FINAL}


async def test_an_overdue_message_says_so(site: Site, mirror: Mirror) -> None:
    """After the deadline, and not before; those behind it count what is ahead."""
    first = await force(site, sign_cancel(bytes(32), 0, 7))
    second = await force(site, sign_cancel(bytes(32), 0, 8))
    await dev.set_next_timestamp(site.l1, first.due)
    await dev.mine(site.l1)
    await mirror.advance()
    assert not (await outcome_of(mirror, first.index)).overdue
    await dev.increase_time(site.l1, 5)
    await dev.mine(site.l1)
    await mirror.advance()
    late = await outcome_of(mirror, first.index)
    assert late.overdue
    assert "overdue for" in late.tell()
    assert (await outcome_of(mirror, second.index)).ahead == 1


async def test_a_message_of_a_reverted_batch_waits_again(site: Site, poster: Poster, mirror: Mirror) -> None:
    """Disputed while the wrong batch stands, waiting once it is gone, done when another one takes it."""
    forced = await force(site, sign_set_signer(bytes(32), 0, b"\7" * 20, 1))
    await hear(poster, mirror)
    honest = dict(poster.leaves)
    await poster.post(with_root(await poster.block(), LIE))
    await mirror.advance()
    disputed = await outcome_of(mirror, forced.index)
    assert (disputed.stage, disputed.batch, disputed.done) == (Stage.DISPUTED, mirror.batch + 1, False)
    assert "wrong state root" in disputed.tell()
    assert "waits again" in disputed.tell()
    ended = replace(disputed, frozen=True).tell()
    assert "waits again" not in ended
    assert "rollup escape" in ended

    await revert_fraud(site, mirror.pipeline, CHALLENGER)
    await mirror.advance()
    waiting = await outcome_of(mirror, forced.index)
    assert (waiting.stage, waiting.sent_at, waiting.due) == (Stage.WAITING, forced.sent_at, forced.due)

    poster.leaves = honest
    await stake_again(site, poster)
    await take(poster, mirror)
    assert (await outcome_of(mirror, forced.index)).done


async def test_a_good_message_of_a_batch_reverted_for_its_parent_waits_again(
    site: Site, poster: Poster, mirror: Mirror
) -> None:
    """A batch that was found right goes with an L1 reorganisation; its outcome goes too."""
    forced = await force(site, sign_cancel(bytes(32), 0, 7))
    snapshot = await dev.take_snapshot(site.l1)
    await take(poster, mirror)
    assert (await outcome_of(mirror, forced.index)).done
    await dev.revert_to(site.l1, snapshot)
    await dev.mine(site.l1, 2)
    await mirror.advance()
    assert (await outcome_of(mirror, forced.index)).stage is Stage.WAITING


async def test_messages_are_listed_by_account_and_by_sender(site: Site, poster: Poster, mirror: Mirror) -> None:
    """Executed, disputed and waiting ones, in their order."""
    mine = [await force(site, sign_cancel(bytes(32), 0, 7))]
    await force(site, sign_cancel(bytes(32), 1, 7), key=OWNER + 1)
    await take(poster, mirror)
    mine.append(await force(site, sign_withdrawal(bytes(32), 0, 7, 1)))
    await hear(poster, mirror)
    await poster.post(with_root(await poster.block(), LIE))
    mine.append(await force(site, b"\2 nonsense"))
    await mirror.advance()
    sent = await outcomes_about(mirror, sender=dev_address(OWNER))
    assert [outcome.index for outcome in sent] == [forced.index for forced in mine]
    assert [outcome.stage for outcome in sent] == [Stage.PENDING, Stage.DISPUTED, Stage.WAITING]
    about = await outcomes_about(mirror, account=0)
    assert [(outcome.index, outcome.what) for outcome in about] == [
        (0, "Open"), (mine[0].index, "Cancel"), (mine[1].index, "Withdraw"),
    ]  # fmt: skip
    assert (await outcome_of(mirror, mine[2].index)).what == "Forced"


@pytest.mark.parametrize("index", [-1, 2, 10**9])
async def test_a_message_that_there_is_not_is_an_error(mirror: Mirror, index: int) -> None:
    """Two accounts were opened: messages 0 and 1."""
    with pytest.raises(MessageUnknown):
        await outcome_of(mirror, index)


def test_every_reason_has_a_sentence() -> None:
    """None is left to a number."""
    assert set(SENTENCES) == set(Reason)
    assert all(text and not text.endswith(".") for text in SENTENCES.values())


async def test_what_the_freeze_came_before_is_told_to_be_lost(site: Site, poster: Poster, mirror: Mirror) -> None:
    """Nobody is told to wait for it; what a batch took before the freeze is as ever."""
    separator = mirror.pipeline.replica.origin.separator
    taken = await force(site, sign_cancel(separator, 0, 1))
    await take(poster, mirror)
    left = await force(site, sign_withdrawal(separator, 0, 5, 1))
    await dev.increase_time(site.l1, DISPUTE_WINDOW + GRACE + 10)
    await dev.mine(site.l1)
    await mirror.advance()
    assert (await outcome_of(mirror, left.index)).overdue
    await site.contract("Rollup").transact(site.account(CHALLENGER), "freeze")
    await mirror.advance()
    before, ended = await outcome_of(mirror, taken.index), await outcome_of(mirror, left.index)
    assert (before.stage, before.done) == (Stage.PENDING, True)
    assert (ended.stage, ended.done, ended.overdue) == (Stage.ENDED, False, False)
    assert "rollup escape" in ended.tell()
