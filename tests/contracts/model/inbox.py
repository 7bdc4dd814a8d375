"""The queue of messages as it should be, and everybody's stablecoins."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from rollup.crypto.keccak import keccak
from rollup.types.transactions import Withdraw, encode_transaction
from tests.contracts.model.ledger import Message
from tests.contracts.model.refusal import require
from tests.contracts.model.stakes import Purse
from tests.support.chain import ALICE
from tests.support.world import BASE_FEE, FEE_SLOPE, LISTING_DELAY, MINIMUM_OPENING

MAX_DEPOSITS: Final = 1 << 60


class Trick(IntEnum):
    """What the token does at its next transfer, as in HostileToken."""

    NONE = 0
    TAKE_FEE = 1
    ADD_BONUS = 2
    FAIL = 3
    RETURN_FALSE = 4


@dataclass(slots=True)
class Inbox:
    """Messages with their times and rolling hashes; `coins` are µUSD of everybody, the vault included."""

    purse: Purse
    coins: dict[bytes, int]
    vault: bytes
    messages: list[Message] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=lambda: [bytes(32)])
    owners: list[bytes] = field(default_factory=list)

    @property
    def deposited(self) -> int:
        """µUSD that ever came in."""
        return sum(message.amount for message in self.messages if message.kind in {1, 2})

    def hash_at(self, index: int) -> bytes:
        """Rolling hash after so many messages; zero where there are none."""
        return self.hashes[index] if index < len(self.hashes) else bytes(32)

    def open(self, payer: bytes, owner: bytes, amount: int, trick: Trick, now: int) -> None:
        """A new account."""
        require(owner != bytes(20), "OwnerZero")
        self._collect(payer, amount, MINIMUM_OPENING, trick)
        account = len(self.owners)
        self.owners.append(owner)
        raw = b"\x01" + account.to_bytes(3, "big") + owner + amount.to_bytes(8, "big")
        self._append(Message(1, raw, account, owner, amount), now)

    def deposit(self, payer: bytes, account: int, amount: int, trick: Trick, now: int) -> None:
        """More for an account."""
        require(account < len(self.owners), "AccountUnknown", account, len(self.owners))
        self._collect(payer, amount, 1, trick)
        raw = b"\x02" + account.to_bytes(3, "big") + amount.to_bytes(8, "big")
        self._append(Message(2, raw, account, self.owners[account], amount), now)

    def force(self, sender: bytes, account: int, amount: int, value: int, consumed: int, now: int) -> bytes:
        """A withdrawal that nobody can leave out; returns the transaction."""
        fee = BASE_FEE + FEE_SLOPE * sum(message.kind == 3 for message in self.messages[consumed:])
        require(value >= fee, "FeeTooLow", value, fee)
        transaction = forced_withdrawal(account, amount)
        self.purse.pay(sender, -fee)
        self.purse.burnt += fee
        self._append(Message(3, b"\x03" + sender + transaction, account, sender, amount), now)
        return transaction

    def list(self, sender: bytes, item: bytes, now: int) -> None:
        """A listing, which means nothing here."""
        require(sender == ALICE, "NotMarketAdmin", sender, ALICE)
        raw = b"\x04" + (now + LISTING_DELAY).to_bytes(5, "big") + item
        self._append(Message(4, raw), now)

    def _collect(self, payer: bytes, amount: int, minimum: int, trick: Trick) -> None:
        require(minimum <= amount <= MAX_DEPOSITS, "AmountOutOfRange", amount, minimum, MAX_DEPOSITS)
        require(trick not in {Trick.FAIL, Trick.RETURN_FALSE}, "TransferFromFailed")
        require(trick != Trick.TAKE_FEE, "TransferMismatch", amount, amount - 1)
        require(trick != Trick.ADD_BONUS, "TransferMismatch", amount, amount + 1)
        self.coins[payer] -= amount
        self.coins[self.vault] += amount

    def _append(self, message: Message, now: int) -> None:
        self.messages.append(message)
        self.times.append(now)
        self.hashes.append(keccak(self.hashes[-1] + keccak(message.raw)))


def forced_withdrawal(account: int, amount: int) -> bytes:
    """Signed by being sent by the owner."""
    return encode_transaction(Withdraw(account, amount, 0, bytes(64)))
