"""A poster: builds blocks with the state transition and posts them to L1, honestly or as a test tells it to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from rollup.crypto.eip712 import domain_separator, oracle_digest, order_digest, transfer_digest, withdraw_digest
from rollup.crypto.signatures import sign
from rollup.crypto.tree import MemoryNodes, Tree
from rollup.l1.devkeys import dev_address, dev_key
from rollup.l1.values import Receipt
from rollup.stf.builder import BlockBuilder
from rollup.types.blocks import BatchBlock, encode_batch
from rollup.types.genesis import BTC, BTC_PERP, decode_leaves
from rollup.types.keys import GLOBALS, underlying_key
from rollup.types.leaves import Globals, Underlying
from rollup.types.transactions import (
    FLAG_SELL,
    FreshOrder,
    OracleUpdate,
    Trade,
    Transaction,
    Transfer,
    Withdraw,
    encode_transaction,
)
from tests.support.deployed import FEEDER, SEQUENCER, Site

PRICE = 40_000_000_000
"""40,000 USD a coin, in µUSD."""
FILL = 100_000
"""A tenth of a coin, in µcoin."""
CASH = 100_000_000_000
"""100,000 USD, in µUSD."""
FIRST_OWNER = 10
"""Account n belongs to development key `FIRST_OWNER + n`."""
FOREVER = 2**40 - 1


@dataclass
class Poster:
    """One staked key with its own idea of the state; `leaves` is the state after the last block built."""

    site: Site
    leaves: dict[int, bytes]
    key: int = SEQUENCER
    messages: list[bytes] = field(default_factory=list)
    nonce: int = 0
    included: int = 0
    """Transactions in the blocks built so far."""

    @property
    def separator(self) -> bytes:
        """Domain of all signatures."""
        return domain_separator(self.site.deployment.chain_id, self.site.deployment.rollup)

    @property
    def root(self) -> bytes:
        """Root of the state, computed from its leaves alone."""
        return Tree(MemoryNodes()).update(self.leaves)

    @property
    def waiting(self) -> list[bytes]:
        """Messages that no block has consumed yet."""
        return self.messages[Globals.decode(self.leaves[GLOBALS]).inbox_index :]

    # -- L1 ------------------------------------------------------------------------------------------------------------

    async def open(self, accounts: int = 1) -> None:
        """Open the next accounts, each with `CASH`."""
        inbox = self.site.contract("Inbox")
        for _ in range(accounts):
            number = await inbox.call("accountCount")
            owner = dev_address(FIRST_OWNER + number)
            self._hear(await inbox.transact(self.site.account(SEQUENCER), "open", owner, CASH))

    async def deposit(self, account: int, amount: int) -> None:
        """Deposit µUSD."""
        inbox = self.site.contract("Inbox")
        self._hear(await inbox.transact(self.site.account(SEQUENCER), "deposit", account, amount))

    async def force(self, transaction: Transaction) -> None:
        """Send a transaction through L1, whatever it is worth."""
        inbox, data = self.site.contract("Inbox"), encode_transaction(transaction)
        self._hear(await inbox.transact(self.site.account(SEQUENCER), "force", data, value=10**16))

    async def post(self, *blocks: BatchBlock) -> Receipt:
        """Post a batch on top of what stands."""
        rollup = self.site.contract("Rollup")
        batch = await rollup.call("batches", await rollup.call("batchCount") - 1)
        taken = batch[8] + sum(block.inbox_count for block in blocks)
        inbox_hash = await self.site.contract("Inbox").call("hashAt", taken)
        data = rollup.abi.encode_call("postBatch", batch[2], encode_batch(blocks), inbox_hash)
        return await self.site.account(self.key).transact(rollup.address, data)

    async def now(self) -> int:
        """L1 time, s."""
        head = await self.site.l1.get_block()
        assert head is not None
        return head.timestamp

    # -- transactions --------------------------------------------------------------------------------------------------

    def price(self, now: int) -> OracleUpdate:
        """A price of BTC, signed by the feeder."""
        signature = sign(oracle_digest(self.separator, BTC, now, PRICE, PRICE), dev_key(FEEDER))
        return OracleUpdate(BTC, now, PRICE, PRICE, 1, (signature,))

    def order(self, account: int, flags: int, *, size: int = FILL) -> FreshOrder:
        """An order at `PRICE`, signed by its owner."""
        self.nonce += 1
        terms = (account, BTC_PERP, flags, size, PRICE, self.nonce, FOREVER)
        return FreshOrder(*terms, sign(order_digest(self.separator, *terms), dev_key(FIRST_OWNER + account)))

    def trade(self, seller: int = 0, buyer: int = 1) -> Trade:
        """A tenth of a coin changes hands."""
        return Trade(self.order(seller, FLAG_SELL), self.order(buyer, 0), FILL)

    def withdraw(self, account: int, amount: int) -> Withdraw:
        """A withdrawal signed by its owner."""
        self.nonce += 1
        digest = withdraw_digest(self.separator, account, amount, self.nonce)
        return Withdraw(account, amount, self.nonce, sign(digest, dev_key(FIRST_OWNER + account)))

    def transfer(self, sender: int, recipient: int, amount: int) -> Transfer:
        """A transfer signed by its sender."""
        self.nonce += 1
        digest = transfer_digest(self.separator, sender, recipient, amount, self.nonce)
        return Transfer(sender, recipient, amount, self.nonce, sign(digest, dev_key(FIRST_OWNER + sender)))

    # -- blocks --------------------------------------------------------------------------------------------------------

    async def block(self, *transactions: Transaction, take: int | None = None) -> BatchBlock:
        """Build the next block, which consumes `take` waiting messages (default: all), and go on from it.

        It begins with a fresh price of BTC if that is needed.
        """
        now = await self.now()
        builder = BlockBuilder(lambda key: self.leaves.get(key, b""), now, self.separator)
        taken = self.waiting[:take]
        for message in taken:
            builder.take_message(message)
        if any(isinstance(tx, Trade) for tx in transactions):
            transactions = (*self.prices(now), *transactions)
        for transaction in transactions:
            builder.apply(transaction)
        self.included += len(transactions)
        sealed = builder.finish()
        self.leaves.update(sealed.writes)
        return BatchBlock(now, len(taken), self.root, sealed.txs)

    async def forge(self, *transactions: Transaction, txs: bytes = b"", root: bytes | None = None) -> BatchBlock:
        """A block of anything at all, executed by nobody; it claims `root`, or that nothing changed."""
        data = b"".join(encode_transaction(tx) for tx in transactions) + txs
        return BatchBlock(await self.now(), 0, root or self.root, data)

    def prices(self, now: int) -> Sequence[OracleUpdate]:
        """A fresh price of BTC, unless the state has it."""
        known = Underlying.decode(self.leaves[underlying_key(BTC)])
        return (self.price(now),) if known.time < now else ()

    def _hear(self, receipt: Receipt) -> None:
        inbox = self.site.contract("Inbox")
        self.messages += [event.values["message"] for event in inbox.decode_events(receipt.logs)]


async def start_poster(site: Site, key: int = SEQUENCER) -> Poster:
    """An honest poster at the genesis."""
    rollup = site.contract("Rollup")
    (genesis,) = await rollup.events("Genesis", from_block=0, to_block=await site.l1.block_number())
    return Poster(site, decode_leaves(genesis.values["leaves"]), key)


def with_root(block: BatchBlock, root: bytes) -> BatchBlock:
    """The block with another claimed root."""
    return replace(block, state_root=root)
