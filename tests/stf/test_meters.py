"""Meters: every limit binds, exactly, and says where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from rollup.errors import BlockFull
from rollup.l1.devkeys import dev_address
from rollup.stf.block import BlockResult
from rollup.stf.meters import LIMITS, Meters, Unmetered, Usage, leaf_bytes
from rollup.types.keys import ORACLE_SET, account_key, market_key, slot_key, underlying_key
from rollup.types.leaves import Account, OracleSet, Position
from rollup.types.limits import WAY_OF_ACCOUNT, WAY_OF_OTHERS
from rollup.types.messages import Deposit, Forced, encode_message
from rollup.types.reasons import Reason
from rollup.types.transactions import EMPTY_SIGNATURE, OrderRef, Trade, Transaction, encode_transaction
from tests.stf.venue import dated, surface
from tests.stf.world import START, USD, World, cancel, funded, order, price, trade, transfer, withdraw

P = 40_000 * USD
LOT = 1_000


@pytest.mark.parametrize(("meter", "limit"), [*enumerate(LIMITS)])
def test_a_meter_counts_to_its_limit_and_no_further(meter: int, limit: int) -> None:
    """The refused count changes nothing, and the reason is the meter's own."""
    meters = Meters()
    meters.add(meter, limit - 1)
    meters.add(meter)
    with pytest.raises(BlockFull) as refusal:
        meters.add(meter)
    assert refusal.value.reason == Reason.METER_TRANSACTIONS + meter
    assert Reason(refusal.value.reason).is_meter
    assert meters.read()[meter] == limit == Usage.limits()[meter]
    assert sum(meters.read()) == limit


def test_a_meter_goes_back_to_an_earlier_reading() -> None:
    """That is how a builder undoes a transaction."""
    meters = Meters()
    meters.add(1, 5)
    reading = meters.read()
    meters.add(1, 5)
    meters.add(2, 1)
    meters.reset(reading)
    assert meters.read() == Usage(bytes=5)


def test_looking_is_not_metered() -> None:
    """Views count nothing, so they never run full."""
    meters = Unmetered()
    meters.add(0, 10**9)
    assert meters.read() == Usage()


def crowd(world: World, accounts: int, coins: int = 1, apart: bool = False) -> World:
    """Accounts with a lot in each of 32 markets, by turns long and short; `apart`: in markets of its own."""
    for coin in range(100, 100 + coins):
        world.leaves[underlying_key(coin)] = world.leaves[underlying_key(1)]
    for market in range(100, 100 + 32 * (accounts if apart else 1)):
        world.leaves[market_key(market)] = replace(world.market(), underlying=100 + market % coins).encode()
    for account in range(accounts):
        first = 100 + (32 * account if apart else 0)
        positions = tuple(Position(market, LOT if account % 2 else -LOT, 0) for market in range(first, first + 32))
        leaf = Account(dev_address(account % 6), bytes(20), 10**12, 0, 0, 0, positions)
        world.leaves[account_key(account)] = leaf.encode()
    return world


def with_all_feeders(world: World) -> World:
    """Eight feeders, all of whom must sign."""
    world.leaves[ORACLE_SET] = OracleSet(8, tuple(dev_address(key) for key in range(10, 18))).encode()
    return world


def long_price(step: int) -> Transaction:
    """A price with eight signatures."""
    return price(START + step, P, signers=0xFF, keys=list(range(10, 18)))


def fill_transactions(extra: int) -> BlockResult:
    """32 messages, and one transaction more."""
    return funded().execute(*[cancel(0, 1)] * extra, messages=[b"\0"] * 32)


def fill_bytes(extra: int) -> BlockResult:
    """15 messages of the longest kind that L1 admits, and the rest."""
    return funded().execute(messages=[bytes(512)] * 15 + [bytes(512 + extra)])


def fill_accounts(extra: int) -> BlockResult:
    """Unknown accounts are touched as well; a transfer touches two."""
    transfers = [transfer(sender, sender + 16, 1, 1) for sender in range(16)]
    return funded(32).execute(*transfers, messages=[Deposit(100 + n, 1) for n in range(4 + extra)])


def fill_slots(extra: int) -> BlockResult:
    """A trade touches two."""
    return funded(2).execute(*(trade(LOT, P, nonce) for nonce in range(1, 19 + extra)))


def fill_system(extra: int) -> BlockResult:
    """Globals, 64 markets, 15 coins, and then the oracle set."""
    world = crowd(funded(), 2, coins=15, apart=True)
    return world.execute(withdraw(0, 1, 1), withdraw(1, 1, 1), *[price(START + 1, P)] * extra, at=START + 1)


def fill_leaf_bytes(extra: int) -> BlockResult:
    """64 markets on 15 coins, and 32 accounts of 655 bytes with their ways up the tree; a 33rd would go over."""
    world = crowd(funded(), 33, coins=15, apart=True)
    transfers = [transfer(sender, sender + 2, 1, 1) for sender in range(2)]
    deposits = [Deposit(n, 1) for n in range(4, 32)]
    return world.execute(*transfers, *[cancel(32, 1)] * extra, messages=deposits, at=START + 1)


def fill_recoveries(extra: int) -> BlockResult:
    """Twelve prices with eight signatures each."""
    prices = [long_price(step) for step in range(1, 13)]
    return with_all_feeders(funded()).execute(*prices, *[cancel(0, 1)] * extra, at=START + 13)


def fill_revaluations(extra: int) -> BlockResult:
    """A maker with 32 positions is valued once, a taker below its initial margin before and after: 96 a trade."""
    world = crowd(funded(), 2)
    world.change_market(100, open_interest=100 * LOT)
    big = (Position(100, 100 * LOT, 0), *world.account(1).positions[1:])
    world.change_account(1, positions=big, cash=-4_140 * USD)
    maker = order(0, False, 50 * LOT, P, 1, market=100)
    taker = order(1, True, 50 * LOT, P, 1, market=100)
    trades = [Trade(maker, taker, LOT)] + [Trade(OrderRef(0, 1), OrderRef(1, 1), LOT)] * (15 + extra)
    return world.execute(*trades)


def fill_pricings(extra: int) -> BlockResult:
    """32 options, twice, and half of them once more; new slices in between have them all drawn again."""
    world = dated(3)
    number_of = [world.list_option(strike=(30_000 + 500 * n) * USD, call=bool(n % 2)) for n in range(32)]
    for account, count in ((0, 32), (1, 16)):
        positions = tuple(Position(number, LOT, 0) for number in number_of[:count])
        world.change_account(account, positions=positions)
    first, second, third = (withdraw(0, 1, nonce) for nonce in (1, 2, 3))
    slices = (surface(START + 1), surface(START + 2))
    return world.execute(first, slices[0], second, slices[1], withdraw(1, 1, 1), *[third] * extra, at=START + 2)


FILLS: dict[Reason, Callable[[int], BlockResult]] = {
    Reason.METER_TRANSACTIONS: fill_transactions,
    Reason.METER_BYTES: fill_bytes,
    Reason.METER_ACCOUNTS: fill_accounts,
    Reason.METER_SLOTS: fill_slots,
    Reason.METER_SYSTEM: fill_system,
    Reason.METER_LEAF_BYTES: fill_leaf_bytes,
    Reason.METER_RECOVERIES: fill_recoveries,
    Reason.METER_REVALUATIONS: fill_revaluations,
    Reason.METER_PRICINGS: fill_pricings,
}
BYTES_OF_LEAVES = 32 * (655 + WAY_OF_ACCOUNT) + 80 * WAY_OF_OTHERS + 64 * 76 + 15 * 102 + 92
FULL = Usage(32, 8192, 36, 36, 80, BYTES_OF_LEAVES, 96, 16 * 96 - 1, 80)
"""How far each meter gets in its block.

The maker of the revaluations closes one position by the first trade, which makes it one less."""


@pytest.mark.parametrize("reason", FILLS)
def test_a_block_may_fill_a_meter_but_not_exceed_it(reason: Reason) -> None:
    """The block that fills it is valid; with one thing more it is invalid at that one."""
    meter = reason - Reason.METER_TRANSACTIONS
    full = FILLS[reason](0)
    assert (full.reason, full.usage[meter]) == (Reason.NONE, FULL[meter])
    over = FILLS[reason](1)
    assert (over.reason, over.index) == (reason, len(over.receipts))
    assert over.writes == {}
    assert over.usage[meter] <= LIMITS[meter]


def test_every_meter_can_be_filled() -> None:
    """None is left out."""
    assert {reason for reason in Reason if reason.is_meter} == set(FILLS)


def test_a_key_that_its_meter_refuses_is_not_touched() -> None:
    """It is not in the witness, for it was never read."""
    over = fill_slots(1)
    assert slot_key(1, 18) in over.pre
    assert slot_key(1, 19) not in over.pre
    assert len(over.pre) == 2 + 36 + 3


def test_a_key_that_the_leaf_bytes_refuse_is_touched() -> None:
    """Its length had to be read, so it is in the witness."""
    over = fill_leaf_bytes(1)
    assert over.index == 30
    assert account_key(32) in over.pre


def crossing(world: World) -> Forced:
    """A forced trade between two accounts with 31 markets each, of their own, on twenty coins."""
    crowd(world, 2, coins=20, apart=True)
    world.change_account(0, positions=world.account(0).positions[:31])
    world.change_account(1, positions=world.account(1).positions[:31])
    sides = [replace(order(n, bool(n), LOT, P, 1), signature=EMPTY_SIGNATURE) for n in (0, 1)]
    world.change_account(1, owner=dev_address(0))
    return Forced(dev_address(0), encode_transaction(Trade(sides[1], sides[0], LOT)))


def test_a_message_that_exceeds_a_meter_by_itself_is_a_no_op_at_the_head_of_a_block() -> None:
    """Otherwise no block could ever pass it, and the chain would stop."""
    world = funded()
    message = crossing(world)
    accounts = [world.leaves[account_key(n)] for n in (0, 1)]
    result = world.must(cancel(2, 1), messages=[message])
    assert result.receipts[0].reason is Reason.METER_SYSTEM
    assert result.receipts[0].subject is not None
    assert result.usage.system == 80
    assert [world.leaves[account_key(n)] for n in (0, 1)] == accounts


def test_a_message_that_exceeds_a_meter_behind_another_makes_the_block_invalid() -> None:
    """There the poster had only to take fewer messages."""
    world = funded()
    message = crossing(world)
    result = world.execute(messages=[Deposit(2, 1), message])
    assert (result.reason, result.index) == (Reason.METER_SYSTEM, 1)
    builder = world.builder()
    builder.take_message(encode_message(Deposit(2, 1)))
    usage = builder.usage
    with pytest.raises(BlockFull) as refusal:
        builder.take_message(encode_message(message))
    assert refusal.value.reason == Reason.METER_SYSTEM
    assert builder.usage == usage
    sealed = builder.finish()
    assert len(sealed.messages) == 1
    assert world.replay(sealed).writes == sealed.writes


def test_a_builder_passes_that_message_at_the_head_of_a_block() -> None:
    """What the builder seals, replay accepts: touches of the refused message are part of the block."""
    world = funded()
    builder = world.builder()
    receipt = builder.take_message(encode_message(crossing(world)))
    assert receipt.reason is Reason.METER_SYSTEM
    sealed = builder.finish()
    result = world.replay(sealed)
    assert (result.reason, result.pre, result.writes) == (Reason.NONE, sealed.pre, sealed.writes)


def test_undecodable_bytes_count_as_a_transaction_but_not_their_length() -> None:
    """The count comes before decoding, the length after it."""
    world = funded()
    result = world.execute(cancel(0, 1), b"\xff" * 40, keep=False)
    assert (result.reason, result.index) == (Reason.UNDECODABLE, 1)
    assert (result.usage.transactions, result.usage.bytes) == (2, 77)
    result = world.execute(b"\xff", messages=[b"\0"] * 32, keep=False)
    assert (result.reason, result.index) == (Reason.METER_TRANSACTIONS, 32)


def test_a_repeated_touch_is_not_counted_again() -> None:
    """Keys are counted once a block, and anew in the next."""
    world = funded()
    first = world.must(trade(LOT, P, 1), trade(LOT, P, 2))
    assert (first.usage.accounts, first.usage.system, first.usage.slots) == (2, 3, 4)
    assert first.usage.leaf_bytes == sum(leaf_bytes(key, len(value)) for key, value in first.pre.items())
    assert world.must(trade(LOT, P, 3)).usage.accounts == 2
