"""The exchange's door for requests for quotes: checks what comes, and makes a ComboTrade of what was agreed."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from time import time_ns
from typing import TYPE_CHECKING

import trio

from rollup.crypto import eip712
from rollup.crypto.signatures import SignatureFault, SignatureMalformed, recover
from rollup.sequencer.checks import check_account, check_expiry, check_nonce, check_range
from rollup.sequencer.commands import TransactionReport
from rollup.sequencer.desk import Desk
from rollup.sequencer.digests import legs_digest
from rollup.sequencer.rejections import BadCombination, UnknownQuote, refusal
from rollup.sequencer.rfq import LIFE, Quote, Rfq, RfqBook, RfqLeg
from rollup.types.limits import MAX_LEGS
from rollup.types.reasons import Reason
from rollup.types.transactions import Cancel, ComboTrade, Leg

if TYPE_CHECKING:
    from rollup.sequencer.exchange import Exchange

_U48 = (1 << 48) - 1


class RfqDoor:
    """Requests, quotes and acceptances of one exchange."""

    def __init__(self, exchange: Exchange, desk: Desk, separator: bytes) -> None:
        self.book = RfqBook(desk.ledger.now)
        self._exchange = exchange
        self._desk = desk
        self._separator = separator

    def ask(
        self, account: int, legs: Sequence[RfqLeg], counterparties: Sequence[int] = (), label: str = "",
        life: int = LIFE,
    ) -> Rfq:  # fmt: skip
        """Open a request; nothing is signed, for nothing is promised. Raises Rejected."""
        self._exchange.account(account)
        ordered = tuple(sorted(legs, key=lambda leg: leg.market))
        if not 1 <= len(ordered) <= MAX_LEGS or len({leg.market for leg in ordered}) < len(ordered):
            raise refusal(Reason.COMBO_LEGS)
        now = self._desk.ledger.now()
        for leg in ordered:
            instrument = self._exchange.catalogue.by_number(leg.market)
            if instrument.has_expired(now):
                raise refusal(Reason.MARKET_EXPIRED, expiry=instrument.expiry)
            if check_range(leg.size, _U48, "amount") == 0:
                raise refusal(Reason.ORDER_INVALID)
            if leg.size % instrument.market.lot:
                raise refusal(Reason.LOT, lot=instrument.market.lot)
        named = frozenset(check_account(each) for each in counterparties)
        return self.book.ask(account, ordered, named, label, life)

    async def quote(
        self, rfq_id: str, maker: int, sells: bool, legs: Sequence[Leg], nonce: int, expiry: int, signature: bytes,
        label: str = "",
    ) -> Quote:  # fmt: skip
        """Take in a signed quote; `legs` as signed. BadCombination if they are not what was asked for."""
        check_account(maker)
        rfq = self.book.get(rfq_id)
        if not rfq.admits(maker):
            raise BadCombination("the request is not addressed to this account", rfq_id=rfq_id)
        ordered = tuple(sorted(legs, key=lambda leg: leg.market))
        if len(ordered) != len(rfq.legs) or rfq.terms(sells, [leg.price for leg in ordered]) != ordered:
            raise BadCombination("the legs are not those of the request", rfq_id=rfq_id)
        hashed = legs_digest(ordered)
        for leg in ordered:
            if leg.price % self._exchange.catalogue.by_number(leg.market).market.tick:
                raise refusal(Reason.TICK)
        if check_expiry(expiry) < self._desk.ledger.now():
            raise refusal(Reason.ORDER_EXPIRED)
        digest = eip712.quote_digest(self._separator, maker, rfq.account, hashed, check_nonce(nonce), expiry)
        await self._authorise(maker, digest, signature)
        self._check_nonce(maker, nonce)
        quote = Quote(
            secrets.token_hex(16), rfq_id, maker, sells, ordered, nonce, expiry, signature, label, time_ns() // 10**6
        )
        return self.book.answer(rfq, quote)

    async def withdraw(self, cancel: Cancel) -> Quote:
        """Take a quote back; the signed cancel of its nonce. What was accepted before stands."""
        check_account(cancel.account)
        await self._authorise(cancel.account, self._exchange.digests(cancel)[0][0], cancel.signature)
        return self.book.withdraw(cancel.account, cancel.nonce)

    async def execute(
        self, rfq_id: str, quote_id: str, taker: int, nonce: int, expiry: int, signature: bytes
    ) -> tuple[Quote, TransactionReport]:
        """Accept a quote: both signatures become a ComboTrade. Raises what the state transition refuses it with."""
        rfq = self.book.get(rfq_id)
        quote = self.book.quote(rfq, quote_id)
        if rfq.account != check_account(taker):
            raise UnknownQuote("the quote is for another account", quote_id=quote_id)
        combo = ComboTrade(
            quote.maker, taker, quote.legs, quote.nonce, quote.expiry, quote.signature, check_nonce(nonce),
            check_expiry(expiry), signature,
        )  # fmt: skip
        report = await self._exchange.submit(combo)
        self.book.close(rfq)
        return quote, report

    async def _authorise(self, account: int, digest: bytes, signature: bytes) -> None:
        try:
            address = await trio.to_thread.run_sync(recover, digest, signature)
        except SignatureFault as fault:
            malformed = isinstance(fault, SignatureMalformed)
            raise refusal(Reason.SIGNATURE_MALFORMED if malformed else Reason.SIGNATURE_INVALID) from None
        self._desk.authorised(account, address)

    def _check_nonce(self, account: int, nonce: int) -> None:
        found = self._desk.ledger.account(account)
        assert found is not None, "it was authorised"
        slot = self._desk.ledger.slot(account, nonce)
        if nonce < found.nonce_floor:
            raise refusal(Reason.NONCE_FLOOR, floor=found.nonce_floor)
        if slot is not None and slot.nonce >= nonce:
            raise refusal(Reason.NONCE_STALE, nonce=nonce)
