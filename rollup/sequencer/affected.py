"""Whose resting orders a transaction may have made worthless: the accounts whose signer, nonces or cash it changes."""

from __future__ import annotations

from rollup.errors import Undecodable
from rollup.types.messages import Forced, decode_message
from rollup.types.transactions import (
    Bid,
    Cancel,
    ComboTrade,
    Deleverage,
    Flag,
    FreshOrder,
    OracleUpdate,
    OrderRef,
    SetSigner,
    Settle,
    SurfaceUpdate,
    Trade,
    Transaction,
    Transfer,
    Withdraw,
    WriteOff,
    decode_transaction,
)


def accounts_of(transaction: Transaction) -> tuple[int, ...]:
    """Accounts that a transaction acts for."""
    match transaction:
        case Cancel() | Withdraw() | SetSigner() | Settle() | Flag() | WriteOff():
            return (transaction.account,)
        case Transfer():
            return (transaction.sender,)
        case Trade():
            return (_account(transaction.maker), _account(transaction.taker))
        case Bid():
            return (transaction.account, transaction.liquidator)
        case Deleverage():
            return (transaction.account, transaction.counterparty)
        case ComboTrade():
            return (transaction.maker, transaction.taker)
        case OracleUpdate() | SurfaceUpdate():
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
