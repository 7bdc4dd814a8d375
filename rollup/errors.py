"""Every error Plumbline raises on purpose.

    PlumblineError
    ├── Rejected            the caller's fault; carries a stable JSON-RPC code
    ├── InvalidBlock        a block breaks a rule of the state transition (the poster's fault)
    ├── InvalidBatch        posted bytes are not a batch (the poster's fault)
    ├── StoreError          the local database is missing, torn or belongs to another chain
    ├── ConfigError         configuration that cannot be used
    └── L1Error             the L1 node failed or lied; `retryable` says whether trying again can help

A bug of our own raises `AssertionError` and stops the process.
"""

from __future__ import annotations

from typing import Any, ClassVar


class PlumblineError(Exception):
    """Root of all deliberate errors."""


class Rejected(PlumblineError):
    """A request that cannot be honoured, by the fault of its caller.

    `code` is the stable JSON-RPC error code of the class, `data` its typed fields.
    """

    code: ClassVar[int] = -32000

    def __init__(self, message: str, **data: Any) -> None:
        super().__init__(message)
        self.message = message
        self.data = data


class InvalidBlock(PlumblineError):  # noqa: N818 - a verdict, named as the protocol names it
    """A block that breaks a rule; `reason` is the code both twins report, `index` the transaction at fault."""

    def __init__(self, reason: int, index: int, detail: str = "") -> None:
        super().__init__(f"reason {reason} at transaction {index}{': ' + detail if detail else ''}")
        self.reason = reason
        self.index = index


class InvalidBatch(PlumblineError):  # noqa: N818 - a verdict, named as the protocol names it
    """Posted bytes that cannot be a batch."""


class StoreError(PlumblineError):
    """The local database cannot be used as it is."""


class ConfigError(PlumblineError):
    """Configuration that cannot be used; the message names the key and the source."""


class L1Error(PlumblineError):
    """The L1 node failed, timed out or answered nonsense."""

    def __init__(self, message: str, *, retryable: bool, data: Any = None) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.data = data
