"""Transactions forced through L1: what they cost, sending them, and when the chain owes an answer.

The inbox burns a fee that rises with the queue, takes a transaction of any kind, prices that feeders have signed among
them, and records who sent it. From then on no batch may leave it behind for longer than `forceDeadline`: see `outcome`
for what became of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rollup.errors import L1Error, L1Refused, L1Reverted, PlumblineError
from rollup.l1.account import L1Account
from rollup.l1.artifacts import load_artifact
from rollup.l1.client import L1Client
from rollup.l1.contract import Contract
from rollup.l1.values import Receipt
from rollup.types.transactions import TransactionType

MAX_PAYLOAD: Final = 491
"""Bytes of one forced transaction (SPEC section 10)."""
FORCIBLE: Final = frozenset(TransactionType)
"""Kinds that anybody may force."""
HEADROOM: Final = 32
"""Messages that may come before ours without its fee being too low: the contract returns what it does not take."""
ATTEMPTS: Final = 3
"""The fee may rise between looking and inclusion, in a crowd by more than the headroom."""
GAS_GUESS: Final = 180_000
"""What forcing takes at most, for a wallet that cannot pay and of which no node estimates it."""
FROZEN: Final = "the chain is frozen, so its inbox takes nothing any more: what is left is `rollup escape`"


class Refusal(StrEnum):
    """Why a transaction was not forced."""

    SIZE = "size"
    KIND = "kind"
    FEE = "fee"
    FROZEN = "frozen"
    WALLET = "wallet"
    ACCOUNT = "account"


class ForceRefused(PlumblineError):  # noqa: N818 - a verdict
    """Nothing was forced; `refusal` is the kind of reason."""

    def __init__(self, refusal: Refusal, message: str) -> None:
        super().__init__(message)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class ForceCost:
    """What forcing would cost now, in wei. `fee` is burnt, `value` is sent (the rest comes back), gas is extra.

    `balance` is what the wallet holds; `queue` the messages that no standing batch has consumed.
    """

    fee: int
    value: int
    gas: int
    gas_price: int
    balance: int
    queue: int

    @property
    def expected(self) -> int:
        """Fee and gas at today's prices, wei."""
        return self.fee + self.gas * self.gas_price

    @property
    def needed(self) -> int:
        """What the wallet must hold for the sending, wei: the value, and gas at the price that it offers."""
        return self.value + self.gas * self.gas_price

    @property
    def affordable(self) -> bool:
        """Whether the wallet can pay."""
        return self.balance >= self.needed


@dataclass(frozen=True, slots=True)
class Forced:
    """A transaction that stands in L1's inbox as message `index` since `sent_at`; after `due` it is overdue (L1 times).

    `fee` (wei) was burnt as the queue stood at the end of the block, `gas_cost` (wei) paid besides.
    """

    index: int
    fee: int
    transaction: bytes
    sent_at: int
    due: int
    gas: int
    gas_cost: int


def check_payload(payload: bytes) -> None:
    """Raise `ForceRefused` for what the inbox takes from nobody: nothing, too much, or of another kind."""
    if not 0 < len(payload) <= MAX_PAYLOAD:
        raise ForceRefused(
            Refusal.SIZE, f"a forced transaction has 1 … {MAX_PAYLOAD} bytes, this one {len(payload):,}: nothing sent"
        )
    if payload[0] not in FORCIBLE:
        raise ForceRefused(Refusal.KIND, f"a transaction of type {payload[0]:#04x} cannot be forced: nothing sent")


async def quote_force(l1: L1Client, sender: bytes, inbox: bytes, payload: bytes) -> ForceCost:
    """What forcing costs at L1's head; `ForceRefused` if the inbox would not take it."""
    check_payload(payload)
    contract = Contract(l1, inbox, load_artifact("Inbox"))
    rollup = Contract(l1, await contract.call("rollup"), load_artifact("Rollup"))
    if await rollup.call("frozen"):
        raise ForceRefused(Refusal.FROZEN, FROZEN)
    fee, slope = await contract.call("forceFee"), await contract.call("feeSlope")
    queue = await contract.call("count") - await rollup.call("latestInboxIndex")
    balance, fees = await l1.get_balance(sender), await l1.suggest_fees()
    value = fee + HEADROOM * slope
    data, gas = contract.abi.encode_call("force", payload), GAS_GUESS
    if balance > value:
        try:
            gas = await l1.estimate_gas(inbox, data, sender=sender, value=value)
        except L1Reverted as error:
            raise _refusal(error.name, error.arguments) or error from error
        except L1Refused as error:
            if "insufficient" not in error.reason.lower():  # the wallet has enough for the fee, and not for gas
                raise
    return ForceCost(fee, value, gas * 6 // 5, fees.max_fee, balance, queue)


async def force_message(account: L1Account, inbox: bytes, payload: bytes) -> Forced:
    """Force an encoded transaction through L1 and wait until it stands in the inbox.

    More than the fee is sent, and comes back, so that others may come before. `ForceRefused` if the inbox or the wallet
    is in the way: then nothing was sent, or it was reverted and only gas was spent.
    """
    contract = Contract(account.client, inbox, load_artifact("Inbox"))
    for attempt in range(1, ATTEMPTS + 1):
        cost = await quote_force(account.client, account.address, inbox, payload)
        require_affordable(cost, account.address)
        try:
            receipt = await contract.transact(account, "force", payload, value=cost.value, gas=cost.gas)
        except L1Reverted as error:
            refused = _refusal(error.name, error.arguments)
            if refused is None:
                raise
            if refused.refusal is not Refusal.FEE or attempt == ATTEMPTS:
                raise refused from error
        else:
            return await _forced(contract, receipt)
    raise AssertionError("the last attempt returns or raises")


def require_affordable(cost: ForceCost, sender: bytes) -> None:
    """Raise `ForceRefused` unless the wallet can pay."""
    if not cost.affordable:
        held, needed = show_ether(cost.balance), show_ether(cost.needed)
        raise ForceRefused(
            Refusal.WALLET,
            f"0x{sender.hex()} holds {held} ETH, and forcing takes up to {needed} ETH (what is left of that comes "
            "back): nothing sent",
        )


def show_ether(wei: int) -> str:
    """Wei as ETH for a sentence, with as many decimals as it takes and at least two."""
    whole, part = divmod(wei, 10**18)
    return f"{whole:,}.{f'{part:018d}'.rstrip('0').ljust(2, '0')}"


async def _forced(contract: Contract, receipt: Receipt) -> Forced:
    l1 = contract.client
    rollup = Contract(l1, await contract.call("rollup"), load_artifact("Rollup"))
    for event in contract.decode_events(receipt.logs):
        if event.name == "MessageAdded":
            index, time = event.values["index"], event.values["time"]
            ahead = max(0, index - await rollup.call("latestInboxIndex"))
            fee = await contract.call("baseFee") + await contract.call("feeSlope") * ahead
            deadline = (await rollup.call("config"))[4]
            price = receipt.effective_gas_price
            return Forced(
                index, fee, receipt.tx_hash, time, time + deadline, receipt.gas_used, receipt.gas_used * price
            )
    raise L1Error("the inbox took the transaction without a message", retryable=False)


def _refusal(name: str, arguments: tuple[object, ...]) -> ForceRefused | None:
    """The inbox's refusal by the name of its error; None for an error that is none of its own."""
    match name:
        case "ChainFrozen":
            return ForceRefused(Refusal.FROZEN, FROZEN)
        case "MessageLength":
            return ForceRefused(Refusal.SIZE, "the inbox refuses the size of the transaction")
        case "KindRefused":
            return ForceRefused(Refusal.KIND, "the inbox refuses this kind of transaction")
        case "FeeTooLow":
            paid, due = arguments
            return ForceRefused(Refusal.FEE, f"the queue grew: forcing costs {due} wei now, and {paid} were sent")
        case _:
            return None
