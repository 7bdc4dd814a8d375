"""What liquidation did in a replay, added up from receipts. Money in µUSD."""

from __future__ import annotations

from dataclasses import dataclass, field

from rollup.stf.receipts import Deleveraged, Liquidated, Looked, Receipt, WrittenOff
from rollup.types.leaves import Globals, Status
from rollup.types.transactions import Flag


@dataclass(slots=True)
class Record:
    """Running figures. `discount` is what liquidators gained against the marks, `dues` what they paid into the fund.

    `covered` is what the fund (insurance and fees) gave: in auctions, before deleveraging, and for debts.
    """

    flags: int = 0
    cleared: int = 0
    accounts: set[int] = field(default_factory=set)
    """Accounts that were flagged at least once."""
    bids: int = 0
    sold: set[int] = field(default_factory=set)
    """Accounts of which something was auctioned."""
    sold_value: int = 0
    discount: int = 0
    dues: int = 0
    covered: int = 0
    deleveragings: int = 0
    deleveraged: set[int] = field(default_factory=set)
    counterparties: set[int] = field(default_factory=set)
    deleveraged_value: int = 0
    write_offs: int = 0
    written_off: int = 0
    bad_debt: int = 0
    insolvent_peak: int = 0
    insurance_peak: int = 0
    fund_peak: int = 0
    fund_end: int = 0
    fund_emptied: int = 0
    """Blocks after which insurance fund and fees together held nothing, having held something before."""

    def note(self, receipt: Receipt) -> None:
        """Count an executed transaction."""
        match receipt.detail:
            case Looked(status=status) if isinstance(receipt.subject, Flag):
                if status == Status.SOUND:
                    self.cleared += 1
                else:
                    self.flags += 1
            case Liquidated() as sale:
                self.bids += 1
                self.sold.add(sale.account)
                if sale.fund >= 0:
                    self.dues += sale.fund
                else:
                    self.covered -= sale.fund
            case Deleveraged() as closed:
                self.deleveragings += 1
                self.deleveraged.add(closed.account)
                self.counterparties.add(closed.counterparty)
                self.deleveraged_value += abs(closed.received)
                self.covered += closed.cover
            case WrittenOff() as gone:
                self.write_offs += 1
                self.covered += gone.cover
                self.written_off += gone.bad_debt

    def sell(self, value: int, gain: int) -> None:
        """A liquidator took over slices worth `value` at their marks, `gain` below that."""
        self.sold_value += abs(value)
        self.discount += gain

    def see(self, totals: Globals) -> None:
        """The chain's totals after a block."""
        fund = totals.insurance + totals.fees
        self.fund_emptied += fund == 0 and self.fund_peak > 0
        self.fund_peak, self.fund_end = max(self.fund_peak, fund), fund
        self.insurance_peak = max(self.insurance_peak, totals.insurance)
        self.insolvent_peak = max(self.insolvent_peak, totals.insolvent)
        self.bad_debt = totals.bad_debt
