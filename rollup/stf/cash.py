"""Money that leaves an account: to L1 (Withdraw), to another account or the insurance fund (Transfer); owners only."""

from __future__ import annotations

from dataclasses import replace

from rollup.crypto.eip712 import transfer_digest, withdraw_digest
from rollup.errors import InvalidTransaction
from rollup.stf.authorise import authorise
from rollup.stf.context import Context
from rollup.stf.fixed import div_ceil, require_range
from rollup.stf.health import with_health
from rollup.stf.margin import Margin, require_initial
from rollup.stf.receipts import Settled, Withdrawn
from rollup.stf.settlement import settle
from rollup.types.keys import GLOBALS, account_key
from rollup.types.leaves import Account, Globals
from rollup.types.limits import CASH_BOUND, INSURANCE_FUND
from rollup.types.reasons import Reason
from rollup.types.transactions import Transfer, Withdraw


def execute_withdraw(ctx: Context, tx: Withdraw) -> Withdrawn:
    """Raise what the owner may claim on L1; the account keeps its initial margin.

    INSOLVENCY while any account is known to be worth less than nothing: who leaves first must not win. But what is
    forced through L1 goes: an insolvency that the sequencer leaves unresolved must not lock everybody in. Of losses
    that are settled but not covered (bad debt), who leaves bears a share.
    """
    account = ctx.account(tx.account)
    _require_amount(account, tx.amount, tx.nonce)
    digest = withdraw_digest(ctx.separator, tx.account, tx.amount, tx.nonce)
    authorise(ctx, account, digest, tx.signature, session=False)
    if ctx.sender is None and ctx.globals().insolvent:
        raise InvalidTransaction(Reason.INSOLVENCY)
    settled = settle(ctx, account)
    debited, found = _debit(ctx, settled, tx.amount)
    totals = ctx.globals()
    haircut = haircut_of(totals, tx.amount)
    paid = tx.amount - haircut
    withdrawn, withdrawals = account.withdrawn + paid, totals.withdrawals + paid
    require_range(withdrawn, withdrawals)
    ctx.stage(GLOBALS, replace(totals, withdrawals=withdrawals, bad_debt=totals.bad_debt - haircut))
    after = with_health(ctx, debited, *found)
    ctx.stage(account_key(tx.account), replace(after, withdrawn=withdrawn, owner_nonce=tx.nonce))
    return Withdrawn(account.cash - settled.cash, paid, haircut)


def haircut_of(totals: Globals, amount: int) -> int:
    """The share of uncovered losses (µUSD, rounded up) that a withdrawal of `amount` bears.

    CASH_RANGE if the amount is more than all accounts together can be worth: an insolvency that nobody has flagged yet.
    """
    worth = totals.deposits - totals.withdrawals + totals.bad_debt
    if amount > worth:
        raise InvalidTransaction(Reason.CASH_RANGE)
    return div_ceil(amount * totals.bad_debt, worth)


def execute_transfer(ctx: Context, tx: Transfer) -> Settled:
    """Move cash; the sender keeps its initial margin. The receiver is not settled: cash can only help it."""
    if tx.sender == tx.recipient:
        raise InvalidTransaction(Reason.SELF_TRADE)
    account = ctx.account(tx.sender)
    if tx.recipient != INSURANCE_FUND:
        ctx.account(tx.recipient)
    _require_amount(account, tx.amount, tx.nonce)
    digest = transfer_digest(ctx.separator, tx.sender, tx.recipient, tx.amount, tx.nonce)
    authorise(ctx, account, digest, tx.signature, session=False)
    settled = settle(ctx, account)
    debited, found = _debit(ctx, settled, tx.amount)
    _credit(ctx, tx.recipient, tx.amount)
    after = with_health(ctx, debited, *found)
    ctx.stage(account_key(tx.sender), replace(after, owner_nonce=tx.nonce))
    return Settled(account.cash - settled.cash)


def _require_amount(account: Account, amount: int, nonce: int) -> None:
    if not 0 < amount < CASH_BOUND:
        raise InvalidTransaction(Reason.AMOUNT)
    if nonce <= account.owner_nonce:
        raise InvalidTransaction(Reason.NONCE_STALE)


def _debit(ctx: Context, settled: Account, amount: int) -> tuple[Account, Margin]:
    debited = replace(settled, cash=settled.cash - amount)
    require_range(debited.cash)
    return debited, require_initial(ctx, debited)


def _credit(ctx: Context, recipient: int, amount: int) -> None:
    """Stage `amount` more (µUSD) for an account, or the insurance fund; CASH_RANGE."""
    if recipient == INSURANCE_FUND:
        totals = ctx.globals()
        require_range(totals.insurance + amount)
        ctx.stage(GLOBALS, replace(totals, insurance=totals.insurance + amount))
        return
    account = ctx.account(recipient)
    require_range(account.cash + amount)
    ctx.stage(account_key(recipient), replace(account, cash=account.cash + amount))
