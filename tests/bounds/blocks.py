"""The block of each kind that costs most to prove, as far as the meters and the posting rules let it come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from rollup.types.limits import MAX_REVALUATIONS
from rollup.types.reasons import Reason
from tests.bounds.cash import cancels, failing_transfers, failing_withdrawals, many_slots, signers
from tests.bounds.crowd import (
    BOOK,
    Book,
)
from tests.bounds.fills import (
    failing_combos,
    failing_trades,
    failing_trades_and_garbage,
    mixed,
    standing_trades,
)
from tests.bounds.forced import FULL, LONELY, PAIRED, VALUED
from tests.bounds.sales import (
    bids,
    bids_and_combos,
    deleveragings,
    failing_deleveragings,
    failing_flags,
    flags,
    late_bids,
    settlements,
)
from tests.bounds.words import largest, longest_messages, prices, redraws, surfaces
from tests.differential.twins import Proof


@dataclass(frozen=True, slots=True)
class Kind:
    """`make` builds the block; `full` names the meters (fields of `Usage`) that it takes to their limits."""

    make: Callable[[], Proof]
    reason: Reason = Reason.NONE
    full: tuple[str, ...] = ()


KINDS: Final = {
    "trade of two full books": Kind(partial(standing_trades, Book.OPTIONS, 1)),
    "trades": Kind(partial(standing_trades, Book.OPTIONS), Reason.NONE, ("revaluations",)),
    "forced trades that fail last": Kind(
        partial(failing_trades, Book.OPTIONS), Reason.NONE, ("transactions", "slots", "revaluations")
    ),
    "forced trades of perpetuals that fail last": Kind(
        partial(failing_trades, Book.PERPS), Reason.NONE, ("transactions", "slots", "revaluations")
    ),
    "forced trades of options and perpetuals that fail last": Kind(
        partial(failing_trades, Book.MIXED), Reason.NONE, ("transactions", "slots", "revaluations")
    ),
    "forced trades that fail last, then garbage": Kind(
        failing_trades_and_garbage, Reason.METER_TRANSACTIONS, ("transactions", "slots", "revaluations")
    ),
    "forced combos that fail last": Kind(failing_combos, Reason.NONE, ("transactions", "slots", "revaluations")),
    "forced bids that fail last": Kind(
        partial(bids, MAX_REVALUATIONS // (3 * BOOK), Reason.MARGIN), Reason.NONE, ("revaluations",)
    ),
    "forced bids that fail with the last slice": Kind(
        partial(bids, VALUED, Reason.POSITION_LIMIT), Reason.NONE, ("revaluations",)
    ),
    "forced bids that fail last, combos, every option drawn": Kind(
        bids_and_combos, Reason.NONE, ("transactions", "slots")
    ),
    "bids": Kind(partial(bids, VALUED // 2, Reason.NONE), Reason.NONE, ("revaluations",)),
    "deleveragings": Kind(deleveragings, Reason.NONE, ("revaluations",)),
    "forced deleveragings that fail": Kind(failing_deleveragings, Reason.NONE, ("transactions",)),
    "flags": Kind(flags),
    "forced flags that fail": Kind(failing_flags, Reason.NONE, ("transactions",)),
    "settlements": Kind(settlements, Reason.NONE, ("transactions",)),
    "settlements of series that nobody ended": Kind(
        partial(settlements, Book.SILENT, LONELY), Reason.NONE, ("transactions",)
    ),
    "settlements of abandoned perpetuals": Kind(partial(settlements, Book.ABANDONED), Reason.NONE, ("transactions",)),
    "forced bids that fail once every series is closed": Kind(
        partial(late_bids, Book.SILENT, PAIRED, 20), Reason.NONE, ("transactions",)
    ),
    "forced bids that fail once abandoned perpetuals are paid out": Kind(
        partial(late_bids, Book.ABANDONED, FULL), Reason.NONE, ("transactions",)
    ),
    "forced withdrawals that fail once every series is closed": Kind(
        partial(failing_withdrawals, Book.SILENT, LONELY), Reason.NONE, ("transactions",)
    ),
    "forced withdrawals that fail": Kind(failing_withdrawals, Reason.NONE, ("transactions",)),
    "forced transfers that fail": Kind(failing_transfers, Reason.NONE, ("transactions", "accounts")),
    "mixed": Kind(mixed, Reason.NONE, ("system", "recoveries")),
    "cancels": Kind(cancels, Reason.NONE, ("transactions",)),
    "session signers": Kind(signers, Reason.NONE, ("transactions",)),
    "many slots of two accounts": Kind(many_slots, Reason.NONE, ("slots",)),
    "prices of eight feeders": Kind(prices, Reason.NONE, ("recoveries",)),
    "slices of eight feeders": Kind(surfaces, Reason.NONE, ("recoveries",)),
    "options drawn again": Kind(redraws),
    "most bytes": Kind(largest, Reason.METER_BYTES),
    "longest messages": Kind(longest_messages, Reason.NONE, ("bytes",)),
}
"""What stands in the snapshot, by name."""
