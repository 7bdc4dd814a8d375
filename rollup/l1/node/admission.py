"""Raw transactions as they arrive: decoded, and held against the rules of mainnet before they may enter the pool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from eth.abc import SignedTransactionAPI, StateAPI
from eth.exceptions import UnrecognizedTransactionType
from eth_keys.exceptions import BadSignature
from eth_typing import Address
from eth_utils.exceptions import ValidationError
from rlp.exceptions import RLPException  # type: ignore[import-untyped]

from rollup.l1.limits import MAX_INITCODE_BYTES, MAX_TX_BYTES, MAX_TX_GAS, floor_gas
from rollup.l1.node.errors import BadParams, Refused
from rollup.l1.node.evm import DevelopmentVM

_KINDS: Final = frozenset({0, 1, 2})
"""Legacy, access list, dynamic fee. Blobs and code delegation are nothing that the rollup sends."""

_HALF_ORDER: Final = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
"""Half the order of secp256k1; of a signature's two forms the one with the smaller s is valid (EIP-2)."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A well-formed transaction with its recovered sender. Prices are wei per gas."""

    transaction: SignedTransactionAPI
    hash: bytes
    sender: bytes
    nonce: int
    max_fee: int
    max_priority_fee: int

    def tip(self, base_fee: int) -> int:
        """What the block's producer earns per gas."""
        return min(self.max_priority_fee, self.max_fee - base_fee)


def decode_transaction(raw: bytes, chain_id: int) -> Candidate:
    """Decode and check what needs no state; `BadParams` if it is no transaction, `Refused` if it breaks a limit."""
    if len(raw) > MAX_TX_BYTES:
        raise Refused(f"oversized data: transaction size {len(raw)}, limit {MAX_TX_BYTES}")
    try:
        transaction = DevelopmentVM.get_transaction_builder().decode(raw)
        kind = transaction.type_id or 0
        transaction.validate()
        transaction.check_signature_validity()
        sender = bytes(transaction.sender)
    except (ValidationError, BadSignature, UnrecognizedTransactionType) as error:
        raise Refused(f"invalid transaction: {error}") from error
    except (RLPException, IndexError, TypeError, ValueError) as error:
        raise BadParams(f"not an encoded transaction: {error}") from error
    if kind not in _KINDS:
        raise Refused(f"transaction type {kind} not supported")
    if transaction.s > _HALF_ORDER:  # py-evm forgets EIP-2 for typed transactions
        raise Refused("invalid transaction: high s")
    if transaction.chain_id != chain_id:
        raise Refused(f"invalid chain id: have {transaction.chain_id}, want {chain_id}")
    _check_gas(transaction)
    return Candidate(
        transaction=transaction,
        hash=bytes(transaction.hash),
        sender=sender,
        nonce=transaction.nonce,
        max_fee=transaction.max_fee_per_gas,
        max_priority_fee=transaction.max_priority_fee_per_gas,
    )


def check_against_state(candidate: Candidate, state: StateAPI, base_fee: int) -> None:
    """Check nonce, funds and price against the head; `Refused` as geth would."""
    transaction = candidate.transaction
    nonce = state.get_nonce(Address(candidate.sender))
    if candidate.nonce < nonce:
        raise Refused(f"nonce too low: next nonce {nonce}, tx nonce {candidate.nonce}")
    cost = transaction.gas * candidate.max_fee + transaction.value
    balance = state.get_balance(Address(candidate.sender))
    if balance < cost:
        raise Refused(f"insufficient funds for gas * price + value: balance {balance}, tx cost {cost}")
    if candidate.max_fee < base_fee:
        raise Refused(f"max fee per gas less than block base fee: maxFeePerGas {candidate.max_fee}, baseFee {base_fee}")


def _check_gas(transaction: SignedTransactionAPI) -> None:
    if transaction.gas > MAX_TX_GAS:
        raise Refused(f"transaction gas limit too high: cap {MAX_TX_GAS}, tx {transaction.gas}")
    needed = max(transaction.intrinsic_gas, floor_gas(transaction.data))
    if transaction.gas < needed:
        raise Refused(f"intrinsic gas too low: have {transaction.gas}, want {needed}")
    if not transaction.to and len(transaction.data) > MAX_INITCODE_BYTES:
        raise Refused(f"max initcode size exceeded: code size {len(transaction.data)}, limit {MAX_INITCODE_BYTES}")
    if transaction.max_priority_fee_per_gas > transaction.max_fee_per_gas:
        raise Refused("max priority fee per gas higher than max fee per gas")
