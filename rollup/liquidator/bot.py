"""The bot: looks at the auctions every so often, bids where it pays, tells what became of it. Hedges nothing.

Where a flag is spent it has it raised anew: then the discount begins to grow again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

import trio

from rollup.liquidator.strategy import MILLION, Auction, Limits, Offer, decide
from rollup.rpc.client import RpcError
from rollup.sequencer.rejections import STATE_CODES
from rollup.types.reasons import Reason
from rollup.types.transactions import Bid

HALVINGS: Final = 4
"""How often a bid is made smaller that the liquidator's own margin does not bear."""
_TOO_LARGE: Final = {STATE_CODES + reason for reason in (Reason.MARGIN, Reason.POSITION_LIMIT, Reason.POSITIONS_FULL)}
LIFE: Final = 30
"""Seconds that a bid is good for."""


class Bidder(Protocol):
    """Who signs."""

    def bid(self, liquidator: int, account: int, *, fraction: int, limit: int, life: int) -> Bid:
        """A signed bid of `liquidator` for `fraction` (ppm) of `account` at no more than `limit` µUSD."""
        ...


class Connection(Protocol):
    """What calls the sequencer."""

    async def call(self, method: str, params: dict[str, Any] | None = None) -> Any:
        """One request; raises RpcError for a refusal."""
        ...


@dataclass(frozen=True, slots=True)
class Event:
    """What the bot did: `kind` is bid, refused or flagged; a flag comes without an offer."""

    kind: str
    account: int
    detail: dict[str, Any]
    offer: Offer | None = None


@dataclass(slots=True)
class Tally:
    """What came of a run."""

    looks: int = 0
    auctions: int = 0
    bids: int = 0
    flags: int = 0
    refused: int = 0
    expected_gain: int = 0


class Bot:
    """Bids for one account. `tell` hears of every bid."""

    def __init__(
        self, connection: Connection, bidder: Bidder, account: int, limits: Limits, tell: Callable[[Event], None]
    ) -> None:
        self._connection = connection
        self._bidder = bidder
        self._account = account
        self._limits = limits
        self._tell = tell
        self.tally = Tally()

    async def run(self, interval: float) -> None:
        """Serve until cancelled; looks every `interval` seconds."""
        while True:
            await self.look()
            await trio.sleep(interval)

    async def look(self) -> None:
        """Bid for everything that pays now."""
        answer = await self._connection.call("public/get_live_auctions")
        self.tally.looks += 1
        for shown in answer["auctions"]:
            self.tally.auctions += 1
            if shown["subaccount_id"] != self._account:
                await self._pursue(Auction.of(shown))

    async def _pursue(self, auction: Auction) -> None:
        if auction.spent:
            await self._flag(auction.account)
        else:
            await self._bid_for(auction)

    async def _flag(self, account: int) -> None:
        try:
            done = await self._connection.call("public/flag", {"subaccount_id": account})
        except RpcError as error:
            self._refused(account, error)
        else:
            self.tally.flags += 1
            self._tell(Event("flagged", account, done))

    async def _bid_for(self, auction: Auction) -> None:
        for halving in range(HALVINGS):
            offer = decide(auction, self._limits, MILLION >> halving)
            if offer is None:
                return
            try:
                placed = await self._connection.call("private/liquidate", self._sign(offer))
            except RpcError as error:
                self._refused(auction.account, error, offer)
                if error.code not in _TOO_LARGE:
                    return
            else:
                self.tally.bids += 1
                self.tally.expected_gain += offer.gain
                self._tell(Event("bid", auction.account, placed, offer))
                return

    def _refused(self, account: int, error: RpcError, offer: Offer | None = None) -> None:
        self.tally.refused += 1
        self._tell(Event("refused", account, {"code": error.code, "message": error.message}, offer))

    def _sign(self, offer: Offer) -> dict[str, Any]:
        bid = self._bidder.bid(
            self._account, offer.account, fraction=offer.fraction, limit=offer.limit, life=LIFE
        )  # fmt: skip
        return {
            "subaccount_id": bid.liquidator,
            "liquidated_subaccount_id": bid.account,
            "fraction": bid.fraction,
            "price_limit": bid.limit,
            "nonce": bid.nonce,
            "signature_expiry_sec": bid.expiry,
            "signature": f"0x{bid.signature.hex()}",
        }
