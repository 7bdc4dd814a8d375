"""One L1 transaction at a time, seen through: its price rises for as long as it is stuck."""

from __future__ import annotations

from typing import Final

import structlog
import trio

from rollup.errors import L1Error, L1Refused
from rollup.l1.account import L1Account, SentTransaction
from rollup.l1.values import Receipt

STUCK_SECONDS: Final = 30.0
"""Two or three L1 blocks; a transaction that is in none of them was priced too low."""
BLOCK_SECONDS: Final = 12.0
"""Between two blocks of Ethereum."""
RAISE_PERCENT: Final = 25
"""A node takes a replacement that pays at least 10 % more; a proof is worth more haste than that."""
_POLL: Final = 0.2

log = structlog.get_logger()


async def see_through(account: L1Account, to: bytes, data: bytes, *, stuck: float = STUCK_SECONDS) -> Receipt:
    """Send and wait until the transaction is mined, successful or not; its price is raised every `stuck` seconds.

    It takes the place of whatever an earlier life of this process left unmined. `L1Reverted` if it would revert now (it
    is not sent then), `L1LimitExceeded` if its price would exceed the account's ceiling, other `L1Error` of the node.
    """
    versions = [await _send(account, to, data)]
    while True:
        with trio.move_on_after(stuck):
            return await _wait(account, versions)
        versions.append(await _replace(account, versions[-1]))


async def try_within(account: L1Account, to: bytes, data: bytes, *, blocks: int) -> Receipt | None:
    """Send at today's price and wait for at most so many L1 blocks; None if it is in none of them.

    It is left in the pool then, and whatever is sent next takes its place. Raises as `see_through` does.
    """
    last = await account.client.block_number() + blocks
    sent = await _send(account, to, data)
    with trio.move_on_after(2 * BLOCK_SECONDS * blocks):  # L1 itself may stand still
        while True:
            is_over = await account.client.block_number() > last
            receipt = await account.client.get_receipt(sent.hash)
            if receipt is not None or is_over:
                return receipt
            await trio.sleep(_POLL)
    return None


async def _send(account: L1Account, to: bytes, data: bytes) -> SentTransaction:
    mined = await account.client.get_nonce(account.address)
    if await account.client.get_nonce(account.address, "pending") == mined:
        # Always the next one that L1 waits for: the node may have lost what was sent before, and a gap holds up all.
        return await account.send(to, data, nonce=mined)
    fees = (await account.client.suggest_fees()).raised(RAISE_PERCENT)
    return await account.send(to, data, nonce=mined, fees=fees)


async def _wait(account: L1Account, versions: list[SentTransaction]) -> Receipt:
    """The receipt of whichever version is mined."""
    while True:
        gone = await account.client.get_nonce(account.address) > versions[0].nonce
        for version in versions:
            receipt = await account.client.get_receipt(version.hash)
            if receipt is not None:
                return receipt
        if gone:
            raise L1Error("another transaction took the nonce of ours", retryable=True)
        await trio.sleep(_POLL)


async def _replace(account: L1Account, sent: SentTransaction) -> SentTransaction:
    current = await account.client.suggest_fees()
    fees = sent.fees.raised(RAISE_PERCENT)
    fees = current if current.max_fee > fees.max_fee and current.max_priority_fee > fees.max_priority_fee else fees
    log.warning("a transaction is stuck; raising its price", nonce=sent.nonce, max_fee=fees.max_fee)
    try:
        return await account.replace(sent, fees)
    except L1Refused as refusal:
        log.warning("the replacement was refused", reason=refusal.reason)  # perhaps it was mined in this very moment
        return sent
