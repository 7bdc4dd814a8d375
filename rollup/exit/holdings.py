"""Whose money is where at the end: accounts as end state and vault have them, and deposits that came too late."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

import trio

from rollup.derive.mirror import Mirror
from rollup.errors import L1Error, Undecodable
from rollup.exit.contracts import Contracts
from rollup.exit.errors import NotInEndState
from rollup.exit.estate import EndState, Holder
from rollup.types.messages import Deposit, Open, decode_message

T = TypeVar("T")
AT_ONCE: Final = 8
"""Questions to the node at a time: hides the latency of a remote node, and is polite."""
NOBODY: Final = bytes(20)


@dataclass(frozen=True, slots=True)
class Whose:
    """Who leaves: all accounts of `owner`, the `accounts` of these numbers, or `everyone`. Owners are paid."""

    owner: bytes | None = None
    accounts: frozenset[int] = frozenset()
    everyone: bool = False

    def __str__(self) -> str:
        owner = [f"0x{self.owner.hex()}"] if self.owner is not None else []
        numbers = [f"account {number}" for number in sorted(self.accounts)]
        return "anybody" if self.everyone else " or ".join(owner + numbers) or "nobody"

    def wants(self, account: int, owner: bytes) -> bool:
        """Whether an account is among them."""
        return self.everyone or account in self.accounts or (self.owner is not None and owner == self.owner)


@dataclass(frozen=True, slots=True)
class Entry:
    """An account in the end state and in the vault: `claimed` µUSD were paid of what it had withdrawn.

    If it was `registered`, `due` µUSD are still to be paid for it, should the pot suffice; 0 once it was paid.
    """

    holder: Holder
    claimed: int
    registered: bool
    due: int

    @property
    def unpaid(self) -> int:
        """What was withdrawn and not paid, µUSD."""
        return max(0, self.holder.withdrawn - self.claimed)


@dataclass(frozen=True, slots=True)
class LateDeposit:
    """A deposit of `amount` µUSD that the end state has not taken in: message `index` of the inbox."""

    index: int
    message: bytes
    account: int
    owner: bytes
    amount: int
    refunded: bool


async def find_entries(
    contracts: Contracts, state: EndState, whose: Whose, late: Sequence[LateDeposit], block: int
) -> list[Entry]:
    """The accounts asked for, ascending, as the vault had them after L1 `block`.

    `NotInEndState` for one that is asked for by its number and was never opened, not even by a late message.
    """
    numbers = [number for number, owner in state.owners() if whose.wants(number, owner)]
    missing = whose.accounts.difference(numbers, (deposit.account for deposit in late))
    if missing:
        raise NotInEndState(min(missing), state.batch)
    return await ask_all([partial(_entry, contracts, state.holder(number), block) for number in numbers])


async def find_late_deposits(
    contracts: Contracts, mirror: Mirror, batch: int, whose: Whose, block: int
) -> list[LateDeposit]:
    """The deposits asked for that the state after `batch` has not taken in, in the order of the inbox."""
    found = _deposits_after(mirror, batch)
    owners = await ask_all([partial(_owner_of, contracts, deposit, block) for _, _, deposit in found])
    wanted = [(*item, owner) for item, owner in zip(found, owners, strict=True) if whose.wants(item[2].account, owner)]
    refunded = await ask_all(
        [partial(contracts.vault.call, "refunded", index, block=block) for index, _, _, _ in wanted]
    )
    return [
        LateDeposit(index, message, deposit.account, owner, deposit.amount, paid)
        for (index, message, deposit, owner), paid in zip(wanted, refunded, strict=True)
    ]


async def pot_of(contracts: Contracts, state: EndState, block: int) -> int:
    """What accounts share (SPEC section 11) as things stand, whether or not any has registered; µUSD."""
    vault, totals = contracts.vault, state.totals
    claimed, refunded = await vault.call("claimedTotal", block=block), await vault.call("refundedTotal", block=block)
    deposited = await contracts.inbox.call("depositedTotal", block=block)
    held: int = await contracts.token.call("balanceOf", vault.address, block=block)
    reserve = max(0, totals.withdrawals - claimed) + max(0, deposited - totals.deposits - refunded)
    return held - reserve if held > reserve else 0


async def ask_all(questions: Sequence[Callable[[], Awaitable[T]]]) -> list[T]:
    """All answers, in the order of the questions, some asked at a time; the first `L1Error` ends it."""
    answers: dict[int, T] = {}
    failures: list[L1Error] = []
    limiter = trio.CapacityLimiter(AT_ONCE)

    async def ask(place: int, question: Callable[[], Awaitable[T]]) -> None:
        async with limiter:
            try:
                answers[place] = await question()
            except L1Error as error:
                failures.append(error)
                nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        for place, question in enumerate(questions):
            nursery.start_soon(ask, place, question)
    if failures:
        raise failures[0]
    return [answers[place] for place in range(len(questions))]


async def _entry(contracts: Contracts, holder: Holder, block: int) -> Entry:
    vault, number = contracts.vault, holder.account
    claimed = await vault.call("claimed", number, block=block) if holder.withdrawn else 0
    owner, due = await vault.call("entryOf", number, block=block) if holder.equity > 0 else (NOBODY, 0)
    return Entry(holder, claimed, owner != NOBODY, due)


def _deposits_after(mirror: Mirror, batch: int) -> list[tuple[int, bytes, Open | Deposit]]:
    chain = mirror.pipeline.follower.chain
    first = chain.batch(batch).inbox_index
    found: list[tuple[int, bytes, Open | Deposit]] = []
    for index, message in enumerate(chain.inbox.slice(first, len(chain.inbox) - first), first):
        try:
            decoded = decode_message(message)
        except Undecodable:  # a forced listing, say, that is nonsense: no money came with it
            continue
        if isinstance(decoded, Open | Deposit):
            found.append((index, message, decoded))
    return found


async def _owner_of(contracts: Contracts, deposit: Open | Deposit, block: int) -> bytes:
    if isinstance(deposit, Open):
        return deposit.owner
    owner: bytes = await contracts.inbox.call("ownerOf", deposit.account, block=block)
    return owner
