"""What a transaction or an inbox message did: the record that indexers and clients read. Not part of consensus."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from rollup.types.messages import Deposit, Open
from rollup.types.reasons import Reason
from rollup.types.transactions import (
    Cancel,
    OracleUpdate,
    SetSigner,
    Trade,
    Transaction,
    Transfer,
    Withdraw,
)
from rollup.types.value import value


class Kind(IntEnum):
    """What was executed: a transaction by its type, an inbox message that is none, or bytes that are neither."""

    UNKNOWN = 0
    TRADE = 1
    CANCEL = 2
    WITHDRAW = 3
    TRANSFER = 4
    SET_SIGNER = 5
    ORACLE_UPDATE = 6
    OPEN = 16
    DEPOSIT = 17


@value(frozen=True, slots=True)
class Fill:
    """A trade with its orders' terms. Fees and funding are what each side paid (µUSD, funding signed)."""

    market: int
    price: int
    size: int
    maker: int
    taker: int
    taker_sells: bool
    maker_nonce: int
    taker_nonce: int
    maker_fee: int
    taker_fee: int
    maker_funding: int
    taker_funding: int


@dataclass(frozen=True, slots=True)
class Settled:
    """Funding (µUSD, signed) that an account paid before its money moved."""

    funding: int


@value(frozen=True, slots=True)
class Receipt:
    """One message or transaction of a block; `index` counts both together. Only forced ones can carry a reason.

    `subject` is what was executed (None if undecodable), `forced` whether it is a transaction that came through L1.
    """

    index: int
    kind: Kind
    reason: Reason
    forced: bool
    subject: Transaction | Open | Deposit | None
    detail: Fill | Settled | None = None


_KINDS: dict[type, Kind] = {
    Trade: Kind.TRADE,
    Cancel: Kind.CANCEL,
    Withdraw: Kind.WITHDRAW,
    Transfer: Kind.TRANSFER,
    SetSigner: Kind.SET_SIGNER,
    OracleUpdate: Kind.ORACLE_UPDATE,
    Open: Kind.OPEN,
    Deposit: Kind.DEPOSIT,
}


def kind_of(subject: Transaction | Open | Deposit | None) -> Kind:
    """The kind of what was executed."""
    return _KINDS.get(type(subject), Kind.UNKNOWN)
