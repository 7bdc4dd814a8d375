"""The liar's part: tries to prove an honest block wrong, in every way there is, and must fail every time.

Any suite that makes an honest block can hand it to `try_to_prove`. It runs the compiled verifier in pyrevm, without a
chain, and judges as `Rollup.prove` does: whatever reverts proves nothing, and a verdict is fraud unless it is that the
block is valid and leads to the posted root. What L1 itself fixes, the header and the domain, is as posted.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from challenger.execute import Execution, Executor, header_tuple, verify_function
from rollup.crypto.keccak import keccak
from rollup.crypto.tree import Tree
from rollup.crypto.witness import build_witness
from rollup.derive.chain import DerivedBlock
from rollup.l1.abi import decode_values, encode_values, parse_abi
from rollup.l1.artifacts import load_artifact
from rollup.l1.reverts import ErrorRegistry
from rollup.stf.block import BlockResult
from rollup.stf.builder import SealedBlock
from rollup.types.blocks import Header
from tests.support.evm import PyRevm, code_of
from tests.support.forgery import Evidence, Forgery, forge, join_messages

GAS: Final = 1 << 24
SHORTAGES: Final = 24
"""How many smaller amounts of gas a full trial tries."""
SHORT: Final = frozenset({"", "TooLittleGas"})
"""How a call with too little gas ends: a halt, which has no data, or the check behind a precompile."""


@dataclass(frozen=True, slots=True)
class HonestBlock:
    """A block that is what its header says, with the canonical witness."""

    header: Header
    txs: bytes
    messages: Sequence[bytes]
    witness: bytes

    @property
    def evidence(self) -> Evidence:
        """The plain proof."""
        return Evidence(self.header, self.txs, join_messages(self.messages), self.witness)


@dataclass(slots=True)
class Refusals:
    """How often each answer came: the names of the verifier's errors."""

    attempts: int = 0
    answers: Counter[str] = field(default_factory=Counter)


class ProvenWrongError(AssertionError):
    """An honest block was proven wrong, or a forged proof passed for a true one: `attempt` says how."""

    def __init__(self, attempt: str, header: Header, answer: str) -> None:
        super().__init__(f"block {header.number}: {attempt}: {answer}")
        self.attempt = attempt


def try_to_prove(
    block: HonestBlock, separator: bytes, *, attempts: int | None = None, executor: Executor | None = None
) -> Refusals:
    """Try every forgery and every shortage of gas, or a sample of `attempts` that the block's hash chooses.

    Raises ProvenWrongError if anything but a refusal comes back.
    """
    trial = _Trial(block, separator, executor or verifier_in_pyrevm())
    needed = trial.try_plainly()
    for attempt in _sample(list(_attempts(block, needed)), block.header, attempts):
        if isinstance(attempt, Forgery):
            trial.try_forgery(attempt)
        else:
            trial.try_shortage(attempt)
    return trial.refusals


def trying_to_prove(
    separator: bytes, *, attempts: int | None = None
) -> Callable[[DerivedBlock, BlockResult, bytes], None]:
    """For a replica to call (`on_block`): tries every block that it found right."""

    def try_block(block: DerivedBlock, _result: BlockResult, witness: bytes) -> None:
        try_to_prove(HonestBlock(block.header, block.txs, block.messages, witness), separator, attempts=attempts)

    return try_block


def honest_block(sealed: SealedBlock, before: Tree) -> HonestBlock:
    """What a builder sealed, with a header as L1 would make it, on the tree before it. The tree stays as it is."""
    root, _ = before.changes(sealed.writes)
    header = Header(
        number=1, fork=0, parent_root=before.root, timestamp=sealed.timestamp, inbox_index=sealed.inbox_index,
        inbox_hash=sealed.inbox_hash, txs_hash=keccak(sealed.txs), state_root=root,
    )  # fmt: skip
    return HonestBlock(header, sealed.txs, sealed.messages, build_witness(before, sealed.pre))


_evms = threading.local()


def verifier_in_pyrevm() -> Executor:
    """The committed verifier on the fast executor, one for each thread, which it may not leave."""
    if not hasattr(_evms, "verifier"):
        _evms.verifier = PyRevm(code_of("Verifier"))
    found: Executor = _evms.verifier
    return found


def encode_evidence(evidence: Evidence, separator: bytes) -> bytes:
    """Calldata of `Verifier.verify`, from bytes that need not be well formed."""
    function = verify_function()
    arguments = (
        header_tuple(evidence.header), evidence.txs, evidence.messages, evidence.witness, separator
    )  # fmt: skip
    return function.selector + encode_values(function.input_types, arguments)


class _Trial:
    def __init__(self, block: HonestBlock, separator: bytes, executor: Executor) -> None:
        self._block = block
        self._separator = separator
        self._executor = executor
        self.refusals = Refusals()

    def try_plainly(self) -> int:
        """The true proof: L1 answers BlockValid. Returns the gas that it uses."""
        run = self._run(self._block.evidence, GAS)
        self._require("the plain proof", run, run.ok and self._is_honest(run))
        self.refusals.answers["BlockValid"] += 1
        return run.gas_used

    def try_forgery(self, forgery: Forgery) -> None:
        """A forged proof must revert with a named error, even where the truth would have saved the block."""
        run = self._run(forgery.evidence, GAS)
        self._require(forgery.name, run, not run.ok and _name(run) not in SHORT)
        self.refusals.answers[_name(run)] += 1

    def try_shortage(self, gas: int) -> None:
        """With less gas the true proof ends as before or not at all."""
        run = self._run(self._block.evidence, gas)
        self._require(f"{gas} gas", run, self._is_honest(run) if run.ok else _name(run) in SHORT)
        self.refusals.answers["BlockValid" if run.ok else _name(run) or "out of gas"] += 1

    def _run(self, evidence: Evidence, gas: int) -> Execution:
        self.refusals.attempts += 1
        return self._executor.call(encode_evidence(evidence, self._separator), gas)

    def _is_honest(self, run: Execution) -> bool:
        reason, _, root = decode_values(("uint256", "uint256", "bytes32"), run.output)
        return bool(reason == 0 and root == self._block.header.state_root)

    def _require(self, attempt: str, run: Execution, held: bool) -> None:
        if not held:
            answer = f"0x{run.output.hex()}" if run.ok else _name(run) or "a halt without data"
            raise ProvenWrongError(attempt, self._block.header, answer)


def _attempts(block: HonestBlock, needed: int) -> Iterator[Forgery | int]:
    yield from forge(block.evidence, block.messages)
    yield from (needed * (1 + i) // (SHORTAGES + 1) for i in range(SHORTAGES))
    yield from (needed - 1, needed - needed // 64, needed + needed // 63)


def _sample(attempts: list[Forgery | int], header: Header, count: int | None) -> list[Forgery | int]:
    """All of them, or `count` spread over all kinds, others for each block."""
    if count is None or count >= len(attempts):
        return attempts
    start = int.from_bytes(keccak(header.encode())[:4], "big")
    return [attempts[(start + i * len(attempts) // count) % len(attempts)] for i in range(count)]


def _name(run: Execution) -> str:
    return _errors().decode(run.output).name if run.output else ""


@cache
def _errors() -> ErrorRegistry:
    return ErrorRegistry(parse_abi(load_artifact("Verifier").abi))
