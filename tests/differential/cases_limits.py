"""Cases of bytes that are no transaction, and of each meter that one kind of transaction can exceed."""
# ruff: noqa: D103 - a case is named after what happens in it, and its reason stands beside it

from __future__ import annotations

from rollup.types.accounts import Position
from rollup.types.keys import account_key, market_key, series_key, underlying_key
from rollup.types.leaves import MarketKind
from rollup.types.limits import MAX_ACCOUNTS, MAX_SLOTS
from rollup.types.reasons import Reason
from rollup.types.transactions import Trade, encode_transaction
from tests.differential import world as w
from tests.differential.cases import FULL, LOT, Txs, buy, case, fill_account, sell
from tests.differential.world import COIN, DOLLAR, World


@case(Reason.UNDECODABLE, index=1)
def bytes_of_no_type(_: World) -> Txs:
    return [w.cancel(0, 1), b"\x0c" + bytes(100)]


@case(Reason.UNDECODABLE, index=1)
def last_byte_missing(_: World) -> Txs:
    return [w.cancel(0, 1), encode_transaction(w.cancel(0, 2))[:-1]]


@case(Reason.UNDECODABLE, index=0)
def undefined_flag(_: World) -> Txs:
    trade = bytearray(encode_transaction(Trade(buy(), sell(), LOT)))
    trade[8 + 5] |= 16
    return [bytes(trade)]


@case(Reason.METER_TRANSACTIONS)
def one_transaction_too_many(_: World) -> Txs:
    return [w.cancel(0, nonce) for nonce in range(1, 34)]


@case(Reason.METER_TRANSACTIONS, index=32)
def one_undecodable_too_many(_: World) -> Txs:
    return [*(w.cancel(0, nonce) for nonce in range(1, 33)), b"\x00"]


@case(Reason.METER_ACCOUNTS)
def one_account_too_many(world: World) -> Txs:
    world.write({account_key(n): w.account_leaf(n, 100 * DOLLAR) for n in range(100, 140)})
    return [w.transfer(100 + 2 * n, 101 + 2 * n, DOLLAR, 1) for n in range(MAX_ACCOUNTS // 2 + 1)]


@case(Reason.METER_SLOTS)
def one_slot_too_many(_: World) -> Txs:
    return [Trade(buy(nonce=n, size=LOT), sell(nonce=n, size=LOT), LOT) for n in range(MAX_SLOTS // 2 + 1)]


@case(Reason.METER_SYSTEM)
def one_system_leaf_too_many(world: World) -> Txs:
    numbers = range(100, 128)
    world.write({underlying_key(n): w.underlying().encode() for n in numbers})
    world.write({series_key(n, 1): w.series().encode() for n in numbers})
    world.write({market_key(n): w.option(MarketKind.FUTURE, 1, 0, underlying=n).encode() for n in numbers})
    world.hold(0, dict.fromkeys(numbers, LOT))
    return [w.withdraw(0, DOLLAR, 1)]


@case(Reason.METER_LEAF_BYTES)
def one_leaf_byte_too_many(world: World) -> Txs:
    fill_account(world, 0)
    held = tuple(Position(1_001 + i, LOT, 0) for i in range(FULL))
    world.write({account_key(n): w.account_leaf(n, 10**6 * DOLLAR, held) for n in range(100, 132)})
    numbers = range(200, 222)
    world.write({underlying_key(n): w.underlying().encode() for n in numbers})
    world.write({market_key(n): w.market(underlying=n).encode() for n in numbers})
    world.hold(1, dict.fromkeys(numbers, LOT))
    return [w.withdraw(1, DOLLAR, 1), *(w.transfer(100 + 2 * n, 101 + 2 * n, DOLLAR, 1) for n in range(16))]


@case(Reason.METER_REVALUATIONS)
def one_valuation_too_many(world: World) -> Txs:
    for number in (0, 1):
        fill_account(world, number, COIN if number else -COIN)
        world.set_account(number, cash=(-1_570_000 if number else 1_630_000) * DOLLAR)
    pairs = [(buy(market=1_001, nonce=n, size=LOT), sell(market=1_001, nonce=n, size=LOT)) for n in range(13)]
    return [Trade(*pair, LOT) for pair in pairs]
