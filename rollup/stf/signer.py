"""The owner appoints a session signer, or none: a key that may trade and cancel, but never move money."""

from __future__ import annotations

from dataclasses import replace

from rollup.crypto.eip712 import set_signer_digest
from rollup.errors import InvalidTransaction
from rollup.stf.authorise import authorise
from rollup.stf.context import Context
from rollup.types.keys import account_key
from rollup.types.reasons import Reason
from rollup.types.transactions import SetSigner


def execute_set_signer(ctx: Context, tx: SetSigner) -> None:
    """Set the session signer; orders of the former one that already stand in a slot go on filling."""
    account = ctx.account(tx.account)
    if tx.nonce <= account.owner_nonce:
        raise InvalidTransaction(Reason.NONCE_STALE)
    digest = set_signer_digest(ctx.separator, tx.account, tx.signer, tx.nonce)
    authorise(ctx, account, digest, tx.signature, session=False)
    ctx.stage(account_key(tx.account), replace(account, signer=tx.signer, owner_nonce=tx.nonce))
