"""What follows from an executed transaction outside of the state: trades to tell of, average prices, orders to drop."""

from __future__ import annotations

from rollup.sequencer.commands import TradeReport
from rollup.sequencer.floor import Floor
from rollup.sequencer.marks import mark_of
from rollup.sequencer.matching_orders import Removal
from rollup.stf.receipts import Combo, Deleveraged, Fill, LegFill, Liquidated, Looked, Receipt, Settled
from rollup.types.keys import account_key
from rollup.types.leaves import Account
from rollup.types.transactions import (
    FLAG_REDUCE_ONLY,
    ComboTrade,
    Flag,
    OracleUpdate,
    Settle,
    SurfaceUpdate,
)


class Aftermath:
    """Looks at each receipt once, right after its transaction."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._costs = floor.costs

    def note(self, receipt: Receipt) -> tuple[TradeReport, ...]:
        """Do what follows; returns the trades that a combo made. Those of orders are reported where they match.

        A trade that was forced through L1 matched nowhere: it is reported here.
        """
        match receipt.detail:
            case Fill() as fill:
                bought = fill.size if fill.taker_sells else -fill.size
                self._trade(fill.maker, fill.taker, fill.market, bought, fill.price)
                if receipt.forced:
                    self._floor.unit.trades.append(self.report(receipt.index, fill))
                    self._floor.unit.markets.add(fill.market)
            case Combo() as combo:
                return self._combo(receipt, combo)
            case Liquidated() as sale:
                self._liquidated(sale)
            case Deleveraged() as closed:
                mark = self._mark(closed.market)
                self._trade(closed.account, closed.counterparty, closed.market, -closed.size, mark)
            case Looked() if isinstance(receipt.subject, Flag):
                self._looked(receipt.subject.account)
            case Settled() if isinstance(receipt.subject, Settle):
                account = self._account(receipt.subject.account)
                self._costs.keep(receipt.subject.account, [position.market for position in account.positions])
            case _ if isinstance(receipt.subject, OracleUpdate | SurfaceUpdate):
                self._floor.note_price()
        return ()

    def report(self, index: int, fill: Fill) -> TradeReport:
        """What is told of a fill in the open block."""
        return TradeReport(
            block=self._floor.ledger.number + 1,
            index=index,
            market=fill.market,
            price=fill.price,
            size=fill.size,
            taker_sells=fill.taker_sells,
            maker=fill.maker,
            taker=fill.taker,
            maker_nonce=fill.maker_nonce,
            taker_nonce=fill.taker_nonce,
            maker_fee=fill.maker_fee,
            taker_fee=fill.taker_fee,
            time=self._floor.ledger.timestamp,
        )

    def _trade(self, one: int, other: int, market: int, bought: int, price: int) -> None:
        self._costs.trade(one, market, bought, price)
        self._costs.trade(other, market, -bought, price)

    def _combo(self, receipt: Receipt, combo: Combo) -> tuple[TradeReport, ...]:
        assert isinstance(receipt.subject, ComboTrade), "a combo's receipt names it"
        for leg in combo.legs:
            self._trade(combo.maker, combo.taker, leg.market, -leg.size if leg.maker_sells else leg.size, leg.price)
        trades = tuple(self._leg(receipt.index, combo, receipt.subject, leg) for leg in combo.legs)
        self._floor.unit.trades += trades
        return trades

    def _leg(self, index: int, combo: Combo, signed: ComboTrade, leg: LegFill) -> TradeReport:
        return TradeReport(
            block=self._floor.ledger.number + 1,
            index=index,
            market=leg.market,
            price=leg.price,
            size=leg.size,
            taker_sells=not leg.maker_sells,
            maker=combo.maker,
            taker=combo.taker,
            maker_nonce=signed.maker_nonce,
            taker_nonce=signed.taker_nonce,
            maker_fee=leg.maker_fee,
            taker_fee=leg.taker_fee,
            time=self._floor.ledger.timestamp,
        )

    def _liquidated(self, sale: Liquidated) -> None:
        """The slices count at their marks: what the discount gained shows in the liquidator's cash."""
        for part in sale.slices:
            self._trade(sale.liquidator, sale.account, part.market, part.size, self._mark(part.market))

    def _looked(self, number: int) -> None:
        """A flagged account's orders go: they could only enlarge what has to be made smaller."""
        if not self._account(number).status:
            self._floor.flagged.discard(number)
            return
        self._floor.flagged.add(number)
        for order in self._floor.orders.of_account(number):
            if not order.fresh.flags & FLAG_REDUCE_ONLY:
                self._floor.drop(order, Removal.LIQUIDATION)

    def _account(self, number: int) -> Account:
        return Account.decode(self._floor.ledger.leaf(account_key(number)))

    def _mark(self, market: int) -> int:
        return mark_of(self._floor.ledger.begin().view, market)
