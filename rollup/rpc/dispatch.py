"""Method names to handlers: decodes typed parameters, calls, encodes the answer, types every failure.

Handlers are registered with the `Params` type that they take. A plain function is called inline and must be quick (it
reads memory); a coroutine function runs in a task of its own; one that returns a `Promise` needs no task, and is for
what comes by the thousand a second. Handlers raise `Rejected` for the caller's fault.
Anything else is a bug of ours: the caller learns "Internal error" and nothing more, the log learns all, and an
`AssertionError` is also handed to the `fatal` hook, whose owner stops the process.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import msgspec
import structlog
from msgspec import UNSET, Raw

from rollup.errors import InvalidParams, InvalidRequest, MethodNotFound, ParseError, Rejected
from rollup.rpc import protocol
from rollup.rpc.limits import BATCH_REQUESTS
from rollup.rpc.pending import PendingBatch, PendingCall, Promise, PromisedCall, join_replies
from rollup.rpc.session import Session

log = structlog.get_logger(__name__)


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of every method's parameters: named members, unknown ones refused."""


class NoParams(Params, frozen=True):
    """For methods that take nothing."""


P = TypeVar("P", bound=msgspec.Struct)
Handler = Callable[[Session, P], Awaitable[object]] | Callable[[Session, P], object]
Fatal = Callable[[BaseException], None]


@dataclass(slots=True)
class DispatchStatistics:
    """Counts since the start; `received` counts each request of a batch and each malformed message."""

    received: int = 0
    rejected: int = 0
    failed: int = 0


class _Method:
    __slots__ = ("call", "decode", "params", "pending")

    def __init__(
        self, params: type[msgspec.Struct], call: Callable[[Session, Any], Any], pending: type[PendingCall] | None
    ) -> None:
        self.params = params
        self.decode = msgspec.json.Decoder(params).decode
        self.call = call
        self.pending = pending


class Dispatcher:
    """The registry of methods, and the one place where calls happen."""

    def __init__(self, *, batch_requests: int = BATCH_REQUESTS, fatal: Fatal | None = None) -> None:
        self.fatal = fatal
        self.statistics = DispatchStatistics()
        self._batch_requests = batch_requests
        self._methods: dict[str, _Method] = {}

    def register(self, name: str, params: type[P], handler: Handler[P]) -> None:
        """Answer calls of `name` by `handler(session, params)`."""
        self._register(name, _Method(params, handler, PendingCall if inspect.iscoroutinefunction(handler) else None))

    def register_promise(self, name: str, params: type[P], handler: Callable[[Session, P], Promise]) -> None:
        """Answer calls of `name` by what `handler(session, params)` promises."""
        self._register(name, _Method(params, handler, PromisedCall))

    def _register(self, name: str, method: _Method) -> None:
        assert name not in self._methods, f"{name} is registered twice"
        assert len(name) <= protocol.METHOD_CHARACTERS, f"{name} could never be called"
        params = method.params
        assert params.__struct_config__.forbid_unknown_fields, f"{params.__name__} must refuse unknown fields"
        self._methods[name] = method

    def method(self, name: str, params: type[P]) -> Callable[[Handler[P]], Handler[P]]:
        """`register` as a decorator."""

        def decorate(handler: Handler[P]) -> Handler[P]:
            self.register(name, params, handler)
            return handler

        return decorate

    @property
    def methods(self) -> list[str]:
        """The registered names, sorted."""
        return sorted(self._methods)

    def begin(self, session: Session, message: bytes | str) -> bytes | PendingCall | PendingBatch | None:
        """Start on one message: the answer if there is one at once, None if none is due, or what is still to be run."""
        try:
            parsed = protocol.parse(message)
        except (ParseError, InvalidRequest) as error:
            return self._malformed(message, error)
        if parsed.__class__ is list:
            return self._begin_batch(session, parsed)
        return self._begin_request(session, cast("protocol.Request", parsed))

    def begin_call(self, session: Session, name: str, params: bytes) -> bytes | PendingCall | None:
        """`begin` for a call whose method and parameters came apart, as in `POST /name`; its answer has a null id."""
        if len(name) > protocol.METHOD_CHARACTERS:  # it would be echoed
            error = InvalidRequest("the method's name is too long", limit=protocol.METHOD_CHARACTERS)
            return self._malformed(b"", error)
        return self._begin_request(session, protocol.Request(name, None, Raw(params or b"{}")))

    def _begin_request(self, session: Session, request: protocol.Request) -> bytes | PendingCall | None:
        self.statistics.received += 1
        try:
            method = self._methods.get(request.method)
            if method is None:
                raise MethodNotFound("Method not found", method=request.method)  # noqa: TRY301 - one way out
            params = _decode_params(method, request.params)
            if method.pending is not None:
                return method.pending(self, session, request, method.call, params)
            reply = protocol.encode_result(request.id, method.call(session, params))
        except Exception as error:  # noqa: BLE001 - `failure` logs or answers each kind
            reply = self.failure(request, error)
        return None if request.id is UNSET else reply

    def _begin_batch(self, session: Session, batch: list[Raw]) -> bytes | PendingBatch | None:
        if len(batch) > self._batch_requests:
            error = InvalidRequest("the batch is too long", requests=len(batch), limit=self._batch_requests)
            return self._malformed(b"", error)
        begun: list[bytes | PendingCall] = []
        for element in batch:
            reply: bytes | PendingCall | None
            try:
                reply = self._begin_request(session, protocol.parse_request(element))
            except (ParseError, InvalidRequest) as error:
                reply = self._malformed(element, error)
            if reply is not None:
                begun.append(reply)
        if any(isinstance(each, PendingCall) for each in begun):
            return PendingBatch(begun)
        return join_replies(cast("list[bytes]", begun))

    def _malformed(self, message: bytes | str | Raw, error: Rejected) -> bytes:
        self.statistics.received += 1
        self.statistics.rejected += 1
        return protocol.encode_error(protocol.recover_id(message), error)

    def failure(self, request: protocol.Request, error: BaseException) -> bytes:
        """The answer to a call that raised; logs what is not the caller's fault."""
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        if isinstance(error, Rejected):
            self.statistics.rejected += 1
            return protocol.encode_error(request.id, error)
        self.statistics.failed += 1
        log.error("rpc_handler_failed", method=request.method, exc_info=error)
        self.report_if_fatal(error)
        return protocol.encode_failure(request.id, protocol.INTERNAL_ERROR, protocol.INTERNAL_MESSAGE)

    def report_if_fatal(self, error: BaseException) -> None:
        """Hand an AssertionError, alone or in a group, to the `fatal` hook."""
        found = error.subgroup(AssertionError) if isinstance(error, BaseExceptionGroup) else error
        if self.fatal is not None and isinstance(found, AssertionError | BaseExceptionGroup):
            self.fatal(found)


def _decode_params(method: _Method, params: Raw) -> Any:
    try:
        return method.decode(params)
    except msgspec.ValidationError as error:
        text, field = protocol.split_path(error)
        raise InvalidParams("Invalid params", reason=text, field=field) from None
    except msgspec.DecodeError as error:
        raise ParseError("Parse error", reason=str(error)) from None
    except UnicodeDecodeError:
        raise ParseError("Parse error", reason="not UTF-8") from None
    except RecursionError:
        raise ParseError("Parse error", reason="nested too deeply") from None
