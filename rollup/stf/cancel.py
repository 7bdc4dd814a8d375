"""A hard cancel: of one order, or of all below a nonce. After it, a fill is provable fraud."""

from __future__ import annotations

from dataclasses import replace

from rollup.crypto.eip712 import cancel_digest
from rollup.errors import InvalidTransaction
from rollup.stf.authorise import authorise
from rollup.stf.context import Context
from rollup.stf.nonces import spent
from rollup.types.keys import account_key, slot_key
from rollup.types.reasons import Reason
from rollup.types.transactions import Cancel


def execute_cancel(ctx: Context, tx: Cancel) -> None:
    """Close the nonce's slot, or raise the account's nonce floor; owner or session signer."""
    account = ctx.account(tx.account)
    if tx.cancel_all:
        if tx.nonce <= account.nonce_floor:
            raise InvalidTransaction(Reason.NONCE_STALE)
    else:
        slot = ctx.find_slot(tx.account, tx.nonce)
        if slot is not None and (slot.nonce > tx.nonce or (slot.nonce == tx.nonce and slot.size == 0)):
            raise InvalidTransaction(Reason.NONCE_STALE)
    digest = cancel_digest(ctx.separator, tx.account, tx.cancel_all, tx.nonce)
    authorise(ctx, account, digest, tx.signature, session=True)
    if tx.cancel_all:
        ctx.stage(account_key(tx.account), replace(account, nonce_floor=tx.nonce))
    else:
        ctx.stage(slot_key(tx.account, tx.nonce), spent(tx.nonce))
