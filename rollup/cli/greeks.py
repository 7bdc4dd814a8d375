"""`rollup greeks`: volatilities and Greeks of markets, or of an account's positions."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from rollup.cli.options import DEFAULT, Common
from rollup.cli.output import Output
from rollup.cli.session import Rpc, open_session
from rollup.errors import ConfigError

GREEKS = ("delta", "gamma", "vega", "theta")
DIGITS = 6


async def greeks(
    instrument: Annotated[str | None, Parameter(help="for example BTC-20261225-60000-C; default: all")] = None,
    *,
    currency: Annotated[str | None, Parameter(help="only the markets of this coin")] = None,
    account: Annotated[int | None, Parameter(help="of this account's positions instead")] = None,
    rpc: Rpc = None,
    common: Common = DEFAULT,
) -> None:
    """Delta in coins, gamma in coins per USD, vega in USD per point of volatility, theta in USD per day."""
    if sum(each is not None for each in (instrument, currency, account)) > 1:
        raise ConfigError("greeks are of an INSTRUMENT, of a --currency or of an --account: give one of them")
    async with open_session(common, rpc=rpc) as session:
        if account is not None:
            _show_account(common.output(), await session.call("private/get_greeks", {"subaccount_id": account}))
            return
        params = {"instrument_name": instrument, "currency": currency}
        found = await session.call("public/get_greeks", {k: v for k, v in params.items() if v is not None})
    if currency is not None and not found["greeks"]:
        raise ConfigError(f"--currency: no market of {currency[:60]!r} is open (`rollup list` shows all)")
    output = common.output()
    if output.json:
        output.result(found)
        return
    columns = ("instrument_name", "mark_price", "iv", *GREEKS)
    output.table(columns, [[_short(row[name]) for name in columns] for row in found["greeks"]])


def _show_account(output: Output, found: dict[str, Any]) -> None:
    if output.json:
        output.result(found)
        return
    columns = ("instrument_name", "amount", *GREEKS)
    output.table(columns, [[_short(row[name]) for name in columns] for row in found["positions"]], title="positions")
    totals = ("currency", *GREEKS)
    output.table(totals, [[_short(row[name]) for name in totals] for row in found["greeks"]], title="\nin all")


def _short(value: str | None) -> str:
    """Six significant digits are enough for people; what is not known is a dash."""
    if value is None:
        return "-"
    try:
        return f"{float(value):.{DIGITS}g}"
    except ValueError:
        return value
