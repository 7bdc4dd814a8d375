"""JSON-RPC 2.0 envelopes of the embedded L1: from the bytes of a body to the bytes of the answer. Never raises."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import structlog

from rollup.l1.encoding import to_data
from rollup.l1.node.errors import BadJson, BadParams, BadRequest, NodeError, Reverted
from rollup.l1.node.methods import Methods

MAX_BATCH: Final = 100
_INTERNAL: Final = -32603

_log = structlog.get_logger(__name__)

Reply = dict[str, Any]


async def answer(methods: Methods, body: bytes) -> bytes:
    """Answer a request or a batch; empty for notifications alone."""
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        return msgspec.json.encode(_failure(None, BadJson(f"not JSON: {error}")))
    if not isinstance(decoded, list):
        reply = await _answer_one(methods, decoded)
        return b"" if reply is None else msgspec.json.encode(reply)
    if not 1 <= len(decoded) <= MAX_BATCH:
        return msgspec.json.encode(_failure(None, BadRequest(f"a batch holds 1 to {MAX_BATCH} requests")))
    replies = [reply for request in decoded if (reply := await _answer_one(methods, request)) is not None]
    return msgspec.json.encode(replies) if replies else b""


async def _answer_one(methods: Methods, request: Any) -> Reply | None:
    request_id: str | float | None = None
    try:
        if not isinstance(request, dict):
            raise BadRequest("a request is an object")  # noqa: TRY301 - one place turns errors into replies
        request_id = _checked_id(request)
        method, params = _checked_call(request)
        result = await methods.dispatch(method, params)
    except NodeError as refusal:
        return _failure(request_id, refusal)
    except Exception:  # noqa: BLE001 - see below
        # A request that we should have refused by name: the server goes on, the log has the whole story.
        _log.exception("l1_request_failed", request_id=request_id)
        return {"jsonrpc": "2.0", "id": request_id, "error": {"code": _INTERNAL, "message": "internal error"}}
    return {"jsonrpc": "2.0", "id": request_id, "result": result} if "id" in request else None


def _checked_id(request: dict[str, Any]) -> str | float | None:
    request_id = request.get("id")
    if isinstance(request_id, bool) or not isinstance(request_id, int | str | float | None):
        raise BadRequest("an id is a number, a string or null")
    return request_id


def _checked_call(request: dict[str, Any]) -> tuple[str, list[Any]]:
    method, params = request.get("method"), request.get("params")
    if request.get("jsonrpc") != "2.0" or not isinstance(method, str):
        raise BadRequest('"jsonrpc": "2.0" and a method are due')
    if params is not None and not isinstance(params, list):
        raise BadParams("params must be a list")
    return method, params or []


def _failure(request_id: str | float | None, refusal: NodeError) -> Reply:
    error: Reply = {"code": refusal.code, "message": refusal.message}
    if isinstance(refusal, Reverted):
        error["data"] = to_data(refusal.output)
    return {"jsonrpc": "2.0", "id": request_id, "error": error}
