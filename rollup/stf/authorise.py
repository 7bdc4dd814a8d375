"""Who may act for an account: its owner, for some actions its session signer, and L1's word inside a forced message."""

from __future__ import annotations

from rollup.errors import InvalidTransaction, SignatureInvalid, SignatureMalformed
from rollup.stf import meters
from rollup.stf.context import Context
from rollup.types.accounts import NO_ADDRESS
from rollup.types.leaves import Account
from rollup.types.reasons import Reason
from rollup.types.transactions import EMPTY_SIGNATURE


def authorise(ctx: Context, account: Account, digest: bytes, signature: bytes, *, session: bool) -> None:
    """Raise SIGNATURE_MALFORMED or SIGNATURE_INVALID unless the account's owner signed `digest`.

    With `session`, its session signer may have signed as well. Inside a forced message the empty signature stands for
    the L1 sender and costs no recovery.
    """
    if ctx.sender is not None and signature == EMPTY_SIGNATURE:
        address = ctx.sender
    else:
        address = recover_address(ctx, digest, signature)
    if address == account.owner:
        return
    if session and address == account.signer != NO_ADDRESS:
        return
    raise InvalidTransaction(Reason.SIGNATURE_INVALID)


def recover_address(ctx: Context, digest: bytes, signature: bytes) -> bytes:
    """The address that signed, after raising the meter; SIGNATURE_MALFORMED, SIGNATURE_INVALID."""
    ctx.meters.add(meters.RECOVERIES)
    try:
        return ctx.recover(digest, signature)
    except SignatureMalformed as fault:
        raise InvalidTransaction(Reason.SIGNATURE_MALFORMED) from fault
    except SignatureInvalid as fault:
        raise InvalidTransaction(Reason.SIGNATURE_INVALID) from fault
