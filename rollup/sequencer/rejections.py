"""What the sequencer refuses, each with a stable code that a client can act on.

11000 + r refuses what the state transition would refuse with reason r (SPEC section 8); 11100 to 11199 are rules of the
exchange itself: names, order book, load.
"""

from __future__ import annotations

from rollup.errors import Rejected
from rollup.types.reasons import Reason

STATE_CODES = 11_000
"""Code of reason r is STATE_CODES + r."""


class Busy(Rejected):
    """A queue is full; nothing was taken in, and the same request may be sent again."""

    code = 11_100


class StoppedServing(Rejected):
    """The sequencer shuts down, cannot write or post, or follows L1 back; ask for the state before sending again."""

    code = 11_101


class UnknownInstrument(Rejected):
    """No market has this name."""

    code = 11_102


class UnknownOrder(Rejected):
    """No open order has this id, or it belongs to another account."""

    code = 11_103


class BadAmount(Rejected):
    """A number is malformed, out of range, or given twice."""

    code = 11_104


class BadSignature(Rejected):
    """A signature or address is not hexadecimal of the right length."""

    code = 11_106


class ExpiryTooFar(Rejected):
    """The order would live longer than this exchange is willing to keep it."""

    code = 11_107


class SlotInUse(Rejected):
    """Another open order of the account has a nonce that falls into the same slot."""

    code = 11_109


class TooManyOrders(Rejected):
    """The account has as many open orders as it may have."""

    code = 11_110


class UnknownBlock(Rejected):
    """No such block, batch or transaction is stored."""

    code = 11_111


class BadCombination(Rejected):
    """Fields of a request contradict each other."""

    code = 11_112


class Dropped(Rejected):
    """What was pending when a reversion on L1 undid its block, and is not valid after it."""

    code = 11_113


class UnknownRfq(Rejected):
    """No request for quotes has this id, or it has ended."""

    code = 11_114


class UnknownQuote(Rejected):
    """No open quote has this id, or it is another's."""

    code = 11_115


class TooManyRequests(Rejected):
    """The account, or everybody together, has as many requests for quotes open as there may be."""

    code = 11_116


class Refused(Rejected):
    """The state transition would not accept it; each reason has a class and code of its own below this one."""

    code = STATE_CODES


def _refusal_class(reason: Reason) -> type[Refused]:
    name = "Refused" + "".join(part.capitalize() for part in reason.name.split("_"))
    text = f"The state transition refuses with {reason.name}."
    return type(name, (Refused,), {"code": STATE_CODES + reason, "__doc__": text, "__module__": __name__})


REFUSALS: dict[Reason, type[Refused]] = {reason: _refusal_class(reason) for reason in Reason if reason}
"""The class of each reason."""


def refusal(reason: int, **data: object) -> Refused:
    """The error to answer with for a reason of the state transition."""
    known = Reason(reason)
    return REFUSALS[known](f"refused: {known.name}", reason=known.name, **data)
