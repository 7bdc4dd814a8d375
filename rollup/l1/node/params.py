"""Parameters of JSON-RPC requests to the embedded L1, checked; `BadParams` says which one is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from rollup.l1.encoding import abridge, read_data, read_quantity
from rollup.l1.logs import LogFilter
from rollup.l1.node.errors import BadParams

T = TypeVar("T")

_TAGS: Final = frozenset({"latest", "pending", "safe", "finalized", "earliest"})
_ZERO_ADDRESS: Final = b"\0" * 20
_MAX_ALTERNATIVES: Final = 1_000


class Params:
    """The positional parameters of one request."""

    def __init__(self, values: list[Any]) -> None:
        self._values = values

    def data(self, index: int, length: int | None = None) -> bytes:
        """Byte string at `index`."""
        return _read(f"parameter {index}", lambda: read_data(self._at(index), length=length))

    def quantity(self, index: int, bits: int = 64) -> int:
        """Integer at `index`; development methods also get it as a JSON number."""
        value = self._at(index)
        if type(value) is int and 0 <= value < 1 << bits:
            return value
        return _read(f"parameter {index}", lambda: read_quantity(value, bits=bits))

    def has(self, index: int) -> bool:
        """Whether there is a parameter at `index`."""
        return self._at(index) is not None

    def flag(self, index: int) -> bool:
        """Boolean at `index`, false if absent."""
        value = self._at(index)
        if value is not None and not isinstance(value, bool):
            raise BadParams(f"parameter {index}: not a boolean: {abridge(value)}")
        return bool(value)

    def block(self, index: int) -> int | bytes | str:
        """Block number, hash or tag at `index`; "latest" if absent."""
        return read_block_id(self._at(index), f"parameter {index}")

    def object(self, index: int) -> dict[str, Any]:
        """JSON object at `index`."""
        value = self._at(index)
        if not isinstance(value, dict):
            raise BadParams(f"parameter {index}: not an object: {abridge(value)}")
        return value

    def percentiles(self, index: int) -> list[float]:
        """Rising percentages at `index`; none if absent."""
        values = self._at(index) or []
        if not isinstance(values, list) or len(values) > 100:
            raise BadParams(f"parameter {index}: not a list of percentiles")
        if not all(type(v) in {int, float} and 0 <= v <= 100 for v in values) or sorted(values) != values:
            raise BadParams(f"parameter {index}: percentiles must rise from 0 to 100")
        return [float(v) for v in values]

    def _at(self, index: int) -> Any:
        return self._values[index] if index < len(self._values) else None


@dataclass(frozen=True, slots=True)
class CallRequest:
    """The transaction object of eth_call and eth_estimateGas; `gas` is None where the node shall choose."""

    sender: bytes
    to: bytes | None
    value: int
    data: bytes
    gas: int | None


@dataclass(frozen=True, slots=True)
class LogRequest:
    """The filter object of eth_getLogs: a range by block identifiers, or one block by hash."""

    wanted: LogFilter
    first: int | bytes | str
    last: int | bytes | str


def read_call(item: dict[str, Any]) -> CallRequest:
    """Read a transaction object. Prices are ignored: calls are free."""
    data = item.get("input", item.get("data"))
    return CallRequest(
        sender=_address(item, "from") or _ZERO_ADDRESS,
        to=_address(item, "to"),
        value=_read("value", lambda: read_quantity(item.get("value") or "0x0")),
        data=b"" if data is None else _read("data", lambda: read_data(data)),
        gas=None if item.get("gas") is None else _read("gas", lambda: read_quantity(item["gas"], bits=64)),
    )


def read_log_request(item: dict[str, Any]) -> LogRequest:
    """Read a filter object."""
    addresses = _alternatives(item.get("address"), "address", 20) or ()
    topics = item.get("topics") or []
    if not isinstance(topics, list) or len(topics) > 4:
        raise BadParams("topics: a list of at most four is due")
    wanted = LogFilter(addresses, tuple(_alternatives(t, "topic", 32) for t in topics))
    if item.get("blockHash") is not None:
        block_hash = _read("blockHash", lambda: read_data(item["blockHash"], length=32))
        return LogRequest(wanted, block_hash, block_hash)
    return LogRequest(
        wanted, read_block_id(item.get("fromBlock"), "fromBlock"), read_block_id(item.get("toBlock"), "toBlock")
    )


def read_block_id(value: Any, what: str) -> int | bytes | str:
    """Block number, hash (bare or as an object), or tag; "latest" if absent."""
    if isinstance(value, dict):
        value = value.get("blockHash", value.get("blockNumber"))
    if value is None:
        return "latest"
    if isinstance(value, str) and value in _TAGS:
        return value
    if isinstance(value, str) and len(value) == 66:
        return _read(what, lambda: read_data(value, length=32))
    return _read(what, lambda: read_quantity(value, bits=64))


def _alternatives(value: Any, what: str, length: int) -> tuple[bytes, ...] | None:
    if value is None:
        return None
    values = value if isinstance(value, list) else [value]
    if len(values) > _MAX_ALTERNATIVES:
        raise BadParams(f"{what}: more than {_MAX_ALTERNATIVES} alternatives")
    return tuple(_read(what, partial(read_data, v, length=length)) for v in values) or None


def _address(item: dict[str, Any], key: str) -> bytes | None:
    return None if item.get(key) is None else _read(key, lambda: read_data(item[key], length=20))


def _read(what: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except ValueError as error:
        raise BadParams(f"{what}: {error}") from error
