"""py-evm's recursion limit must not make Python's C code overflow its stack."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from eth.abc import BlockHeaderAPI, SignedTransactionAPI
from eth.vm.forks.prague.computation import PragueComputation
from eth_account import Account
from eth_typing import Address

from rollup.l1.devkeys import dev_address, dev_key
from rollup.l1.node.admission import decode_transaction
from rollup.l1.node.config import EmbeddedL1Config
from rollup.l1.node.errors import Refused
from rollup.l1.node.evm import TOO_DEEP, CallMessage, Evm
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


CALLER = bytes.fromhex("5f5f5f5f5f305af1005f5ff3")
"""call(gas, this, 0, 0, 0, 0, 0), then stop."""
DEEP = Address(b"\x77" * 20)
IN_A_SHALLOW_PYTHON = """
import sys
from tests.l1.test_recursion import DEEP, call_of, chain_with_a_deep_contract
from rollup.l1.devkeys import dev_address
from rollup.l1.node.errors import Refused

evm, header = chain_with_a_deep_contract()
sys.setrecursionlimit(1_000)
try:
    evm.execute(header, call_of(DEEP))
except Refused as error:
    print(error)
print(evm.execute(header, call_of(dev_address(1))).success)
"""


class Nested:
    """Called through C, like py-evm's instructions."""

    def __call__(self, depth: int) -> int:
        """Call itself `depth` times."""
        return self(depth - 1) if depth else 0


def chain_with_a_deep_contract() -> tuple[Evm, BlockHeaderAPI]:
    """A chain, and a header on whose state a contract calls itself."""
    evm = Evm(EmbeddedL1Config(block_gas_limit=10**12), genesis_time=1)
    state = evm.state_at(evm.genesis.header)
    state.set_code(DEEP, CALLER)
    state.persist()
    return evm, evm.genesis.header.copy(state_root=state.state_root)


def call_of(to: bytes) -> CallMessage:
    """A call with gas for any depth."""
    return CallMessage(dev_address(0), to, 0, b"", 10**12)


def signed_transfer(key: int) -> SignedTransactionAPI:
    """One wei to somebody, from a development key."""
    fields = {
        "chainId": EmbeddedL1Config().chain_id,
        "nonce": 0,
        "to": DEEP,
        "value": 1,
        "gas": 21_000,
        "maxFeePerGas": 10**10,
        "maxPriorityFeePerGas": 1,
    }
    raw = bytes(Account.from_key(dev_key(key)).sign_transaction(fields).raw_transaction)
    return decode_transaction(raw, EmbeddedL1Config().chain_id).transaction


def python_is_deep() -> bool:
    """Whether this release of Python recurses through C as deep as the EVM calls."""
    try:
        return Nested()(1_100) == 0
    except RecursionError:
        return False


def test_contracts_may_still_call_as_deep_as_the_evm_goes() -> None:
    """A contract that calls itself 1,024 deep runs to its end in a worker thread; or is refused for Python's sake."""
    evm, header = chain_with_a_deep_contract()
    with ThreadPoolExecutor(1) as thread:
        outcome = thread.submit(evm.execute, header, call_of(DEEP))
        if python_is_deep():
            assert outcome.result().success
            assert outcome.result().gas_used > 1_024 * 100
        else:
            with pytest.raises(Refused, match="deeper than this release of Python"):
                outcome.result()


def test_a_call_too_deep_for_python_is_refused_and_the_next_one_served() -> None:
    """As on releases of Python that allow little recursion: the node answers and goes on."""
    done = subprocess.run(
        [sys.executable, "-c", IN_A_SHALLOW_PYTHON], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == [TOO_DEEP, "True"], done.stderr[-2_000:]


def test_a_transaction_too_deep_for_python_is_dropped_and_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python gives up when all is executed, money moved and fees not yet: the block is the one without it."""
    evm = Evm(EmbeddedL1Config(), genesis_time=1)
    plain, deep = (signed_transfer(key) for key in (0, 1))
    parent = evm.genesis.header
    expected = evm.build_block(evm.next_header(parent, 2), [plain]).block.header.state_root
    refund = PragueComputation.get_gas_refund

    def give_up_late(computation: PragueComputation) -> int:
        if computation.msg.sender == dev_address(1):
            computation.state.snapshot()
            raise RecursionError
        return refund(computation)

    monkeypatch.setattr(PragueComputation, "get_gas_refund", give_up_late)
    built = evm.build_block(evm.next_header(parent, 2), [deep, plain])
    assert built.dropped == ((deep, TOO_DEEP),)
    assert built.block.header.state_root == expected
