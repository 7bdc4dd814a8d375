"""What accounts do beside trading: deposits from L1, withdrawals, transfers, hard cancels, session keys.

Each errand falls to a trader drawn from the seed, every so many ticks.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final

from rollup.crypto.keccak import keccak
from rollup.errors import Rejected
from rollup.replay.tally import Tally
from rollup.replay.traders import Trader, holding_of
from rollup.replay.treasury import Treasury
from rollup.replay.waiting import wait_until
from rollup.sequencer.commands import UserTransaction
from rollup.sequencer.exchange import Exchange
from rollup.types.limits import MILLION

WITHDRAW_EVERY: Final = 15
TRANSFER_EVERY: Final = 40
CANCEL_EVERY: Final = 25
DEPOSIT_EVERY: Final = 120
FORCE_EVERY: Final = 360
SESSION_EVERY: Final = 8
"""One trader in so many trades with a session key."""
HELD: Final = "held: "
"""The sequencer's alarm while it lets a message of L1 wait until an insolvency is resolved."""


class Errands:
    """Runs them one after the other, so that a replay of the same seed does the same."""

    def __init__(
        self, exchange: Exchange, treasury: Treasury, traders: Sequence[Trader], market: int, tally: Tally, seed: int
    ) -> None:
        self._exchange = exchange
        self._treasury = treasury
        self._traders = traders
        self._market = market
        self._tally = tally
        self._luck = Random(f"{seed}/errands")  # noqa: S311 - reproducible on purpose, protects nothing
        self._due = 0
        """Messages that L1 had when one was last sent there."""
        self._forced: list[tuple[int, Trader, int]] = []
        """Forced withdrawals that the sequencer has not taken: message, whose, and what was withdrawn before."""

    @property
    def idle(self) -> bool:
        """Whether the sequencer has taken every message that was sent through L1."""
        return self._exchange.status().inbox_index >= self._due

    async def finish(self) -> None:
        """Wait until the sequencer has taken all that was sent through L1, whatever it is held for."""
        await self._until_taken(held_too=True)

    async def appoint_sessions(self, now: int) -> None:
        """Some traders trade with a session key from the beginning; the owner's key stays where it is."""
        for trader in self._traders[::SESSION_EVERY]:
            session_key = keccak(b"session of " + trader.character.key)
            self._tally.session_keys += await self._submit(trader.signer.appoint(session_key, now))

    async def run(self, tick: int, now: int) -> None:
        """Those of this tick (counted from the beginning of the replay)."""
        self._count_forced()
        if tick % WITHDRAW_EVERY == WITHDRAW_EVERY - 1:
            await self._withdraw(now)
        if tick % CANCEL_EVERY == CANCEL_EVERY - 1:
            trader = self._luck.choice(self._traders)
            self._tally.hard_cancels += await self._submit(trader.signer.cancel_all(now))
        if tick % TRANSFER_EVERY == TRANSFER_EVERY - 1:
            await self._transfer(now)
        if tick % DEPOSIT_EVERY == DEPOSIT_EVERY // 2:
            trader = self._luck.choice(self._traders)
            await self._treasury.deposit(trader.account, self._luck.randint(1_000, 20_000) * MILLION)
            self._due = await self._treasury.messages()
            await self._until_taken()
            self._tally.deposits += 1
        if tick % FORCE_EVERY == FORCE_EVERY - 1:
            await self._force(now)

    async def _withdraw(self, now: int) -> None:
        trader = self._luck.choice(self._traders)
        amount = self._spare(trader)
        if amount:
            self._tally.withdrawals += await self._submit(trader.signer.withdraw(amount, now))

    async def _transfer(self, now: int) -> None:
        sender, recipient = self._luck.sample(self._traders, 2) if len(self._traders) > 1 else (None, None)
        if sender is not None and recipient is not None and (amount := self._spare(sender)):
            self._tally.transfers += await self._submit(sender.signer.transfer(recipient.account, amount, now))

    async def _force(self, now: int) -> None:
        """A withdrawal that goes through L1; in the state it is a no-op if the account may not withdraw."""
        trader = self._luck.choice(self._traders)
        before = self._exchange.account(trader.account).withdrawn
        await self._treasury.force(trader.signer.withdraw(max(MILLION, self._spare(trader)), now))
        self._due = await self._treasury.messages()
        self._forced.append((self._due - 1, trader, before))
        await self._until_taken()

    def _count_forced(self) -> None:
        taken = self._exchange.status().inbox_index
        for index, trader, before in self._forced:
            if index < taken:
                self._tally.forced_withdrawals += self._exchange.account(trader.account).withdrawn > before
        self._forced = [forced for forced in self._forced if forced[0] >= taken]

    def _spare(self, trader: Trader) -> int:
        """A tenth at most of what the account has beyond twice its maintenance margin (µUSD)."""
        holding = holding_of(self._exchange, trader.account, self._market)
        beyond = 0 if holding is None else max(0, holding.equity - 2 * holding.maintenance)
        return int(beyond * self._luck.uniform(0.01, 0.1))

    async def _submit(self, transaction: UserTransaction) -> bool:
        try:
            await self._exchange.submit(transaction)
        except Rejected as error:
            self._tally.refuse(error)
            return False
        return True

    async def _until_taken(self, *, held_too: bool = False) -> None:
        """Wait until the sequencer stands behind every message of the inbox.

        One that it holds back is waited for only with `held_too`: it is held until auctions have run, and they run in
        recorded time, which does not pass while a replay waits here.
        """
        status, due = self._exchange.status, self._due

        def done() -> bool:
            found = status()
            return found.inbox_index >= due or (not held_too and any(text.startswith(HELD) for text in found.alarms))

        await wait_until(done, f"the sequencer has taken message {due - 1}", step=0.005)
        self._count_forced()
