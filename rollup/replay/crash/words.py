"""The figures of a leveraged replay in words, for people."""

from __future__ import annotations

from typing import Final

from rollup.replay import words
from rollup.replay.words import Figures, usd


def tell(step: str, figures: Figures) -> str:
    """The lines of a step that is done; those that other replays have too are told as there."""
    own = _WORDS.get(step)
    return words.tell(step, figures) if own is None else own(figures)


def _network(f: Figures) -> str:
    terms = (
        f"venue         margin shocks of {f['spot_step_ppm'] / 10_000:g} %, auctions of {f['auction_seconds']} s, "
        f"{f['options']} options beside the perpetual"
    )
    return words.tell("network", f) + "\n" + terms


def _liquidation(f: Figures) -> str:
    late = {lag: count for lag, count in f["lags"].items() if lag != "0"}
    waited = ", ".join(f"{count:,} waited {lag} for room" for lag, count in late.items())
    return (
        f"liquidation   {f['accounts_flagged']:,} accounts were flagged {f['raised']:,} times, "
        f"{f['lags'].get('0', 0):,} in the very block in which equity first fell below maintenance"
        f"{', ' * bool(late)}{waited}; {f['cleared']:,} cleared\n"
        f"              checked by {f['margins']:,} exact margins in {f['blocks']:,} blocks\n"
        f"              {f['bids']:,} bids took {usd(f['sold_value'])} of {f['accounts_sold']:,} accounts for "
        f"{usd(f['discount'])} less; {usd(f['dues'])} of dues into the insurance fund\n"
        f"              fund: insurance and fees at most {usd(f['fund_peak'])}, {usd(f['fund_end'])} in the end, empty "
        f"after {f['fund_emptied']:,} blocks, never negative; it covered {usd(f['covered'])}\n"
        f"              {f['deleveragings']:,} deleveragings of {f['accounts_deleveraged']:,} accounts against "
        f"{f['counterparties']:,} others, {usd(f['deleveraged_value'])} at marks or bankruptcy prices\n"
        f"              {f['write_offs']:,} debts cleared, {usd(f['written_off'])} written off, bad debt in the end "
        f"{usd(f['bad_debt'])}; at most {f['insolvent_peak']:,} insolvent at once, the worst at "
        f"{usd(f['worst_equity'])}"
    )


def _summary(f: Figures) -> str:
    return (
        f"summary       everything held: {f['trades']:,} trades, {f['flags']:,} flags, {f['bids']:,} bids, "
        f"{f['deleveragings']:,} deleveragings; {f['seconds']:.1f} s in all"
    )


_WORDS: Final = {"network": _network, "liquidation": _liquidation, "summary": _summary}
