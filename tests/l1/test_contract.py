"""ABI encoding and decoding by the bindings, with eth-abi and a real contract as witnesses."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import encode

from rollup.errors import L1Error
from rollup.l1.abi import decode_values, encode_values, parse_abi
from rollup.l1.account import L1Account
from rollup.l1.contract import Contract, ContractAbi, deploy
from rollup.l1.reverts import ErrorRegistry
from rollup.l1.values import Log
from tests.support.l1 import probe_artifact

PROBE = ContractAbi(probe_artifact().abi)
SOMEONE = b"\x42" * 20
STORED = PROBE.event("Stored")


def log(topics: tuple[bytes, ...], data: bytes, address: bytes = SOMEONE) -> Log:
    """A log at some place."""
    return Log(address, topics, data, 1, bytes(32), bytes(32), 0, 0, removed=False)


def test_structs_have_their_canonical_signature() -> None:
    """A tuple counts by its members, as Solidity hashes it."""
    assert PROBE.function("read").signature == "read((uint128,address)[])"
    assert PROBE.function("read").output_types == ("uint256", "address", "(uint128,address)[]")


def test_a_call_decodes_to_what_was_encoded() -> None:
    """Addresses come back as 20 bytes, structs as tuples, names as in the source."""
    data = PROBE.encode_call("store", 7, b"note", (9, SOMEONE))
    assert data[4:] == encode(["uint256", "bytes", "(uint128,address)"], [7, b"note", (9, SOMEONE)])
    assert PROBE.decode_call(data) == ("store", {"value": 7, "note": b"note", "pair": (9, SOMEONE)})


@pytest.mark.parametrize("data", [b"", b"\1\2\3", b"\0\0\0\0", PROBE.encode_call("burn", 1)[:-1]])
def test_calldata_that_fits_no_function_is_a_value_error(data: bytes) -> None:
    """What others posted may be anything."""
    with pytest.raises(ValueError, match=r"no function|cannot decode"):
        PROBE.decode_call(data)


@pytest.mark.parametrize(
    ("name", "arguments"), [("burn", ()), ("burn", (1, 2)), ("burn", (-1,)), ("burn", ("x",)), ("burn", (2**256,))]
)
def test_arguments_that_do_not_fit_are_a_value_error(name: str, arguments: tuple[Any, ...]) -> None:
    """Wrong numbers, types and ranges are found before anything is sent."""
    with pytest.raises(ValueError, match=r"arguments where|cannot encode"):
        PROBE.encode_call(name, *arguments)


def test_an_overloaded_name_needs_its_signature() -> None:
    """A bare name would choose one of them silently."""
    entry = {"type": "function", "name": "f", "outputs": []}
    abi = ContractAbi([entry | {"inputs": [{"type": t, "name": ""}]} for t in ("uint256", "bytes", "bool")])
    assert abi.encode_call("f(bool)", True)[4:] == (1).to_bytes(32, "big")
    with pytest.raises(KeyError):
        abi.encode_call("f", 1)
    assert abi.decode_call(abi.encode_call("f(uint256)", 5)) == ("f", {"0": 5})


async def test_calls_and_events_of_a_real_contract(alice: L1Account) -> None:
    """Nested outputs and indexed and plain event values arrive typed."""
    probe, _ = await deploy(alice, probe_artifact(), 3)
    pairs = [(1, SOMEONE), (2**128 - 1, bytes(20))]
    assert await probe.call("read", pairs, sender=SOMEONE) == (3, SOMEONE, tuple(pairs))
    receipt = await probe.transact(alice, "store", 8, b"abc", (5, SOMEONE))
    (event,) = probe.decode_events(receipt.logs)
    assert event.name == "Stored"
    assert event.values == {"who": alice.address, "number": 8, "note": b"abc", "pair": (5, SOMEONE)}
    assert await probe.events("Stored", from_block=0, to_block=receipt.block_number) == [event]
    assert await probe.events(["Ping", "Stored"], from_block=0, to_block=receipt.block_number) == [event]
    nobody = bytes(32)
    assert await probe.events("Stored", from_block=0, to_block=receipt.block_number, topics=[nobody]) == []


async def test_logs_that_do_not_fit_their_event_are_an_error(alice: L1Account) -> None:
    """A contract cannot emit them, so the node has lied; foreign logs are passed over."""
    probe = Contract(alice.client, SOMEONE, PROBE)
    good = (STORED.digest, bytes(32), bytes(32))
    data = encode(["bytes", "(uint128,address)"], [b"", (1, SOMEONE)])
    assert len(probe.decode_events([log(good, data)])) == 1
    assert probe.decode_events([log(good, data, address=bytes(20)), log((), b""), log((bytes(32),), b"")]) == []
    for bad in (log(good[:2], data), log(good, data[:-1]), log((STORED.digest, b"\xff" * 32, bytes(32)), data)):
        with pytest.raises(L1Error, match="does not fit"):
            probe.decode_events([bad])


def test_indexed_values_of_dynamic_type_stay_hashes() -> None:
    """Only their hash is in the log."""
    inputs = [{"type": "string", "name": "text", "indexed": True}, {"type": "uint8", "name": "n", "indexed": True}]
    abi = ContractAbi([{"type": "event", "name": "E", "inputs": inputs}])
    event = abi.decode_log(log((abi.event("E").digest, b"\7" * 32, (9).to_bytes(32, "big")), b""))
    assert event is not None
    assert event.values == {"text": b"\7" * 32, "n": 9}


def test_addresses_of_every_shape_are_accepted_and_come_back_as_bytes() -> None:
    """Configuration holds hexadecimal, our values are bytes."""
    for shape in (SOMEONE, "0x" + SOMEONE.hex()):
        assert decode_values(["address[]"], encode_values(["address[]"], [[shape]])) == ((SOMEONE,),)
    with pytest.raises(ValueError, match="cannot encode"):
        encode_values(["address"], [b"\1" * 19])


def test_a_colliding_selector_does_not_hide_the_data() -> None:
    """If the arguments do not decode, the revert stays raw."""
    registry = ErrorRegistry(parse_abi([{"type": "error", "name": "E", "inputs": [{"type": "bytes", "name": "b"}]}]))
    selector = parse_abi([{"type": "error", "name": "E", "inputs": [{"type": "bytes"}]}])[0].selector
    assert registry.decode(selector + encode(["bytes"], [b"x"])).arguments == (b"x",)
    assert registry.decode(selector + b"\xff" * 32).name == ""
    assert "unknown error 0x" in str(registry.decode(b"\1\2\3\4"))
