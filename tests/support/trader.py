"""Signed requests for a served sequencer, as a client makes them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from rollup.crypto import eip712
from rollup.crypto.signatures import sign
from rollup.l1.devkeys import dev_address, dev_key
from rollup.types.transactions import FLAG_IMMEDIATE, FLAG_SELL
from tests.support.deployed import FEEDER, SEQUENCER, Site

USD = 1_000_000


async def open_accounts(site: Site, owners: list[int], amount: int = 10_000 * USD) -> list[int]:
    """Open an account for each development key through L1; returns their numbers."""
    inbox, payer = site.contract("Inbox"), site.account(SEQUENCER)
    first: int = await inbox.call("accountCount")
    for owner in owners:
        await inbox.transact(payer, "open", dev_address(owner), amount)
    return list(range(first, first + len(owners)))


@dataclass(frozen=True, slots=True)
class Trader:
    """Signs for one deployment."""

    separator: bytes

    def price(self, spot: int, underlying: int = 1) -> dict[str, Any]:
        """A price of now by the one feeder of the test deployment."""
        now = int(time.time())
        digest = eip712.oracle_digest(self.separator, underlying, now, spot, spot)
        signature = f"0x{sign(digest, dev_key(FEEDER)).hex()}"
        return {
            "underlying": underlying, "time": now, "spot": spot, "mark": spot, "signers": 1, "signatures": [signature]
        }  # fmt: skip

    def order(self, account: int, key: int, sell: bool, size: int, price: int, nonce: int) -> dict[str, Any]:
        """Parameters of private/order for BTC-PERP."""
        return self.terms(account, key, sell, size, price, nonce, 0, {})

    def immediate(self, account: int, key: int, sell: bool, size: int, price: int, nonce: int) -> dict[str, Any]:
        """The same as an IOC order."""
        return self.terms(account, key, sell, size, price, nonce, FLAG_IMMEDIATE, {"time_in_force": "ioc"})

    def terms(
        self, account: int, key: int, sell: bool, size: int, price: int, nonce: int, extra: int, more: dict[str, Any]
    ) -> dict[str, Any]:
        """Sign and name the terms."""
        expiry = int(time.time()) + 3_600
        flags = (FLAG_SELL if sell else 0) | extra
        digest = eip712.order_digest(self.separator, account, 1, flags, size, price, nonce, expiry)
        return {
            "instrument_name": "BTC-PERP",
            "subaccount_id": account,
            "direction": "sell" if sell else "buy",
            "nonce": nonce,
            "signature_expiry_sec": expiry,
            "signature": f"0x{sign(digest, dev_key(key)).hex()}",
            "size": size,
            "price": price,
            **more,
        }

    def withdraw(self, account: int, key: int, amount: int, nonce: int) -> dict[str, Any]:
        """Parameters of private/withdraw."""
        digest = eip712.withdraw_digest(self.separator, account, amount, nonce)
        signature = f"0x{sign(digest, dev_key(key)).hex()}"
        return {"subaccount_id": account, "micro_amount": amount, "nonce": nonce, "signature": signature}
