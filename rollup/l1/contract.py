"""A deployed contract by its ABI: calls, transactions, events, and the reverse: decoding what others sent it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rollup.errors import L1Error
from rollup.l1.abi import AbiEntry, decode_values, encode_values, parse_abi
from rollup.l1.account import L1Account, SentTransaction
from rollup.l1.artifacts import Artifact
from rollup.l1.client import L1Client
from rollup.l1.values import BlockId, Fees, Log, Receipt


@dataclass(frozen=True, slots=True)
class Event:
    """A decoded log: the event's name and its values by name; indexed values of dynamic type are their hashes."""

    name: str
    values: dict[str, Any]
    log: Log


class ContractAbi:
    """Names, selectors and topics of one ABI; encodes and decodes, needs no node.

    A function or event goes by its name, or by its whole signature where the name is overloaded.
    """

    def __init__(self, abi: Iterable[Mapping[str, Any]]) -> None:
        self.entries = parse_abi(abi)
        self._functions = _by_name(e for e in self.entries if e.kind == "function")
        self._events = _by_name(e for e in self.entries if e.kind == "event")
        self._selectors = {e.selector: e for e in self.entries if e.kind == "function"}
        self._topics = {e.digest: e for e in self.entries if e.kind == "event"}
        self._constructor = next((e for e in self.entries if e.kind == "constructor"), None)

    def function(self, name: str) -> AbiEntry:
        """Function by name or signature; `KeyError` if there is none or several."""
        return self._functions[name]

    def event(self, name: str) -> AbiEntry:
        """Event by name or signature; its `digest` is the first topic of its logs."""
        return self._events[name]

    def encode_call(self, name: str, *arguments: Any) -> bytes:
        """Calldata of a function call; `ValueError` if the arguments do not fit."""
        return self.function(name).encode_call(arguments)

    def encode_deployment(self, bytecode: bytes, arguments: Sequence[Any]) -> bytes:
        """Creation code with its constructor arguments."""
        types = self._constructor.input_types if self._constructor else ()
        return bytecode + encode_values(types, arguments)

    def decode_call(self, data: bytes) -> tuple[str, dict[str, Any]]:
        """Name and arguments of a call; `ValueError` if the calldata fits no function."""
        entry = self._selectors.get(data[:4])
        if entry is None:
            raise ValueError(f"no function has the selector 0x{data[:4].hex()}")
        return entry.name, entry.named(decode_values(entry.input_types, data[4:]))

    def decode_output(self, name: str, output: bytes) -> Any:
        """Result of a call: the bare value if there is one, a tuple otherwise; `ValueError` if it does not fit."""
        values = decode_values(self.function(name).output_types, output)
        return values[0] if len(values) == 1 else values

    def decode_log(self, log: Log) -> Event | None:
        """Event of a log; None if it is no event of this contract. `ValueError` if it pretends to be one."""
        entry = self._topics.get(log.topics[0]) if log.topics else None
        if entry is None:
            return None
        indexed = [p for p in entry.inputs if p.indexed]
        plain = [p for p in entry.inputs if not p.indexed]
        if len(indexed) != len(log.topics) - 1:
            raise ValueError(f"{entry.name} with {len(log.topics)} topics")
        data = iter(decode_values([p.type for p in plain], log.data))
        topics = (_decode_topic(p.type, t) for p, t in zip(indexed, log.topics[1:], strict=True))
        values = [next(topics) if p.indexed else next(data) for p in entry.inputs]
        return Event(entry.name, entry.named(values), log)


class Contract:
    """A `ContractAbi` at an address on a node."""

    def __init__(self, client: L1Client, address: bytes, abi: ContractAbi | Artifact) -> None:
        self.client = client
        self.address = address
        self.abi = abi if isinstance(abi, ContractAbi) else ContractAbi(abi.abi)
        client.errors.add(self.abi.entries)

    async def call(self, name: str, *arguments: Any, block: BlockId = "latest", sender: bytes | None = None) -> Any:
        """Read: the bare value if the function returns one, a tuple otherwise. `L1Reverted` if it reverts."""
        data = self.abi.encode_call(name, *arguments)
        output = await self.client.call(self.address, data, sender=sender, block=block)
        try:
            return self.abi.decode_output(name, output)
        except ValueError as error:
            raise L1Error(f"{name} of 0x{self.address.hex()} returned: {error}", retryable=False) from error

    async def send(
        self,
        account: L1Account,
        name: str,
        *arguments: Any,
        value: int = 0,
        gas: int | None = None,
        fees: Fees | None = None,
    ) -> SentTransaction:
        """Send a transaction without waiting for it; see `L1Account.send`."""
        data = self.abi.encode_call(name, *arguments)
        return await account.send(self.address, data, value=value, gas=gas, fees=fees)

    async def transact(
        self,
        account: L1Account,
        name: str,
        *arguments: Any,
        value: int = 0,
        gas: int | None = None,
        confirmations: int = 1,
    ) -> Receipt:
        """Send a transaction and wait for its success; see `L1Account.transact`."""
        data = self.abi.encode_call(name, *arguments)
        return await account.transact(self.address, data, value=value, gas=gas, confirmations=confirmations)

    async def events(
        self, names: str | Sequence[str], *, from_block: int, to_block: int, topics: Sequence[bytes | None] = ()
    ) -> list[Event]:
        """Events of these names in chain order; `topics` restricts the indexed values (32 bytes each, None for any)."""
        wanted = [names] if isinstance(names, str) else names
        digests = [self.abi.event(name).digest for name in wanted]
        logs = await self.client.get_logs(self.address, [digests, *topics], from_block=from_block, to_block=to_block)
        return self.decode_events(logs)

    def decode_events(self, logs: Iterable[Log]) -> list[Event]:
        """The events that this contract emitted among `logs`, for instance of a receipt."""
        try:
            decoded = [self.abi.decode_log(log) for log in logs if log.address == self.address]
        except ValueError as error:
            raise L1Error(f"a log of 0x{self.address.hex()} does not fit its ABI: {error}", retryable=False) from error
        return [event for event in decoded if event is not None]


async def deploy(
    account: L1Account, artifact: Artifact, *arguments: Any, gas: int | None = None
) -> tuple[Contract, Receipt]:
    """Create a contract and return it with the receipt; `L1Reverted` if its constructor reverts."""
    abi = ContractAbi(artifact.abi)
    account.client.errors.add(abi.entries)
    code = abi.encode_deployment(artifact.bytecode, arguments)
    receipt = await account.transact(None, code, gas=gas)
    if receipt.contract_address is None:
        raise L1Error(f"the receipt of {artifact.name}'s creation names no contract", retryable=False)
    return Contract(account.client, receipt.contract_address, abi), receipt


def _by_name(entries: Iterable[AbiEntry]) -> dict[str, AbiEntry]:
    named: dict[str, AbiEntry] = {}
    overloaded: set[str] = set()
    for entry in entries:
        named[entry.signature] = entry
        if entry.name in named:
            overloaded.add(entry.name)
        named[entry.name] = entry
    for name in overloaded:
        del named[name]
    return named


def _decode_topic(kind: str, topic: bytes) -> Any:
    """An indexed value; strings, bytes, arrays and structs are only there as their hash."""
    dynamic = kind in {"string", "bytes"} or kind.endswith(("]", ")"))
    return topic if dynamic else decode_values([kind], topic)[0]
