"""Contract code on calldata, without a chain: py-evm as the reference, pyrevm where many calls are made."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any, Final

import pyrevm

from challenger.execute import Execution, Executor, PyEvm
from rollup.l1.abi import AbiEntry, decode_values, parse_abi
from rollup.l1.artifacts import load_artifact
from rollup.l1.verdict import pricer_address
from tests.support.source import ROOT

GAS: Final = 1 << 24
_CONTRACT: Final = "0x" + "01" * 20
_CALLER: Final = "0x" + "02" * 20
_INTRINSIC: Final = 21_000
_OUTPUT: Final = re.compile(r"output: 0x([0-9a-f]*)")


class PyRevm:
    """pyrevm: some hundred times faster, Cancun rules, which these contracts cannot tell from Prague's.

    Its state holds the contract, and the pricer as if the contract had created it.
    """

    def __init__(self, deployed_bytecode: bytes) -> None:
        self._evm = pyrevm.EVM()
        self._evm.insert_account_info(_CONTRACT, pyrevm.AccountInfo(code=deployed_bytecode))
        pricer = "0x" + pricer_address(bytes.fromhex(_CONTRACT[2:])).hex()
        self._evm.insert_account_info(pricer, pyrevm.AccountInfo(code=load_artifact("Pricer").deployed_bytecode))

    def call(self, calldata: bytes, gas: int = GAS) -> Execution:
        """Execute; the gas of the transaction itself comes on top and is taken off again: `gas` is for execution."""
        zeros = calldata.count(0)
        intrinsic = _INTRINSIC + 4 * zeros + 16 * (len(calldata) - zeros)
        # Going back to it lets the pricer be as cold for the next call as for this one.
        mark = self._evm.snapshot()
        try:
            output = self._evm.message_call(_CALLER, _CONTRACT, calldata=calldata, gas=gas + intrinsic, is_static=True)
        except RuntimeError as error:
            # The only place where pyrevm tells the revert data is the text of its error; a halt (out of gas) has none.
            data = _OUTPUT.search(str(error))
            output = bytes.fromhex(data[1]) if data else b""
            return Execution(ok=False, output=output, gas_used=self._gas_used() - intrinsic)
        finally:
            self._evm.revert(mark)
        return Execution(ok=True, output=bytes(output), gas_used=self._gas_used() - intrinsic)

    def _gas_used(self) -> int:
        result = self._evm.result
        assert result is not None, "a call was made"
        return result.gas_used


class Contract:
    """A compiled contract on an executor, its functions called by name."""

    def __init__(self, abi: tuple[AbiEntry, ...], executor: Executor) -> None:
        self._functions = {entry.name: entry for entry in abi if entry.kind == "function"}
        self._errors = {entry.selector: entry for entry in abi if entry.kind == "error"}
        self._executor = executor

    def call(self, name: str, *arguments: Any, gas: int = GAS) -> Any:
        """What the function returns: a tuple, or the value itself if it is one. Raises `Reverted`."""
        function = self._functions[name]
        run = self._executor.call(function.encode_call(arguments), gas)
        if not run.ok:
            error = self._errors.get(run.output[:4])
            raise Reverted(error.name if error else "", run.output)
        values = decode_values(function.output_types, run.output)
        return values[0] if len(values) == 1 else values

    def gas_of(self, name: str, *arguments: Any) -> int:
        """Gas that the call uses, without the transaction's own."""
        run = self._executor.call(self._functions[name].encode_call(arguments), GAS)
        assert run.ok, f"{name} reverted with 0x{run.output.hex()}"
        return run.gas_used


class Reverted(Exception):  # noqa: N818 - what happened, as tests read it
    """A contract reverted; `name` is its custom error, empty if unknown."""

    def __init__(self, name: str, output: bytes) -> None:
        super().__init__(f"{name or 'unknown error'} 0x{output.hex()}")
        self.name = name
        self.output = output


@cache
def load(name: str) -> dict[str, Any]:
    """A committed artifact: of the contracts themselves, or of those that only tests use."""
    folders = (ROOT / "contracts" / "artifacts", ROOT / "contracts" / "test" / "artifacts")
    found = next(folder for folder in folders if (folder / f"{name}.json").exists())
    content: dict[str, Any] = json.loads((found / f"{name}.json").read_text())
    return content


def code_of(name: str) -> bytes:
    """Deployed bytecode of an artifact."""
    return bytes.fromhex(load(name)["deployedBytecode"][2:])


def contract(name: str, executor: type[PyEvm | PyRevm] = PyRevm) -> Contract:
    """An artifact by name, ready to be called."""
    return Contract(parse_abi(load(name)["abi"]), executor(code_of(name)))
