"""The verifier's bytecode in py-evm, on exactly the bytes that a fraud proof would carry.

What py-evm answers here is what L1 will answer: same code, same calldata, same rules (Prague). Nothing is read from a
chain and nothing is written: the contract is stateless, so its code, that of the pricer which it created, and the
calldata are all there is. A call blocks for as long as the EVM runs, about a second per 1.5 million gas: callers use a
worker thread or a process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

import rollup.l1.pyevm  # noqa: F401 - before any module here imports `eth`

# isort: split
from eth.db.atomic import AtomicDB
from eth.vm.chain_context import ChainContext
from eth.vm.forks.prague import PragueVM
from eth.vm.forks.prague.blocks import PragueBlockHeader
from eth.vm.message import Message
from eth_typing import Address, BlockNumber

from rollup.errors import ProofFault
from rollup.l1.abi import AbiEntry, decode_values, encode_values, parse_abi
from rollup.l1.artifacts import load_artifact
from rollup.l1.reverts import ErrorRegistry
from rollup.l1.verdict import GAS_LIMIT, Verdict, pricer_address
from rollup.types.blocks import Header

_VERIFIER: Final = Address(b"\x01" * 20)
_CALLER: Final = Address(b"\x02" * 20)
_BLOCK_GAS: Final = 36_000_000
_VERDICT: Final = ("uint256", "uint256", "bytes32")


@dataclass(frozen=True, slots=True)
class Execution:
    """How a call ended: `output` is what it returned, or its revert data; `gas_used` is that of execution alone."""

    ok: bool
    output: bytes
    gas_used: int


class Executor(Protocol):
    """Runs one contract's code on calldata."""

    def call(self, calldata: bytes, gas: int) -> Execution:
        """Execute; never raises for what the contract does."""
        ...


class PyEvm:
    """py-evm, the reference. Static calls on a state of one contract, and the pricer as if it had created that."""

    def __init__(self, deployed_bytecode: bytes, *, pricer: bytes | None = None) -> None:
        """Hold `deployed_bytecode`, and the committed pricer or the given code in its place."""
        header = PragueBlockHeader(
            difficulty=0, block_number=BlockNumber(1), gas_limit=_BLOCK_GAS, timestamp=1, base_fee_per_gas=1
        )
        self._state = PragueVM.build_state(AtomicDB(), header, ChainContext(None), ())
        pricing = load_artifact("Pricer").deployed_bytecode if pricer is None else pricer
        self._state.set_code(Address(pricer_address(_VERIFIER)), pricing)
        self._code = deployed_bytecode
        self._context = self._state.get_transaction_context_class()(gas_price=1, origin=_CALLER)

    def call(self, calldata: bytes, gas: int) -> Execution:
        """Execute the code as a static call with `gas` for execution alone."""
        message = Message(
            gas=gas, to=_VERIFIER, sender=_CALLER, value=0, data=calldata, code=self._code, is_static=True
        )
        # Nothing is written, but which addresses a call has met changes the gas of the next one.
        snapshot = self._state.snapshot()
        run = self._state.computation_class.apply_computation(self._state, message, self._context)
        self._state.revert(snapshot)
        return Execution(run.is_success, bytes(run.output), run.get_gas_used())


class Verifier:
    """The verifier contract on any executor: typed arguments in, a verdict or a `ProofFault` out."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._errors = ErrorRegistry(parse_abi(load_artifact("Verifier").abi))

    def verify(
        self, header: Header, txs: bytes, messages: Sequence[bytes], witness: bytes, separator: bytes,
        *, gas: int = GAS_LIMIT,
    ) -> Verdict:  # fmt: skip
        """Execute the block of `header` on `witness`; `messages` are those that it takes from the inbox, in order.

        Raises ProofFault if the contract reverts: the proof is wrong, or `gas` too little.
        """
        run = self._executor.call(encode_verify(header, txs, messages, witness, separator), gas)
        if not run.ok:
            fault = self._errors.decode(run.output)
            raise ProofFault(fault.name, fault.arguments, run.gas_used)
        reason, index, post_root = cast("tuple[int, int, bytes]", decode_values(_VERDICT, run.output))
        return Verdict(reason, index, post_root, run.gas_used)

    def call(self, calldata: bytes, gas: int = GAS_LIMIT) -> Execution:
        """Execute raw calldata."""
        return self._executor.call(calldata, gas)


class VerifierEvm(Verifier):
    """The verifier in py-evm. `deployed_bytecode` is what stands on L1, or in the committed artifact."""

    def __init__(self, deployed_bytecode: bytes) -> None:
        super().__init__(PyEvm(deployed_bytecode))


def encode_verify(header: Header, txs: bytes, messages: Sequence[bytes], witness: bytes, separator: bytes) -> bytes:
    """Calldata of `Verifier.verify`."""
    function = verify_function()
    arguments = (header_tuple(header), txs, join_messages(messages), witness, separator)
    return function.selector + encode_values(function.input_types, arguments)


def join_messages(messages: Sequence[bytes]) -> bytes:
    """Messages as the verifier takes them: each `length u16 ‖ bytes`."""
    return b"".join(len(message).to_bytes(2, "big") + message for message in messages)


def header_tuple(header: Header) -> tuple[Any, ...]:
    """The header as the Solidity struct of the same fields."""
    return (
        header.number, header.fork, header.parent_root, header.timestamp, header.inbox_index, header.inbox_hash,
        header.txs_hash, header.state_root,
    )  # fmt: skip


def verify_function() -> AbiEntry:
    """The ABI of `verify`, from the committed artifact."""
    return next(entry for entry in parse_abi(load_artifact("Verifier").abi) if entry.name == "verify")
