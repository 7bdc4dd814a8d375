"""A bare L1 like `Chain`, but in pyrevm: some hundred times faster, for tests that make very many transactions.

It cannot be copied; instead it goes back to a mark. Gas is free and nonces count deployments only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Never

import pyrevm

from rollup.l1.devkeys import dev_address
from rollup.l1.limits import MAX_TX_GAS
from tests.support.chain import CHAIN_ID, GENESIS_TIME, Chain, Outcome, known_errors

_DEPLOYMENT_GAS: Final = 1 << 30
_RICH: Final = 10**22
_OUTPUT: Final = re.compile(r"output: 0x([0-9a-f]*)")


@dataclass(frozen=True, slots=True)
class Mark:
    """Where to go back to."""

    checkpoint: pyrevm.JournalCheckpoint
    time: int
    block_number: int


class FastChain(Chain):
    """The newest state, and the time of the next block (seconds)."""

    def __init__(self, time: int = GENESIS_TIME) -> None:
        config = pyrevm.CfgEnv(chain_id=CHAIN_ID)
        self._revm = pyrevm.EVM(env=pyrevm.Env(cfg=config), spec_id="PRAGUE")
        self._time, self._number = time, 1
        self.errors = known_errors()
        for index in range(10):
            self.set_balance(dev_address(index), _RICH)
        self._announce()

    @property
    def now(self) -> int:
        """L1 time of the next transaction, seconds."""
        return self._time

    @property
    def block_number(self) -> int:
        """L1 block of the next transaction."""
        return self._number

    def mark(self) -> Mark:
        """Remember this state."""
        return Mark(self._revm.snapshot(), self._time, self._number)

    def rewind(self, mark: Mark) -> None:
        """Go back to a mark, which is used up."""
        self._revm.revert(mark.checkpoint)
        self._time, self._number = mark.time, mark.block_number
        self._announce()

    def fork(self) -> Never:
        """There is one state only."""
        raise TypeError("mark this chain and rewind it; it cannot be copied")

    def travel(self, seconds: int) -> None:
        """Let time pass."""
        self._time += seconds
        self._next_block()

    def transact(
        self, sender: bytes, to: bytes | None, data: bytes, *, value: int = 0, gas: int = MAX_TX_GAS
    ) -> Outcome:
        """Execute a transaction in a block of its own; `L1Reverted` if it fails, and then nothing has happened."""
        try:
            if to is None:
                self._revm.deploy(_hex(sender), data, value, _DEPLOYMENT_GAS)
                output = b""
            else:
                output = bytes(self._revm.message_call(_hex(sender), _hex(to), data, value, gas))
        except RuntimeError as error:
            # The only place where pyrevm tells the revert data is the text of its error; a halt (out of gas) has none.
            found = _OUTPUT.search(str(error))
            raise self.errors.decode(bytes.fromhex(found[1]) if found else b"") from error
        finally:
            self._revm.reset_transient_storage()
        self._next_block()
        result = self._revm.result
        assert result is not None, "a transaction was executed"
        return Outcome(result.gas_used, output, ())

    def call(self, to: bytes, data: bytes, *, sender: bytes = bytes(20)) -> bytes:
        """Execute a call and forget its effects."""
        checkpoint = self._revm.snapshot()
        try:
            return bytes(self._revm.message_call(_hex(sender), _hex(to), data))
        except RuntimeError as error:
            found = _OUTPUT.search(str(error))
            raise self.errors.decode(bytes.fromhex(found[1]) if found else b"") from error
        finally:
            self._revm.revert(checkpoint)
            self._revm.reset_transient_storage()

    def nonce(self, account: bytes) -> int:
        """Contracts created so far."""
        return self._revm.basic(_hex(account)).nonce

    def balance(self, account: bytes) -> int:
        """Ether in wei."""
        return self._revm.get_balance(_hex(account))

    def set_balance(self, account: bytes, wei: int) -> None:
        """Make an account richer than any key could."""
        self._revm.set_balance(_hex(account), wei)

    def code(self, account: bytes) -> bytes:
        """Code of a contract."""
        return bytes(self._revm.get_code(_hex(account)) or b"")

    def set_code(self, account: bytes, code: bytes) -> None:
        """Give an account code, as EIP-7702 does."""
        self._revm.insert_account_info(_hex(account), pyrevm.AccountInfo(code=code))

    def set_storage(self, account: bytes, slot: int, value: int) -> None:
        """Put a contract into a state that would take too long to reach."""
        self._revm.insert_account_storage(_hex(account), slot, value)

    def _next_block(self) -> None:
        self._number += 1
        self._announce()

    def _announce(self) -> None:
        self._revm.set_block_env(pyrevm.BlockEnv(number=self._number, timestamp=self._time, basefee=0))


def _hex(address: bytes) -> str:
    return f"0x{address.hex()}"
