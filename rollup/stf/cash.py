"""Money that leaves an account: to L1 (Withdraw) or to another account (Transfer). Only the owner can sign these."""

from __future__ import annotations

from dataclasses import replace

from rollup.crypto.eip712 import transfer_digest, withdraw_digest
from rollup.errors import InvalidTransaction
from rollup.stf.authorise import authorise
from rollup.stf.context import Context
from rollup.stf.fixed import require_range
from rollup.stf.funding import settle_funding
from rollup.stf.margin import require_initial
from rollup.stf.receipts import Settled
from rollup.types.keys import GLOBALS, account_key
from rollup.types.leaves import Account
from rollup.types.limits import CASH_BOUND
from rollup.types.reasons import Reason
from rollup.types.transactions import Transfer, Withdraw


def execute_withdraw(ctx: Context, tx: Withdraw) -> Settled:
    """Raise what the owner may claim on L1; the account keeps its initial margin."""
    account = ctx.account(tx.account)
    _require_amount(account, tx.amount, tx.nonce)
    digest = withdraw_digest(ctx.separator, tx.account, tx.amount, tx.nonce)
    authorise(ctx, account, digest, tx.signature, session=False)
    settled = settle_funding(ctx, account)
    debited = _debit(ctx, settled, tx.amount)
    totals = ctx.globals()
    withdrawn, withdrawals = account.withdrawn + tx.amount, totals.withdrawals + tx.amount
    require_range(withdrawn, withdrawals)
    ctx.stage(account_key(tx.account), replace(debited, withdrawn=withdrawn, owner_nonce=tx.nonce))
    ctx.stage(GLOBALS, replace(totals, withdrawals=withdrawals))
    return Settled(account.cash - settled.cash)


def execute_transfer(ctx: Context, tx: Transfer) -> Settled:
    """Move cash; the sender keeps its initial margin. The receiver is not settled: cash can only help it."""
    if tx.sender == tx.recipient:
        raise InvalidTransaction(Reason.SELF_TRADE)
    account = ctx.account(tx.sender)
    recipient = ctx.account(tx.recipient)
    _require_amount(account, tx.amount, tx.nonce)
    digest = transfer_digest(ctx.separator, tx.sender, tx.recipient, tx.amount, tx.nonce)
    authorise(ctx, account, digest, tx.signature, session=False)
    settled = settle_funding(ctx, account)
    debited = _debit(ctx, settled, tx.amount)
    require_range(recipient.cash + tx.amount)
    ctx.stage(account_key(tx.sender), replace(debited, owner_nonce=tx.nonce))
    ctx.stage(account_key(tx.recipient), replace(recipient, cash=recipient.cash + tx.amount))
    return Settled(account.cash - settled.cash)


def _require_amount(account: Account, amount: int, nonce: int) -> None:
    if not 0 < amount < CASH_BOUND:
        raise InvalidTransaction(Reason.AMOUNT)
    if nonce <= account.owner_nonce:
        raise InvalidTransaction(Reason.NONCE_STALE)


def _debit(ctx: Context, settled: Account, amount: int) -> Account:
    debited = replace(settled, cash=settled.cash - amount)
    require_range(debited.cash)
    require_initial(ctx, debited)
    return debited
