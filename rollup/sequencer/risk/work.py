"""What the sequencer does about risk, one bounded step at a time between the commands of users.

    findings ─► settle holders of ended markets ─► exact check of the doubtful and of all flagged
                                                          │ status differs, or the flag is spent: Flag
                                                          │ auction failed, or the fund cannot cover: Deleverage …
                                                          ▼ nothing left but debt: WriteOff

Steps are taken from a queue: so many transactions a block and so many looks a turn, that users always find room.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

import structlog

from rollup.errors import InvalidTransaction, Rejected
from rollup.sequencer.execution import Execution
from rollup.sequencer.floor import Floor
from rollup.sequencer.marks import mark_of
from rollup.sequencer.risk.closing import can_give, closable
from rollup.sequencer.risk.pricing import Prices
from rollup.sequencer.risk.ranking import ranked
from rollup.sequencer.risk.register import Findings, Side, Snapshot
from rollup.stf.builder import BlockFull
from rollup.stf.fund import available
from rollup.stf.liquidation import is_spent
from rollup.types.keys import GLOBALS
from rollup.types.leaves import Account, Globals, Status
from rollup.types.transactions import Deleverage, Flag, Settle, Transaction, WriteOff

SHARE: Final = 8
"""Transactions of a block that the sequencer takes for this: a quarter."""
LOOKS: Final = 32
"""Steps of one turn of the engine: about three milliseconds of exact checks."""

RESOLUTIONS: Final = 8
"""Turns that are taken for the insolvent before messages of L1: 256 steps, if the block has room for what they do."""

log = structlog.get_logger(__name__)

_Steps = Iterator[bool]
"""Yields after each step whether it took a transaction's place in the block."""


class RiskDesk:
    """The queue of steps of one floor."""

    def __init__(self, floor: Floor, execution: Execution) -> None:
        self._floor = floor
        self._ledger = floor.ledger
        self._execution = execution
        self._costs = floor.costs
        self._queue: deque[tuple[str, int, _Steps]] = deque()
        self._queued: set[tuple[str, int]] = set()
        self._findings = Findings(0, 0)
        self._wanted: set[Side] = set()
        self._block, self._used = -1, 0
        self._screened = 0

    # -- the screening's side ----------------------------------------------------------------------------------------

    def snapshot(self, *, start_over: bool) -> Snapshot:
        """What the screening thread needs now."""
        floor, view = self._floor, self._ledger.begin().view
        markets = {instrument.number: instrument.market for instrument in floor.catalogue}
        coins = {market.underlying for market in markets.values()}
        dated = {(market.underlying, market.series) for market in markets.values() if market.series}
        prices = Prices(
            view.timestamp,
            markets,
            {coin: view.underlying(coin) for coin in coins},
            {pair: view.series(*pair) for pair in dated},
        )
        everything = self._ledger.store.view() if start_over else None
        changed, floor.changed = floor.changed, {}
        return Snapshot(floor.generation, everything, changed, prices, frozenset(self._wanted), floor.prices)

    def take(self, findings: Findings) -> None:
        """Queue what follows from a look at everybody; nothing if the chain was moved meanwhile."""
        if findings.generation != self._floor.generation:
            return
        self._screened = findings.spoken
        self._findings = findings
        self._wanted.clear()
        for number in findings.unsettled:
            self._enqueue("settle", number, self._settle(number))
        self._floor.flagged.update(number for number in findings.flagged if self._status_in_state(number))
        for number in dict.fromkeys((*findings.doubtful, *self._floor.flagged)):
            self._enqueue("examine", number, self._examine(number))

    def clear(self) -> None:
        """Forget everything: the chain was moved."""
        self._queue.clear()
        self._queued.clear()
        self._wanted.clear()
        self._findings = Findings(self._floor.generation, 0)
        self._screened = self._floor.prices

    # -- the engine's side -------------------------------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether there is something to do that the block under way still has room for."""
        return bool(self._queue) and self._room() > 0

    @property
    def awaited(self) -> bool:
        """Whether the block under way may still get flags: of a look that is under way, or of steps it has room for."""
        return self._floor.prices > self._screened or self.ready

    @property
    def waiting(self) -> int:
        """Accounts in the queue."""
        return len(self._queue)

    def work(self) -> None:
        """Take the next steps."""
        for _ in range(LOOKS):
            if not self.ready:
                return
            kind, number, steps = self._queue[0]
            try:
                took = next(steps)
            except StopIteration:
                self._queue.popleft()
                self._queued.discard((kind, number))
                continue
            if took:
                self._used += 1

    def resolve(self) -> None:
        """Before messages of L1 are taken, which may be withdrawals: do what can be done now about the insolvent.

        A forced withdrawal does not wait for them, so whoever stays would bear what the one who leaves should have.
        What the auction or the fund can still cover stays open: nobody bears that.
        """
        if not self._totals().insolvent:
            return
        for number in sorted(self._floor.flagged):
            if self._status_in_state(number) == Status.INSOLVENT:
                self._enqueue("examine", number, self._examine(number))
        for _ in range(RESOLUTIONS):
            if not self._totals().insolvent or not self.ready:
                return
            self.work()

    def _room(self) -> int:
        if self._block != self._ledger.number:
            self._block, self._used = self._ledger.number, 0
        return SHARE - self._used

    def _enqueue(self, kind: str, number: int, steps: _Steps) -> None:
        if (kind, number) not in self._queued:
            self._queued.add((kind, number))
            self._queue.append((kind, number, steps))

    # -- steps -------------------------------------------------------------------------------------------------------

    def _settle(self, number: int) -> _Steps:
        yield self._try(Settle(number))

    def _examine(self, number: int) -> _Steps:
        """Bring an account's flag in line with what it is worth, and end what its auction did not."""
        found = self._status_of(number)
        yield False
        account = self._account(number)
        if found is None or account is None:
            return
        if found != account.status:
            yield self._try(Flag(number))
            account = self._account(number)
        if account is not None and self._is_spent(account):
            yield self._try(Flag(number))
            account = self._account(number)
        if account is None or account.status == Status.SOUND:
            return
        if account.positions and self._auction_failed(number, account):
            yield from self._deleverage(number, account)
            account = self._account(number)
        if account is not None and account.status and not account.positions and account.cash < 0:
            yield self._try(WriteOff(number))

    def _deleverage(self, number: int, account: Account) -> _Steps:
        """Close positions, the most valuable first, until the account is no longer below its maintenance margin.

        What the rules would refuse, since the account can pay and a hedge would go, is passed over for the next.
        """
        view = self._ledger.begin().view
        marks = {position.market: mark_of(view, position.market) for position in account.positions}
        for position in sorted(account.positions, key=lambda p: -abs(p.size) * marks[p.market]):
            market, side = position.market, (position.market, position.size < 0)
            candidates = self._findings.holders.get(side)
            if candidates is None:
                self._wanted.add(side)  # the next look brings them
                continue
            lot = view.market(market).lot
            for counterparty in ranked(candidates, market, marks[market], self._costs, but=number):
                builder, theirs = self._ledger.begin(), self._held(counterparty, market)
                most = closable(builder, number, market)
                if not most:
                    break
                size = min(most, abs(theirs) // lot * lot) if position.size * theirs < 0 else 0
                if not size:
                    continue
                if not can_give(builder, number, counterparty, market, size):
                    yield False
                    continue
                yield self._try(Deleverage(number, counterparty, market, size))
                if not self._is_below(number):
                    return

    def _is_below(self, number: int) -> bool:
        return bool(self._status_of(number))

    def _auction_failed(self, number: int, account: Account) -> bool:
        """Whether the auction has run its time, or the fund could not pay what it needs."""
        totals = self._totals()
        if self._ledger.begin().timestamp - account.flagged >= totals.auction:
            return True
        if account.status != Status.INSOLVENT:
            return False
        try:
            equity, _ = self._ledger.begin().margin_of(number)
        except InvalidTransaction:
            return False
        return available(totals) < -equity

    def _is_spent(self, account: Account) -> bool:
        """Whether nobody can act on the account's flag before it is raised anew."""
        return is_spent(account, self._ledger.begin().timestamp, self._totals().auction)

    def _totals(self) -> Globals:
        return Globals.decode(self._ledger.leaf(GLOBALS))

    def _status_of(self, number: int) -> int | None:
        """The status that an account's exact margin gives it; None while that is not known."""
        try:
            equity, maintenance = self._ledger.begin().margin_of(number)
        except InvalidTransaction:
            return None
        return int(Status.INSOLVENT if equity < 0 else Status.UNSAFE if equity < maintenance else Status.SOUND)

    def _status_in_state(self, number: int) -> int:
        account = self._account(number)
        return 0 if account is None else account.status

    def _account(self, number: int) -> Account | None:
        return self._ledger.account(number)

    def _held(self, number: int, market: int) -> int:
        account = self._account(number)
        return 0 if account is None else account.position_in(market)

    def _try(self, transaction: Transaction) -> bool:
        """Execute a transaction; what is refused was overtaken by another and takes no place."""
        try:
            self._execution.submit(transaction)
        except (InvalidTransaction, BlockFull, Rejected) as error:
            log.info("risk_step_refused", transaction=type(transaction).__name__, reason=str(error))
            return False
        return True
