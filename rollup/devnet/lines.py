"""What the devnet's processes report, as one line for people each; and what is worth a line at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from rollup.cli.amounts import show_usd
from rollup.cli.events import WORDS
from rollup.cli.listings import show_time
from rollup.devnet.processes import Event
from rollup.types.limits import MILLION

Fields = Mapping[str, Any]


def _trade(event: Fields) -> str:
    size, price = event["size"] / MILLION, event["price"] / MILLION
    return f"{event['market']}  {size:g} at {price:,.2f}  taker {event['taker']}, maker {event['maker']}"


def _block(event: Fields) -> str:
    return f"{event['number']} sealed with {event['transactions']} transactions"


def _batch(event: Fields) -> str:
    return f"{event['batch']} on L1, up to block {event['block']}"


def _account(event: Fields) -> str:
    return f"{event['account']} opened on L1 with {show_usd(event['amount'])} USD"


def _withdrawal(event: Fields) -> str:
    return f"account {event['account']} withdraws {show_usd(event['amount'])} USD in block {event['block']}"


def _claim(event: Fields) -> str:
    return f"account {event['account']} was paid {show_usd(event['amount'])} USD on L1, {event['gas']:,} gas"


def _verified(event: Fields) -> str:
    return f"batch {event['batch']}, blocks {event['first']} to {event['last']}: replayed, all right"


def _found(event: Fields) -> str:
    return f"FRAUD in batch {event['batch']}, block {event['block']}: {event['reason']}"


def _reverted(event: Fields) -> str:
    return f"batch {event['batch']} reverted in one L1 transaction of {event['gas']:,} gas"


def _reward(event: Fields) -> str:
    return f"{event['wei'] / 10**18:g} ether for a proven fraud"


def _listing(event: Fields) -> str:
    return f"{event['coin']} {event['what']}, opens {show_time(event['opens'])}, expires {show_time(event['expiry'])}"


def _surface(event: Fields) -> str:
    forward, volatility = event["forward"] / MILLION, event["volatility"]
    return f"{event['coin']} series {event['series']}: forward {forward:,.2f}, volatility {volatility:.1%}"


def _settlement(event: Fields) -> str:
    price = event["price"] / MILLION
    return f"{event['coin']} series {event['series']} of {show_time(event['expiry'])} settles at {price:,.2f}"


LINES: Final[Mapping[str, tuple[str, Callable[[Fields], str]]]] = {
    "trade": ("trade", _trade),
    "block": ("block", _block),
    "batch": ("batch", _batch),
    "final": ("final", lambda event: f"batches up to {event['batch']}"),
    "listing": ("listing", _listing),
    "surface": ("surface", _surface),
    "settlement": ("settled", _settlement),
    "account": ("account", _account),
    "withdrawal": ("withdraw", _withdrawal),
    "claim": ("claim", _claim),
    "batch_verified": ("verdict", _verified),
    "fraud_found": ("verdict", _found),
    "fraud_reverted": ("verdict", _reverted),
    "fraud_gone": ("verdict", lambda event: f"batch {event['batch']} is gone, reverted by somebody else"),
    "reward_claimed": ("reward", _reward),
    **{name: (word, lambda event: str(event["text"])) for name, word in WORDS.items()},
}
"""By name of the event: the word that begins its line, and the rest of it."""


class Narrator:
    """Turns the reports of all processes into the devnet's events, in the order in which they arrive."""

    def __init__(self) -> None:
        self._batch = 0
        self._final = 0

    def events(self, report: Event) -> Iterator[Event]:
        """The events of one report: progress of L1 becomes a batch, a final batch, both or neither."""
        name = report.get("event")
        if name == "l1":
            if report["batch"] > self._batch:
                yield {"event": "batch", "batch": report["batch"], "block": report["block"], "fork": report["fork"]}
            if report["finalised"] > self._final:
                yield {"event": "final", "batch": report["finalised"]}
            self._batch, self._final = report["batch"], report["finalised"]
        elif name in LINES:
            yield report


def line_of(event: Event) -> str:
    """An event for people."""
    word, describe = LINES[event["event"]]
    return f"{word:<9} {describe(event)}"
