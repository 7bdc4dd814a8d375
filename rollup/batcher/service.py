"""The batcher's loop: post what is due and make final what is old enough, whatever L1 does meanwhile."""

from __future__ import annotations

from collections.abc import Callable

import structlog
import trio

from rollup.batcher.alarms import Alarms
from rollup.batcher.contracts import RollupContract
from rollup.batcher.post import Poster
from rollup.errors import L1Error
from rollup.l1.account import L1Account

log = structlog.get_logger(__name__)

FINALISE_AHEAD = 64
"""Batches looked at per round for finality."""


async def ensure_stake(contract: RollupContract, account: L1Account) -> None:
    """Stake what is missing to the minimum; L1's error if the wallet cannot."""
    missing = (await contract.terms()).min_stake - await contract.stake_of(account.address)
    if missing > 0:
        await contract.add_stake(account, missing)
        log.info("staked", wei=missing)


Verified = Callable[[int], bytes | None]
"""The hash of a batch whose blocks were executed here and found right; None for any other."""


async def finalise_due(contract: RollupContract, account: L1Account, verified: Verified) -> int | None:
    """Make every batch final whose dispute window has passed; returns the last of them, None if there is none.

    Only what is final in the newest L1 block is asked for, so that nothing is paid for a call that reverts; and only
    what was verified, so that nobody's fraud becomes final by an honest hand, however late it is proven.
    """
    tip, final = (await contract.tip()).index, await contract.finalised()
    window = (await contract.terms()).dispute_window
    newest = await contract.l1.get_block("latest")
    assert newest is not None, "a node has its newest block"
    due = None
    for index in range(final + 1, min(tip, final + FINALISE_AHEAD) + 1):
        batch = await contract.batch(index)
        if batch.posted_at + window >= newest.timestamp or batch.batch_hash != verified(index):
            break
        due = index
    if due is not None:
        account.forget_nonce()
        await contract.finalise(account, due)
        log.info("finalised", batch=due)
    return due


async def check_balance(account: L1Account, low: int, alarms: Alarms) -> None:
    """Alarm while the wallet holds less than `low` wei: before it is empty, not after."""
    balance = await account.client.get_balance(account.address)
    if balance < low:
        alarms.raise_("balance", f"0x{account.address.hex()} holds {balance} wei, less than {low}")
    else:
        alarms.clear("balance")


async def run_batcher(
    poster: Poster,
    contract: RollupContract,
    account: L1Account,
    alarms: Alarms,
    *,
    poll: float,
    low_balance: int,
    finalise: bool,
    posting: Callable[[], bool],
    verified: Verified,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until cancelled. An `L1Error` is an alarm and another try. Nothing is posted while `posting()` is false.

    `finalise`: whether it makes batches final as well, those that `verified` knows.
    """
    task_status.started()

    async def balance() -> None:
        await check_balance(account, low_balance, alarms)

    async def post() -> None:
        while posting():
            if await poster.post_if_due() is None:
                return
        await poster.check_turn()

    async def make_final() -> None:
        if finalise:
            await finalise_due(contract, account, verified)

    while True:
        failures: list[L1Error] = []
        for work in (balance, post, make_final):  # each has its chance: an empty wallet fails posting first
            try:
                await work()
            except L1Error as error:
                failures.append(error)
        if failures:
            alarms.raise_("l1", str(failures[0]))
        else:
            alarms.clear("l1")
        await trio.sleep(poll)
