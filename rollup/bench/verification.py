"""The verifier's bytecode on a typical block: in py-evm, as L1 runs it, and in pyrevm if it is there."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final, Protocol

from rollup.bench.crowd import SEPARATOR
from rollup.bench.execution import BuiltBlock, typical_block
from rollup.bench.figures import PER_SECOND, Report, Scale
from rollup.l1.artifacts import load_artifact
from rollup.l1.contract import ContractAbi
from rollup.l1.deployment import created_address
from rollup.l1.devkeys import dev_address
from rollup.l1.limits import MAX_TX_GAS, TX_BASE_GAS
from rollup.l1.verdict import pricer_address
from rollup.types.blocks import Header

INTRINSIC_PER_ZERO: Final = 4
INTRINSIC_PER_BYTE: Final = 16
ABSENT: Final = "pyrevm is not installed (it comes with the development extras)"


@dataclass(frozen=True, slots=True)
class Run:
    """One call: what it returned, the gas of its execution alone, and how long it took."""

    output: bytes
    gas: int
    seconds: float


class Machine(Protocol):
    """An EVM that holds the verifier."""

    def call(self, calldata: bytes) -> Run:
        """Execute; raises RuntimeError if the contract reverts."""
        ...


def measure_verification(report: Report, scale: Scale) -> None:
    """Verify one block several times on each machine; the quickest counts, for nothing makes it quicker than it is."""
    block = typical_block(scale.accounts[0])
    calldata = encode_verify(block)
    report.add("typical_block_trades", block.trades, "trades", "trades of the typical block that is verified")
    report.add("typical_proof_bytes", len(calldata), "bytes", "calldata of its verification")
    _measure(report, "pyevm", PyEvm(), block, calldata, scale.verifications)
    try:
        import pyrevm  # noqa: PLC0415 - optional
    except ImportError:
        for name, unit in (("verify_pyrevm", PER_SECOND), ("verify_pyrevm_seconds", "s"), ("verify_pyrevm_gas", "gas")):
            report.add(name, None, unit, "the typical block verified by pyrevm", ABSENT)
        return
    _measure(report, "pyrevm", PyRevm(pyrevm), block, calldata, scale.verifications)


def _measure(report: Report, name: str, machine: Machine, block: BuiltBlock, calldata: bytes, times: int) -> None:
    runs = [machine.call(calldata) for _ in range(times)]
    for run in runs:
        reason, _, root = ContractAbi(load_artifact("Verifier").abi).decode_output("verify", run.output)
        assert (reason, root) == (0, block.header.state_root), f"{name} judges a block of ours otherwise"
    seconds = min(run.seconds for run in runs)
    report.add(f"verify_{name}_gas", runs[0].gas, "gas", f"gas that {name} counts for the typical block's execution")
    report.add(f"verify_{name}_seconds", seconds, "s", f"time that {name} takes for it")
    report.rate(f"verify_{name}", f"typical blocks verified by {name}", 1, seconds)


def encode_verify(block: BuiltBlock) -> bytes:
    """Calldata of `Verifier.verify`."""
    abi = ContractAbi(load_artifact("Verifier").abi)
    return abi.encode_call("verify", header_tuple(block.header), block.txs, b"", block.witness, SEPARATOR)


def header_tuple(header: Header) -> tuple[Any, ...]:
    """The header as the Solidity struct of the same fields."""
    return tuple(getattr(header, name) for name in Header.__slots__)


def intrinsic_gas(calldata: bytes) -> int:
    """Gas of a transaction before it executes."""
    zeros = calldata.count(0)
    return TX_BASE_GAS + INTRINSIC_PER_ZERO * zeros + INTRINSIC_PER_BYTE * (len(calldata) - zeros)


class PyEvm:
    """The embedded L1's own machine, with the verifier deployed."""

    def __init__(self) -> None:
        from eth_account import Account  # noqa: PLC0415 - it takes a second to load

        from rollup.l1.devkeys import dev_key  # noqa: PLC0415
        from rollup.l1.node.admission import decode_transaction  # noqa: PLC0415
        from rollup.l1.node.config import EmbeddedL1Config  # noqa: PLC0415
        from rollup.l1.node.evm import Evm  # noqa: PLC0415

        artifact, pricer = load_artifact("Verifier"), load_artifact("Pricer").bytecode
        code = ContractAbi(artifact.abi).encode_deployment(artifact.bytecode, (pricer,))
        config = EmbeddedL1Config(base_fee=7)
        self._evm = Evm(config, 1)
        fields = {
            "type": 2, "chainId": config.chain_id, "nonce": 0, "maxFeePerGas": 10**9, "maxPriorityFeePerGas": 0,
            "gas": MAX_TX_GAS, "value": 0, "data": code,
        }  # fmt: skip
        raw = bytes(Account.sign_transaction(fields, dev_key(0)).raw_transaction)
        creation = decode_transaction(raw, config.chain_id).transaction
        built = self._evm.build_block(self._evm.next_header(self._evm.genesis.header, 2), [creation])
        self._header = built.block.header
        self._verifier = created_address(dev_address(0), 0)

    def call(self, calldata: bytes) -> Run:
        """Execute a call from outside."""
        from rollup.l1.node.evm import CallMessage  # noqa: PLC0415

        message = CallMessage(dev_address(1), self._verifier, 0, calldata, MAX_TX_GAS)
        begun = time.perf_counter()
        outcome = self._evm.execute(self._header, message)
        seconds = time.perf_counter() - begun
        if not outcome.success:
            raise RuntimeError(f"py-evm: {outcome.error or outcome.output.hex()}")
        return Run(outcome.output, outcome.peak_gas - intrinsic_gas(calldata), seconds)


class PyRevm:
    """A second machine, compiled; `module` is pyrevm itself, which may be absent."""

    _CONTRACT: Final = "0x" + "01" * 20
    _CALLER: Final = "0x" + "02" * 20

    def __init__(self, module: Any) -> None:
        self._evm = module.EVM()
        code = bytes(load_artifact("Verifier").deployed_bytecode)
        self._evm.insert_account_info(self._CONTRACT, module.AccountInfo(code=code))
        pricer = "0x" + pricer_address(bytes.fromhex(self._CONTRACT[2:])).hex()
        pricing = bytes(load_artifact("Pricer").deployed_bytecode)
        self._evm.insert_account_info(pricer, module.AccountInfo(code=pricing))

    def call(self, calldata: bytes) -> Run:
        """Execute a call from outside."""
        begun = time.perf_counter()
        output = self._evm.message_call(
            self._CALLER, self._CONTRACT, calldata=calldata, gas=MAX_TX_GAS, is_static=True
        )  # fmt: skip
        seconds = time.perf_counter() - begun
        return Run(bytes(output), self._evm.result.gas_used - intrinsic_gas(calldata), seconds)
