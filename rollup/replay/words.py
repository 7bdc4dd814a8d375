"""The figures of a replay's steps in words, for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rollup.types.limits import MILLION

Figures = Mapping[str, Any]

SHOWN: Final = 4
"""Markets listed one by one."""


def tell(step: str, figures: Figures) -> str:
    """One or two lines about a step that is done."""
    return _WORDS[step](figures)


def usd(micro: int) -> str:
    """µUSD as dollars and cents (rounded, for reading only)."""
    return f"{micro / MILLION:,.2f} USD"


def _network(f: Figures) -> str:
    first, last, low = (f[name] / MILLION for name in ("first_price", "last_price", "lowest_price"))
    return (
        f"replay        {f['candles']:,} candles from {f['from']} to {f['to']}, seed {f['seed']}\n"
        f"              price {first:,.0f} to {last:,.0f} USD ({last / first - 1:+.1%}), lowest {low:,.0f}\n"
        f"network       L1 {f['l1']}, Rollup 0x{f['rollup'].hex()}"
    )


def _accounts(f: Figures) -> str:
    return f"accounts      {f['accounts']:,} opened through L1 with {usd(f['deposited'])} in {f['seconds']:.1f} s"


def _trading(f: Figures) -> str:
    errands = ("deposits", "withdrawals", "forced_withdrawals", "transfers", "soft_cancels", "hard_cancels")
    refusals = sorted(f["refusals"].items(), key=lambda item: -item[1])
    counts = f"{f['orders']:,} orders, {f['trades']:,} trades"
    done = ", ".join(f"{f[name]:,} {name.replace('_', ' ')}" for name in errands)
    lines = [
        f"trading       {counts} worth {usd(f['volume'])} in {f['seconds']:.1f} s",
        f"              {f['orders_per_second']:,.0f} orders/s, {f['trades_per_second']:,.0f} trades/s",
        f"              {f['oracle_updates']:,} prices ({f['oracle_clipped']} limited), {done}",
    ]
    if refusals:
        lines.append("              refused: " + ", ".join(f"{count:,} {why}" for why, count in refusals))
    health = f["worst_health"]
    if health is not None:
        lines.append(
            f"              at worst {health['short']} accounts were below maintenance margin, "
            f"{health['broke']} below zero, the poorest at {usd(health['worst_equity'])}"
        )
    return "\n".join(lines)


def _posting(f: Figures) -> str:
    return (
        f"posting       {f['blocks']:,} blocks in {f['batches']:,} batches, {f['calldata_bytes']:,} bytes of calldata "
        f"({f['calldata_bytes_per_trade']:.0f} a trade), {f['l1_gas_per_trade']:,.0f} L1 gas a trade; "
        f"final up to batch {f['final_batch']}"
    )


def _invariants(f: Figures) -> str:
    return (
        f"invariants    {usd(f['deposits'])} deposited - {usd(f['withdrawals'])} withdrawn = "
        f"{usd(f['cash'])} cash + {usd(f['fees'])} fees + {usd(f['insurance'])} insurance + "
        f"{usd(f['pools'])} funding under way - {usd(f['bad_debt'])} bad debt, to the unit\n"
        f"              long equals short in every market; {_interest(f['open_interest'])}"
    )


def _interest(sizes: Mapping[int, int]) -> str:
    """Market by market, or all together where there are many."""
    held = {market: size for market, size in sizes.items() if size}
    if len(held) > SHOWN:
        return f"open interest {sum(held.values()) / MILLION:,.3f} coins in {len(held)} of {len(sizes)} markets"
    return "open interest " + ", ".join(f"{size / MILLION:,.3f} in market {market}" for market, size in held.items())


def _audit(f: Figures) -> str:
    return (
        f"audit         a challenger agrees: of {f['blocks']:,} blocks it executed {f['audited']:,} "
        f"({f['share_ppm'] / 10_000:g} % asked for, {f['skipped']:,} left out) with the verifier's bytecode in py-evm, "
        f"in {f['seconds']:.1f} s"
    )


def _verification(f: Figures) -> str:
    return (
        f"verification  L1 alone gives the same state root 0x{f['state_root'].hex()}: {f['blocks']:,} blocks, "
        f"{f['transactions']:,} transactions, {f['messages']:,} messages in {f['seconds']:.1f} s"
    )


def _summary(f: Figures) -> str:
    return f"summary       everything held; {f['seconds']:.1f} s in all"


_WORDS = {
    "network": _network,
    "accounts": _accounts,
    "trading": _trading,
    "posting": _posting,
    "invariants": _invariants,
    "audit": _audit,
    "verification": _verification,
    "summary": _summary,
}
