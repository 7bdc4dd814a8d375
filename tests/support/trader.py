"""Signed requests for a served sequencer, as a client makes them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from rollup.crypto import eip712
from rollup.crypto.signatures import sign
from rollup.l1.devkeys import dev_address, dev_key
from rollup.sequencer.amounts import read_micro
from rollup.types.transactions import FLAG_IMMEDIATE, FLAG_SELL
from tests.support.deployed import FEEDER, SEQUENCER, Site

USD = 1_000_000


def micro(text: str) -> int:
    """Decimal text as millionths."""
    return read_micro(text, "amount")


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

    def surface(self, forward: int, series: int = 1) -> dict[str, Any]:
        """A forward of now with a smile of 55 %, by the same feeder."""
        now = int(time.time())
        svi = {"a": 200_000_000, "b": 200_000_000, "rho": -300_000_000, "m": 0, "sigma": 500_000_000}
        digest = eip712.surface_digest(
            self.separator, 1, series, now, forward, 200_000_000, 200_000_000, -300_000_000, 0, 500_000_000, 10**6
        )
        signature = f"0x{sign(digest, dev_key(FEEDER)).hex()}"
        return {
            "underlying": 1, "series": series, "time": now, "forward": forward, **svi, "confidence": 1_000_000,
            "signers": 1, "signatures": [signature],
        }  # fmt: skip

    def option(self, name: str, market: int, account: int, key: int, size: int, price: int, nonce: int) -> Any:
        """Parameters of private/order in any market; a negative size sells."""
        expiry, flags = int(time.time()) + 3_600, FLAG_SELL if size < 0 else 0
        digest = eip712.order_digest(self.separator, account, market, flags, abs(size), price, nonce, expiry)
        return {
            "instrument_name": name, "subaccount_id": account, "direction": "sell" if size < 0 else "buy",
            "nonce": nonce, "signature_expiry_sec": expiry, "signature": f"0x{sign(digest, dev_key(key)).hex()}",
            "size": abs(size), "price": price,
        }  # fmt: skip

    def quote(
        self, rfq: dict[str, Any], account: int, key: int, prices: list[int], nonce: int, *, sell: bool = True
    ) -> dict[str, Any]:
        """Parameters of private/send_quote."""
        expiry = int(time.time()) + 60
        legs = [
            {"instrument_name": leg["instrument_name"], "direction": leg["direction"], "amount": leg["amount"],
             "price": price}
            for leg, price in zip(rfq["legs"], prices, strict=True)
        ]  # fmt: skip
        hashed = eip712.legs_hash(
            (leg["market"], FLAG_SELL if (leg["direction"] == "sell") != sell else 0, micro(leg["amount"]), price)
            for leg, price in zip(rfq["legs"], prices, strict=True)
        )
        digest = eip712.quote_digest(self.separator, account, rfq["subaccount_id"], hashed, nonce, expiry)
        return {
            "subaccount_id": account, "rfq_id": rfq["rfq_id"], "direction": "sell" if sell else "buy", "legs": legs,
            "nonce": nonce, "signature_expiry_sec": expiry, "signature": f"0x{sign(digest, dev_key(key)).hex()}",
        }  # fmt: skip

    def acceptance(self, quote: dict[str, Any], taker: int, key: int, nonce: int) -> dict[str, Any]:
        """Parameters of private/execute_quote."""
        expiry = int(time.time()) + 60
        hashed = eip712.legs_hash(
            (leg["market"], 0 if leg["is_buy"] else FLAG_SELL, micro(leg["amount"]), micro(leg["price"]))
            for leg in quote["legs"]
        )
        digest = eip712.acceptance_digest(self.separator, quote["subaccount_id"], taker, hashed, nonce, expiry)
        return {
            "subaccount_id": taker, "rfq_id": quote["rfq_id"], "quote_id": quote["quote_id"], "nonce": nonce,
            "signature_expiry_sec": expiry, "signature": f"0x{sign(digest, dev_key(key)).hex()}",
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
