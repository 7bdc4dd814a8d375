"""Floats as decimal text: what is shown of Greeks and volatilities. Nothing that is signed or settled is a float."""

from __future__ import annotations

from typing import Any, Final

from rollup.sequencer.sensitivities import Greeks

_DECIMALS: Final = 12


def show_float(value: float | None) -> str | None:
    """The shortest plain decimal text of at most twelve decimals; None for what is not known."""
    if value is None:
        return None
    text = f"{value:.{_DECIMALS}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def show_greeks(greeks: Greeks) -> dict[str, Any]:
    """Delta (coins), gamma (coins per USD), vega (USD per point), theta (USD per day)."""
    return {
        "delta": show_float(greeks.delta),
        "gamma": show_float(greeks.gamma),
        "vega": show_float(greeks.vega),
        "theta": show_float(greeks.theta),
    }
