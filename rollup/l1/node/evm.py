"""py-evm under Prague rules: genesis, blocks, and calls on any past state.

Everything here blocks for as long as the EVM runs (about 1.5 million gas a second), so the node calls it in worker
threads. Blocks are made by one thread at a time; calls read an append-only database and may run beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, cast

from eth.abc import BlockAPI, BlockHeaderAPI, ComputationAPI, ReceiptAPI, SignedTransactionAPI, StateAPI
from eth.chains.base import MiningChain
from eth.db.atomic import AtomicDB
from eth.vm.chain_context import ChainContext
from eth.vm.forks.prague import PragueVM
from eth.vm.forks.prague.transactions import PragueTransactionBuilder
from eth.vm.spoof import SpoofTransaction
from eth_typing import Address, BlockNumber, Hash32
from eth_utils.exceptions import ValidationError

from rollup.l1.limits import floor_gas
from rollup.l1.node.config import EmbeddedL1Config
from rollup.l1.node.errors import Refused

TOO_DEEP: Final = "contracts call each other deeper than this release of Python can follow"
"""Some releases of Python 3.12 allow little recursion through C, by a constant: about 500 of the EVM's 1,024 calls."""


class DevelopmentVM(PragueVM):
    """Prague, but several blocks may share a second (as on anvil), so that the chain's clock keeps to the wall's."""

    @classmethod
    def validate_header(cls, header: BlockHeaderAPI, parent_header: BlockHeaderAPI) -> None:
        """Check a header against its parent."""
        if header.timestamp == parent_header.timestamp:
            header = header.copy(timestamp=header.timestamp + 1)
        super().validate_header(header, parent_header)

    @classmethod
    def finalize_gas_used(cls, transaction: SignedTransactionAPI, computation: ComputationAPI) -> int:
        """Gas to pay: py-evm's receipts cap the refund after adding the EIP-7623 floor; the rule is before."""
        return paid_gas(transaction, computation)


@dataclass(frozen=True, slots=True)
class CallMessage:
    """What eth_call executes: `to` is None to create a contract, `gas` includes the intrinsic gas."""

    sender: bytes
    to: bytes | None
    value: int
    data: bytes
    gas: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call did: `gas_used` is what a transaction would pay, `peak_gas` what it needs before refunds."""

    success: bool
    reverted: bool
    output: bytes
    gas_used: int
    peak_gas: int
    error: str


@dataclass(frozen=True, slots=True)
class BuiltBlock:
    """A new head: the block, and of each included transaction its receipt (with cumulative gas)."""

    block: BlockAPI
    receipts: tuple[ReceiptAPI, ...]
    dropped: tuple[tuple[SignedTransactionAPI, str], ...]


class Evm:
    """The chain database and the rules. Which header is the head is the ledger's business."""

    def __init__(self, config: EmbeddedL1Config, genesis_time: int) -> None:
        class _Chain(MiningChain):
            chain_id = config.chain_id
            vm_configuration = ((BlockNumber(0), DevelopmentVM),)

        self._gas_limit = config.block_gas_limit
        self._context = ChainContext(config.chain_id)
        self._chain = _Chain.from_genesis(
            AtomicDB(),
            {
                "difficulty": 0,
                "gas_limit": config.block_gas_limit,
                "timestamp": genesis_time,
                "base_fee_per_gas": config.base_fee,
                "mix_hash": b"\0" * 32,
                "nonce": b"\0" * 8,
            },
            {
                Address(address): {"balance": balance, "nonce": 0, "code": b"", "storage": {}}
                for address, balance in config.allocation.items()
            },
        )
        self.genesis: BlockAPI = self._chain.get_canonical_block_by_number(BlockNumber(0))

    def next_header(self, parent: BlockHeaderAPI, timestamp: int, randomness: bytes = b"\0" * 32) -> BlockHeaderAPI:
        """Header of a block to be built on `parent`."""
        header: BlockHeaderAPI = DevelopmentVM.create_header_from_parent(
            parent, timestamp=timestamp, gas_limit=self._gas_limit, mix_hash=Hash32(randomness)
        )
        return header

    def build_block(self, header: BlockHeaderAPI, candidates: Iterable[SignedTransactionAPI]) -> BuiltBlock:
        """Execute transactions on top of `header`'s parent and store the block; invalid ones stay out."""
        parented, waiting = header, list(candidates)
        vm = self._chain.get_vm(header)
        included: list[SignedTransactionAPI] = []
        receipts: list[ReceiptAPI] = []
        dropped: list[tuple[SignedTransactionAPI, str]] = []
        for transaction in waiting:
            try:
                receipt, _ = vm.apply_transaction(header, transaction)
            except ValidationError as error:  # raised before the state is touched
                dropped.append((transaction, str(error)))
                continue
            except RecursionError:  # raised in the midst of it: begin again without
                return self._build_without(transaction, parented, waiting)
            header = vm.add_receipt_to_header(header, receipt)
            included.append(transaction)
            receipts.append(receipt)
        filled = vm.set_block_transactions_and_withdrawals(vm.get_block(), header, included, receipts)
        block = vm.mine_block(filled).block
        self._chain.chaindb.persist_block(block)
        return BuiltBlock(block, tuple(receipts), tuple(dropped))

    def _build_without(
        self, culprit: SignedTransactionAPI, header: BlockHeaderAPI, candidates: Iterable[SignedTransactionAPI]
    ) -> BuiltBlock:
        built = self.build_block(header, [each for each in candidates if each is not culprit])
        return replace(built, dropped=((culprit, TOO_DEEP), *built.dropped))

    def state_at(self, header: BlockHeaderAPI) -> StateAPI:
        """State after a block; to be read by one thread and thrown away."""
        return DevelopmentVM.build_state(self._chain.chaindb.db, header, self._context)

    def execute(self, header: BlockHeaderAPI, message: CallMessage) -> Outcome:
        """Execute a message in the environment of `header`, for free, leaving no trace; `Refused` if it cannot."""
        ancestors = DevelopmentVM.get_prev_hashes(header.parent_hash, self._chain.chaindb)
        state = DevelopmentVM.build_state(
            self._chain.chaindb.db, header.copy(base_fee_per_gas=0), self._context, ancestors or ()
        )
        transaction = PragueTransactionBuilder.new_unsigned_dynamic_fee_transaction(
            chain_id=self._context.chain_id,
            nonce=state.get_nonce(Address(message.sender)),
            max_priority_fee_per_gas=0,
            max_fee_per_gas=0,
            gas=message.gas,
            to=Address(message.to or b""),
            value=message.value,
            data=message.data,
            access_list=(),
        )
        needed = max(transaction.intrinsic_gas, floor_gas(message.data))
        if message.gas < needed:
            raise Refused(f"intrinsic gas too low: have {message.gas}, want {needed}")
        spoofed = cast("SignedTransactionAPI", SpoofTransaction(transaction, from_=message.sender))
        try:
            computation = state.apply_transaction(spoofed)
        except ValidationError as error:
            raise Refused(f"insufficient funds for transfer: {error}") from error
        except RecursionError:
            raise Refused(TOO_DEEP) from None
        return _outcome(spoofed, computation)


def base_fee_of(header: BlockHeaderAPI) -> int:
    """Base fee of a block, wei per gas; every block has one since London."""
    fee = header.base_fee_per_gas
    assert fee is not None
    return fee


def paid_gas(transaction: SignedTransactionAPI, computation: ComputationAPI) -> int:
    """Gas that a transaction pays: used, less at most a fifth in refunds (EIP-3529), at least the floor (EIP-7623)."""
    used = transaction.gas - computation.get_gas_remaining()
    refund = min(computation.get_gas_refund(), used // 5)
    return max(used - refund, floor_gas(transaction.data))


def _outcome(transaction: SignedTransactionAPI, computation: ComputationAPI) -> Outcome:
    reverted = computation.is_error and not computation.should_burn_gas
    return Outcome(
        success=not computation.is_error,
        reverted=reverted,
        output=computation.output,
        gas_used=paid_gas(transaction, computation),
        peak_gas=max(transaction.gas - computation.get_gas_remaining(), floor_gas(transaction.data)),
        error=_words(computation),
    )


def _words(computation: ComputationAPI) -> str:
    if not computation.is_error:
        return ""
    name = type(computation.error).__name__
    return "out of gas" if name == "OutOfGas" else f"{name}: {computation.error}"
