"""Which rule executes a transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from rollup.stf.cancel import execute_cancel
from rollup.stf.cash import execute_transfer, execute_withdraw
from rollup.stf.combo import execute_combo
from rollup.stf.context import Context
from rollup.stf.deleverage import execute_deleverage, execute_write_off
from rollup.stf.liquidation import execute_bid, execute_flag
from rollup.stf.oracle import execute_oracle_update
from rollup.stf.receipts import Detail
from rollup.stf.series import execute_surface_update
from rollup.stf.settlement import execute_settle
from rollup.stf.signer import execute_set_signer
from rollup.stf.trade import execute_trade
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

_RULES: Final[Mapping[type, Callable[[Context, Any], Detail | None]]] = {
    Trade: execute_trade,
    Cancel: execute_cancel,
    Withdraw: execute_withdraw,
    Transfer: execute_transfer,
    SetSigner: execute_set_signer,
    OracleUpdate: execute_oracle_update,
    Settle: execute_settle,
    Flag: execute_flag,
    Bid: execute_bid,
    Deleverage: execute_deleverage,
    WriteOff: execute_write_off,
    ComboTrade: execute_combo,
    SurfaceUpdate: execute_surface_update,
}


def execute_transaction(ctx: Context, tx: Transaction) -> Detail | None:
    """Stage what `tx` writes; raises InvalidTransaction or BlockFull. The caller commits, drops or rolls back."""
    return _RULES[type(tx)](ctx, tx)
