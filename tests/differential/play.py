"""Random blocks: small plans of integers, which Hypothesis draws and shrinks, played against a world.

Most moves are valid where the world allows it; a move's `fault` picks one thing that is wrong with it. A block that is
invalid is compared, then played again without the transaction at fault, so that the world goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from hypothesis import strategies as st

from challenger.execute import Verdict
from rollup.types.keys import market_key, underlying_key
from rollup.types.leaves import Market, Underlying
from rollup.types.messages import Deposit, Forced, Open, encode_message
from rollup.types.reasons import Reason
from rollup.types.transactions import (
    FLAG_IMMEDIATE,
    FLAG_POST_ONLY,
    FLAG_REDUCE_ONLY,
    FLAG_SELL,
    FreshOrder,
    OrderRef,
    Trade,
    Transaction,
    encode_transaction,
)
from tests.differential import world as w
from tests.differential.cases import LOT, fill_account
from tests.differential.twins import Proof, accept, make_proof
from tests.differential.world import DOLLAR, World, make_world

ACCOUNTS: Final = 8
_USUAL: Final = (w.BTC_PERP, w.BTC_PERP, w.ETH_PERP, w.ETH_PERP, w.BTC_SMALL, 1_001, 1_020)
MARKETS: Final = (*_USUAL, w.BTC_FUTURE, w.NEW_PERP, 404)
PAUSES: Final = (0, 0, 0, 1, 2, 5, 12, 30, 61, 3_600, 100_000)


@dataclass(frozen=True, slots=True)
class Move:
    """One transaction or message: what, by whom, how much, and which fault, all as small numbers."""

    kind: int
    who: int
    whom: int
    market: int
    size: int
    shade: int
    fault: int
    forced: int


@dataclass(frozen=True, slots=True)
class Round:
    """One block: seconds since the last, and its moves."""

    pause: int
    moves: tuple[Move, ...]


MOVES: Final = st.builds(
    Move,
    kind=st.integers(0, 19),
    who=st.integers(0, ACCOUNTS),
    whom=st.integers(1, ACCOUNTS - 1),
    market=st.integers(0, len(MARKETS) - 1),
    size=st.integers(0, 7),
    shade=st.integers(0, 63),
    fault=st.integers(0, 63),
    forced=st.integers(0, 9),
)


def rounds(moves: int) -> st.SearchStrategy[Round]:
    """Blocks of up to so many moves."""
    return st.builds(Round, st.sampled_from(PAUSES), st.lists(MOVES, min_size=1, max_size=moves).map(tuple))


@dataclass
class Tally:
    """What was run through both twins."""

    transactions: int = 0
    blocks: int = 0
    invalid: int = 0
    gas: int = 0
    reasons: Counter[str] = field(default_factory=Counter)


def make_arena() -> World:
    """A world with rich, poor, indebted and heavily invested accounts, two of them with (nearly) all positions."""
    world = make_world(ACCOUNTS, 60_000 * DOLLAR)
    fill_account(world, 2)
    fill_account(world, 3, -2 * LOT)
    world.hold(3, {position.market: position.size for position in world.account(3).positions[:-1]})
    world.set_account(4, cash=900 * DOLLAR)
    world.set_account(5, cash=-44_000 * DOLLAR)
    world.hold(5, {w.BTC_PERP: w.COIN}, index=0)
    world.set_account(6, cash=120_000 * DOLLAR)
    world.hold(6, {w.BTC_PERP: -w.COIN, w.ETH_PERP: 2 * w.COIN, w.BTC_SMALL: 3 * w.COIN})
    world.hold(7, {w.ETH_PERP: -2 * w.COIN, w.BTC_SMALL: -3 * w.COIN})
    world.count_interest()
    return world


class Player:
    """Turns rounds into blocks on a world, and lets a judge compare the twins on each."""

    def __init__(self, world: World, judge: Callable[[Proof], Verdict], tally: Tally) -> None:
        self._world = world
        self._judge = judge
        self._tally = tally
        self._nonce = 10
        self._resting: list[FreshOrder] = []
        self._time = world.time

    def play(self, played: Round) -> None:
        """One round: its block is judged until it is valid, then accepted."""
        self._time = self._world.time + played.pause
        txs = self._refreshed() if played.pause > 30 else []
        messages: list[bytes] = []
        for move in played.moves:
            raw = self._make(move)
            if move.kind >= 18:
                messages.append(self._message(move))
            elif move.forced == 0:
                messages.append(encode_message(Forced(w.owner(move.who), _blanked(raw, move))))
            else:
                txs.append(raw)
        self._tally.transactions += len(txs) + len(messages)
        self._settle(txs, messages)

    def _settle(self, txs: list[bytes], messages: Sequence[bytes]) -> None:
        while True:
            proof = make_proof(self._world, txs, messages, timestamp=self._time)
            self._tally.gas += self._judge(proof).gas_used
            self._tally.blocks += 1
            self._tally.reasons.update(Reason(receipt.reason).name for receipt in proof.result.receipts)
            if proof.result.reason == Reason.NONE:
                break
            self._tally.invalid += 1
            self._tally.reasons[Reason(proof.result.reason).name] += 1
            fault = proof.result.index - len(messages)
            assert fault >= 0, "messages cannot make blocks of this size invalid"
            del txs[fault]
        accept(self._world, proof)
        self._resting = [order for order in self._resting if self._world.slot(order.account, order.nonce)]

    # -- moves ---------------------------------------------------------------------------------------------------------

    def _make(self, move: Move) -> bytes:
        self._nonce += 1
        kind = move.kind
        if kind < 11:
            tx: Transaction = self._trade(move)
        elif kind == 11:
            tx = w.cancel(move.who, max(self._nonce - move.shade % 4, 0), key=self._key(move))
        elif kind == 12:
            tx = w.cancel(move.who, max(self._nonce - move.shade, 0), everything=True, key=self._key(move))
        elif kind == 13:
            tx = w.withdraw(move.who, self._amount(move), self._owner_nonce(move), key=self._key(move))
        elif kind == 14:
            whom = self._whom(move) if move.fault != 9 else move.who
            tx = w.transfer(move.who, whom, self._amount(move), self._owner_nonce(move), key=self._key(move))
        elif kind == 15:
            signer = bytes(20) if move.shade % 3 == 0 else w.address("session", move.shade % 3)
            tx = w.set_signer(move.who, signer, self._owner_nonce(move), key=self._key(move))
        else:
            tx = self._price(move)
        return self._spoiled(encode_transaction(tx), move)

    def _refreshed(self) -> list[bytes]:
        """Prices of now for both coins, some dollars from the last."""
        updates = []
        for coin in (w.BTC, w.ETH):
            spot = Underlying.decode(self._world.read(underlying_key(coin))).spot
            mark = spot + (self._time % 7 - 3) * spot // 1_000
            updates.append(encode_transaction(w.oracle_update(coin, self._time, spot, mark)))
        return updates

    def _spoiled(self, raw: bytes, move: Move) -> bytes:
        """Bytes changed, cut or of no type at all."""
        if move.fault == 1:
            place = (move.shade * 7 + move.size) % len(raw)
            return raw[:place] + bytes([raw[place] ^ 1 << move.whom % 8]) + raw[place + 1 :]
        if move.fault == 2 and move.shade % 4 == 0:
            return raw[: -1 - move.shade]
        return raw

    def _key(self, move: Move) -> bytes:
        if move.fault == 3:
            return w.key_of("owner", move.who + 1)
        role = "session" if move.fault in {4, 5} and move.who % 2 else "owner"
        return w.key_of(role, move.who)

    def _whom(self, move: Move) -> int:
        return (move.who + move.whom) % (ACCOUNTS if move.fault != 6 else ACCOUNTS + 2)

    def _amount(self, move: Move) -> int:
        extreme = {7: 0, 8: 1 << 62, 10: (1 << 64) - 1, 11: (1 << 62) - 1}
        return extreme.get(move.fault, (1, 10**3, 10**6, 10**9, 10**10, 4 * 10**10, 6 * 10**10, 10**12)[move.size])

    def _owner_nonce(self, move: Move) -> int:
        return {12: 0, 13: 1}.get(move.fault, self._nonce)

    def _price(self, move: Move) -> Transaction:
        coin = (w.BTC, w.ETH, w.BTC, w.ETH, w.NEW, 404)[move.market % 6 if move.fault < 20 else move.market % 2]
        leaf = self._world.read(underlying_key(coin))
        old = Underlying.decode(leaf).spot if leaf else 0
        spot = (old or w.ETH_MARK) * (1_000 + move.shade - 31) // 1_000
        mark = spot * (1_000 + move.size - 3) // 1_000
        if move.fault in range(14, 19):
            odd = ((0, mark), (spot, spot * 2), (1 << 47, mark), (spot * 2, mark * 2), (spot, 0))
            spot, mark = odd[move.fault - 14]
        time = self._time - (move.shade % 3 if move.fault != 19 else 70) + (move.fault == 20)
        signers = ((0, 1), (1, 2), (0, 2), (0, 1, 2), (0, 1), (1,), (), (0, 3))[move.whom]
        return w.oracle_update(coin, max(time, 0), spot, mark, signers if move.fault < 40 else (0, 2))

    def _message(self, move: Move) -> bytes:
        if move.fault == 3:
            return bytes([move.size]) * move.shade
        account = move.who if move.fault else ACCOUNTS + 1
        if move.kind == 18:
            return encode_message(Deposit(account, self._amount(replace(move, fault=0))))
        new = ACCOUNTS if move.shade % 8 == 0 else account
        return encode_message(Open(new, w.owner(new), 10**9))

    # -- trades --------------------------------------------------------------------------------------------------------

    def _trade(self, move: Move) -> Trade:
        resting = self._pick(move)
        number = resting.market if resting else MARKETS[move.market if move.fault < 24 else move.market % len(_USUAL)]
        leaf = self._world.read(market_key(number))
        market = Market.decode(leaf) if leaf else w.market()
        coin = self._world.read(underlying_key(market.underlying))
        mark = Underlying.decode(coin).mark or w.BTC_MARK
        price = mark * (1_000 + move.shade - 31) // 1_000 // market.tick * market.tick
        size = market.lot * (1, 2, 7, 30, 100, 400, 1_000, 4_000)[move.size]
        maker_flags = FLAG_SELL if move.shade % 2 else 0
        maker: FreshOrder | OrderRef
        if resting:
            maker, price, maker_flags = OrderRef(resting.account, resting.nonce & 8_191), resting.price, resting.flags
            size = min(size, resting.size)
        else:
            extra = {24: FLAG_IMMEDIATE, 25: FLAG_POST_ONLY, 26: FLAG_REDUCE_ONLY}.get(move.fault, 0)
            maker = self._order(move, move.who, number, maker_flags | extra, 2 * size, price)
            self._resting = [*self._resting[-5:], maker]
        taker_flags = (maker_flags ^ FLAG_SELL) & FLAG_SELL
        taker_flags |= {27: FLAG_POST_ONLY, 28: FLAG_REDUCE_ONLY, 29: FLAG_IMMEDIATE}.get(move.fault, 0)
        if move.fault == 30:
            taker_flags ^= FLAG_SELL
        limit = price + {31: market.tick, 32: -market.tick}.get(move.fault, 0)
        other = (maker.account + move.whom) % ACCOUNTS if move.fault != 33 else maker.account
        taker_market = number if move.fault != 34 else w.BTC_SMALL
        taker = self._order(move, other, taker_market, taker_flags, size, limit)
        fill = {35: 0, 36: size + 1, 37: size + market.lot, 38: 5 * size}.get(move.fault, size)
        return Trade(maker, taker, fill)

    def _pick(self, move: Move) -> FreshOrder | None:
        if not self._resting or move.kind < 5 or move.fault in range(24, 27):
            return None
        found = self._resting[move.size % len(self._resting)]
        if move.fault == 39:
            return replace(found, nonce=found.nonce + 1)
        return found

    def _order(self, move: Move, account: int, market: int, flags: int, size: int, price: int) -> FreshOrder:
        self._nonce += 1
        nonce = self._nonce + (8_192 if move.fault == 40 else 0) - (move.shade if move.fault in range(41, 44) else 0)
        expiry = self._time + (-1 if move.fault == 44 else move.shade)
        size = {45: 0, 46: (1 << 48) - 1}.get(move.fault, size)
        price = {47: 0, 48: 1 << 47, 49: price + 1}.get(move.fault, price)
        key = self._key(replace(move, who=account))
        return w.order(account, market, flags, size, price, max(nonce, 0), expiry=expiry, key=key)


def _blanked(raw: bytes, move: Move) -> bytes:
    """The transaction with its last signature blank, so that the L1 sender vouches for it; sometimes as it is."""
    return raw if move.fault % 4 == 0 else raw[:-64] + bytes(64)
