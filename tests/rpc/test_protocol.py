from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from rollup.errors import InvalidRequest, ParseError
from rollup.rpc import protocol
from rollup.rpc.protocol import Request


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"   ",
        b"{",
        b"hello",
        b'{"method":"a","id":1}trailing',
        b'{"method":"a","params":NaN}',
        b'{"method":"a","params":Infinity}',
        b'{"method":"a","params":01}',
        b'{"method":"a\xff"}',
        b'{"method":"\\ud800"}',
        b"[" * 100_000,
        b'{"method":"a","params":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b"[1,",
        b"\xff\xfe",
        b'{"method":"a\x00"}',
    ],
)
def test_what_is_not_json_is_a_parse_error(message: bytes) -> None:
    """Truncated, nested too deeply, not UTF-8, or not numbers."""
    with pytest.raises(ParseError) as caught:
        protocol.parse(message)
    assert caught.value.code == -32700
    assert protocol.recover_id(message) is None or b'"id":1' in message


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (b"1", ""),
        (b'"text"', ""),
        (b"null", ""),
        (b"{}", "method"),
        (b'{"method":7}', "method"),
        (b'{"method":null}', "method"),
        (b'{"method":"' + b"m" * 129 + b'"}', "method"),
        (b'{"method":"a","id":1.5}', "id"),
        (b'{"method":"a","id":1e400}', "id"),
        (b'{"method":"a","id":true}', "id"),
        (b'{"method":"a","id":[]}', "id"),
        (b'{"method":"a","id":{}}', "id"),
        (b'{"method":"a","id":' + b"9" * 400 + b"}", "id"),
        (b'{"method":"a","id":' + b"9" * 9_000 + b"}", "id"),
        (b'{"method":"a","id":9223372036854775808}', "id"),
        (b'{"method":"a","id":"' + b"i" * 129 + b'"}', "id"),
        (b'{"method":"a","jsonrpc":"1.0"}', "jsonrpc"),
        (b'{"method":"a","jsonrpc":2.0}', "jsonrpc"),
        (b"[]", ""),
    ],
)
def test_what_is_no_request_is_an_invalid_request(message: bytes, field: str) -> None:
    """The error names the member at fault."""
    with pytest.raises(InvalidRequest) as caught:
        protocol.parse(message)
    assert caught.value.code == -32600
    assert caught.value.data.get("field", "") == field


@pytest.mark.parametrize("request_id", [0, -1, 2**63 - 1, -(2**63), "", "x" * 128, None])
def test_ids_come_back_as_they_were(request_id: Any) -> None:
    """Numbers, texts and null."""
    request = protocol.parse(msgspec.json.encode({"method": "a", "id": request_id}))
    assert isinstance(request, Request)
    answer = msgspec.json.decode(protocol.encode_result(request.id, 1))
    assert answer == {"jsonrpc": "2.0", "id": request_id, "result": 1}
    assert type(answer["id"]) is type(request_id)


def test_missing_id_is_told_from_a_null_id() -> None:
    """Only the former is a notification."""
    nameless, null = protocol.parse(b'{"method":"a"}'), protocol.parse(b'{"method":"a","id":null}')
    assert isinstance(nameless, Request)
    assert isinstance(null, Request)
    assert nameless.id is UNSET
    assert null.id is None


def test_invalid_request_keeps_its_id() -> None:
    """A client can tell which of its requests was at fault."""
    assert protocol.recover_id(b'{"id":"seven","method":7}') == "seven"
    assert protocol.recover_id(b'{"id":[],"method":7}') is None


def test_batch_is_split_without_reading_its_elements() -> None:
    """One bad element does not spoil the others."""
    batch = protocol.parse(b' \n[{"method":"a"},7,{"x":1}]')
    assert isinstance(batch, list)
    assert [bytes(each) for each in batch] == [b'{"method":"a"}', b"7", b'{"x":1}']


def test_integers_stay_exact() -> None:
    """Beyond 64 bits as well as within."""
    answer = protocol.encode_result(1, {"n": 2**256 - 1})
    assert msgspec.json.decode(answer)["result"]["n"] == 2**256 - 1


@given(st.binary(max_size=200) | st.text(max_size=100))
def test_any_input_parses_or_is_refused_with_a_type(message: bytes | str) -> None:
    """Nothing but the two refusals ever comes out."""
    try:
        protocol.parse(message)
    except (ParseError, InvalidRequest):
        protocol.recover_id(message)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("jsonrpc", "id", "method", "params", "extra"), json_values)))
def test_any_object_parses_or_is_refused_with_a_type(message: dict[str, Any]) -> None:
    """Members of every type in every place."""
    data = msgspec.json.encode(message)
    try:
        protocol.parse(data)
    except (ParseError, InvalidRequest):
        protocol.recover_id(data)
