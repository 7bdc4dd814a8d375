"""What `rollup sequencer` tells of a block beside its trades: liquidation, settlement and combos, a line each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rollup.cli.amounts import show_usd
from rollup.sequencer.catalogue import Catalogue
from rollup.stf.receipts import Combo, Deleveraged, Liquidated, Looked, Receipt, Settled, WrittenOff
from rollup.types.limits import MILLION
from rollup.types.transactions import Flag, Settle

WORDS: Final[Mapping[str, str]] = {
    "flag": "flag", "bid": "bid", "deleverage": "delever", "write_off": "write", "settle": "settle", "combo": "combo",
}  # fmt: skip
"""By name of the event: the word that begins its line."""
_HEALTH: Final = ("sound", "below maintenance margin", "insolvent")


@dataclass(frozen=True, slots=True)
class Told:
    """One event: its name, a sentence for people, and its fields. Money is µUSD, sizes µcoin, fractions ppm."""

    name: str
    text: str
    fields: dict[str, Any]

    @property
    def word(self) -> str:
        """What begins its line."""
        return WORDS[self.name]


def events_of(names: Catalogue, receipts: tuple[Receipt, ...]) -> Iterator[Told]:
    """What is worth a line among the receipts of a block, in their order."""
    for receipt in receipts:
        told = _event_of(names, receipt)
        if told is not None:
            yield told


def _event_of(names: Catalogue, receipt: Receipt) -> Told | None:
    match receipt.detail, receipt.subject:
        case Looked() as looked, Flag(account=account):
            return _flag(account, looked)
        case Liquidated() as sale, _:
            return _bid(sale)
        case Deleveraged() as closed, _:
            return _deleverage(names, closed)
        case WrittenOff() as gone, _:
            text = f"account {gone.account}: {show_usd(gone.cover)} USD from the fund, {show_usd(gone.bad_debt)} owed"
            return Told("write_off", text, {"account": gone.account, "cover": gone.cover, "bad_debt": gone.bad_debt})
        case Settled(funding=paid), Settle(account=account):
            received = -paid
            verb = "pays" if received < 0 else "is paid"
            text = f"account {account} {verb} {show_usd(abs(received))} USD for what has ended"
            return Told("settle", text, {"account": account, "received": received})
        case Combo() as combo, _:
            legs = f"{len(combo.legs)} leg{'s' * (len(combo.legs) != 1)}"
            text = f"account {combo.taker} takes the quote of {combo.maker}, {legs}"
            return Told("combo", text, {"taker": combo.taker, "maker": combo.maker, "legs": len(combo.legs)})
    return None


def _flag(account: int, looked: Looked) -> Told:
    equity, maintenance = show_usd(looked.equity), show_usd(looked.maintenance)
    text = f"account {account} is {_HEALTH[looked.status]}: worth {equity} USD, needs {maintenance}"
    return Told(
        "flag",
        text,
        {
            "account": account,
            "status": looked.status,
            "equity": looked.equity,
            "maintenance": looked.maintenance,
        },
    )


def _bid(sale: Liquidated) -> Told:
    fund = f", {show_usd(abs(sale.fund))} {'to' if sale.fund > 0 else 'from'} the fund" if sale.fund else ""
    share = f"{sale.fraction * 100 / MILLION:g} %"
    text = f"account {sale.liquidator} buys {share} of account {sale.account} for {show_usd(sale.paid)} USD{fund}"
    return Told(
        "bid",
        text,
        {
            "account": sale.account,
            "liquidator": sale.liquidator,
            "fraction": sale.fraction,
            "paid": sale.paid,
            "received": sale.received,
            "fund": sale.fund,
        },
    )


def _deleverage(names: Catalogue, closed: Deleveraged) -> Told:
    market, size = names.by_number(closed.market).name, closed.size / MILLION
    against = f"account {closed.account} against {closed.counterparty}"
    text = f"{market} {size:g} of {against} for {show_usd(closed.received)} USD"
    return Told(
        "deleverage",
        text,
        {
            "market": market,
            "account": closed.account,
            "counterparty": closed.counterparty,
            "size": closed.size,
            "received": closed.received,
            "cover": closed.cover,
        },
    )
