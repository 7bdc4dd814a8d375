"""A small chain for tests: accounts with known keys, signed transactions, blocks executed on leaves in a dict."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rollup.crypto import eip712
from rollup.crypto.keccak import keccak, roll
from rollup.crypto.signatures import sign
from rollup.l1.devkeys import dev_address, dev_key
from rollup.stf.block import BlockResult, execute_block
from rollup.stf.builder import BlockBuilder, SealedBlock
from rollup.stf.invariants import Report, check_invariants
from rollup.types.blocks import Header
from rollup.types.genesis import BTC, ETH, Genesis, devnet_genesis
from rollup.types.keys import GLOBALS, account_key, market_key, slot_key, underlying_key
from rollup.types.leaves import Account, Globals, Market, Slot, Underlying
from rollup.types.messages import Deposit, Forced, Message, Open, encode_message
from rollup.types.reasons import Reason
from rollup.types.transactions import (
    EMPTY_SIGNATURE,
    FLAG_SELL,
    Cancel,
    FreshOrder,
    OracleUpdate,
    OrderRef,
    SetSigner,
    Trade,
    Transaction,
    Transfer,
    Withdraw,
    encode_transaction,
)

USD = 1_000_000
COIN = 1_000_000
START = 1_700_000_000
FOREVER = 2**40 - 1
SEPARATOR = eip712.domain_separator(31337, b"\x11" * 20)
FEEDERS = (7, 8, 9)
"""Development keys that sign prices; accounts use the others."""


def flags(sell: bool, extra: int = 0) -> int:
    """Order flags of a side."""
    return (FLAG_SELL if sell else 0) | extra


def order(account: int, sell: bool, size: int, price: int, nonce: int, **terms: Any) -> FreshOrder:
    """A signed order in market 1; `key`, `market`, `extra` (flags), `expiry` and `signature` may be given."""
    market, expiry = terms.get("market", 1), terms.get("expiry", FOREVER)
    bits = flags(sell, terms.get("extra", 0))
    digest = eip712.order_digest(SEPARATOR, account, market, bits, size, price, nonce, expiry)
    signature = terms.get("signature") or sign(digest, dev_key(terms.get("key", account)))
    return FreshOrder(account, market, bits, size, price, nonce, expiry, signature)


def forced_order(account: int, sell: bool, size: int, price: int, nonce: int, **terms: Any) -> FreshOrder:
    """An order on the word of the L1 sender."""
    return order(account, sell, size, price, nonce, signature=EMPTY_SIGNATURE, **terms)


def cancel(account: int, nonce: int, cancel_all: bool = False, key: int | None = None) -> Cancel:
    """A signed cancel."""
    digest = eip712.cancel_digest(SEPARATOR, account, cancel_all, nonce)
    return Cancel(account, cancel_all, nonce, sign(digest, dev_key(account if key is None else key)))


def withdraw(account: int, amount: int, nonce: int, key: int | None = None) -> Withdraw:
    """A signed withdrawal."""
    digest = eip712.withdraw_digest(SEPARATOR, account, amount, nonce)
    return Withdraw(account, amount, nonce, sign(digest, dev_key(account if key is None else key)))


def transfer(sender: int, recipient: int, amount: int, nonce: int, key: int | None = None) -> Transfer:
    """A signed transfer."""
    digest = eip712.transfer_digest(SEPARATOR, sender, recipient, amount, nonce)
    return Transfer(sender, recipient, amount, nonce, sign(digest, dev_key(sender if key is None else key)))


def set_signer(account: int, signer: bytes, nonce: int, key: int | None = None) -> SetSigner:
    """A signed appointment of a session signer."""
    digest = eip712.set_signer_digest(SEPARATOR, account, signer, nonce)
    return SetSigner(account, signer, nonce, sign(digest, dev_key(account if key is None else key)))


def price(time: int, spot: int, mark: int | None = None, **terms: Any) -> OracleUpdate:
    """A price signed by the first two feeders; `underlying`, `signers` (bitmap) and `keys` may be given."""
    underlying, signers = terms.get("underlying", BTC), terms.get("signers", 0b011)
    shown = spot if mark is None else mark
    digest = eip712.oracle_digest(SEPARATOR, underlying, time, spot, shown)
    keys = terms.get("keys", [key for bit, key in enumerate(FEEDERS) if signers >> bit & 1])
    return OracleUpdate(underlying, time, spot, shown, signers, tuple(sign(digest, dev_key(key)) for key in keys))


def genesis() -> Genesis:
    """The devnet's genesis with the feeders of these tests, two of three."""
    return devnet_genesis(START, tuple(map(dev_address, FEEDERS)), 2)


@dataclass
class World:
    """The state after the blocks so far. Account `n` belongs to development key `n`."""

    leaves: dict[int, bytes] = field(default_factory=lambda: genesis().leaves())
    now: int = START

    def globals(self) -> Globals:
        """The chain's totals."""
        return Globals.decode(self.leaves[GLOBALS])

    def account(self, number: int) -> Account:
        """An account that exists."""
        return Account.decode(self.leaves[account_key(number)])

    def slot(self, account: int, nonce: int) -> Slot:
        """An order slot that is not empty."""
        return Slot.decode(self.leaves[slot_key(account, nonce)])

    def market(self, number: int = 1) -> Market:
        """A market."""
        return Market.decode(self.leaves[market_key(number)])

    def underlying(self, number: int = BTC) -> Underlying:
        """An underlying."""
        return Underlying.decode(self.leaves[underlying_key(number)])

    def change_market(self, number: int = 1, **terms: Any) -> None:
        """Rewrite terms of a market, as no transaction can."""
        self.leaves[market_key(number)] = replace(self.market(number), **terms).encode()

    def change_account(self, number: int, **fields: Any) -> None:
        """Rewrite fields of an account, as no transaction can."""
        self.leaves[account_key(number)] = replace(self.account(number), **fields).encode()

    def read(self, key: int) -> bytes:
        """Value of a leaf."""
        return self.leaves.get(key, b"")

    def header(self, messages: Iterable[bytes], txs: bytes, timestamp: int) -> Header:
        """The header that L1 would build (roots aside)."""
        totals = self.globals()
        index, rolling = totals.inbox_index, totals.inbox_hash
        for message in messages:
            index, rolling = index + 1, roll(rolling, message)
        return Header(1, 0, bytes(32), timestamp, index, rolling, keccak(txs), bytes(32))

    def execute(
        self,
        *txs: Transaction | bytes,
        messages: Sequence[Message | bytes] = (),
        at: int | None = None,
        keep: bool = True,
    ) -> BlockResult:
        """Execute a block of transactions and messages (values or raw bytes) and, if valid, keep what it writes."""
        data = b"".join(tx if isinstance(tx, bytes) else encode_transaction(tx) for tx in txs)
        inbox = [message if isinstance(message, bytes) else encode_message(message) for message in messages]
        timestamp = self.now if at is None else at
        result = execute_block(self.read, self.header(inbox, data, timestamp), data, inbox, SEPARATOR)
        if keep and result.reason == Reason.NONE:
            self.leaves.update(result.writes)
            self.now = timestamp
        return result

    def must(
        self, *txs: Transaction | bytes, messages: Sequence[Message | bytes] = (), at: int | None = None
    ) -> BlockResult:
        """Execute a block that has to be valid."""
        result = self.execute(*txs, messages=messages, at=at)
        assert result.reason == Reason.NONE, (result.reason.name, result.index)
        return result

    def refusal(self, tx: Transaction | bytes, at: int | None = None) -> Reason:
        """The reason for which a block of one transaction is invalid; NONE if it is not. Keeps nothing."""
        result = self.execute(tx, at=at, keep=False)
        assert result.index == 0
        assert bool(result.writes) == (result.reason == Reason.NONE)
        return result.reason

    def forced_reason(self, tx: Transaction | bytes, sender: int) -> Reason:
        """The reason in the receipt of a transaction forced by the holder of development key `sender`."""
        data = tx if isinstance(tx, bytes) else encode_transaction(tx)
        return self.must(messages=[Forced(dev_address(sender), data)]).receipts[0].reason

    def builder(self, at: int | None = None) -> BlockBuilder:
        """A builder of the next block."""
        return BlockBuilder(self.read, self.now if at is None else at, SEPARATOR)

    def replay(self, sealed: SealedBlock) -> BlockResult:
        """Execute a sealed block on the present state without keeping it."""
        header = self.header(sealed.messages, sealed.txs, sealed.timestamp)
        assert (header.inbox_index, header.inbox_hash) == (sealed.inbox_index, sealed.inbox_hash)
        return execute_block(self.read, header, sealed.txs, sealed.messages, SEPARATOR)

    def check(self) -> Report:
        """The invariants of the whole state."""
        return check_invariants(self.leaves.items())


def funded(accounts: int = 3, amount: int = 100_000 * USD, spot: int = 40_000 * USD) -> World:
    """A world whose accounts 0 … n-1 have money, with prices for both coins (ETH at a tenth of BTC)."""
    world = World()
    world.must(messages=[Open(number, dev_address(number), amount) for number in range(accounts)])
    world.must(price(START, spot), price(START, spot // 10, underlying=ETH))
    return world


def trade(
    size: int, at: int, nonce: int, buyer: int = 0, seller: int = 1, taker_sells: bool = False, market: int = 1
) -> Trade:
    """A trade of two fresh orders of equal terms."""
    buy = order(buyer, False, size, at, nonce, market=market)
    sell = order(seller, True, size, at, nonce, market=market)
    return Trade(buy, sell, size) if taker_sells else Trade(sell, buy, size)


__all__ = ["Deposit", "Open", "OrderRef", "World", "funded", "trade"]
