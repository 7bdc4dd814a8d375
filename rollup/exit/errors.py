"""Why somebody cannot leave, or not yet."""

from __future__ import annotations

from rollup.errors import ConfigError, L1Error, PlumblineError
from rollup.exit.amounts import show_time


class NotFrozen(PlumblineError):  # noqa: N818 - a state of affairs
    """The chain goes on: its accounts are not paid out by the vault, but withdraw."""


class AlreadyFrozen(PlumblineError):  # noqa: N818 - a state of affairs
    """The chain was frozen before; `rollup escape` is the way out."""


class NoMessageWaits(PlumblineError):  # noqa: N818 - a state of affairs
    """The chain has taken every message, so nobody was kept out of it and nothing can be frozen."""


class TooEarly(PlumblineError):  # noqa: N818 - a state of affairs
    """What is wanted is possible only after L1 time `after` (Unix seconds); now it is `now`."""

    def __init__(self, what: str, after: int, now: int) -> None:
        super().__init__(f"{what} is possible after {show_time(after)}, in {max(1, after + 1 - now):,} s of L1's time")
        self.after = after
        self.now = now


class NotInEndState(PlumblineError):  # noqa: N818 - a state of affairs
    """The end state holds no such account."""

    def __init__(self, account: int, batch: int) -> None:
        super().__init__(f"the end state, after batch {batch}, holds no account {account}")
        self.account = account
        self.batch = batch


class NothingToCollect(PlumblineError):  # noqa: N818 - a state of affairs
    """Neither an account nor a deposit is there to be paid out, now or later."""


class EndUnknown(PlumblineError):  # noqa: N818 - a state of affairs
    """What L1 calls the end state is not what its blocks lead to: nobody can say what accounts are worth in it."""


class NotConfirmed(ConfigError):  # noqa: N818 - what happened
    """Nothing was sent, because nobody agreed: neither `--yes` was given nor is there a terminal to ask at."""


class L1StandsStill(L1Error):  # noqa: N818 - a state of affairs
    """L1 makes no blocks, so the time that was waited for does not come."""

    def __init__(self, what: str, after: int, now: int, patience: float) -> None:
        super().__init__(
            f"waiting to {what} after {show_time(after)}, but L1 has stood at {show_time(now)} for {patience:g} s: "
            "its time passes only with its blocks",
            retryable=True,
        )
        self.after = after
        self.now = now
