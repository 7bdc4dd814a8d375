"""The public development accounts that anvil and hardhat fund.

**Everybody knows these keys.** They derive from a mnemonic printed in every tutorial; whatever they hold on a public
network is stolen within a block. They exist so that devnets and tests need no key management.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from eth_account import Account
from eth_account.hdaccount import seed_from_mnemonic
from eth_account.hdaccount.deterministic import HDPath

DEV_MNEMONIC: Final = "test test test test test test test test test test test junk"
"""PUBLIC development mnemonic; never fund it on a real network."""

DEV_BALANCE_WEI: Final = 10_000 * 10**18
"""What each development account owns at the genesis of a development chain, as on anvil."""


@cache
def dev_key(index: int) -> bytes:
    """Private key of development account `index`: PUBLIC, see the module."""
    return bytes(HDPath(f"m/44'/60'/0'/0/{index}").derive(_seed()))


@cache
def dev_address(index: int) -> bytes:
    """Address of development account `index`, 20 bytes."""
    return bytes.fromhex(Account.from_key(dev_key(index)).address[2:])


@cache
def _seed() -> bytes:
    return bytes(seed_from_mnemonic(DEV_MNEMONIC, ""))
