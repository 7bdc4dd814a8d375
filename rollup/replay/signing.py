"""The keys of simulated traders at work: signed orders, cancels and movements of money, with nonces by recorded time.

Nonces are made so that successive orders fall into successive order slots: the low 13 bits count, the bits above are
the time in seconds. Everything signed depends on seed and candles alone, so a replay can be repeated.
"""

from __future__ import annotations

from typing import Final

from rollup.crypto import eip712
from rollup.crypto.signatures import address_of, sign
from rollup.replay.strategies import Wish
from rollup.types.limits import SLOT_COUNT
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

NO_SESSION: Final = bytes(20)
BID_LIFE: Final = 60
"""Seconds for which a bid in an auction is good."""


class Signer:
    """Signs for one account. Orders and cancels are signed by the session key once there is one."""

    def __init__(self, account: int, key: bytes, separator: bytes) -> None:
        self.account = account
        self._owner = self._trading = key
        self._separator = separator
        self._slot = SLOT_COUNT - 1
        self._second = 0

    def order(self, wish: Wish, market: int, now: int) -> FreshOrder:
        """Sign an order placed at `now` (s)."""
        flags = FLAG_SELL * wish.sell | FLAG_POST_ONLY * wish.post_only
        flags |= FLAG_REDUCE_ONLY * wish.reduce_only | FLAG_IMMEDIATE * wish.immediate
        nonce, expiry = self._nonce(now), now + wish.life
        digest = eip712.order_digest(self._separator, self.account, market, flags, wish.size, wish.price, nonce, expiry)
        signature = sign(digest, self._trading)
        return FreshOrder(self.account, market, flags, wish.size, wish.price, nonce, expiry, signature)

    def cancel_all(self, now: int) -> Cancel:
        """Sign the hard cancel of every order signed so far."""
        nonce = self._nonce(now)
        digest = eip712.cancel_digest(self._separator, self.account, True, nonce)
        return Cancel(self.account, True, nonce, sign(digest, self._trading))

    def withdraw(self, amount: int, now: int) -> Withdraw:
        """Sign a withdrawal of `amount` µUSD."""
        nonce = self._nonce(now)
        digest = eip712.withdraw_digest(self._separator, self.account, amount, nonce)
        return Withdraw(self.account, amount, nonce, sign(digest, self._owner))

    def transfer(self, to: int, amount: int, now: int) -> Transfer:
        """Sign a transfer of `amount` µUSD to another account."""
        nonce = self._nonce(now)
        digest = eip712.transfer_digest(self._separator, self.account, to, amount, nonce)
        return Transfer(self.account, to, amount, nonce, sign(digest, self._owner))

    def bid(self, account: int, fraction: int, limit: int, now: int) -> Bid:
        """Sign a bid for `fraction` (ppm) of a flagged account's positions, at most `limit` µUSD, good for a minute."""
        nonce, expiry = self._nonce(now), now + BID_LIFE
        digest = eip712.bid_digest(self._separator, account, self.account, fraction, limit, nonce, expiry)
        return Bid(account, self.account, fraction, limit, nonce, expiry, sign(digest, self._trading))

    def appoint(self, session_key: bytes, now: int) -> SetSigner:
        """Sign the appointment of a session key, and trade with it from now on."""
        nonce, address = self._nonce(now), address_of(session_key)
        digest = eip712.set_signer_digest(self._separator, self.account, address, nonce)
        self._trading = session_key
        return SetSigner(self.account, address, nonce, sign(digest, self._owner))

    def _nonce(self, now: int) -> int:
        self._slot = (self._slot + 1) % SLOT_COUNT
        self._second = max(now, self._second + (self._slot == 0))
        return self._second * SLOT_COUNT | self._slot
