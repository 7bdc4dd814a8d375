"""Steps of the way out: what is to be sent now, what will be due later, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rollup.exit.situation import Situation


class Kind(StrEnum):
    """What a step does on L1."""

    FORCE = "force"  # send a transaction through L1, which the chain must take in time
    FREEZE = "freeze"  # end the chain: nobody took a message for too long
    FINALISE = "finalise"  # make batches final whose dispute window is over
    CLAIM = "claim"  # be paid what was withdrawn
    REFUND = "refund"  # be paid back a deposit that the chain never took in
    REGISTER = "register"  # show what an account is worth in the end state
    COLLECT = "collect"  # be paid a registered account's share


GAS: Final = {
    Kind.FORCE: 110_000,
    Kind.FREEZE: 75_000,
    Kind.FINALISE: 65_000,
    Kind.CLAIM: 160_000,
    Kind.REFUND: 105_000,
    Kind.REGISTER: 180_000,
    Kind.COLLECT: 95_000,
}
"""About what a step takes that cannot be tried yet; measured figures are in `tests/snapshots/escape_gas.json`."""
GAS_PER_POSITION: Final = 26_000
"""What a position adds to a registration."""

NOUNS: Final = {Kind.FINALISE: "batch", Kind.FREEZE: "message", Kind.REFUND: "message"}
"""What a step is about, if not an account."""

Key = tuple[Kind, int]


def noun_of(kind: Kind) -> str:
    """What steps of this kind are about."""
    return NOUNS.get(kind, "account")


@dataclass(frozen=True, slots=True)
class Step:
    """A transaction that can be sent now: `call` to the contract `to`.

    `subject` is the batch of a finalisation, the message of a freeze or a refund, else the account. The money, `amount`
    µUSD if that is known, goes to `owner`, whoever sends. `value` wei are sent along, of which `fee` are spent.
    """

    kind: Kind
    subject: int
    to: bytes
    call: bytes
    why: str
    owner: bytes | None = None
    amount: int | None = None
    value: int = 0
    fee: int = 0

    @property
    def title(self) -> str:
        """The step in short."""
        return f"{self.kind} {noun_of(self.kind)} {self.subject}"

    @property
    def key(self) -> Key:
        """What tells steps apart."""
        return self.kind, self.subject


@dataclass(frozen=True, slots=True)
class Later:
    """A step that will be due after the L1 time `after` (s), None if nobody can say when. It will take about `gas`."""

    kind: Kind
    subject: int
    after: int | None
    gas: int
    why: str
    owner: bytes | None = None
    amount: int | None = None

    @property
    def title(self) -> str:
        """The step in short."""
        return f"{self.kind} {noun_of(self.kind)} {self.subject}"


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is left to do, in its order; `notes` say what nothing can be done about.

    `found` counts accounts and deposits of whoever leaves, those that were paid already included. A plan that is
    `restless` may change with every block of L1, because others act too.
    """

    situation: Situation
    now: tuple[Step, ...] = ()
    later: tuple[Later, ...] = ()
    notes: tuple[str, ...] = ()
    found: int = 0
    restless: bool = False

    @property
    def next_due(self) -> int | None:
        """The L1 time after which the next step can be sent; None if nobody can say."""
        return min((step.after for step in self.later if step.after is not None), default=None)
