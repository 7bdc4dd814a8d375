"""py-evm's recursion limit must not make Python's C code overflow its stack."""

from __future__ import annotations

import subprocess
import sys
import threading

from eth_typing import Address

from rollup.l1.devkeys import dev_address
from rollup.l1.node.config import EmbeddedL1Config
from rollup.l1.node.evm import CallMessage, Evm
from rollup.l1.pyevm import RECURSION_LIMIT
from tests.support.source import ROOT

IMPORT_EVERYTHING = """
import importlib, pkgutil, sys
for package in ("rollup", "challenger"):
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
assert "eth" in sys.modules
import msgspec
for opening in (b"[", b'{"a":'):
    try:
        msgspec.json.decode(opening * 1_000_000)
    except RecursionError:
        pass
print(sys.getrecursionlimit())
"""


def test_no_module_leaves_the_limit_where_nested_json_kills_the_process() -> None:
    """With everything imported, a million opening brackets raise an error instead of a segmentation fault."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_EVERYTHING], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, str(RECURSION_LIMIT)), done.stderr[-2_000:]


def test_contracts_may_still_call_as_deep_as_the_evm_goes() -> None:
    """A contract that calls itself 1,024 deep runs to its end in a worker thread."""
    caller = bytes.fromhex("5f5f5f5f5f305af1005f5ff3")  # call(gas, this, 0, 0, 0, 0, 0), then stop
    creator = b"\x6b" + caller + bytes.fromhex("5f52600c6014f3")  # return those twelve bytes
    evm = Evm(EmbeddedL1Config(block_gas_limit=10**12), genesis_time=1)
    outcomes = []

    def run() -> None:
        header = evm.genesis.header
        deployed = evm.execute(header, CallMessage(dev_address(0), None, 0, creator, 10**6))
        assert deployed.output == caller
        state = evm.state_at(header)
        state.set_code(Address(b"\x77" * 20), caller)
        state.persist()
        deep = header.copy(state_root=state.state_root)
        outcomes.append(evm.execute(deep, CallMessage(dev_address(0), b"\x77" * 20, 0, b"", 10**12)))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    (outcome,) = outcomes
    assert outcome.success
    assert outcome.gas_used > 1_024 * 100
