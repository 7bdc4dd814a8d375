"""How an account stands: sound, below its maintenance margin, or insolvent; and since when (SPEC section 6).

Whatever computes an account's margin records its health, and anybody may ask for it (`liquidation`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from rollup.stf.context import Context
from rollup.types.keys import GLOBALS
from rollup.types.leaves import Account, Status

_INSOLVENT: Final = int(Status.INSOLVENT)
_UNSAFE: Final = int(Status.UNSAFE)


def with_health(ctx: Context, account: Account, equity: int, maintenance: int) -> Account:
    """The account with the status that its margin (µUSD) gives it; the count of insolvent ones is staged."""
    status = _INSOLVENT if equity < 0 else _UNSAFE if equity < maintenance else 0
    before = account.status
    if status == before:
        return account
    change = (status == _INSOLVENT) - (before == _INSOLVENT)
    if change:
        totals = ctx.globals()
        ctx.stage(GLOBALS, replace(totals, insolvent=totals.insolvent + change))
    flagged = 0 if status == 0 else account.flagged if before else ctx.timestamp
    return replace(account, status=status, flagged=flagged)
