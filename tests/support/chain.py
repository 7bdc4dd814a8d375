"""A bare L1 for contract tests: py-evm under Prague rules, one transaction a block, time that moves when told.

Transactions need no signature, so a test acts as anybody. Every state stays in the database, so a `Chain` is copied by
copying its header: deploy once, fork for each test.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest
from eth.abc import BlockHeaderAPI, ComputationAPI, SignedTransactionAPI, StateAPI
from eth.vm.chain_context import ChainContext
from eth.vm.forks.prague.transactions import PragueTransactionBuilder
from eth.vm.spoof import SpoofTransaction
from eth_typing import Address

from rollup.errors import L1Reverted
from rollup.l1.artifacts import Artifact, artifact_names, load_artifact, parse_artifact
from rollup.l1.contract import ContractAbi
from rollup.l1.deployment import created_address
from rollup.l1.devkeys import dev_address
from rollup.l1.limits import MAX_TX_GAS
from rollup.l1.node.config import EmbeddedL1Config
from rollup.l1.node.evm import DevelopmentVM, Evm, paid_gas
from rollup.l1.reverts import ErrorRegistry
from rollup.l1.values import Log

CHAIN_ID = 31_337
GENESIS_TIME = 1_700_000_000
ALICE, BOB, CAROL, DAVE = (dev_address(i) for i in range(4))
TEST_ARTIFACTS = Path(__file__).resolve().parents[2] / "contracts" / "test" / "artifacts"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A successful transaction: gas paid, what it returned, what it logged."""

    gas_used: int
    output: bytes
    logs: tuple[Log, ...]


class Chain:
    """The newest state, and the time of the next block (seconds)."""

    def __init__(self, evm: Evm, header: BlockHeaderAPI) -> None:
        self._evm = evm
        self.header = header
        self.errors = known_errors()

    @classmethod
    def create(cls) -> Chain:
        """A fresh chain on which the development accounts are rich."""
        evm = Evm(EmbeddedL1Config(chain_id=CHAIN_ID, base_fee=7), GENESIS_TIME)
        genesis = evm.genesis.header
        return cls(evm, genesis.copy(block_number=1, timestamp=GENESIS_TIME, parent_hash=genesis.hash))

    def fork(self) -> Chain:
        """A chain that goes on from here by itself."""
        return Chain(self._evm, self.header)

    @property
    def now(self) -> int:
        """L1 time of the next transaction, seconds."""
        return self.header.timestamp

    @property
    def block_number(self) -> int:
        """L1 block of the next transaction."""
        return self.header.block_number

    def travel(self, seconds: int) -> None:
        """Let time pass."""
        self._advance(self.header.state_root, seconds)

    def transact(
        self, sender: bytes, to: bytes | None, data: bytes, *, value: int = 0, gas: int = MAX_TX_GAS
    ) -> Outcome:
        """Execute a transaction in a block of its own; `L1Reverted` if it fails, and then nothing has happened."""
        state = self._state()
        transaction = self._transaction(state, sender, to, data, value, gas)
        computation = state.apply_transaction(transaction)
        self._require_success(computation)
        state.persist()
        self._advance(state.state_root, 0)
        return Outcome(paid_gas(transaction, computation), computation.output, _logs(computation))

    def call(self, to: bytes, data: bytes, *, sender: bytes = ALICE) -> bytes:
        """Execute a call and forget its effects."""
        state = self._state()
        computation = state.apply_transaction(self._transaction(state, sender, to, data, 0, 1 << 30))
        self._require_success(computation)
        return bytes(computation.output)

    def deploy(self, artifact: Artifact, *arguments: Any, sender: bytes = ALICE) -> Deployed:
        """Create a contract."""
        abi = ContractAbi(artifact.abi)
        address = created_address(sender, self.nonce(sender))
        outcome = self.transact(sender, None, abi.encode_deployment(artifact.bytecode, arguments))
        return Deployed(self, address, abi, outcome.gas_used)

    def nonce(self, account: bytes) -> int:
        """Transactions sent so far."""
        return self._state().get_nonce(Address(account))

    def balance(self, account: bytes) -> int:
        """Ether in wei."""
        return self._state().get_balance(Address(account))

    def set_balance(self, account: bytes, wei: int) -> None:
        """Make an account richer than any key could."""
        state = self._state()
        state.set_balance(Address(account), wei)
        state.persist()
        self._advance(state.state_root, 0)

    def code(self, account: bytes) -> bytes:
        """Code of a contract."""
        return bytes(self._state().get_code(Address(account)))

    def set_code(self, account: bytes, code: bytes) -> None:
        """Give an account code, as EIP-7702 does."""
        state = self._state()
        state.set_code(Address(account), code)
        state.persist()
        self._advance(state.state_root, 0)

    def set_storage(self, account: bytes, slot: int, value: int) -> None:
        """Put a contract into a state that would take too long to reach."""
        state = self._state()
        state.set_storage(Address(account), slot, value)
        state.persist()
        self._advance(state.state_root, 0)

    def _state(self) -> StateAPI:
        database = self._evm._chain.chaindb.db
        header = self.header.copy(base_fee_per_gas=0)
        return DevelopmentVM.build_state(database, header, ChainContext(CHAIN_ID), ())

    def _advance(self, state_root: bytes, seconds: int) -> None:
        self.header = self.header.copy(
            state_root=state_root, block_number=self.header.block_number + 1, timestamp=self.header.timestamp + seconds
        )

    @staticmethod
    def _transaction(
        state: StateAPI, sender: bytes, to: bytes | None, data: bytes, value: int, gas: int
    ) -> SignedTransactionAPI:
        unsigned = PragueTransactionBuilder.new_unsigned_dynamic_fee_transaction(
            chain_id=CHAIN_ID,
            nonce=state.get_nonce(Address(sender)),
            max_priority_fee_per_gas=0,
            max_fee_per_gas=0,
            gas=gas,
            to=Address(to or b""),
            value=value,
            data=data,
            access_list=(),
        )
        return cast("SignedTransactionAPI", SpoofTransaction(unsigned, from_=sender))

    def _require_success(self, computation: ComputationAPI) -> None:
        if not computation.is_error:
            return
        if computation.should_burn_gas:
            raise L1Reverted(type(computation.error).__name__, (), b"")
        raise self.errors.decode(computation.output)


class Deployed:
    """A contract on a chain."""

    def __init__(self, chain: Chain, address: bytes, abi: ContractAbi, deployment_gas: int = 0) -> None:
        self.chain = chain
        self.address = address
        self.abi = abi
        self.deployment_gas = deployment_gas

    def on(self, chain: Chain) -> Deployed:
        """The same contract on a fork."""
        return Deployed(chain, self.address, self.abi, self.deployment_gas)

    def call(self, name: str, *arguments: Any, sender: bytes = ALICE) -> Any:
        """Read."""
        output = self.chain.call(self.address, self.abi.encode_call(name, *arguments), sender=sender)
        return self.abi.decode_output(name, output)

    def send(self, name: str, *arguments: Any, sender: bytes = ALICE, value: int = 0, gas: int = MAX_TX_GAS) -> Outcome:
        """Write."""
        data = self.abi.encode_call(name, *arguments)
        return self.chain.transact(sender, self.address, data, value=value, gas=gas)

    def events(self, outcome: Outcome) -> dict[str, dict[str, Any]]:
        """What this contract logged, by name; a name that comes twice keeps the last."""
        decoded = [self.abi.decode_log(log) for log in outcome.logs if log.address == self.address]
        return {event.name: event.values for event in decoded if event is not None}


@contextmanager
def reverts(name: str, *arguments: Any) -> Iterator[None]:
    """Require the custom error `name`, with exactly these arguments if any are given."""
    with pytest.raises(L1Reverted) as caught:
        yield
    assert caught.value.name == name, caught.value
    if arguments:
        assert caught.value.arguments == arguments


@cache
def load_test_artifact(name: str) -> Artifact:
    """A contract of `contracts/test`."""
    path = TEST_ARTIFACTS / f"{name}.json"
    return parse_artifact(path.read_bytes(), str(path))


@cache
def known_errors() -> ErrorRegistry:
    """Every custom error there is."""
    artifacts = [load_artifact(name) for name in artifact_names()]
    artifacts += [load_test_artifact(path.stem) for path in sorted(TEST_ARTIFACTS.glob("*.json"))]
    registry = ErrorRegistry(entry for artifact in artifacts for entry in ContractAbi(artifact.abi).entries)
    library = [{"type": "error", "name": name, "inputs": []} for name in _LIBRARY_ERRORS]
    registry.add(ContractAbi(library).entries)
    return registry


_LIBRARY_ERRORS = ("Reentrancy", "TransferFromFailed", "TransferFailed", "ETHTransferFailed")
"""What the token and guard libraries raise; the ABI of a contract that uses them does not list it."""


def _logs(computation: ComputationAPI) -> tuple[Log, ...]:
    return tuple(
        Log(
            address=bytes(address),
            topics=tuple(topic.to_bytes(32, "big") for topic in topics),
            data=bytes(data),
            block_number=0,
            block_hash=bytes(32),
            tx_hash=bytes(32),
            tx_index=0,
            index=index,
            removed=False,
        )
        for index, (address, topics, data) in enumerate(computation.get_log_entries())
    )
