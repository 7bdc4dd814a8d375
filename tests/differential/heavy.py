"""The heaviest blocks that the meters admit, proven against the fullest state that the keys admit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from rollup.crypto.keccak import keccak
from rollup.crypto.tree import KEY_BITS, LEVELS
from rollup.crypto.witness import read_witness, roots_of
from rollup.types.accounts import Account, Position, Slot
from rollup.types.keys import account_key, market_key, slot_key, underlying_key
from rollup.types.messages import Forced, encode_message
from rollup.types.reasons import Reason
from rollup.types.transactions import FreshOrder, Trade, Transaction, Transfer, encode_transaction
from tests.differential import world as w
from tests.differential.cases import LOT, PRICE, buy, sell
from tests.differential.twins import NO_ROOT, Proof, make_proof
from tests.differential.world import COIN, DOLLAR, World, make_world

FULL: Final = 32
COINS: Final = 6
"""With 32 markets, globals and the oracle set they fill the meter of system leaves."""
FEEDERS: Final = 8
POOR: Final = 30_000 * DOLLAR
"""Equity of a heavy account: positive, far below its margin, so that both margins of a trade are computed."""

_U16: Final = (1 << 16) - 1
_SYSTEM: Final = ((0, 1), (1 << 32, (1 << 32) + _U16), (2 << 32, (3 << 32) - 1), (3 << 32, (3 << 32) + _U16))


# -- the fullest tree --------------------------------------------------------------------------------------------------


def can_be_inhabited(level: int, index: int) -> bool:
    """Whether any leaf can ever stand below a node."""
    shift = KEY_BITS - 2 * level
    first = index << shift
    last = first + (1 << shift) - 1
    if any(first <= high and last >= low for low, high in _SYSTEM):
        return True
    if last < 1 << 38 or first >= 2 << 38:
        return False
    if shift >= 14:
        return True
    return first & 0x3FFF == 0 or last & 0x3FFF >= 8_192


def make_full_witness(pre: Mapping[int, bytes]) -> bytes:
    """The largest witness of these leaves: every sibling that can exist does."""
    masks, siblings = bytearray(), bytearray()
    below = set(pre)
    for level in range(LEVELS - 1, -1, -1):
        parents = sorted({index >> 2 for index in below})
        for parent in parents:
            mask = 0
            for child in range(4):
                index = parent << 2 | child
                if index not in below and can_be_inhabited(level + 1, index):
                    mask |= 1 << child
                    siblings += keccak(index.to_bytes(5, "big") + bytes([level]))
            masks.append(mask)
        below = set(parents)
    leaves = b"".join(key.to_bytes(5, "big") + len(pre[key]).to_bytes(2, "big") + pre[key] for key in sorted(pre))
    return len(pre).to_bytes(2, "big") + leaves + bytes(masks) + bytes(siblings)


def fill_tree(proof: Proof) -> Proof:
    """The same block on a state where every possible sibling of its leaves exists."""
    witness = make_full_witness(proof.result.pre)
    before, after = roots_of(read_witness(witness), proof.result.writes)
    root = NO_ROOT if proof.result.reason else after
    header = replace(proof.header, parent_root=before, state_root=root)
    return replace(proof, header=header, witness=witness, root=root)


# -- heavy worlds ------------------------------------------------------------------------------------------------------


def market_of(number: int) -> int:
    """Markets of heavy accounts, spread over the keys."""
    return 1_000 + 2_000 * number


def make_heavy_world(full: int, light: int) -> World:
    """Accounts 0 … `full`-1 hold all the positions they can, at far too little margin; `light` more hold none.

    Even accounts are short, odd ones long; all owe funding on every position; every order slot used holds an old order.
    Accounts are numbered so that they share as little of the tree as they can.
    """
    world = make_world(0, feeders=FEEDERS)
    leaves: dict[int, bytes] = {}
    for coin in range(COINS):
        leaves[underlying_key(5_000 * coin)] = w.underlying(time=w.NOW - 30, mark=PRICE + 1).encode()
    for n in range(FULL):
        terms = w.market(underlying=5_000 * (n % COINS), taker_fee=0, maker_fee=0, open_interest=100 * FULL * COIN)
        leaves[market_key(market_of(n))] = terms.encode()
    for n in range(full + light):
        sign = (-1 if n % 2 == 0 else 1) if n < full else 0
        positions = tuple(Position(market_of(i), sign * COIN, -(10**6) * (i + 1)) for i in range(FULL)) if sign else ()
        cash = POOR - sign * FULL * PRICE if sign else 10**6 * DOLLAR
        leaves[account_key(number_of(n))] = Account(w.owner(number_of(n)), bytes(20), cash, 0, 0, 0, positions).encode()
        leaves[slot_key(number_of(n), 77 * n)] = Slot(77 * n, 1, 0, 1, 1, 1, 0).encode()
    world.write(leaves)
    return world


def number_of(account: int) -> int:
    """Spread over all account numbers."""
    return account * ((1 << 24) // 41)


def heavy_trade(maker: int, taker: int, number: int) -> Trade:
    """An even account buys back a lot from an odd one; both stay far below their margin."""
    market = market_of(number)
    return Trade(
        buy(number_of(maker), market=market, size=LOT, price=PRICE, nonce=8_192 + 77 * maker),
        sell(number_of(taker), market=market, size=LOT, price=PRICE, nonce=8_192 + 77 * taker),
        LOT,
    )


def heavy_price(coin: int, second: int) -> Transaction:
    """A price signed by every feeder."""
    return w.oracle_update(5_000 * coin, w.NOW - 29 + second, PRICE, PRICE + second, range(FEEDERS))


def move_cash(sender: int, recipient: int, nonce: int = 1) -> Transfer:
    """A small transfer."""
    return w.transfer(number_of(sender), number_of(recipient), 1, nonce)


# -- heavy blocks ------------------------------------------------------------------------------------------------------


def mixed() -> Proof:
    """Every meter near its limit at once: trades of heavy and of light accounts, prices by all feeders."""
    world = make_heavy_world(22, 18)
    txs: list[Transaction] = [heavy_trade(2 * n, 2 * n + 1, n) for n in range(11)]
    txs += [heavy_trade(22 + 2 * n, 23 + 2 * n, 11 + n) for n in range(9)]
    txs += [heavy_price(n % COINS, n) for n in range(7)]
    return make_proof(world, txs)


def valuations() -> Proof:
    """2,048 revaluations: sixteen trades that compute both margins of both heavy parties, and transfers."""
    world = make_heavy_world(20, 12)
    txs: list[Transaction] = []
    for n in range(16):
        pair = n % 10
        trade = heavy_trade(2 * pair, 2 * pair + 1, n)
        txs.append(trade if n < 10 else renewed(trade, n))
    txs += [move_cash(20 + 2 * n, 21 + 2 * n) for n in range(6)]
    txs += [heavy_price(n % COINS, n) for n in range(7)]
    return make_proof(world, txs)


def renewed(trade: Trade, number: int, price: int = PRICE) -> Trade:
    """The same trade under newer nonces, at a price."""
    maker, taker = (
        w.order(side.account, side.market, side.flags, side.size, price, side.nonce + 8_192 * number)
        for side in (trade.maker, trade.taker)
        if isinstance(side, FreshOrder)
    )
    return Trade(maker, taker, trade.fill)


def forced_failures() -> Proof:
    """Sixteen forced trades that fail in the very last check, so that all of each is undone; sixteen more messages."""
    world = make_heavy_world(22, 10)
    messages: list[Forced] = []
    for n in range(16):
        maker, taker = 2 * (n % 11), 2 * (n % 11) + 1
        trade = heavy_trade(maker, taker, n)
        price = PRICE * 955 // 1_000 // 100_000 * 100_000
        messages.append(Forced(w.owner(1), encode_transaction(renewed(trade, n, price))))
    moves = [move_cash(22 + 2 * n, 23 + 2 * n, nonce) for n in range(5) for nonce in (1, 2, 3)]
    messages += [Forced(w.owner(1), encode_transaction(move)) for move in moves]
    return make_proof(world, (), [encode_message(message) for message in messages])


def withdrawals() -> Proof:
    """26 heavy accounts, rich ones, settle and are valued once each."""
    world = make_heavy_world(26, 0)
    for n in range(26):
        world.set_account(number_of(n), cash=10**8 * DOLLAR)
    return make_proof(world, [w.withdraw(number_of(n), 1, 1) for n in range(26)])


def cancels() -> Proof:
    """32 slots of 32 accounts."""
    world = make_heavy_world(0, 32)
    return make_proof(world, [w.cancel(number_of(n), 8_192 + 77 * n) for n in range(32)])


def transfers() -> Proof:
    """Twenty transfers between forty accounts, 25 of them heavy and rich."""
    world = make_heavy_world(25, 15)
    for n in range(25):
        world.set_account(number_of(n), cash=10**8 * DOLLAR)
    pairs = [(n, 39 - n) for n in range(20)]
    return make_proof(world, [move_cash(*pair) for pair in pairs])


def prices() -> Proof:
    """96 signatures of feeders."""
    world = make_heavy_world(0, 0)
    return make_proof(world, [heavy_price(n % COINS, n) for n in range(12)])


def signers() -> Proof:
    """32 appointments, 28 of them by the owners of heavy accounts."""
    world = make_heavy_world(28, 4)
    return make_proof(world, [w.set_signer(number_of(n), w.owner(n), 1) for n in range(32)])


def one_trade_too_many() -> Proof:
    """The mixed block with a replay at its end: all the work, and then a reason."""
    world = make_heavy_world(22, 18)
    txs: Sequence[Transaction] = [heavy_trade(2 * n, 2 * n + 1, n) for n in range(11)]
    more = [heavy_trade(22 + 2 * n, 23 + 2 * n, 11 + n) for n in range(9)]
    replay = [txs[0]]
    return make_proof(world, [*txs, *more, *(heavy_price(n % COINS, n) for n in range(6)), *replay])


BLOCKS: Final = {
    "mixed": (mixed, Reason.NONE),
    "valuations": (valuations, Reason.NONE),
    "forced trades that fail last": (forced_failures, Reason.NONE),
    "withdrawals": (withdrawals, Reason.NONE),
    "transfers": (transfers, Reason.NONE),
    "cancels": (cancels, Reason.NONE),
    "signers": (signers, Reason.NONE),
    "prices": (prices, Reason.NONE),
    "mixed, overfilled at the end": (one_trade_too_many, Reason.OVERFILL),
}
