"""The figures of a chain replay in words, for people: one table of all expiries, a few lines for everything else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rollup.replay import words
from rollup.replay.words import Figures, usd
from rollup.types.limits import MILLION

WIDTHS: Final = (11, 8, 9, 9, 7, 28, 16, 18, 14, 14)
HEADS: Final = (
    ("expiry", "options", "forward", "parity", "vol %", "mark error, coin", "delta", "gamma", "vega", "theta"),
    ("", "", "USD", "USD", "", "median  95 %  most", *["median  95 %"] * 4),
)


def tell(step: str, figures: Figures) -> str:
    """The lines of a step that is done; those that other replays have too are told as there."""
    own = _WORDS.get(step)
    return words.tell(step, figures) if own is None else own(figures)


def _listing(f: Figures) -> str:
    return (
        f"listing       {f['series']} expiries and {f['options']} options listed through L1 in {f['seconds']:.1f} s, "
        f"open after {f['delay']} s; recorded at {f['recorded']}\n"
        f"network       L1 {f['l1']}, Rollup 0x{f['rollup'].hex()}"
    )


def _surface(f: Figures) -> str:
    lines = [f"surface       {len(f['expiries'])} slices co-signed and on the rollup at {f['time']}"]
    lines += [_line(head) for head in HEADS]
    lines += [_row(row) for row in f["expiries"]]
    for row in f["expiries"]:
        lines += [f"  {row['expiry']}: {miss}" for miss in row["misses"]]
    lines.append(
        f"              worst expiry: median {f['worst_median']:.6f}, 95th percentile {f['worst_high']:.6f} coin; "
        f"{f['inside']} of {f['quoted']} marks between bid and ask"
    )
    return "\n".join(lines)


def _row(row: Mapping[str, Any]) -> str:
    marks, greeks = row["marks"], row["greeks"]
    cells = [row["expiry"], str(row["options"]), f"{row['forward']:.1f}"]
    cells += ["-" if row["parity"] is None else f"{row['parity']:.1f}", f"{100 * row['volatility']:.1f}"]
    cells.append(f"{marks['median']:.6f} {marks['high']:.6f} {marks['largest']:.6f}")
    for name, form in (("delta", ".4f"), ("gamma", ".1e"), ("vega", ".3f"), ("theta", ".2f")):
        cells.append(f"{greeks[name]['median']:{form}} {greeks[name]['high']:{form}}")
    return _line(cells)


def _line(cells: Sequence[str]) -> str:
    return "".join(f"{cell:>{width}}" for cell, width in zip(cells, WIDTHS, strict=True))


def _books(f: Figures) -> str:
    line = (
        f"books         {f['rested']:,} of {f['levels']:,} recorded levels rest in {f['markets']} books, signed by "
        f"{f['makers']} makers with {usd(f['deposited'])}; {f['takers']} takers; {f['seconds']:.1f} s"
    )
    return "\n".join([line, *_refusals(f)])


def _trading(f: Figures) -> str:
    line = (
        f"trading       {f['orders']:,} orders took {f['trades']:,} times in {f['markets']} markets, for "
        f"{usd(f['premium'])} of premium, in {f['blocks']:,} blocks; {f['seconds']:.1f} s\n"
        f"              a taker holds up to {f['positions']} options, {f['resting']:,} orders rest"
    )
    return "\n".join([line, *_refusals(f)])


def _refusals(f: Figures) -> list[str]:
    if not f["refusals"]:
        return []
    return ["              refused: " + ", ".join(f"{count:,} {why}" for why, count in f["refusals"].items())]


def _summary(f: Figures) -> str:
    return (
        f"summary       everything held: {f['options']} options, {f['levels']:,} orders, {f['trades']:,} trades, "
        f"{f['open_interest'] / MILLION:,.2f} coins open, {f['audited']:,} blocks audited; {f['seconds']:.1f} s in all"
    )


_WORDS: Final = {
    "listing": _listing,
    "surface": _surface,
    "books": _books,
    "trading": _trading,
    "summary": _summary,
}
