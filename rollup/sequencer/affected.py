"""Whose resting orders a transaction may have made worthless: the accounts whose signer, nonces or cash it changes."""

from __future__ import annotations

from rollup.errors import Undecodable
from rollup.types.messages import Forced, decode_message
from rollup.types.transactions import (
    Cancel,
    FreshOrder,
    OracleUpdate,
    OrderRef,
    SetSigner,
    Trade,
    Transaction,
    Transfer,
    Withdraw,
    decode_transaction,
)


def accounts_of(transaction: Transaction) -> tuple[int, ...]:
    """Accounts that a transaction acts for."""
    match transaction:
        case Cancel() | Withdraw() | SetSigner():
            return (transaction.account,)
        case Transfer():
            return (transaction.sender,)
        case Trade():
            return (_account(transaction.maker), _account(transaction.taker))
        case OracleUpdate():
            return ()


def accounts_of_message(message: bytes) -> tuple[int, ...]:
    """Accounts that an inbox message may act for; deposits take nothing away from anybody."""
    try:
        decoded = decode_message(message)
        if not isinstance(decoded, Forced):
            return ()
        return accounts_of(decode_transaction(decoded.data, 0)[0])
    except Undecodable:
        return ()


def _account(side: FreshOrder | OrderRef) -> int:
    return side.account
