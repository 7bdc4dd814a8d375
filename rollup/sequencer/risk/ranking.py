"""Whom a deleveraging takes from first: the counterparty policy, which is the sequencer's own and no consensus rule.

A position that the auction could not sell is closed against holders of the opposite side, in this order:

1. those with an unrealised profit, the largest profit x leverage first;
2. those without one, the smallest loss ÷ leverage … that is, again the largest (negative) profit ÷ leverage first.

Profit is size x (mark - average price) of the very position, leverage is the gross value of all the account holds over
its equity. Who made most of the move with the least of his own money gives first, and nobody twice for one position.
Where an average price is not known the profit counts as none. Equal ones go by account number. What is at stake is the
position itself: at the mark nobody loses by being met. Only a position of an account that owes costs him more. Of those
in this order whoever could not give without falling below his initial margin is passed over while the account can still
pay (`closing`).
"""

from __future__ import annotations

from collections.abc import Iterable

from rollup.sequencer.risk.costs import Costs
from rollup.sequencer.risk.register import Candidate


def ranked(candidates: Iterable[Candidate], market: int, mark: int, costs: Costs, *, but: int) -> list[int]:
    """Accounts in the order in which they are to be met; `mark` in µUSD per coin, `but` the account that is closed."""
    scores = [
        (-score(candidate, market, mark, costs), candidate.account)
        for candidate in candidates
        if candidate.account != but
    ]
    return [account for _, account in sorted(scores)]


def score(candidate: Candidate, market: int, mark: int, costs: Costs) -> float:
    """Profit x leverage, or loss ÷ leverage. An account without equity has no money of its own: it comes first."""
    average = costs.average(candidate.account, market, candidate.size)
    profit = 0.0 if average is None else float(candidate.size) * (mark - average)
    leverage = candidate.gross / candidate.equity if candidate.equity > 0 else float("inf")
    if profit > 0:
        return profit * leverage
    return profit / leverage if leverage > 0 else profit
