"""What a transaction or an inbox message did: the record that indexers and clients read. Not part of consensus."""

from __future__ import annotations

from enum import IntEnum

from rollup.types.messages import Deposit, List, Open
from rollup.types.reasons import Reason
from rollup.types.transactions import (
    Bid,
    Cancel,
    ComboTrade,
    Deleverage,
    Flag,
    OracleUpdate,
    SetSigner,
    Settle,
    SurfaceUpdate,
    Trade,
    Transaction,
    Transfer,
    Withdraw,
    WriteOff,
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
    SETTLE = 7
    LIQUIDATE = 8
    DELEVERAGE = 9
    COMBO_TRADE = 10
    SURFACE_UPDATE = 11
    OPEN = 16
    DEPOSIT = 17
    LIST = 18


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


@value(frozen=True, slots=True)
class Settled:
    """What an account paid (µUSD, signed) before its money moved: funding, less the payouts of ended markets."""

    funding: int


@value(frozen=True, slots=True)
class Withdrawn:
    """A withdrawal: funding as in `Settled`, what may be claimed, and the share of bad debt that was kept (µUSD)."""

    funding: int
    paid: int
    haircut: int


@value(frozen=True, slots=True)
class Looked:
    """What a look at an account found: its new status, equity and maintenance margin (µUSD)."""

    funding: int
    status: int
    equity: int
    maintenance: int


@value(frozen=True, slots=True)
class Slice:
    """Part of a position (signed µcoin) that changed hands."""

    market: int
    size: int


@value(frozen=True, slots=True)
class Liquidated:
    """A bid that was filled: the fraction sold (ppm), and who paid what (µUSD; `fund` negative: the fund paid)."""

    account: int
    liquidator: int
    fraction: int
    paid: int
    received: int
    fund: int
    slices: tuple[Slice, ...]
    account_funding: int
    liquidator_funding: int


@value(frozen=True, slots=True)
class Deleveraged:
    """A position (signed µcoin) closed at its mark, or at the bankruptcy price of an account that owes.

    The account `received` that (µUSD) from the counterparty; `cover` came from the fund: the part's share of what that
    can give.
    """

    account: int
    counterparty: int
    market: int
    size: int
    received: int
    cover: int
    account_funding: int
    counterparty_funding: int


@value(frozen=True, slots=True)
class WrittenOff:
    """A debt that was cleared (µUSD): from the fund, and as bad debt."""

    account: int
    cover: int
    bad_debt: int
    funding: int


@value(frozen=True, slots=True)
class LegFill:
    """One leg of a combo, as it was filled."""

    market: int
    price: int
    size: int
    maker_sells: bool
    maker_fee: int
    taker_fee: int
    maker_shrank: bool
    taker_shrank: bool


@value(frozen=True, slots=True)
class Combo:
    """A combo: all of its legs."""

    maker: int
    taker: int
    legs: tuple[LegFill, ...]
    maker_funding: int
    taker_funding: int


Detail = Fill | Settled | Withdrawn | Looked | Liquidated | Deleveraged | WrittenOff | Combo
Subject = Transaction | Open | Deposit | List


@value(frozen=True, slots=True)
class Receipt:
    """One message or transaction of a block; `index` counts both together. Only forced ones can carry a reason.

    `subject` is what was executed (None if undecodable), `forced` whether it is a transaction that came through L1.
    """

    index: int
    kind: Kind
    reason: Reason
    forced: bool
    subject: Subject | None
    detail: Detail | None = None


_KINDS: dict[type, Kind] = {
    Trade: Kind.TRADE,
    Cancel: Kind.CANCEL,
    Withdraw: Kind.WITHDRAW,
    Transfer: Kind.TRANSFER,
    SetSigner: Kind.SET_SIGNER,
    OracleUpdate: Kind.ORACLE_UPDATE,
    Settle: Kind.SETTLE,
    Flag: Kind.LIQUIDATE,
    Bid: Kind.LIQUIDATE,
    Deleverage: Kind.DELEVERAGE,
    WriteOff: Kind.DELEVERAGE,
    ComboTrade: Kind.COMBO_TRADE,
    SurfaceUpdate: Kind.SURFACE_UPDATE,
    Open: Kind.OPEN,
    Deposit: Kind.DEPOSIT,
    List: Kind.LIST,
}


def kind_of(subject: Subject | None) -> Kind:
    """The kind of what was executed."""
    return _KINDS.get(type(subject), Kind.UNKNOWN)
