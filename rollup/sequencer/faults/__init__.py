"""DISHONEST ON PURPOSE. What a fraudulent sequencer would do, so that challengers can be seen to stop it.

Nothing here runs unless an operator asks for `--fault KIND`. Each kind makes one wrong block, the first from `fault_at`
on that allows it, posts nothing before that (so that one batch holds the fraud and what led to it), and behaves
honestly otherwise. A block of each kind is wrong in one thing only.

`edits`, a block that was sealed honestly is changed:

    wrong-root       the insurance fund grows by a dollar in the claimed state
    stolen-cash      an account of the block has a thousand dollars more
    wrong-funding    an underlying's funding index is off
    ignored-inbox    inbox messages are consumed and not executed
    forged-signature a transaction is signed by somebody else
    overfill         a trade fills more than its orders allow
    replayed-order   a trade stands in the block twice
    undecodable      a byte that is no transaction ends the block
    wrong-combo-leg  a leg of a combo is filled at another price than both sides signed

`rules`, one rule is another until it has made a block wrong (somebody has to send what it makes a difference to):

    skipped-margin   orders are filled that their accounts cannot bear
    over-meter       a block holds more than 32 transactions
    wrong-mark       options are margined at a quarter of their price
    wrong-payoff     expired markets pay a hundred dollars a coin too much
    wrong-settlement a series settles at its last forward, not at its average
    unjust-liquidation  an account that is sound is sold to whoever bids, all its equity for a discount
    missed-flag      an account that a trade leaves below its maintenance margin is not flagged
    skipped-band     trades happen at any distance from the mark
    wrong-deleveraging-price  who is deleveraged gets a hundred dollars more than the rules give
"""

from __future__ import annotations

from typing import Final

from rollup.crypto.signatures import Recover
from rollup.errors import ConfigError
from rollup.sequencer.faults.edits import EDITS
from rollup.sequencer.faults.ledger import DishonestLedger
from rollup.sequencer.faults.rules import RULES
from rollup.sequencer.ledger import Ledger
from rollup.sequencer.options import Clock, SequencerOptions
from rollup.store.state import StateStore

__all__ = ["FAULTS", "DishonestLedger", "make_ledger"]

FAULTS: Final = (
    "wrong-root", "stolen-cash", "wrong-funding", "ignored-inbox", "forged-signature", "overfill", "replayed-order",
    "undecodable", "skipped-margin", "over-meter", "wrong-mark", "wrong-payoff", "wrong-settlement",
    "unjust-liquidation", "missed-flag", "skipped-band", "wrong-combo-leg", "wrong-deleveraging-price",
)  # fmt: skip
"""Every kind of dishonesty on offer."""


def make_ledger(
    options: SequencerOptions, store: StateStore, fork: int, separator: bytes, recover: Recover, clock: Clock
) -> Ledger:
    """The ledger that the options ask for: an honest one, unless a fault is named. `ConfigError` for unknown faults."""
    if options.fault is None:
        return Ledger(store, fork, separator, recover, clock)
    if options.fault not in FAULTS:
        raise ConfigError(f"no fault {options.fault!r}; there are {', '.join(FAULTS)}")
    ledger = DishonestLedger(store, fork, separator, recover, clock)
    ledger.fault = EDITS.get(options.fault) or RULES[options.fault]
    ledger.fault_at = options.fault_at
    return ledger
