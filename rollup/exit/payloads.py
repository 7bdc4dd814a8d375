"""The transactions that are worth forcing, signed and encoded.

A signature is a key's, or none: inside a forced message 64 zero bytes stand for the L1 sender itself, so that contract
wallets can act too, and nobody can use the signature anywhere else. Nonces come from the state rebuilt from L1, since
nobody else is there to be asked.
"""

from __future__ import annotations

from dataclasses import replace

from rollup.crypto.eip712 import cancel_digest, order_digest, set_signer_digest, transfer_digest, withdraw_digest
from rollup.crypto.signatures import sign
from rollup.derive.mirror import Mirror
from rollup.errors import Undecodable
from rollup.exit.forcing import ForceRefused, Refusal
from rollup.types.keys import account_key
from rollup.types.leaves import Account
from rollup.types.messages import Forced, Message, decode_message
from rollup.types.messages import List as Listing
from rollup.types.transactions import (
    EMPTY_SIGNATURE,
    Bid,
    Cancel,
    ComboTrade,
    Deleverage,
    FreshOrder,
    OracleUpdate,
    OrderRef,
    SetSigner,
    SurfaceUpdate,
    Trade,
    Transaction,
    Transfer,
    Withdraw,
    decode_transaction,
    encode_transaction,
)


class NoSuchAccount(ForceRefused):
    """The state on L1 has no account of that number."""

    def __init__(self, number: int, batch: int) -> None:
        super().__init__(Refusal.ACCOUNT, f"there is no account {number} in the state after batch {batch} on L1")


def sign_withdrawal(separator: bytes, account: int, amount: int, nonce: int, key: bytes | None = None) -> bytes:
    """A withdrawal of `amount` µUSD, by the owner's key or (None) by the owner as the L1 sender."""
    digest = withdraw_digest(separator, account, amount, nonce)
    return encode_transaction(Withdraw(account, amount, nonce, _signature(digest, key)))


def sign_transfer(separator: bytes, account: int, to: int, amount: int, nonce: int, key: bytes | None = None) -> bytes:
    """A transfer of `amount` µUSD to account `to`; the owner's."""
    digest = transfer_digest(separator, account, to, amount, nonce)
    return encode_transaction(Transfer(account, to, amount, nonce, _signature(digest, key)))


def sign_cancel(separator: bytes, account: int, nonce: int, key: bytes | None = None, *, every: bool = False) -> bytes:
    """The cancel of the order `nonce`, or of `every` order with a nonce below it; the owner's or session signer's."""
    digest = cancel_digest(separator, account, every, nonce)
    return encode_transaction(Cancel(account, every, nonce, _signature(digest, key)))


def sign_set_signer(separator: bytes, account: int, signer: bytes, nonce: int, key: bytes | None = None) -> bytes:
    """The appointment of a session signer, 20 zero bytes for none; the owner's."""
    digest = set_signer_digest(separator, account, signer, nonce)
    return encode_transaction(SetSigner(account, signer, nonce, _signature(digest, key)))


def sign_order(separator: bytes, order: FreshOrder, key: bytes | None = None) -> FreshOrder:
    """The order with its signature (what it had is replaced)."""
    terms = (order.account, order.market, order.flags, order.size, order.price, order.nonce, order.expiry)
    return replace(order, signature=_signature(order_digest(separator, *terms), key))


def trade_payload(maker: FreshOrder | OrderRef, taker: FreshOrder | OrderRef, fill: int) -> bytes:
    """A trade of `fill` µcoin between two signed orders, or orders that stand in their slots, at the maker's price."""
    return encode_transaction(Trade(maker, taker, fill))


def account_of(mirror: Mirror, number: int) -> Account:
    """The account as L1 has it; `NoSuchAccount`."""
    leaf = mirror.store.read(account_key(number))
    if not leaf:
        raise NoSuchAccount(number, mirror.batch)
    return Account.decode(leaf)


def next_owner_nonce(mirror: Mirror, number: int) -> int:
    """A nonce for the owner's next withdrawal, transfer or appointment: above the state's, and those that wait.

    `NoSuchAccount` if L1 has no such account.
    """
    known = [account_of(mirror, number).owner_nonce]
    for _, message in waiting_messages(mirror):
        tx = transaction_of(message)
        match tx:
            case Withdraw(account=about) | SetSigner(account=about) | Transfer(sender=about) if about == number:
                known.append(tx.nonce)
            case _:
                pass
    return max(known) + 1


def waiting_messages(mirror: Mirror) -> list[tuple[int, bytes]]:
    """Number and bytes of the messages that no batch on L1 has consumed."""
    chain = mirror.pipeline.follower.chain
    first, count = chain.head.inbox_index, len(chain.inbox)
    return list(enumerate(chain.inbox.slice(first, count - first), first))


def message_of(data: bytes) -> Message | None:
    """The message; None for bytes that are none."""
    try:
        return decode_message(data)
    except Undecodable:
        return None


def transaction_of(data: bytes) -> Transaction | None:
    """The transaction in a forced message; None if there is none."""
    message = message_of(data)
    if not isinstance(message, Forced):
        return None
    try:
        tx, end = decode_transaction(message.data)
    except Undecodable:
        return None
    return tx if end == len(message.data) else None


def accounts_in(data: bytes) -> frozenset[int]:
    """The accounts that a message is about."""
    message, tx = message_of(data), transaction_of(data)
    match tx:
        case Trade():
            found = {tx.maker.account, tx.taker.account}
        case ComboTrade():
            found = {tx.maker, tx.taker}
        case Transfer():
            found = {tx.sender, tx.recipient}
        case Bid():
            found = {tx.account, tx.liquidator}
        case Deleverage():
            found = {tx.account, tx.counterparty}
        case OracleUpdate() | SurfaceUpdate():
            found = set()
        case None:
            found = set() if message is None or isinstance(message, Forced | Listing) else {message.account}
        case _:
            found = {tx.account}
    return frozenset(found)


def sender_of(data: bytes) -> bytes:
    """Who forced a message on L1; empty for deposits and listings."""
    message = message_of(data)
    return message.sender if isinstance(message, Forced) else b""


def _signature(digest: bytes, key: bytes | None) -> bytes:
    return EMPTY_SIGNATURE if key is None else sign(digest, key)
