"""A key that trades: signed orders, cancels and withdrawals of its accounts, as values ready to be sent.

Nothing here talks to anybody. Nonces are made so that successive orders fall into successive order slots: the low 13
bits count, the bits above are the Unix time in seconds, so a wallet that starts again with no memory still signs nonces
above all its old ones, unless it places more than 8,192 orders a second.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Final

from rollup.crypto.eip712 import (
    bid_digest,
    cancel_digest,
    domain_separator,
    order_digest,
    set_signer_digest,
    transfer_digest,
    withdraw_digest,
)
from rollup.crypto.signatures import address_of, sign
from rollup.types.transactions import (
    FLAG_IMMEDIATE,
    FLAG_POST_ONLY,
    FLAG_REDUCE_ONLY,
    FLAG_SELL,
    Bid,
    Cancel,
    FreshOrder,
    SetSigner,
    Transfer,
    Withdraw,
)

SLOT_BITS: Final = 13
ORDER_LIFE: Final = 600
"""Seconds that an order lives unless said otherwise: the sequencer is trusted for a soft cancel only this long."""


class Wallet:
    """One private key on one deployment. `clock` gives Unix seconds."""

    def __init__(
        self, private_key: bytes, chain_id: int, rollup: bytes, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.address = address_of(private_key)
        self.separator = domain_separator(chain_id, rollup)
        self._key = private_key
        self._clock = clock
        self._slot = secrets.randbelow(1 << SLOT_BITS)
        self._second = 0

    def nonce(self) -> int:
        """A nonce above all before it, in the next order slot."""
        self._slot = (self._slot + 1) % (1 << SLOT_BITS)
        self._second = max(int(self._clock()), self._second + (self._slot == 0))
        return self._second << SLOT_BITS | self._slot

    def order(
        self,
        account: int,
        market: int,
        *,
        sell: bool,
        size: int,
        price: int,
        post_only: bool = False,
        reduce_only: bool = False,
        immediate: bool = False,
        life: int = ORDER_LIFE,
        nonce: int | None = None,
    ) -> FreshOrder:
        """Sign an order: `size` µcoin at `price` µUSD or better, for `life` seconds. `immediate` never rests."""
        flags = FLAG_SELL * sell | FLAG_POST_ONLY * post_only | FLAG_REDUCE_ONLY * reduce_only
        flags |= FLAG_IMMEDIATE * immediate
        number = self.nonce() if nonce is None else nonce
        expiry = int(self._clock()) + life
        digest = order_digest(self.separator, account, market, flags, size, price, number, expiry)
        return FreshOrder(account, market, flags, size, price, number, expiry, self._sign(digest))

    def cancel(self, account: int, nonce: int) -> Cancel:
        """Sign the cancel of the order with this nonce."""
        return Cancel(account, False, nonce, self._sign(cancel_digest(self.separator, account, False, nonce)))

    def cancel_all(self, account: int) -> Cancel:
        """Sign the cancel of every order signed so far."""
        nonce = self.nonce()
        return Cancel(account, True, nonce, self._sign(cancel_digest(self.separator, account, True, nonce)))

    def withdraw(self, account: int, amount: int) -> Withdraw:
        """Sign a withdrawal of `amount` µUSD, to be claimed on L1; the owner's key only."""
        nonce = self.nonce()
        return Withdraw(account, amount, nonce, self._sign(withdraw_digest(self.separator, account, amount, nonce)))

    def bid(self, liquidator: int, account: int, *, fraction: int, limit: int, life: int = ORDER_LIFE) -> Bid:
        """Sign a bid for `fraction` (ppm) of a flagged account's portfolio, for at most `limit` µUSD."""
        nonce, expiry = self.nonce(), int(self._clock()) + life
        digest = bid_digest(self.separator, account, liquidator, fraction, limit, nonce, expiry)
        return Bid(account, liquidator, fraction, limit, nonce, expiry, self._sign(digest))

    def transfer(self, account: int, to: int, amount: int) -> Transfer:
        """Sign a transfer of `amount` µUSD to another account; the owner's key only."""
        nonce = self.nonce()
        digest = transfer_digest(self.separator, account, to, amount, nonce)
        return Transfer(account, to, amount, nonce, self._sign(digest))

    def set_signer(self, account: int, signer: bytes) -> SetSigner:
        """Sign the appointment of a session signer, 20 zero bytes for none; the owner's key only."""
        nonce = self.nonce()
        digest = set_signer_digest(self.separator, account, signer, nonce)
        return SetSigner(account, signer, nonce, self._sign(digest))

    def _sign(self, digest: bytes) -> bytes:
        return sign(digest, self._key)
