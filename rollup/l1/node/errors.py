"""Errors of the embedded L1 as its callers see them, with the codes and words of geth.

They stand apart from `Rejected`, whose codes are the rollup's own: clients know Ethereum nodes by these.

    NodeError
    ├── BadJson, BadRequest, UnknownMethod, BadParams   what JSON-RPC 2.0 itself defines
    ├── TooMuch                                         the answer would be too large
    ├── Refused                                         a transaction or a call that cannot be
    └── Reverted                                        the contract reverted
"""

from __future__ import annotations

from typing import ClassVar

from rollup.errors import PlumblineError


class NodeError(PlumblineError):
    """A request that the node does not honour; `code` and the message go to the caller."""

    code: ClassVar[int]

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BadJson(NodeError):  # noqa: N818 - named as the protocol names it
    """The body is no JSON."""

    code = -32700


class BadRequest(NodeError):  # noqa: N818 - as above
    """The JSON is no JSON-RPC 2.0 request."""

    code = -32600


class UnknownMethod(NodeError):  # noqa: N818 - as above
    """The node has no such method."""

    code = -32601


class BadParams(NodeError):  # noqa: N818 - as above
    """The parameters do not fit the method."""

    code = -32602


class TooMuch(NodeError):  # noqa: N818 - a verdict
    """The answer would be too large; ask for less."""

    code = -32005


class Refused(NodeError):  # noqa: N818 - a verdict
    """A transaction or a call that cannot be: bad nonce, price, funds, size or gas."""

    code = -32000


class Reverted(NodeError):  # noqa: N818 - a verdict
    """The contract reverted; `output` goes into the JSON-RPC error as `data`."""

    code = 3

    def __init__(self, output: bytes) -> None:
        super().__init__("execution reverted")
        self.output = output
