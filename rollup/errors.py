"""Every error Plumbline raises on purpose.

    PlumblineError
    ├── Rejected            the caller's fault; carries a stable JSON-RPC code
    ├── InvalidBlock        a block breaks a rule of the state transition (the poster's fault)
    ├── InvalidTransaction  the state transition refuses a transaction; nothing changed
    ├── BlockFull           a transaction that would exceed a meter of its block; it may fit the next one
    ├── InvalidBatch        posted bytes are not a batch (the poster's fault)
    ├── Undecodable         bytes that are no canonical encoding
    ├── Unencodable         a value that does not fit its field
    ├── BrokenInvariant     a whole state that breaks a promise of the protocol
    ├── SignatureFault      a signature that shows nothing
    │   ├── SignatureMalformed  not in the one accepted form (s above n/2)
    │   └── SignatureInvalid    nothing recovers from it, or the wrong address
    ├── WitnessFault        a witness that is not the one canonical encoding of its content
    ├── ProofFault          the verifier refused a proof, which says nothing about the block
    ├── StoreError          the local database is missing, torn or belongs to another chain
    ├── ExportRefused       a watcher's export that is no export, or says what L1 does not
    ├── ConfigError         configuration that cannot be used
    ├── NoSurface           quotes that no volatility slice can be fitted to
    └── L1Error             the L1 node failed or lied; `retryable` says whether trying again can help
        ├── L1Refused           the node answered with a JSON-RPC error
        ├── L1Pruned            the node does not show any more what L1 holds
        ├── L1Reverted          a contract reverted, with its decoded custom error
        └── L1LimitExceeded     L1 would never accept this; refused before it is sent

A bug of our own raises `AssertionError` and stops the process.
"""

from __future__ import annotations

from typing import Any, ClassVar


class PlumblineError(Exception):
    """Root of all deliberate errors."""


class Rejected(PlumblineError):  # noqa: N818 - a verdict, named as the protocol names it
    """A request that cannot be honoured, by the fault of its caller.

    `code` is the stable JSON-RPC error code of the class, `data` its typed fields.
    """

    code: ClassVar[int] = -32000

    def __init__(self, message: str, **data: Any) -> None:
        super().__init__(message)
        self.message = message
        self.data = data


class ParseError(Rejected):
    """A message is not JSON."""

    code = -32700


class InvalidRequest(Rejected):
    """A message is JSON and not a request, or the transport cannot carry what it asks."""

    code = -32600


class MethodNotFound(Rejected):
    """No method has that name."""

    code = -32601


class InvalidParams(Rejected):
    """Parameters do not have the method's type; `field` is the path of the one at fault."""

    code = -32602


class UnknownChannel(Rejected):
    """No channel of that name can be subscribed to."""

    code = 13000


class OrderExpired(Rejected):
    """The last second of the order has passed."""

    code = 11201


class PostOnlyWouldCross(Rejected):
    """A post-only order would trade on arrival."""

    code = 11202


class FillOrKillUnfilled(Rejected):
    """A fill-or-kill order cannot be filled at once and in full."""

    code = 11203


class NonceInUse(Rejected):
    """An order of the same account and nonce is open."""

    code = 11204


class InvalidBlock(PlumblineError):  # noqa: N818 - a verdict, named as the protocol names it
    """A block that breaks a rule; `reason` is the code both twins report, `index` the transaction at fault."""

    def __init__(self, reason: int, index: int, detail: str = "") -> None:
        super().__init__(f"reason {reason} at transaction {index}{': ' + detail if detail else ''}")
        self.reason = reason
        self.index = index


class InvalidTransaction(PlumblineError):  # noqa: N818 - a verdict, named as the protocol names it
    """The state transition refuses a transaction; `reason` is the code both twins report."""

    def __init__(self, reason: int) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"reason {self.reason!s}"


class BlockFull(PlumblineError):  # noqa: N818 - a verdict, not a fault
    """A transaction would exceed a meter of its block; `reason` names the meter. It may fit the next block."""

    def __init__(self, reason: int) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"reason {self.reason!s}"


class InvalidBatch(PlumblineError):  # noqa: N818 - a verdict, named as the protocol names it
    """Posted bytes that cannot be a batch."""


class Undecodable(PlumblineError):  # noqa: N818 - a verdict, named as the protocol names it
    """Bytes that are not the canonical encoding of anything expected here."""


class Unencodable(PlumblineError):  # noqa: N818 - the counterpart of Undecodable
    """A value outside of the range of its field; it has no encoding."""


class BrokenInvariant(PlumblineError):  # noqa: N818 - a verdict, with its figures
    """A whole state breaks a promise; `expected` and `actual` are the figures that should be equal."""

    def __init__(self, what: str, expected: int, actual: int) -> None:
        super().__init__(f"{what}: expected {expected}, found {actual}")
        self.what = what
        self.expected = expected
        self.actual = actual


class SignatureFault(PlumblineError):  # noqa: N818 - a verdict, named as the protocol names it
    """A signature that shows nothing."""


class SignatureMalformed(SignatureFault):
    """A signature whose s is above half the group order."""


class SignatureInvalid(SignatureFault):
    """A signature from which no address, or the wrong one, recovers."""


class WitnessFault(PlumblineError):  # noqa: N818 - a verdict, named as the protocol names it
    """A witness that is not the canonical encoding of its content; `kind` is a stable word for what is wrong."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind


class ProofFault(PlumblineError):  # noqa: N818 - a verdict, named as the protocol names it
    """The verifier reverted: the proof is at fault, or had too little gas; either way it proves nothing.

    `name` is the Solidity error (empty if unknown, as when gas ran out), `arguments` its decoded values.
    """

    def __init__(self, name: str, arguments: tuple[Any, ...], gas_used: int) -> None:
        shown = f"{name}({', '.join(_show(a) for a in arguments)})" if name else "no known error"
        super().__init__(f"the verifier reverted with {shown} after {gas_used:,} gas")
        self.name = name
        self.arguments = arguments
        self.gas_used = gas_used


class StoreError(PlumblineError):
    """The local database cannot be used as it is."""


class ExportRefused(PlumblineError):  # noqa: N818 - a verdict
    """A watcher's export is not used: `item` is the first in it that is wrong, by L1's own storage or by itself."""

    def __init__(self, item: str, why: str) -> None:
        super().__init__(f"the export is refused at {item}: {why}")
        self.item = item


class ConfigError(PlumblineError):
    """Configuration that cannot be used; the message names the key and the source."""


class NoSurface(PlumblineError):  # noqa: N818 - what is missing, named as feeders speak of it
    """Quotes that no volatility slice can be fitted to: too few strikes, or values out of their domain."""


class L1Error(PlumblineError):
    """The L1 node failed, timed out or answered nonsense."""

    def __init__(self, message: str, *, retryable: bool, data: Any = None) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.data = data


class L1Refused(L1Error):  # noqa: N818 - a verdict of the node
    """The node answered a request with the JSON-RPC error `code` and the text `reason`."""

    def __init__(self, method: str, code: int, reason: str, *, retryable: bool = False, data: Any = None) -> None:
        super().__init__(f"{method}: {reason} ({code})", retryable=retryable, data=data)
        self.method = method
        self.code = code
        self.reason = reason


class L1Pruned(L1Error):  # noqa: N818 - what the node has done
    """The node does not show `what`, which L1 holds; its storage says so. Another node of a provider may show it."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"the node does not show {what}, which L1 holds: it seems to prune old logs. Ask a node that keeps them, "
            "or take any watcher's export (`challenger export --out FILE` there, `--export FILE` here): it is not "
            "believed, but checked against L1",
            retryable=True,
        )
        self.what = what


class L1Reverted(L1Error):  # noqa: N818 - a verdict of the contract
    """A contract reverted. `name` is the Solidity error (empty if unknown), `arguments` its decoded values.

    `output` is the raw revert data and `selector` its first four bytes; `tx_hash` is set if the transaction was mined.
    """

    def __init__(self, name: str, arguments: tuple[Any, ...], output: bytes, *, tx_hash: bytes | None = None) -> None:
        shown = f"{name}({', '.join(_show(a) for a in arguments)})" if name else f"unknown error 0x{output[:4].hex()}"
        where = f" in transaction 0x{tx_hash.hex()}" if tx_hash else ""
        super().__init__(f"reverted{where}: {shown}", retryable=False, data=output)
        self.name = name
        self.arguments = arguments
        self.output = output
        self.selector = output[:4]
        self.tx_hash = tx_hash


class L1LimitExceeded(L1Error):  # noqa: N818 - a verdict, named as it reads
    """`what` would be `actual` where L1 allows `limit`; nothing was sent."""

    def __init__(self, what: str, limit: int, actual: int) -> None:
        super().__init__(f"{what} is {actual:,}, above the limit of {limit:,}", retryable=False)
        self.what = what
        self.limit = limit
        self.actual = actual


def _show(value: Any) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)
