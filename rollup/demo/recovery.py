"""After a fraud: an honest sequencer, with another key and an empty database, finds the good root on L1 and goes on."""

from __future__ import annotations

from rollup.cli.amounts import show_usd
from rollup.demo.fraud import DEPOSIT, Before, Removal
from rollup.demo.honest import see_cash
from rollup.demo.observer import Posted
from rollup.demo.report import require, require_equal
from rollup.demo.setting import ETHER, SPARE, Stage
from rollup.demo.waiting import until
from rollup.devnet.client import Client
from rollup.devnet.roles import CHALLENGER
from rollup.l1.devkeys import dev_address


async def see_recovery(stage: Stage, client: Client, successor: int, before: Before, removal: Removal) -> int:
    """The successor's first batch stands where the fraud stood, and credits the deposit; the batch."""
    observer, poster, fraud = stage.observer, dev_address(successor), removal.fraud
    with stage.report.step("recovery", "an honest sequencer with an empty database") as step:
        await see_cash(step, client, before.depositor)
        since = (await observer.receipt(fraud.transaction)).block_number

        async def posted() -> Posted | None:
            found = await observer.posted(poster, after=since)
            return next((each for each in found if each.inbox_index > before.deposit), None)

        batch = await until(step, "its batch on L1", posted, SPARE)
        good: bytes = await observer.rollup.call("stateRootOf", before.standing.batch_count - 1)
        await observer.replay()
        stage.party.check(observer.mirror)
        record = observer.mirror.store.records.batch(before.standing.batch_count)
        first = None if record is None else observer.mirror.store.records.block(record.first)
        require_equal("fork of its batch", before.standing.fork + 1, batch.fork)
        require_equal("root that it builds on", good, None if first is None else first.header.parent_root)
        require(batch.index >= fraud.index, "number of its batch", fraud.index, batch.index)
        step.found(
            f"builds on 0x{good.hex()[:16]}… and credits the deposit of {show_usd(DEPOSIT)} USD in batch {batch.index}",
            batch=batch.index,
            poster=poster,
            fork=batch.fork,
            good_root=good,
            inbox_index=batch.inbox_index,
        )
    return batch.index


async def see_reward(stage: Stage, posters: list[bytes]) -> None:
    """The challenger is paid for every fraud, once nobody can have a better claim."""
    observer = stage.observer
    with stage.report.step("reward", "the challenger's rewards") as step:

        async def paid() -> int | None:
            events = await observer.events("RewardPaid", after=stage.deployment.block)
            mine = {event.values["poster"]: event.values for event in events}
            if not all(poster in mine for poster in posters):
                return None
            for poster in posters:
                require_equal("who is paid", dev_address(CHALLENGER), mine[poster]["claimant"])
            amounts: list[int] = [mine[poster]["amount"] for poster in posters]
            return sum(amounts)

        amount = await until(step, "the rewards to be claimed", paid, SPARE)
        step.found(f"{amount / ETHER:g} ether paid to the challenger", wei=amount, posters=posters)
