"""What liquidation must never do, checked at each of its transactions on the state right before and right after it.

Written from the specification (SPEC 6), not from the code that executes: prices are recomputed as fractions, money is
added up from receipts.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from rollup.errors import BrokenInvariant
from rollup.stf.builder import BlockBuilder
from rollup.stf.receipts import Deleveraged, Detail, Liquidated, WrittenOff
from rollup.stf.sheets import sheet_of
from rollup.types.leaves import Account, Globals, Status
from rollup.types.limits import MILLION
from rollup.types.transactions import Bid, Deleverage, Flag, Transaction, WriteOff


@dataclass(frozen=True, slots=True)
class Before:
    """An account right before something was done about it. Money in µUSD; `gross` is Σ |size| x mark, 10⁻¹² USD."""

    status: int
    equity: int
    maintenance: int
    gross: int
    mark: int
    waited: int
    auction: int
    fund: int


def look_before(builder: BlockBuilder, transaction: Transaction) -> Before | None:
    """How the account stands that a transaction is about to act on, if it is one of liquidation."""
    if not isinstance(transaction, Flag | Bid | Deleverage | WriteOff):
        return None
    view = builder.view
    account, totals = view.account(transaction.account), view.globals()
    equity, maintenance = builder.margin_of(transaction.account)
    gross = sum(abs(position.size) * sheet_of(view, position.market).mark for position in account.positions)
    mark = sheet_of(view, transaction.market).mark if isinstance(transaction, Deleverage) else 0
    waited = builder.timestamp - account.flagged
    fund = totals.insurance + totals.fees
    return Before(account.status, equity, maintenance, gross, mark, waited, totals.auction, fund)


def check_after(builder: BlockBuilder, transaction: Transaction, before: Before, detail: Detail | None) -> None:
    """Raise BrokenInvariant unless the transaction did what it may."""
    totals = builder.view.globals()
    require("insurance fund and fees are not negative", True, totals.insurance >= 0 and totals.fees >= 0)
    if isinstance(transaction, Flag):
        account = builder.view.account(transaction.account)
        require(f"status of account {transaction.account}", standing(before.equity, before.maintenance), account.status)
        return
    if isinstance(detail, WrittenOff):
        _check_write_off(before, detail, totals)
        return
    require(f"account {_account_of(detail)} is liquidated while flagged", True, before.status != Status.SOUND)
    require(f"flag of account {_account_of(detail)} is not spent", True, before.waited <= 2 * before.auction)
    require(f"account {_account_of(detail)} is below maintenance", True, before.equity < before.maintenance)
    if isinstance(detail, Liquidated):
        _check_sale(before, detail)
        left = builder.margin_of(detail.account).maintenance
        require(f"the rest of account {detail.account} is no riskier", True, left <= before.maintenance)
    elif isinstance(detail, Deleveraged):
        _check_deleveraging(before, detail)
        _check_hedges(builder, before, detail)


def standing(equity: int, maintenance: int) -> int:
    """The status that a margin (µUSD) means."""
    return int(Status.INSOLVENT if equity < 0 else Status.UNSAFE if equity < maintenance else Status.SOUND)


def worth_of(builder: BlockBuilder, sale: Liquidated) -> int:
    """What the slices of a sale are worth at their marks (µUSD, rounded up)."""
    return ceil(Fraction(sum(part.size * sheet_of(builder.view, part.market).mark for part in sale.slices), MILLION))


def is_idle(account: Account) -> bool:
    """Whether nothing can be wrong with an account: no position, no debt, no flag."""
    return not account.positions and account.cash >= 0 and account.status == Status.SOUND


def require(what: str, expected: int, actual: int) -> None:
    """Raise BrokenInvariant with both sides unless they are equal."""
    if expected != actual:
        raise BrokenInvariant(what, expected, actual)


def _check_sale(before: Before, sale: Liquidated) -> None:
    """Money goes round, no crumbs are sold, and the fund gives a tenth of maintenance margin at most."""
    require("what the liquidator paid", sale.received + sale.fund, sale.paid)
    if before.equity >= 0:
        require("the fund pays for no solvent account", True, sale.fund >= 0)
    else:
        gift = -sale.fund + floor(Fraction(before.equity * sale.fraction, MILLION))
        require("the fund's gift is a tenth of maintenance margin or less", True, 10 * gift <= before.maintenance)
    require("no less than a tenth is sold", True, 10 * sale.fraction >= MILLION)


def _check_deleveraging(before: Before, done: Deleveraged) -> None:
    """The fund gives the part's share of what it can, the auction had its time, and who owes nothing closes at mark."""
    deficit = max(0, -before.equity)
    cover = min(before.fund, deficit)
    share = Fraction(abs(done.size) * before.mark, before.gross) if before.gross else Fraction(0)
    require("what the fund gave with a deleveraging", ceil(share * cover), done.cover)
    in_time = before.waited >= before.auction or before.fund < deficit
    require("deleveraging waits for the auction, or for an empty fund", True, in_time)
    missing = min(before.gross, (deficit - cover) * MILLION)
    if done.size > 0:
        require("price of a long", ceil(share * (before.gross + missing) / MILLION), done.received)
    else:
        require("price of a short", -floor(share * (before.gross - missing) / MILLION), done.received)


def _check_hedges(builder: BlockBuilder, before: Before, done: Deleveraged) -> None:
    """For an account that can pay nobody's hedge is taken: neither its own nor the counterparty's."""
    if before.equity < 0:
        return
    left = builder.margin_of(done.account).maintenance
    require(f"the rest of account {done.account} is no riskier", True, left <= before.maintenance)
    equity, maintenance = builder.margin_of(done.counterparty)
    initial = maintenance + ceil(Fraction(maintenance, 4))
    require(f"account {done.counterparty} gave and has its initial margin", True, equity >= initial)


def _check_write_off(before: Before, done: WrittenOff, totals: Globals) -> None:
    require("what was written off", max(0, -before.equity), done.cover + done.bad_debt)
    if done.bad_debt:
        require("the fund after a bad debt", 0, totals.insurance + totals.fees)


def _account_of(detail: Detail | None) -> int | None:
    return detail.account if isinstance(detail, Liquidated | Deleveraged) else None
