"""Sends steps to L1, several at a time, and says what became of each.

Whoever else acts for the same accounts may be faster: a step that is done already, or not due yet by a second, is no
failure but passed over, and the next plan tells the rest. A transaction that is not mined is offered at a higher price.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import trio

from rollup.errors import L1Error, L1Refused, L1Reverted, PlumblineError
from rollup.exit.amounts import show_cost
from rollup.exit.contracts import Contracts
from rollup.exit.holdings import ask_all
from rollup.exit.steps import GAS, Key, Plan, Step
from rollup.l1.account import L1Account, SentTransaction
from rollup.l1.values import Receipt

IN_FLIGHT: Final = 8
"""Transactions sent before the first of them is waited for; nodes hold 16 of one key without asking."""
PATIENCE: Final = 90.0
"""Seconds until a transaction that is not mined is offered at a higher price."""
RAISES: Final = 6
RAISE_PERCENT: Final = 25
DONE_BY_OTHERS: Final = frozenset(
    {
        "AlreadyRegistered",
        "AlreadyRefunded",
        "NothingToClaim",
        "NothingToCollect",
        "NothingLeft",
        "BatchFinal",
        "ChainFrozen",
    }
)
NOT_DUE: Final = frozenset({"WindowOpen", "RegistrationOpen", "NotOverdue", "NotEnded"})
OVERTAKEN: Final = frozenset({"BatchUnknown", "BatchNotFinal", "WrongRoot", "WrongMessage", "IndexUnknown"})
"""What a reorganisation of L1 answers to a step of the branch that it took away."""
OUTBID: Final = frozenset({"FeeTooLow"})
"""The queue grew faster than expected: the next plan knows the new fee."""
_AMOUNTS: Final = {"Claimed": "amount", "Refunded": "amount", "Collected": "amount"}


class WalletEmpty(PlumblineError):  # noqa: N818 - a state of affairs
    """The key that is to pay for gas holds too little ether; nothing was sent."""


@dataclass(frozen=True, slots=True)
class Quote:
    """What a plan costs at today's prices: gas of each step that can be sent now, and about that of the later ones.

    `price` in wei per gas; `fees` (wei) are spent beside gas; `balance` (wei) is what the wallet holds.
    """

    gas: dict[Key, int]
    later: int
    price: int
    fees: int
    balance: int

    @property
    def cost_now(self) -> int:
        """Wei for what is sent now."""
        return sum(self.gas.values()) * self.price + self.fees

    @property
    def cost(self) -> int:
        """Wei for everything, the later steps included."""
        return self.cost_now + self.later * self.price


@dataclass(frozen=True, slots=True)
class Done:
    """A step that L1 has executed; `paid` µUSD went to its owner."""

    step: Step
    transaction: bytes
    gas: int
    cost: int
    paid: int


@dataclass(frozen=True, slots=True)
class Passed:
    """A step that was not sent, or to no effect, because of `reason`: others were faster, or it is not due yet."""

    step: Step
    reason: str
    early: bool


async def quote(payer: L1Account, plan: Plan) -> Quote:
    """What the plan costs. Steps that L1 refuses now are not counted: they will be passed over."""
    client = payer.client
    fees, balance = await client.suggest_fees(), await client.get_balance(payer.address)
    tried = await ask_all([partial(_estimate, payer, step) for step in plan.now])
    gas = {step.key: used for step, used in zip(plan.now, tried, strict=True) if used}
    price = (fees.max_fee - fees.max_priority_fee) // 2 + fees.max_priority_fee  # the node's base fee, not twice that
    fee = sum(step.fee for step in plan.now)
    return Quote(gas, sum(step.gas for step in plan.later), price, fee, balance)


def require_funds(payer: L1Account, quoted: Quote) -> None:
    """Raise `WalletEmpty` unless the wallet can pay for what is to be sent now."""
    if quoted.balance < quoted.cost_now:
        held, needed = show_cost(quoted.balance), show_cost(quoted.cost_now)
        raise WalletEmpty(f"0x{payer.address.hex()} holds {held} ETH, and this costs about {needed} ETH: nothing sent")


async def send_steps(
    payer: L1Account, contracts: Contracts, steps: Sequence[Step], tell: Callable[[Done | Passed], None]
) -> None:
    """Send all of them, which must not depend on each other, and wait until L1 has executed them; `tell` hears of each.

    `WalletEmpty` if gas cannot be paid, `L1Error` if the node fails; what was told of is done in any case.
    """
    for some in _chunks(steps):
        sent: list[tuple[Step, SentTransaction]] = []
        for step in some:
            outcome = await _send(payer, step)
            if isinstance(outcome, Passed):
                tell(outcome)
            else:
                sent.append((step, outcome))
        for step, transaction in sent:
            tell(await _finish(payer, contracts, step, transaction))


async def settle_pool(payer: L1Account) -> None:
    """Wait for what the key has sent in an earlier life and is not mined yet, so that nothing is sent twice.

    A retryable `L1Error` if it stays in the node's pool.
    """
    mined = await payer.client.get_nonce(payer.address, "latest")
    waiting = await payer.client.get_nonce(payer.address, "pending")
    if waiting <= mined:
        return
    with trio.move_on_after(PATIENCE):
        while await payer.client.get_nonce(payer.address, "latest") < waiting:  # noqa: ASYNC110 - a node tells nobody
            await trio.sleep(1)
        return
    raise L1Error(
        f"{waiting - mined} transactions of 0x{payer.address.hex()} from before are not mined: wait, or replace them",
        retryable=True,
    )


async def _send(payer: L1Account, step: Step) -> SentTransaction | Passed:
    try:
        return await payer.send(step.to, step.call, value=step.value)
    except L1Reverted as error:
        return _passed(step, error)
    except L1Refused as error:
        if "insufficient funds" in error.reason.lower():
            held = show_cost(await payer.client.get_balance(payer.address))
            raise WalletEmpty(f"0x{payer.address.hex()} holds {held} ETH, too little to {step.kind}") from error
        raise


async def _finish(payer: L1Account, contracts: Contracts, step: Step, sent: SentTransaction) -> Done | Passed:
    receipt = await _mined(payer, sent)
    if not receipt.success:
        return _passed(step, await payer.revert_reason(sent, receipt))
    paid = 0
    for event in contracts.vault.decode_events(receipt.logs):
        paid += event.values[_AMOUNTS[event.name]] if event.name in _AMOUNTS else 0
    cost = receipt.gas_used * receipt.effective_gas_price + step.fee
    return Done(step, receipt.tx_hash, receipt.gas_used, cost, paid)


async def _mined(payer: L1Account, sent: SentTransaction) -> Receipt:
    """The receipt of a transaction or of one that replaced it."""
    offered = [sent]
    for raised in range(RAISES + 1):
        try:
            return await payer.wait(offered[-1], timeout=PATIENCE)
        except L1Error as error:
            if not error.retryable or raised == RAISES:
                raise
        for earlier in offered:
            receipt = await payer.client.get_receipt(earlier.hash)
            if receipt is not None:
                return receipt
        try:
            offered.append(await payer.replace(offered[-1], offered[-1].fees.raised(RAISE_PERCENT)))
        except L1Refused:  # mined in this very moment, or the node wants more: look again
            continue
    raise AssertionError("the last attempt returns or raises")


def _passed(step: Step, error: L1Reverted) -> Passed:
    if error.name not in DONE_BY_OTHERS | NOT_DUE | OVERTAKEN | OUTBID:
        raise error
    return Passed(step, str(error), early=error.name in NOT_DUE)


async def _estimate(payer: L1Account, step: Step) -> int:
    try:
        return await payer.client.estimate_gas(step.to, step.call, sender=payer.address, value=step.value)
    except L1Reverted:
        return 0
    except L1Refused as error:
        if "insufficient funds" not in error.reason.lower():
            raise
        return GAS[step.kind]  # no node tries what the wallet cannot pay


def _chunks(steps: Sequence[Step]) -> Iterator[Sequence[Step]]:
    for start in range(0, len(steps), IN_FLIGHT):
        yield steps[start : start + IN_FLIGHT]
