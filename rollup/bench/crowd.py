"""A state with many accounts in memory, and traders among them who sign orders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random
from typing import Final

from rollup.bench.signatures import KEY
from rollup.crypto.eip712 import domain_separator, order_digest
from rollup.crypto.signatures import address_of, sign
from rollup.crypto.tree import MemoryNodes, Tree
from rollup.sequencer.memo import Memo
from rollup.types.accounts import NO_ADDRESS, Account, Position
from rollup.types.genesis import BTC, BTC_PERP, ETH, ETH_PERP, devnet_genesis
from rollup.types.keys import GLOBALS, account_key, market_key, underlying_key
from rollup.types.leaves import Globals, Market, Underlying
from rollup.types.transactions import FLAG_SELL, FreshOrder, Trade

NOW: Final = 1_700_000_000
PRICE: Final = 40_000_000_000
"""µUSD per coin."""
LOT: Final = 10_000
"""A lot of every devnet market, µcoin."""
CASH: Final = 10**12
SEPARATOR: Final = domain_separator(1, b"\x11" * 20)
OWNER: Final = address_of(KEY)
"""Who owns all accounts: one key signs as fast as many."""


@dataclass
class Crowd:
    """Leaves and tree of a state whose accounts all hold both markets, half of them long."""

    leaves: dict[int, bytes]
    tree: Tree
    accounts: int
    memo: Memo = field(default_factory=Memo)
    nonce: int = NOW << 13
    """Nonces as wallets make them: seconds, then a counter."""

    def read(self, key: int) -> bytes:
        """A leaf."""
        return self.leaves.get(key, b"")

    def write(self, writes: dict[int, bytes]) -> bytes:
        """Go on after a block; returns the new root."""
        self.leaves.update(writes)
        return self.tree.update(writes)

    def trades(self, luck: Random, *, remember: bool) -> Iterator[Trade]:
        """Trades of two fresh orders between random accounts; `remember` puts their signers into the memo."""
        while True:
            seller, buyer = luck.sample(range(self.accounts), 2)
            market = luck.choice((BTC_PERP, ETH_PERP))
            sides = [self._order(each, flags, market, remember) for each, flags in ((seller, FLAG_SELL), (buyer, 0))]
            luck.shuffle(sides)
            yield Trade(sides[0], sides[1], LOT)

    def _order(self, account: int, flags: int, market: int, remember: bool) -> FreshOrder:
        self.nonce += 1
        terms = (account, market, flags, LOT, PRICE, self.nonce, NOW + 600)
        digest = order_digest(SEPARATOR, *terms)
        signature = sign(digest, KEY)
        if remember:
            self.memo.put(digest, signature, OWNER)
        return FreshOrder(*terms, signature)


def make_crowd(accounts: int) -> Crowd:
    """A state of so many accounts."""
    leaves = devnet_genesis(NOW, (OWNER,), 1).leaves()
    totals = Globals.decode(leaves[GLOBALS])
    leaves[GLOBALS] = replace(totals, accounts=accounts, deposits=accounts * CASH).encode()
    for coin in (BTC, ETH):
        terms = Underlying.decode(leaves[underlying_key(coin)])
        leaves[underlying_key(coin)] = replace(terms, spot=PRICE, mark=PRICE, time=NOW).encode()
    for number in (BTC_PERP, ETH_PERP):
        market = Market.decode(leaves[market_key(number)])
        leaves[market_key(number)] = replace(market, open_interest=accounts // 2 * LOT).encode()
    for number in range(accounts):
        size = LOT if number % 2 else -LOT
        positions = (Position(BTC_PERP, size, 0), Position(ETH_PERP, size, 0))
        cash = CASH + number  # leaves of which no two are alike, as in life
        leaves[account_key(number)] = Account(OWNER, NO_ADDRESS, cash, 0, 0, 0, positions).encode()
    tree = Tree(MemoryNodes())
    tree.update(leaves)
    return Crowd(leaves, tree, accounts)
