"""In plain words: what L1 says of the chain, and which ways out that leaves."""

from __future__ import annotations

from enum import StrEnum

from rollup.exit.amounts import show_usd
from rollup.exit.situation import End, Situation


class Phase(StrEnum):
    """How far gone a chain is."""

    ALIVE = "alive"  # somebody posts batches, and no message waits too long
    SILENT = "silent"  # nobody has posted for so long that anyone may
    OVERDUE = "overdue"  # a message waits past its deadline
    FREEZABLE = "freezable"  # it waits so long that anyone may end the chain
    FROZEN = "frozen"  # ended; what is pending can still be proven wrong
    OPEN = "open"  # the end state stands, accounts register
    CLOSED = "closed"  # shares are paid


def phase_of(situation: Situation) -> Phase:
    """The phase that L1 shows."""
    if situation.frozen:
        if situation.end is None:
            return Phase.FROZEN
        return Phase.OPEN if situation.now <= situation.end.deadline else Phase.CLOSED
    if situation.freezable:
        return Phase.FREEZABLE
    if situation.overdue:
        return Phase.OVERDUE
    return Phase.SILENT if situation.silent else Phase.ALIVE


def tell_ways(situation: Situation) -> list[str]:
    """What is possible now, a sentence or two each, the best way first."""
    match phase_of(situation):
        case Phase.ALIVE:
            return [_posted(situation), *_alive(situation)]
        case Phase.SILENT:
            return [_posted(situation), _takeover(situation), *_alive(situation)[1:]]
        case Phase.OVERDUE:
            return [_posted(situation), _waiting(situation), _takeover(situation), _freeze(situation)]
        case Phase.FREEZABLE:
            return [_posted(situation), _waiting(situation), _freeze(situation)]
        case Phase.FROZEN:
            return [_frozen(situation)]
        case _:
            assert situation.end is not None, "the end state stands in these phases"
            return _ended(situation, situation.end)


def show_span(seconds: int) -> str:
    """Seconds in the two largest units."""
    parts = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, seconds = divmod(max(0, seconds), size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def _posted(situation: Situation) -> str:
    ago = show_span(situation.now - situation.posted_at)
    last = f"batch {situation.batch} was posted {ago} ago, batch {situation.final} is final."
    return f"The chain stands still: its last {last}" if situation.silent else f"The chain goes on: {last}"


def _alive(situation: Situation) -> list[str]:
    terms = situation.terms
    deadline = show_span(terms.force_deadline)
    ways = [
        "While the sequencer serves you, `rollup withdraw` and then `rollup claim` are the ordinary and cheapest way.",
        f"If it does not, `rollup force-withdraw` goes through L1: the chain must take it within {deadline}.",
        f"Anyone may end a chain that has left it waiting for {show_span(terms.force_deadline + terms.freeze_grace)}.",
    ]
    if situation.waiting is not None:
        ways.append(_waiting(situation))
    return ways


def _takeover(situation: Situation) -> str:
    stake = situation.terms.min_stake / 10**18
    if situation.open_to_all:
        return f"Whoever stakes {stake:g} ETH may go on in the sequencer's place: `rollup sequencer --takeover`."
    left = show_span(situation.proposer.exclusive_until + 1 - situation.now)
    return f"In {left} whoever stakes {stake:g} ETH may go on in the sequencer's place: `rollup sequencer --takeover`."


def _waiting(situation: Situation) -> str:
    waiting = situation.waiting
    assert waiting is not None, "a message waits"
    since = show_span(situation.now - waiting.time)
    if situation.overdue:
        return f"Message {waiting.index} has waited for {since}, too long: no batch can leave it behind any more."
    left = show_span(waiting.due - situation.now)
    return f"Message {waiting.index} has waited for {since}; it must be taken within {left}."


def _freeze(situation: Situation) -> str:
    assert situation.freeze_after is not None, "a message waits"
    then = "then `rollup escape` gets everybody's money out."
    if situation.freezable:
        return f"Anyone may end the chain now, with `rollup freeze`; {then}"
    left = show_span(situation.freeze_after + 1 - situation.now)
    return f"In {left} anyone may end the chain, with `rollup freeze`, unless it goes on; {then}"


def _frozen(situation: Situation) -> str:
    pending = situation.pending
    assert pending is not None, "else the end state stands"
    left = pending.last_due + 1 - situation.now
    until = f"for {show_span(left)} more" if left > 0 else "until somebody makes them final, which anyone may do now"
    one = pending.first == pending.last
    batches = f"Batch {pending.last}" if one else f"Batches {pending.first} to {pending.last}"
    return (
        f"The chain has ended. {batches} can be proven wrong {until}; the state after "
        "the last final one is what everybody is paid by: `rollup escape`."
    )


def _ended(situation: Situation, end: End) -> list[str]:
    first = f"The chain has ended; everybody is paid by the state after batch {end.batch}: `rollup escape`."
    claims = "What was withdrawn before, and deposits that came too late, are paid in full at any time."
    registered = f"{show_usd(end.registered)} USD are registered"
    left = end.deadline + 1 - situation.now
    if left > 0:
        return [first, claims, f"Register within {show_span(left)} to share the pot; {registered} so far."]
    late = "; who comes late gets of what is left" if not end.pot_fixed or end.spare else ""
    return [first, claims, f"Registration is over, shares are paid: {registered}{late}."]
