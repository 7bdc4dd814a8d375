"""Parameters of every signed request, as an honest client makes them; each test distorts them in its own way."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any, Final

from rollup.crypto import eip712
from rollup.crypto.signatures import sign
from rollup.l1.devkeys import dev_key
from rollup.types.transactions import FLAG_IMMEDIATE, FLAG_POST_ONLY, FLAG_REDUCE_ONLY, FLAG_SELL
from tests.support.deployed import FEEDER

USD: Final = 1_000_000
MARK: Final = 50_000 * USD
MAKER_KEY, TAKER_KEY, STRANGER_KEY = 3, 4, 7
TRADED, RESTING, FRESH = 10, 11, 12
"""Nonces: of the orders that traded, of those on the book, and the next."""


def hexadecimal(data: bytes) -> str:
    """As it is sent."""
    return f"0x{data.hex()}"


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs for one domain. `accounts` are maker's and taker's; the ids are of the taker's bid and of a withdrawal."""

    chain_id: int
    rollup: bytes
    accounts: tuple[int, int]
    order_id: str = ""
    transaction_id: str = ""

    @property
    def separator(self) -> bytes:
        """The domain."""
        return eip712.domain_separator(self.chain_id, self.rollup)

    @property
    def maker(self) -> int:
        """Whose key is MAKER_KEY."""
        return self.accounts[0]

    @property
    def taker(self) -> int:
        """Whose key is TAKER_KEY."""
        return self.accounts[1]

    def foreign(self) -> tuple[Signer, Signer]:
        """The same on another chain, and for another contract."""
        return replace(self, chain_id=self.chain_id + 1), replace(self, rollup=b"\x99" * 20)

    def order(
        self,
        account: int,
        key: int,
        *,
        nonce: int = FRESH,
        sell: bool = False,
        size: int = 100_000,
        price: int = MARK,
        life: int = 3_600,
        immediate: bool = False,
        post_only: bool = False,
        reduce_only: bool = False,
        market: int = 1,
        **more: Any,
    ) -> dict[str, Any]:
        """Parameters of private/order."""
        expiry = int(time.time()) + life
        flags = FLAG_SELL * sell | FLAG_IMMEDIATE * immediate | FLAG_POST_ONLY * post_only
        flags |= FLAG_REDUCE_ONLY * reduce_only
        digest = eip712.order_digest(self.separator, account, market, flags, size, price, nonce, expiry)
        wish = "ioc" if immediate else "post_only" if post_only else "gtc"
        return {
            "instrument_name": {1: "BTC-PERP", 2: "ETH-PERP"}[market],
            "subaccount_id": account,
            "direction": "sell" if sell else "buy",
            "nonce": nonce,
            "signature_expiry_sec": expiry,
            "signature": self._sign(digest, key),
            "size": size,
            "price": price,
            "time_in_force": wish,
            "reduce_only": reduce_only,
            **more,
        }

    def cancel(self, account: int, key: int, nonce: int = RESTING, *, every: bool = False) -> dict[str, Any]:
        """Parameters of private/cancel and private/cancel_all."""
        digest = eip712.cancel_digest(self.separator, account, every, nonce)
        return {"subaccount_id": account, "nonce": nonce, "signature": self._sign(digest, key), "hard": False}

    def withdraw(self, account: int, key: int, *, amount: int = 10 * USD, nonce: int = FRESH) -> dict[str, Any]:
        """Parameters of private/withdraw."""
        digest = eip712.withdraw_digest(self.separator, account, amount, nonce)
        return {"subaccount_id": account, "micro_amount": amount, "nonce": nonce, "signature": self._sign(digest, key)}

    def transfer(
        self, account: int, key: int, to: int, *, amount: int = 10 * USD, nonce: int = FRESH
    ) -> dict[str, Any]:
        """Parameters of private/transfer."""
        digest = eip712.transfer_digest(self.separator, account, to, amount, nonce)
        return {
            "subaccount_id": account,
            "recipient_subaccount_id": to,
            "micro_amount": amount,
            "nonce": nonce,
            "signature": self._sign(digest, key),
        }

    def set_signer(self, account: int, key: int, *, signer: bytes = b"\x77" * 20, nonce: int = FRESH) -> dict[str, Any]:
        """Parameters of private/set_signer."""
        digest = eip712.set_signer_digest(self.separator, account, signer, nonce)
        signature = self._sign(digest, key)
        return {"subaccount_id": account, "signer": hexadecimal(signer), "nonce": nonce, "signature": signature}

    def price(
        self, *, underlying: int = 1, age: int = 0, spot: int = MARK, mark: int | None = None, key: int = FEEDER
    ) -> dict[str, Any]:
        """Parameters of oracle/update, `age` seconds old."""
        made, mark = int(time.time()) - age, spot if mark is None else mark
        digest = eip712.oracle_digest(self.separator, underlying, made, spot, mark)
        signatures = [self._sign(digest, key)]
        return {
            "underlying": underlying, "time": made, "spot": spot, "mark": mark, "signers": 1, "signatures": signatures
        }  # fmt: skip

    def surface(self, *, age: int = 0, forward: int = MARK, series: int = 1) -> dict[str, Any]:
        """Parameters of oracle/surface, `age` seconds old."""
        made = int(time.time()) - age
        svi = {"a": 200_000_000, "b": 200_000_000, "rho": -300_000_000, "m": 0, "sigma": 500_000_000}
        digest = eip712.surface_digest(
            self.separator, 1, series, made, forward, 200_000_000, 200_000_000, -300_000_000, 0, 500_000_000, 10**6
        )
        return {
            "underlying": 1, "series": series, "time": made, "forward": forward, **svi, "confidence": 10**6,
            "signers": 1, "signatures": [self._sign(digest, FEEDER)],
        }  # fmt: skip

    def bid(self, account: int, key: int, of: int, *, fraction: int = 500_000, nonce: int = FRESH) -> dict[str, Any]:
        """Parameters of private/liquidate."""
        expiry = int(time.time()) + 3_600
        digest = eip712.bid_digest(self.separator, of, account, fraction, -USD, nonce, expiry)
        return {
            "subaccount_id": account, "liquidated_subaccount_id": of, "fraction": fraction, "price_limit": -USD,
            "nonce": nonce, "signature_expiry_sec": expiry, "signature": self._sign(digest, key),
        }  # fmt: skip

    def quote(self, account: int, key: int) -> dict[str, Any]:
        """Parameters of private/send_quote for a request that nobody made."""
        expiry = int(time.time()) + 60
        hashed = eip712.legs_hash([(1, FLAG_SELL, 100_000, MARK)])
        digest = eip712.quote_digest(self.separator, account, self.taker, hashed, FRESH, expiry)
        leg = {"instrument_name": "BTC-PERP", "direction": "buy", "size": 100_000, "price": MARK}
        return {
            "subaccount_id": account, "rfq_id": "ab" * 16, "direction": "sell", "legs": [leg], "nonce": FRESH,
            "signature_expiry_sec": expiry, "signature": self._sign(digest, key),
        }  # fmt: skip

    def _sign(self, digest: bytes, key: int) -> str:
        return hexadecimal(sign(digest, dev_key(key)))
