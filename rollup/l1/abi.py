"""The JSON ABI of a contract, and encoding by it. Addresses are 20 bytes on our side, structs plain tuples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.codec import ABICodec
from eth_abi.decoding import AddressDecoder
from eth_abi.exceptions import DecodingError, EncodingError
from eth_abi.registry import BaseEquals
from eth_abi.registry import registry as default_registry

from rollup.crypto.keccak import keccak


class _RawAddressDecoder(AddressDecoder):
    """Leave an address as its 20 bytes; the default makes a hexadecimal string of it."""

    @staticmethod
    def decoder_fn(data: bytes) -> bytes:  # type: ignore[override]
        return data


def _make_codec() -> ABICodec:
    registry = default_registry.copy()  # type: ignore[no-untyped-call]
    registry.unregister_decoder("address")
    lookup = BaseEquals("address", with_sub=False)  # type: ignore[no-untyped-call]
    registry.register_decoder(lookup, _RawAddressDecoder, label="address")
    return ABICodec(registry)


_CODEC = _make_codec()


def encode_values(types: Sequence[str], values: Sequence[Any]) -> bytes:
    """Encode values by their canonical types; `ValueError` if they do not fit."""
    if len(types) != len(values):
        raise ValueError(f"{len(values)} arguments where {len(types)} are due")
    try:
        return _CODEC.encode(types, values)
    except (EncodingError, TypeError) as error:
        raise ValueError(f"cannot encode as ({','.join(types)}): {error}") from error


def decode_values(types: Sequence[str], data: bytes) -> tuple[Any, ...]:
    """Decode bytes by canonical types; `ValueError` if they do not fit."""
    try:
        return tuple(_CODEC.decode(types, data))
    except (DecodingError, OverflowError) as error:
        raise ValueError(f"cannot decode as ({','.join(types)}): {error}") from error


@dataclass(frozen=True, slots=True)
class Parameter:
    """One input or output with its canonical type, e.g. `(uint256,address)[]`."""

    name: str
    type: str
    indexed: bool


@dataclass(frozen=True, slots=True)
class AbiEntry:
    """A function, event or error of a contract."""

    kind: str
    name: str
    inputs: tuple[Parameter, ...]
    outputs: tuple[Parameter, ...]
    digest: bytes
    """keccak of the signature: its first four bytes select a function or an error, the whole is an event's topic."""

    @property
    def signature(self) -> str:
        """Name and canonical types, e.g. `transfer(address,uint256)`."""
        return f"{self.name}({','.join(self.input_types)})"

    @property
    def selector(self) -> bytes:
        """The four bytes before the arguments."""
        return self.digest[:4]

    @property
    def input_types(self) -> tuple[str, ...]:
        """Canonical types of the inputs."""
        return tuple(p.type for p in self.inputs)

    @property
    def output_types(self) -> tuple[str, ...]:
        """Canonical types of the outputs."""
        return tuple(p.type for p in self.outputs)

    def encode_call(self, values: Sequence[Any]) -> bytes:
        """Selector and encoded arguments."""
        return self.selector + encode_values(self.input_types, values)

    def named(self, values: Sequence[Any]) -> dict[str, Any]:
        """Values by the names of the inputs; an unnamed one goes by its position."""
        return {p.name or str(i): v for i, (p, v) in enumerate(zip(self.inputs, values, strict=True))}


def parse_abi(entries: Iterable[Mapping[str, Any]]) -> tuple[AbiEntry, ...]:
    """Read the functions, events, errors and constructor of a JSON ABI; other entries carry nothing to encode."""
    kinds = {"function", "event", "error", "constructor"}
    return tuple(_entry(e) for e in entries if e.get("type") in kinds)


def _entry(entry: Mapping[str, Any]) -> AbiEntry:
    inputs, outputs = (tuple(map(_parameter, entry.get(key, ()))) for key in ("inputs", "outputs"))
    name = str(entry.get("name", ""))
    signature = f"{name}({','.join(p.type for p in inputs)})"
    return AbiEntry(str(entry["type"]), name, inputs, outputs, keccak(signature.encode()))


def _parameter(entry: Mapping[str, Any]) -> Parameter:
    return Parameter(str(entry.get("name", "")), _canonical_type(entry), bool(entry.get("indexed", False)))


def _canonical_type(entry: Mapping[str, Any]) -> str:
    declared = str(entry["type"])
    if not declared.startswith("tuple"):
        return declared
    members = ",".join(_canonical_type(c) for c in entry["components"])
    return f"({members}){declared[len('tuple') :]}"
