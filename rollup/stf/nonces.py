"""Nonces that are used up at once: by bids, quotes and acceptances, which take a whole order slot (SPEC section 6)."""

from __future__ import annotations

from rollup.errors import InvalidTransaction
from rollup.stf.context import Context
from rollup.types.keys import slot_key
from rollup.types.leaves import Account, Slot
from rollup.types.reasons import Reason


def consume(ctx: Context, number: int, account: Account, nonce: int) -> None:
    """Stage the nonce's slot as spent; NONCE_FLOOR or NONCE_STALE if it was, or was given up."""
    slot = ctx.find_slot(number, nonce)
    if nonce < account.nonce_floor:
        raise InvalidTransaction(Reason.NONCE_FLOOR)
    if slot is not None and slot.nonce >= nonce:
        raise InvalidTransaction(Reason.NONCE_STALE)
    ctx.stage(slot_key(number, nonce), spent(nonce))


def spent(nonce: int) -> Slot:
    """A slot in which nothing of this nonce or below may fill any more."""
    return Slot(nonce, 0, 0, 0, 0, 0, 0)
