"""JSON-RPC 2.0 messages: bytes or text in, requests out; results and errors in, bytes out. No I/O.

Integers stay exact at any size up to 4,300 digits; NaN, infinities, lone surrogates and trailing text are malformed.
Of a key given twice the last value counts. Two leniencies, for clients of existing venues: `jsonrpc` may be missing,
and unknown members of the envelope are ignored. Parameters are an object of named members, never a list.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Raw, UnsetType

from rollup.errors import InvalidRequest, ParseError, Rejected

INTERNAL_ERROR: Final = -32603
INTERNAL_MESSAGE: Final = "Internal error"

METHOD_CHARACTERS: Final = 128
"""Length of a method's name: it is echoed in errors and logs."""

ID_CHARACTERS: Final = 128
"""Length of a text id (a UUID has 36); it is echoed."""

_NumberId = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_TextId = Annotated[str, msgspec.Meta(max_length=ID_CHARACTERS)]
Id = _NumberId | _TextId | None


class Request(msgspec.Struct, frozen=True, gc=False):
    """One call; without an `id` it is a notification, which is never answered."""

    method: Annotated[str, msgspec.Meta(max_length=METHOD_CHARACTERS)]
    id: Id | UnsetType = UNSET
    params: Raw = Raw(b"{}")
    jsonrpc: Literal["2.0"] | UnsetType = UNSET


class ErrorBody(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The `error` member of an answer."""

    code: int
    message: str
    data: Any = None


class _Success(msgspec.Struct, frozen=True, gc=False):
    id: Id | UnsetType
    result: Any
    jsonrpc: str = "2.0"


class _Failure(msgspec.Struct, frozen=True, gc=False):
    id: Id
    error: ErrorBody
    jsonrpc: str = "2.0"


class _Identified(msgspec.Struct, frozen=True, gc=False):
    id: Id = None


_requests = msgspec.json.Decoder(Request)
_batches = msgspec.json.Decoder(list[Raw])
_identified = msgspec.json.Decoder(_Identified)
_encoder = msgspec.json.Encoder()
# Error data is for people as well: what JSON cannot hold is shown as text rather than lost.
_error_encoder = msgspec.json.Encoder(enc_hook=str)


def parse(message: bytes | str) -> Request | list[Raw]:
    """One request, or the unread elements of a batch. Raises ParseError or InvalidRequest."""
    if message[:64].lstrip()[:1] in (b"[", "["):
        batch: list[Raw] = _decode(_batches, message)
        if not batch:
            raise InvalidRequest("the batch is empty")
        return batch
    return parse_request(message)


def parse_request(message: bytes | str | Raw) -> Request:
    """One request that is not a batch. Raises ParseError or InvalidRequest."""
    request: Request = _decode(_requests, message)
    return request


def _decode(decoder: msgspec.json.Decoder[Any], message: bytes | str | Raw) -> Any:
    try:
        return decoder.decode(message)
    except msgspec.ValidationError as error:
        text, field = split_path(error)
        raise InvalidRequest("Invalid Request", reason=text, field=field) from None
    except msgspec.DecodeError as error:
        raise ParseError("Parse error", reason=str(error)) from None
    except UnicodeDecodeError:
        raise ParseError("Parse error", reason="not UTF-8") from None
    except RecursionError:
        raise ParseError("Parse error", reason="nested too deeply") from None


def recover_id(message: bytes | str | Raw) -> Id:
    """The id of a request that is otherwise invalid, or None if it cannot be told."""
    try:
        return _identified.decode(message).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def split_path(error: msgspec.ValidationError) -> tuple[str, str]:
    """What a validation error says, and the path of the field it means (empty: the whole value)."""
    text, _, path = str(error).partition(" - at `$")
    path = path.rstrip("`")
    for prefix in ("Object missing required field `", "Object contains unknown field `"):
        if text.startswith(prefix):
            path += "." + text[len(prefix) : -1]
    return text, path.lstrip(".")


def encode_result(request_id: Id | UnsetType, result: Any) -> bytes:
    """A successful answer. Raises TypeError or ValueError if the result does not fit JSON."""
    return _encoder.encode(_Success(request_id, result))


def encode_error(request_id: Id | UnsetType, error: Rejected) -> bytes:
    """A refusal with its stable code and typed fields."""
    return encode_failure(request_id, error.code, error.message, error.data or None)


def encode_failure(request_id: Id | UnsetType, code: int, message: str, data: Any = None) -> bytes:
    """An error answer from its parts."""
    known: Id = None if isinstance(request_id, UnsetType) else request_id
    return _error_encoder.encode(_Failure(known, ErrorBody(code, message, data)))


def encode_notification(method: str, params: Any) -> bytes:
    """A message that the server sends unasked."""
    return _encoder.encode({"jsonrpc": "2.0", "method": method, "params": params})
