"""Which rule executes a transaction."""

from __future__ import annotations

from rollup.stf.cancel import execute_cancel
from rollup.stf.cash import execute_transfer, execute_withdraw
from rollup.stf.context import Context
from rollup.stf.oracle import execute_oracle_update
from rollup.stf.receipts import Fill, Settled
from rollup.stf.signer import execute_set_signer
from rollup.stf.trade import execute_trade
from rollup.types.transactions import Cancel, SetSigner, Trade, Transaction, Transfer, Withdraw


def execute_transaction(ctx: Context, tx: Transaction) -> Fill | Settled | None:
    """Stage what `tx` writes; raises InvalidTransaction or BlockFull. The caller commits, drops or rolls back."""
    if isinstance(tx, Trade):
        return execute_trade(ctx, tx)
    if isinstance(tx, Cancel):
        execute_cancel(ctx, tx)
    elif isinstance(tx, Withdraw):
        return execute_withdraw(ctx, tx)
    elif isinstance(tx, Transfer):
        return execute_transfer(ctx, tx)
    elif isinstance(tx, SetSigner):
        execute_set_signer(ctx, tx)
    else:
        execute_oracle_update(ctx, tx)
    return None
