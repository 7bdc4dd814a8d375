"""The gate between L1's inbox and the engine: asks `patience` about what waits, with the state that the desk has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rollup.derive.inbox import Inbox
from rollup.errors import Undecodable
from rollup.sequencer.affected import accounts_of
from rollup.sequencer.desk import Desk
from rollup.sequencer.patience import Bounds, Need, Patience, Waiting
from rollup.sequencer.trading_status import Trading, trading_status
from rollup.types.keys import GLOBALS, account_key
from rollup.types.leaves import Account, Globals
from rollup.types.messages import Forced, decode_message
from rollup.types.transactions import (
    Cancel,
    ComboTrade,
    FreshOrder,
    SetSigner,
    Trade,
    Transaction,
    Withdraw,
    decode_transaction,
)

MESSAGES: Final = 256
"""Inbox messages handed to the engine at once: eight blocks of light ones."""
URGENT_SHARE: Final = 2
"""A message that has waited for half of the force deadline goes before everything else."""

_NOTHING: Final = Need()


class Gate:
    """Decides how many waiting messages the engine gets now."""

    def __init__(self, desk: Desk, bounds: Bounds) -> None:
        self._desk = desk
        self._deadline = bounds.deadline
        self._patience = Patience(bounds, self._totals.auction)

    def admit(self, inbox: Inbox, first: int, now: int, *, room: Callable[[], bool]) -> int:
        """How many messages from number `first` on may be taken, at most `MESSAGES`; `now` is L1's time (s).

        `room` tells whether everything that is not on L1 yet fits one batch.
        """
        count = min(MESSAGES, len(inbox) - first)
        if count <= 0:
            self._patience.hold = None
            return 0
        self._patience.see(len(inbox), self._stale_markets(), now)
        queue = [
            Waiting(inbox.time_at(first + place), message) for place, message in enumerate(inbox.slice(first, count))
        ]
        return self._patience.admit(first, queue, now, self._need, insolvent=self._totals.insolvent > 0, room=room)

    def is_urgent(self, inbox: Inbox, index: int, now: int) -> bool:
        """Whether message `index` has waited for so long that no block may be built without messages."""
        return index < len(inbox) and now >= inbox.time_at(index) + self._deadline // URGENT_SHARE

    @property
    def holds_late(self) -> bool:
        """Whether a message is held that the next batch must not leave behind: only prices may be built before it."""
        hold = self._patience.hold
        return hold is not None and hold.late

    @property
    def text(self) -> str:
        """What is held back, why, and until when; empty if nothing is."""
        hold = self._patience.hold
        if hold is None:
            return ""
        alone = "; nothing but prices is taken in before it" if hold.late else ""
        return f"message {hold.index} waits, at most until L1's time {hold.until}: {hold.cause}{alone}"

    @property
    def _totals(self) -> Globals:
        return Globals.decode(self._desk.ledger.leaf(GLOBALS))

    def _stale_markets(self) -> list[int]:
        view = self._desk.ledger.begin().view
        return [
            instrument.number
            for instrument in self._desk.catalogue
            if trading_status(view, instrument).trading is Trading.STALE
        ]

    def _need(self, message: bytes) -> Need:
        transaction = _forced(message)
        if transaction is None or isinstance(transaction, Cancel | SetSigner):
            return _NOTHING
        markets = _traded(transaction)
        for account in accounts_of(transaction):
            markets |= self._held(account)
        return Need(frozenset(markets), isinstance(transaction, Withdraw))

    def _held(self, number: int) -> set[int]:
        leaf = self._desk.ledger.leaf(account_key(number))
        return {position.market for position in Account.decode(leaf).positions} if leaf else set()


def _forced(message: bytes) -> Transaction | None:
    """The transaction that a message forces, if it is one."""
    try:
        decoded = decode_message(message)
        return decode_transaction(decoded.data, 0)[0] if isinstance(decoded, Forced) else None
    except Undecodable:
        return None


def _traded(transaction: Transaction) -> set[int]:
    """Markets of a trade that its parties need not hold yet."""
    match transaction:
        case Trade():
            return {side.market for side in (transaction.maker, transaction.taker) if isinstance(side, FreshOrder)}
        case ComboTrade():
            return {leg.market for leg in transaction.legs}
        case _:
            return set()
