"""Random traffic on a small world: mostly sensible, sometimes wrong in every way a user or a poster can be."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random

from rollup.l1.devkeys import dev_address
from rollup.types.messages import Deposit, Forced, Message, Open
from rollup.types.transactions import (
    EMPTY_SIGNATURE,
    FLAG_IMMEDIATE,
    FLAG_POST_ONLY,
    FLAG_REDUCE_ONLY,
    Cancel,
    FreshOrder,
    OrderRef,
    SetSigner,
    Trade,
    Transaction,
    Transfer,
    Withdraw,
    encode_transaction,
)
from tests.stf.world import (
    START,
    USD,
    World,
    cancel,
    order,
    price,
    set_signer,
    trade,
    transfer,
    withdraw,
)

ACCOUNTS = 5
"""Accounts that exist, each of the development key of its number; one number more is sometimes tried."""
# Market 9 does not exist.
LOTS = {1: 1_000, 2: 10_000, 9: 1}
TICKS = {1: 100_000, 2: 10_000, 9: 1}


@dataclass
class Traffic:
    """A source of messages and transactions for the world's next block, at the time `now`."""

    random: Random
    world: World
    now: int = START
    nonce: int = 0
    resting: list[FreshOrder] = field(default_factory=list)

    def pass_time(self) -> None:
        """Seconds, seldom a minute (old prices), seldom none."""
        self.now += self.random.choice((0, 1, 7, 20, 20, 45, 61))

    def message(self) -> Message | bytes:
        """What L1 may pass on."""
        rng = self.random
        match rng.randrange(8):
            case 0:
                number = rng.randrange(ACCOUNTS + 1)
                return Open(number, dev_address(number), self._money())
            case 1 | 2:
                return Deposit(rng.randrange(ACCOUNTS + 2), self._money())
            case 3:
                return rng.randbytes(rng.randrange(40))
            case 4:
                return Forced(dev_address(rng.randrange(ACCOUNTS)), rng.randbytes(rng.randrange(100)))
            case _:
                return self._forced()

    def transaction(self) -> Transaction:
        """What a user may send, or a dishonest poster include."""
        rng = self.random
        who = rng.randrange(ACCOUNTS + 1) if rng.random() < 0.1 else rng.randrange(ACCOUNTS)
        key = rng.randrange(ACCOUNTS) if rng.random() < 0.05 else who
        match rng.randrange(16):
            case 0:
                return withdraw(who, self._money(), self._next(), key)
            case 1:
                return transfer(who, rng.randrange(ACCOUNTS + 1), self._money(), self._next(), key)
            case 2:
                return set_signer(who, rng.choice((bytes(20), dev_address(rng.randrange(ACCOUNTS)))), self._next(), key)
            case 3:
                everything = rng.random() < 0.2
                return cancel(who, max(0, self.nonce - rng.randrange(5)), everything, key)
            case 4 | 5:
                return self._price()
            case _:
                return self._trade()

    def _forced(self) -> Forced:
        tx = self.transaction()
        sender = self.random.randrange(ACCOUNTS)
        if self.random.random() < 0.5:
            tx = without_signatures(tx)
        return Forced(dev_address(sender), encode_transaction(tx))

    def _trade(self) -> Trade:
        rng = self.random
        if self.resting and rng.random() < 0.3:
            maker = rng.choice(self.resting)
            fill = rng.choice((1, 2, 5)) * LOTS[maker.market]
            taker = self._order(
                (maker.account + 1 + rng.randrange(ACCOUNTS - 1)) % ACCOUNTS, not maker.is_sell, maker.market
            )
            reference = OrderRef(maker.account, (maker.nonce + (rng.random() < 0.1)) % 8192)
            return Trade(rng.choice((reference, maker)), taker, fill)
        market = rng.choice((1, 1, 1, 2))
        if rng.random() < 0.02:
            market = 9
        buyer, seller = rng.sample(range(ACCOUNTS), 2) if rng.random() < 0.97 else (0, 0)
        if rng.random() < 0.4:
            size = rng.choice((1, 10, 1_000, 3_000)) * LOTS[market]
            return trade(size, self._near(market), self._next(), buyer, seller, rng.random() < 0.5, market)
        sells = rng.random() < 0.5
        maker = self._order(seller if sells else buyer, sells, market)
        taker = self._order(buyer if sells else seller, not sells, market)
        self.resting = [*self.resting[-20:], maker, taker]
        return Trade(maker, taker, rng.choice((*[1, 1, 2, 500] * 9, 0)) * LOTS[market])

    def _order(self, account: int, sells: bool, market: int) -> FreshOrder:
        rng = self.random
        size = rng.choice((*[2, 10, 1_000, 30_000] * 10, 0)) * LOTS[market]
        extra = rng.choice((*[0] * 9, FLAG_POST_ONLY, FLAG_REDUCE_ONLY, FLAG_IMMEDIATE))
        at = self._near(market) + (-1 if sells else 1) * rng.choice((0, 0, 5, 4_000)) * TICKS[market]
        expiry = self.now + rng.choice((-1, 0, 30, *[1_000] * 9))
        return order(account, sells, size, max(1, at), self._next(), market=market, extra=extra, expiry=expiry)

    def _price(self) -> Transaction:
        rng = self.random
        coin = rng.choice((1, 1, 2))
        spot = max(1, self.world.underlying(coin).spot * rng.randrange(970, 1_031) // 1_000)
        keys = rng.choice((*[[7, 8]] * 12, [8, 7]))
        signers = rng.choice((*[0b011] * 20, 0b001))
        spot = rng.choice((*[spot] * 20, 2 * spot))
        mark = max(1, spot * rng.choice((*range(990, 1_011), 1_060)) // 1_000)
        return price(
            self.now - rng.choice((*[0] * 9, 1, 61)),
            spot,
            mark,
            underlying=coin,
            keys=keys[: signers.bit_count()],
            signers=signers,
        )

    def _near(self, market: int) -> int:
        tick = TICKS[market]
        mark = self.world.underlying(market).mark if market != 9 else 1_000
        away = self.random.choice((990, 997, 1_000, 1_003, 1_010, 1_060))
        return max(tick, mark * away // 1_000 // tick * tick) + (self.random.random() < 0.02)

    def _money(self) -> int:
        return self.random.choice((0, 1, 999, 1_000 * USD, 10_000 * USD, 40_000 * USD))

    def _next(self) -> int:
        self.nonce += self.random.choice((1, 1, 1, 8192))
        return self.nonce


def without_signatures(tx: Transaction) -> Transaction:
    """The transaction on the word of whoever sends it through L1."""
    if isinstance(tx, Trade):
        sides = [
            replace(side, signature=EMPTY_SIGNATURE) if isinstance(side, FreshOrder) else side
            for side in (tx.maker, tx.taker)
        ]
        return Trade(sides[0], sides[1], tx.fill)
    if isinstance(tx, Cancel | Withdraw | Transfer | SetSigner):
        return replace(tx, signature=EMPTY_SIGNATURE)
    return tx
