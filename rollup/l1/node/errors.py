"""Errors of the embedded L1 as its callers see them, with the codes and words of geth."""

from __future__ import annotations

from typing import ClassVar

from rollup.errors import Rejected


class BadJson(Rejected):
    """The body is no JSON."""

    code: ClassVar[int] = -32700


class BadRequest(Rejected):
    """The JSON is no JSON-RPC 2.0 request."""

    code: ClassVar[int] = -32600


class UnknownMethod(Rejected):
    """The node has no such method."""

    code: ClassVar[int] = -32601


class BadParams(Rejected):
    """The parameters do not fit the method."""

    code: ClassVar[int] = -32602


class TooMuch(Rejected):
    """The answer would be too large; ask for less."""

    code: ClassVar[int] = -32005


class Refused(Rejected):
    """A transaction or a call that cannot be: bad nonce, price, funds, size or gas."""

    code: ClassVar[int] = -32000


class Reverted(Rejected):
    """The contract reverted; `data` of the JSON-RPC error is its output in hexadecimal."""

    code: ClassVar[int] = 3

    def __init__(self, output: bytes) -> None:
        super().__init__("execution reverted")
        self.output = output
