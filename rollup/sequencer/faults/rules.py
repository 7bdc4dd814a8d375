"""Faults of the rules: one is another, in this process, until it has made a block that the true rules do not make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from rollup.sequencer.faults.ledger import Change, DishonestLedger, change
from rollup.stf import combo, deleverage, expiry, fills, health, liquidation, meters, series, settlement, sheets, trade
from rollup.stf.builder import SealedBlock
from rollup.stf.context import Context
from rollup.stf.fills import Price
from rollup.stf.margin import Margin, margin
from rollup.types.leaves import Account, Market, Series, Underlying
from rollup.types.limits import MILLION

_HUNDRED: Final = 100 * MILLION
_option_grid = sheets.option_grid
_proceeds = deleverage.proceeds
_require_band = fills.require_band
_value_at_expiry = expiry.value_at_expiry
_with_health = health.with_health


@dataclass(slots=True)
class WrongRule:
    """A fault that lies in the rules. If it is `lenient`, orders may rest meanwhile that no margin stands behind."""

    changes: tuple[Change, ...]
    lenient: bool = False
    _kept: tuple[Change, ...] = field(default=())

    def arm(self, ledger: DishonestLedger) -> None:
        """Change the rule."""
        self._kept = change(*self.changes)
        ledger.enforces_margin = not self.lenient

    def disarm(self, ledger: DishonestLedger) -> None:
        """Back to the true rule."""
        change(*self._kept)
        ledger.enforces_margin = True

    def spoil(self, ledger: DishonestLedger, sealed: SealedBlock) -> SealedBlock | None:
        """The block as it is, if the true rules refuse it or end in another state."""
        self.disarm(ledger)
        honest = ledger.rerun(sealed)
        if honest is None or honest.writes != sealed.writes:
            return sealed
        self.arm(ledger)
        return None


def ignore_margin(ctx: Context, _before: Account, after: Account, _shrinks: bool) -> Margin:
    """As the rule that it stands for, but nothing is refused."""
    return margin(ctx, after)


def ignore_band(ctx: Context, number: int, market: Market, price: int) -> Price:
    """What the rule would say of a price that is the mark."""
    return _require_band(ctx, number, market, sheets.sheet_of(ctx, number).mark)._replace(price=price)


def quarter_grid(market: Market, underlying: Underlying, dated: Series, timestamp: int) -> tuple[int, ...]:
    """An option's prices, each divided by four."""
    return tuple(price // 4 for price in _option_grid(market, underlying, dated, timestamp))


def overpay(market: Market, dated: Series) -> int:
    """What a coin of an expired market pays, and a hundred dollars."""
    return _value_at_expiry(market, dated) + _HUNDRED


def settle_at_last(dated: Series, _window: int, _last: int) -> Series:
    """The series settled at its newest forward, whatever the average is."""
    return replace(dated, settlement=dated.forward)


def excuse(_ctx: Context, _account: Account) -> None:
    """No flag is asked for. Without one an auction has run for ever, and its discount is all of the equity."""


def belittle(ctx: Context, settled: Account) -> Margin:
    """A sound account's maintenance margin is just above its equity; one that is not has its own."""
    found = margin(ctx, settled)
    return Margin(found.equity, max(found.maintenance, found.equity + 1))


def overlook(ctx: Context, account: Account, equity: int, maintenance: int) -> Account:
    """A sound account stays unflagged, whatever it is worth."""
    return _with_health(ctx, account, equity, maintenance) if account.status else account


def overprice(value: int, gross: int, missing: int) -> int:
    """What a deleveraged holding brings, and a hundred dollars."""
    return _proceeds(value, gross, missing) + _HUNDRED


RULES: Final[Mapping[str, WrongRule]] = {
    "skipped-margin": WrongRule(
        ((trade, "require_margin", ignore_margin), (combo, "require_margin", ignore_margin)), lenient=True
    ),
    "over-meter": WrongRule(((meters, "LIMITS", (2 * meters.LIMITS[0], *meters.LIMITS[1:])),)),
    "wrong-mark": WrongRule(((sheets, "option_grid", quarter_grid),)),
    "wrong-payoff": WrongRule(((settlement, "value_at_expiry", overpay),)),
    "wrong-settlement": WrongRule(((series, "closed", settle_at_last),)),
    "unjust-liquidation": WrongRule(
        ((liquidation, "require_flag", excuse), (liquidation, "require_liquidatable", belittle))
    ),
    "missed-flag": WrongRule(tuple((module, "with_health", overlook) for module in (trade, combo, liquidation))),
    "skipped-band": WrongRule(((trade, "require_band", ignore_band), (combo, "require_band", ignore_band))),
    "wrong-deleveraging-price": WrongRule(((deleverage, "proceeds", overprice),)),
}
"""By kind of fault."""
