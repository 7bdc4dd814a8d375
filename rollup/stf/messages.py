"""What the L1 inbox asks of a block (SPEC section 7). What cannot execute does nothing; its receipt says why."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from rollup.errors import BlockFull, InvalidTransaction, Undecodable
from rollup.stf import meters
from rollup.stf.context import Context
from rollup.stf.listing import execute_list
from rollup.stf.receipts import Receipt, Subject, kind_of
from rollup.stf.transactions import execute_transaction
from rollup.types.accounts import NO_ADDRESS
from rollup.types.keys import GLOBALS, account_key
from rollup.types.leaves import Account, Globals
from rollup.types.limits import FORCED_AGE
from rollup.types.messages import Deposit, Forced, List, Open, decode_message
from rollup.types.reasons import Reason
from rollup.types.transactions import (
    ComboTrade,
    OracleUpdate,
    SurfaceUpdate,
    Transaction,
    Transfer,
    Withdraw,
    decode_transaction,
)

_PATIENT: Final = (Withdraw, Transfer, ComboTrade, OracleUpdate, SurfaceUpdate)
"""What does without a fresh price if it is forced: what leaves, and the prices to leave at.

A Trade may not: a stranger could fill resting orders at a price that everybody knows to be wrong by then, which their
owners never meant. Both sides of a combo have signed for each other. Nor may Liquidate and Deleverage, which nobody's
owner has signed.
"""


def execute_message(ctx: Context, data: bytes, index: int) -> Receipt:
    """Execute one inbox message and commit what it does; BlockFull if it exceeds a meter behind other messages.

    As the first of its block it had all meters to itself: there a full meter is its own fault, and a no-op like others.
    If that made the block invalid too, no block could ever pass the message.
    """
    ctx.meters.add(meters.TRANSACTIONS)
    ctx.meters.add(meters.BYTES, len(data))
    try:
        return _execute(ctx, data, index)
    except BlockFull as full:
        ctx.drop()
        if index:
            raise
        subject = _subject(data)
        forced = not isinstance(subject, Open | Deposit | List)
        return Receipt(index, kind_of(subject), Reason(full.reason), forced, subject)


def _execute(ctx: Context, data: bytes, index: int) -> Receipt:
    try:
        message = decode_message(data)
    except Undecodable:
        return Receipt(index, kind_of(None), Reason.UNDECODABLE, False, None)
    if isinstance(message, Forced):
        return _force(ctx, message, index)
    try:
        if isinstance(message, List):
            execute_list(ctx, message)
        elif isinstance(message, Open):
            _open(ctx, message)
        else:
            _deposit(ctx, message)
    except InvalidTransaction as refusal:
        ctx.drop()
        return Receipt(index, kind_of(message), Reason(refusal.reason), False, message)
    ctx.commit()
    return Receipt(index, kind_of(message), Reason.NONE, False, message)


def _open(ctx: Context, message: Open) -> None:
    """Create the account, or credit it if it exists (L1 numbers accounts, so it does not)."""
    account = ctx.find_account(message.account)
    totals = ctx.globals()
    if account is None:
        account = Account(message.owner, NO_ADDRESS, 0, 0, 0, 0)
        totals = replace(totals, accounts=totals.accounts + 1)
    _credit(ctx, message.account, account, totals, message.amount)


def _deposit(ctx: Context, message: Deposit) -> None:
    account = ctx.account(message.account)
    _credit(ctx, message.account, account, ctx.globals(), message.amount)


def _credit(ctx: Context, number: int, account: Account, totals: Globals, amount: int) -> None:
    """Add `amount` (µUSD) to the account. The contract caps all deposits at 2^60, so these sums stay in range."""
    ctx.stage(account_key(number), replace(account, cash=account.cash + amount))
    ctx.stage(GLOBALS, replace(totals, deposits=totals.deposits + amount))


def _force(ctx: Context, message: Forced, index: int) -> Receipt:
    """Execute a transaction sent through L1; if it fails, nothing of it stays but touches, meters and accruals."""
    tx = _whole_transaction(message.data)
    if tx is None:
        return Receipt(index, kind_of(None), Reason.UNDECODABLE, True, None)
    ctx.sender, ctx.leeway = message.sender, FORCED_AGE if isinstance(tx, _PATIENT) else 0
    try:
        detail = execute_transaction(ctx, tx)
    except InvalidTransaction as refusal:
        ctx.drop()
        return Receipt(index, kind_of(tx), Reason(refusal.reason), True, tx)
    finally:
        ctx.sender, ctx.leeway, ctx.outdated = None, 0, False
    ctx.commit()
    return Receipt(index, kind_of(tx), Reason.NONE, True, tx, detail)


def _whole_transaction(data: bytes) -> Transaction | None:
    """The transaction that fills `data` exactly, if there is one."""
    try:
        tx, end = decode_transaction(data)
    except Undecodable:
        return None
    return tx if end == len(data) else None


def _subject(data: bytes) -> Subject | None:
    """What a message that ran into a meter was about."""
    message = decode_message(data)
    return _whole_transaction(message.data) if isinstance(message, Forced) else message
