"""A contract that owns an account: whatever it is sent it passes on, the first 20 bytes naming to whom."""

from __future__ import annotations

from rollup.l1.account import L1Account
from rollup.l1.values import Receipt

_RUNTIME = bytes.fromhex(
    "3615602057"  # no calldata: money that comes back is kept
    "60143603806014 5f37"  # memory: the calldata behind the address
    "5f5f825f345f3560601c5af1"  # call the address with all the value
    "602057 5f5ffd"  # or fail
    "5b00".replace(" ", "")
)
_CREATION = bytes.fromhex("602280 6009 5f39 5ff3".replace(" ", "")) + _RUNTIME
"""Copies the 34 bytes behind it."""


async def create_wallet(payer: L1Account) -> bytes:
    """Put such a contract on L1; returns its address."""
    assert len(_RUNTIME) == 0x22
    receipt = await payer.transact(None, _CREATION)
    assert receipt.contract_address is not None
    return receipt.contract_address


async def through_wallet(payer: L1Account, wallet: bytes, to: bytes, data: bytes, value: int = 0) -> Receipt:
    """Have the wallet call a contract."""
    return await payer.transact(wallet, to + data, value=value)
