"""The cashier: now and then a trader withdraws, and once that is final its money is claimed on L1."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final, Protocol

import structlog
import trio

from rollup.cli.amounts import show_usd
from rollup.cli.claims import NothingToClaim, Vault, await_claimable
from rollup.derive.mirror import Mirror
from rollup.devnet.client import Client
from rollup.devnet.traders import Trader
from rollup.errors import L1Error
from rollup.l1.account import L1Account
from rollup.rpc.client import RpcError
from rollup.types.limits import MILLION

log = structlog.get_logger(__name__)

LARGEST_USD: Final = 50
"""Small against what a trader begins with, so that the devnet runs for days."""
PATIENCE: Final = 600.0
"""Seconds until a withdrawal must be final."""


class Tell(Protocol):
    """Hears what happens, one line of text with its fields."""

    def __call__(self, name: str, text: str, /, **fields: object) -> None:
        """Take one event."""


async def run_cashier(
    client: Client,
    mirror: Mirror,
    vault: Vault,
    payer: L1Account,
    traders: Sequence[Trader],
    luck: Random,
    seconds: float,
    tell: Tell,
) -> None:
    """Withdraw and claim every `seconds` or later, until cancelled.

    Refusals and failures of L1 are logged. Raises RpcDisconnected or NoAnswer when the sequencer is gone.
    """
    while True:
        await trio.sleep(seconds)
        trader = luck.choice(traders)
        amount = luck.randint(1, LARGEST_USD) * MILLION
        try:
            await withdraw(client, trader, amount, tell)
            await claim(mirror, vault, payer, trader.account, tell)
        except (RpcError, L1Error, NothingToClaim) as error:
            log.info("no_money", account=trader.account, error=str(error))


async def withdraw(client: Client, trader: Trader, amount: int, tell: Tell) -> None:
    """Withdraw µUSD on L2."""
    answer = await client.submit(trader.wallet.withdraw(trader.account, amount))
    text = f"withdraw  account {trader.account} withdraws {show_usd(amount)} USD in block {answer['block_number']}"
    tell("withdrawal", text, account=trader.account, amount=amount, block=answer["block_number"])


async def claim(mirror: Mirror, vault: Vault, payer: L1Account, account: int, tell: Tell) -> None:
    """Claim on L1 what an account has withdrawn, once it is final."""
    proof = await await_claimable(mirror, vault, account, patience=PATIENCE, poll=1.0)
    paid = await vault.claim(payer, proof)
    text = f"claim     account {account}: {show_usd(paid.amount)} USD paid out on L1, {paid.gas:,} gas"
    tell("claim", text, account=account, amount=paid.amount, batch=paid.batch, gas=paid.gas)
