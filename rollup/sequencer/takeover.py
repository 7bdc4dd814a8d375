"""Taking over from a sequencer that is gone: whether L1 lets a stranger post, since when, and what that costs him.

Nothing of the old sequencer is needed. Who takes over derives the state from L1 (`service`), stakes, and goes on from
the last batch that stands; orders that only the old one knew are signed for no block, and their owners send them again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import trio

from rollup.batcher.contracts import RollupContract
from rollup.errors import PlumblineError

RESERVE_GAS: Final = 10_000_000
"""Gas that a wallet should still pay for after staking: two batches of the largest size, or twenty of the usual."""
POLL_SECONDS: Final = 2.0
"""Between two looks at L1 while waiting: a sixth of its block time."""


class PostingClosed(PlumblineError):  # noqa: N818 - a state of affairs
    """Another sequencer is in turn; `until` is the last second of L1 that is its own."""

    def __init__(self, message: str, until: int) -> None:
        super().__init__(message)
        self.until = until


class ChainEnded(PlumblineError):  # noqa: N818 - a state of affairs
    """The chain is frozen: nobody can go on."""


class StakeUnaffordable(PlumblineError):  # noqa: N818 - a state of affairs
    """The wallet does not hold what stake and first batches cost; `missing` is in wei."""

    def __init__(self, message: str, missing: int) -> None:
        super().__init__(message)
        self.missing = missing


@dataclass(frozen=True, slots=True)
class Succession:
    """Who may post at L1's time `now`, and with what. Times in seconds of L1, money in wei.

    `open_since`: the first second at which a stranger's batch is taken, 0 if the stake of `designated` is gone.
    `gas_money` is what `RESERVE_GAS` costs at today's highest price.
    """

    now: int
    designated: bytes
    last_post: int
    open_since: int
    heir: bytes
    staked: int
    min_stake: int
    balance: int
    gas_money: int
    batch: int
    block: int
    waiting: int
    freezable_after: int

    @property
    def is_open(self) -> bool:
        """Whether L1 takes a batch of the heir now, once he is staked."""
        return self.heir == self.designated or self.now >= self.open_since

    @property
    def missing_stake(self) -> int:
        """What the heir has to stake."""
        return max(0, self.min_stake - self.staked)

    def turn(self) -> str:
        """Who is in turn, and since or until when, in words."""
        name = f"0x{self.designated.hex()}"
        if self.heir == self.designated:
            return f"this key is the designated sequencer, {name}"
        if self.open_since == 0:
            return f"the stake of {name} is gone: anyone staked may post"
        silence = f"{name} posted last at L1's time {self.last_post}, {self.now - self.last_post} s ago"
        if self.is_open:
            return f"{silence}: anyone staked may post since {self.open_since}"
        return f"{silence}: others may post from {self.open_since}, in {self.open_since - self.now} s, if it is silent"

    def costs(self) -> str:
        """What will be done and what that costs, in words."""
        stake = (
            f"stakes {self.missing_stake} wei from 0x{self.heir.hex()}, lost if it posts a wrong block or signs two for"
            f" one place, else returned after its last batch is final"
            if self.missing_stake
            else f"0x{self.heir.hex()} has {self.staked} wei at stake already"
        )
        return f"{stake}; then posts batches at its own cost, and should hold {self.gas_money} wei for the first ones"


async def survey(contract: RollupContract, heir: bytes) -> Succession:
    """How things stand in the newest L1 block; ChainEnded if it is over."""
    if await contract.frozen():
        raise ChainEnded("the chain is frozen: no batch is taken any more, and money leaves by `rollup escape`")
    terms, tip, newest = await contract.terms(), await contract.tip(), await contract.l1.get_block("latest")
    assert newest is not None, "a node has its newest block"
    last = await contract.last_post()
    holds = await contract.stake_of(terms.sequencer) >= terms.min_stake
    waiting, freezable = await contract.freezable_after()
    return Succession(
        now=newest.timestamp,
        designated=terms.sequencer,
        last_post=last,
        open_since=last + terms.proposer_timeout + 1 if holds else 0,
        heir=heir,
        staked=await contract.stake_of(heir),
        min_stake=terms.min_stake,
        balance=await contract.l1.get_balance(heir),
        gas_money=RESERVE_GAS * (await contract.l1.suggest_fees()).max_fee,
        batch=tip.index,
        block=tip.last_number,
        waiting=waiting,
        freezable_after=freezable,
    )


async def await_turn(
    contract: RollupContract, heir: bytes, *, wait: bool, tell: Callable[[Succession], None], poll: float = POLL_SECONDS
) -> Succession:
    """Return once L1 lets `heir` post and he can afford it.

    PostingClosed if it does not and `wait` is false, StakeUnaffordable, ChainEnded. `tell` hears how things stand: at
    first, whenever the sequencer in turn posts again, and in the end.
    """
    told: tuple[int, bool] | None = None
    while True:
        found = await survey(contract, heir)
        if told != (found.open_since, found.is_open):
            told = (found.open_since, found.is_open)
            tell(found)
        require_means(found)  # before a long wait as well
        if found.is_open:
            return found
        if not wait:
            raise PostingClosed(f"{found.turn()} (--wait waits for that)", found.open_since - 1)
        await trio.sleep(poll)


def require_means(found: Succession) -> None:
    """StakeUnaffordable unless the wallet holds the stake and the gas of the first batches."""
    needed = found.missing_stake + found.gas_money
    if found.balance < needed:
        text = f"0x{found.heir.hex()} holds {found.balance} wei; {found.missing_stake} to stake and {found.gas_money}"
        raise StakeUnaffordable(f"{text} for gas are needed", needed - found.balance)
