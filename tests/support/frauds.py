"""What posters do, right and wrong: a varied honest history, and every kind of block that must not stand."""

from __future__ import annotations

from dataclasses import dataclass, replace

from challenger.prove import encode_proof
from rollup.crypto.keccak import keccak
from rollup.crypto.tree import MemoryNodes, Tree
from rollup.derive.pipeline import Pipeline
from rollup.l1 import dev
from rollup.types.blocks import BatchBlock
from rollup.types.genesis import BTC_PERP
from rollup.types.keys import account_key
from rollup.types.leaves import Account
from rollup.types.reasons import Reason
from rollup.types.transactions import FLAG_SELL, Deleverage, Flag, Settle, Trade, Transaction, WriteOff
from tests.support.deployed import REWARD_DELAY, Site
from tests.support.poster import CASH, FILL, Poster, with_root

LIE = keccak(b"a root that nothing leads to")


@dataclass(frozen=True, slots=True)
class Foul:
    """A block that must not stand, with the verdict due: the reason (NONE: only the root is wrong) and the index."""

    block: BatchBlock
    reason: Reason = Reason.NONE
    index: int = 0


async def post_variety(poster: Poster) -> None:
    """Three batches, six blocks, that hold every kind of message and most kinds of transaction."""
    await poster.post(await poster.block(), await poster.block(poster.trade(), poster.trade()))
    await poster.deposit(1, 5_000_000)
    await poster.force(poster.withdraw(0, 7_000_000))
    await poster.force(poster.withdraw(1, CASH * 2))  # more than there is: a no-op with a reason
    await poster.open()
    await poster.post(await poster.block(take=2), await poster.block(poster.transfer(2, 0, 1_000_000), take=2))
    await poster.post(await poster.block(poster.trade(seller=1, buyer=0), poster.withdraw(1, 9)), await poster.block())


async def fouls(poster: Poster) -> dict[str, Foul]:
    """Every kind of wrong block on the poster's state, which stays as it is."""
    honest = dict(poster.leaves)
    sealed = await poster.block(poster.trade())
    wrong = {"wrong root": with_root(sealed, LIE), "stolen cash": with_root(sealed, with_stolen_cash(poster.leaves))}
    poster.leaves = honest
    found = {name: Foul(block) for name, block in wrong.items()}
    found["ignored transactions"] = Foul(with_root(sealed, poster.root))
    good: list[Transaction] = [*poster.prices(await poster.now()), poster.trade()]
    for name, (reason, transactions) in invalid_transactions(poster).items():
        block = await poster.forge(*good, *transactions)
        found[name] = Foul(block, reason, len(good) + len(transactions) - 1)
    undecodable = await poster.forge(*good, txs=b"\x0c and nothing more")
    found["undecodable"] = Foul(undecodable, Reason.UNDECODABLE, len(good))
    crowd = [poster.withdraw(0, 1) for _ in range(33)]
    found["over a meter"] = Foul(await poster.forge(*crowd), Reason.METER_TRANSACTIONS, 32)
    return found


def invalid_transactions(poster: Poster) -> dict[str, tuple[Reason, list[Transaction]]]:
    """Transactions of which the last must not be in any block."""
    forged = replace(poster.trade(), taker=replace(poster.order(1, 0), signature=poster.order(0, 0).signature))
    greedy = Trade(poster.order(0, FLAG_SELL), poster.order(1, 0), FILL + 1_000)
    withdrawal = poster.withdraw(1, 5)
    return {
        "forged signature": (Reason.SIGNATURE_INVALID, [forged]),
        "overfill": (Reason.OVERFILL, [greedy]),
        "another's withdrawal": (Reason.SIGNATURE_INVALID, [replace(poster.withdraw(0, 5), account=1)]),
        "replayed withdrawal": (Reason.NONCE_STALE, [withdrawal, withdrawal]),
        "margin skipped": (Reason.MARGIN, [poster.withdraw(0, CASH * 3)]),
        "same account": (Reason.SELF_TRADE, [poster.trade(seller=1, buyer=1)]),
        "unknown account": (Reason.ACCOUNT_UNKNOWN, [poster.transfer(0, 77, 1)]),
        "unjust flag": (Reason.NOT_LIQUIDATABLE, [Flag(1)]),
        "deleveraging out of the blue": (Reason.NOT_FLAGGED, [Deleverage(0, 1, BTC_PERP, FILL)]),
        "write-off out of the blue": (Reason.NOT_FLAGGED, [WriteOff(0)]),
        "nothing to settle": (Reason.NOTHING_TO_SETTLE, [Settle(0)]),
    }


def with_stolen_cash(leaves: dict[int, bytes]) -> bytes:
    """Root of this state, but for a dollar that account 0 has too much and account 1 too little."""
    rich, poor = (Account.decode(leaves[account_key(number)]) for number in (0, 1))
    theft = {
        account_key(0): replace(rich, cash=rich.cash + 1_000_000).encode(),
        account_key(1): replace(poor, cash=poor.cash - 1_000_000).encode(),
    }
    return Tree(MemoryNodes()).update({**leaves, **theft})


async def revert_fraud(site: Site, pipeline: Pipeline, key: int) -> None:
    """Prove the fraud that derivation stands at with this key, and let the reward's delay pass."""
    fraud, rollup = pipeline.replica.fraud, site.contract("Rollup")
    assert fraud is not None
    await site.account(key).transact(rollup.address, encode_proof(rollup, fraud))
    await dev.increase_time(site.l1, REWARD_DELAY + 1)
    await dev.mine(site.l1)


async def stake_again(site: Site, poster: Poster) -> None:
    """Let the bounty on the poster be paid, after its delay, and stake anew."""
    rollup, account = site.contract("Rollup"), site.account(poster.key)
    if (await rollup.call("bountyOf", account.address))[3]:
        await rollup.transact(account, "claimReward", account.address)
    await rollup.transact(account, "stake", value=10**18)
