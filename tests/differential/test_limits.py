"""Meters, messages and time, where a block needs more than one kind of work to reach the edge."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rollup.types.accounts import NO_ADDRESS
from rollup.types.keys import account_key, market_key, series_key, underlying_key
from rollup.types.leaves import MarketKind, Underlying
from rollup.types.limits import MAX_LEAF_BYTES, WIND_UP
from rollup.types.messages import Deposit, Forced, Open, encode_message
from rollup.types.reasons import Reason
from rollup.types.transactions import Trade, encode_transaction
from tests.differential import world as w
from tests.differential.cases import FULL, LOT, PRICE, buy, fill_account, sell
from tests.differential.twins import Proof, accept, assert_agreement, fast_verifier, make_proof
from tests.differential.world import DOLLAR, World, make_world

GARBAGE = b"\x03" + bytes(255)


def agree(proof: Proof) -> tuple[Reason, int]:
    """Compare the twins, and give what both say."""
    assert_agreement(proof, fast_verifier())
    return Reason(proof.result.reason), proof.result.index


def make_feeding_world(feeders: int = 8) -> World:
    """A world where BTC's price may be updated once for each of the last sixty seconds."""
    world = make_world(feeders=feeders)
    world.set_underlying(w.BTC, time=w.NOW - 61, max_age=100)
    return world


def updates(count: int, feeders: int) -> list[bytes]:
    """Price updates of one second after the other, each signed by all feeders."""
    signers = range(feeders)
    return [encode_transaction(w.oracle_update(w.BTC, w.NOW - 60 + n, PRICE + n, PRICE, signers)) for n in range(count)]


def test_block_before_its_parent_is_invalid() -> None:
    """Time may stand still, not go back; nothing but the totals is touched."""
    world = make_world()
    proof = make_proof(world, [w.cancel(0, 1)], [encode_message(Deposit(0, 5))], timestamp=w.NOW - 1)
    assert agree(proof) == (Reason.TIME, 0)
    assert list(proof.result.pre) == [0]


@pytest.mark.parametrize(("feeders", "count"), [(8, 12), (6, 16), (3, 32)])
def test_recoveries_are_limited(feeders: int, count: int) -> None:
    """96 recoveries fit, the next signature does not, even if it is a trade's."""
    world = make_feeding_world(feeders)
    assert agree(make_proof(world, updates(count, feeders))) == (Reason.NONE, 0)
    if count < 32:
        txs = [*updates(count, feeders), encode_transaction(Trade(buy(), sell(), LOT))]
        assert agree(make_proof(world, txs)) == (Reason.METER_RECOVERIES, count)


def test_bytes_are_limited() -> None:
    """Messages and transactions share 8,192 bytes; a transaction must fit whole."""
    world = make_feeding_world()
    txs = updates(6, 8)
    fitting = [GARBAGE] * 19 + [GARBAGE[: 8_192 - 19 * 256 - 6 * len(txs[0])]]
    assert agree(make_proof(world, txs, fitting)) == (Reason.NONE, 0)
    longer = [*fitting[:-1], fitting[-1] + b"\x00"]
    assert agree(make_proof(world, txs, longer)) == (Reason.METER_BYTES, 25)


def test_undecodable_bytes_come_before_their_length() -> None:
    """The bytes meter is not raised for bytes that are no transaction."""
    world = make_feeding_world()
    messages = [GARBAGE] * 31 + [GARBAGE[:-1]]
    assert agree(make_proof(world, (), messages)) == (Reason.NONE, 0)
    assert agree(make_proof(world, [b"\x09"], messages[:-1])) == (Reason.UNDECODABLE, 31)


def test_messages_count_as_transactions() -> None:
    """33 messages do not fit, nor does a transaction behind 32."""
    world = make_world()
    deposits = [encode_message(Deposit(n % 12, 1)) for n in range(33)]
    assert agree(make_proof(world, (), deposits)) == (Reason.METER_TRANSACTIONS, 32)
    assert agree(make_proof(world, [w.cancel(0, 1)], deposits[:32])) == (Reason.METER_TRANSACTIONS, 32)


@pytest.mark.parametrize(
    "message",
    [
        b"", b"\x00", b"\x01", b"\x02", b"\x03", b"\x03" + bytes(20), b"\x03" + bytes(21), b"\x05" + bytes(40),
        encode_message(Open(50, w.owner(0), 7)) + b"\x00", encode_message(Open(50, w.owner(0), 7))[:-1],
        encode_message(Deposit(0, 7)) + b"\x00", encode_message(Deposit(0, 7))[:-1], encode_message(Deposit(99, 7)),
        encode_message(Forced(w.owner(0), b"\x06")), encode_message(Forced(w.owner(0), b"\x07" + bytes(90))),
        encode_message(Forced(w.owner(0), encode_transaction(w.cancel(0, 1)) + b"\x00")),
        encode_message(Forced(w.owner(0), encode_transaction(w.cancel(0, 1))[:-1])),
    ],
    ids=range(17),
)  # fmt: skip
def test_odd_messages_do_nothing(message: bytes) -> None:
    """Any bytes may stand in the inbox, first and later in a block."""
    world = make_world()
    deposit = encode_message(Deposit(1, 5))
    assert agree(make_proof(world, [w.cancel(0, 9)], [message, deposit, message])) == (Reason.NONE, 0)


def test_accounts_are_opened_and_credited() -> None:
    """A new account, a second opening of it, a deposit, and its first transaction in one block."""
    world = make_world()
    messages = [
        encode_message(Open(12, w.owner(12), 500 * DOLLAR)),
        encode_message(Open(12, w.owner(3), 1)),
        encode_message(Deposit(12, 7)),
        encode_message(Open(13, w.owner(13), 0)),
    ]
    proof = make_proof(world, [w.withdraw(12, 500 * DOLLAR + 8, 1)], messages)
    assert agree(proof) == (Reason.NONE, 0)
    accept(world, proof)
    assert (world.account(12).cash, world.account(12).owner) == (0, w.owner(12))
    assert agree(make_proof(world, [w.withdraw(13, 1, 1)])) == (Reason.MARGIN, 0)


@pytest.mark.parametrize("sender", [w.owner(0), w.address("session", 1), w.owner(5), NO_ADDRESS])
def test_l1_sender_stands_for_blank_signatures(sender: bytes) -> None:
    """The sender may be the owner or, for orders and cancels, the session signer; anyone else is refused."""
    world = make_world()
    raw = (
        Trade(buy(signature=bytes(64)), sell(), LOT),
        Trade(buy(), sell(signature=bytes(64)), LOT),
        b"\x02" + bytes(2) + b"\x00\x00" + bytes(7) + b"\x05" + bytes(64),
        b"\x03" + bytes(2) + b"\x00" + (10**6).to_bytes(8, "big") + (1).to_bytes(8, "big") + bytes(64),
        b"\x03" + bytes(2) + b"\x01" + (10**6).to_bytes(8, "big") + (1).to_bytes(8, "big") + bytes(64),
    )
    messages = [encode_message(Forced(sender, tx if isinstance(tx, bytes) else encode_transaction(tx))) for tx in raw]
    proof = make_proof(world, (), messages)
    assert agree(proof) == (Reason.NONE, 0)
    expected = {
        w.owner(0): [0, 27, 0, 0, 27],
        w.address("session", 1): [27, 0, 27, 27, 27],
    }.get(sender, [27, 27, 27, 27, 27])
    assert [receipt.reason for receipt in proof.result.receipts] == expected


def test_sender_of_a_message_vouches_for_nothing_behind_it() -> None:
    """A blank signature in a block counts as one, whoever sent the message before."""
    world = make_world()
    forced = encode_message(Forced(w.owner(0), encode_transaction(w.cancel(0, 1))))
    assert agree(make_proof(world, [b"\x02" + bytes(11) + b"\x05" + bytes(64)], [forced])) == (27, 1)


def test_leaf_bytes_are_limited_to_the_byte() -> None:
    """Credited accounts, two that pay others, and a price: as many bytes of leaves as may be fit, 18 more do not."""
    world = make_world()
    numbers = range(200, 222)
    world.write({underlying_key(n): w.underlying().encode() for n in numbers})
    world.write({market_key(n): w.market(underlying=n).encode() for n in numbers})
    world.hold(1, dict.fromkeys(numbers, LOT))
    fill_account(world, 0)
    for number in (0, 1):
        world.set_account(number, cash=10**12)
    world.set_underlying(w.BTC, time=w.NOW - 1)
    held = world.account(0).positions
    transfers = [w.transfer(number, 129 + number, 1, 1) for number in (0, 1)]
    update = w.oracle_update(w.BTC, w.NOW, PRICE, PRICE)
    deposits = [encode_message(Deposit(number, 1)) for number in range(100, 129)]
    world.write({account_key(number): w.account_leaf(number, 0) for number in range(100, 131)})
    rest = (MAX_LEAF_BYTES - make_proof(world, [*transfers, update], deposits).result.usage.leaf_bytes) // 18
    for extra, expected in ((0, (Reason.NONE, 0)), (1, (Reason.METER_LEAF_BYTES, 31))):
        left = rest + extra
        for number in range(100, 131):
            world.write({account_key(number): w.account_leaf(number, 0, held[: min(left, FULL)])})
            left = max(left - FULL, 0)
        assert left == 0
        assert agree(make_proof(world, [*transfers, update], deposits)) == expected


def make_heavy_world() -> tuple[World, Sequence[bytes]]:
    """A world where one forced withdrawal touches more system leaves than a block may."""
    world = make_world()
    numbers = range(100, 128)
    world.write({underlying_key(n): w.underlying().encode() for n in numbers})
    world.write({series_key(n, 1): w.series().encode() for n in numbers})
    world.write({market_key(n): w.option(MarketKind.FUTURE, 1, 0, underlying=n).encode() for n in numbers})
    world.hold(0, dict.fromkeys(numbers, LOT))
    heavy = encode_message(Forced(w.owner(0), encode_transaction(w.withdraw(0, DOLLAR, 1))))
    return world, [heavy, encode_message(Deposit(0, 5))]


def test_message_that_exceeds_a_meter_alone_is_passed_over() -> None:
    """At the head of a block it does nothing, or no block could ever pass it; behind others the block is invalid."""
    world, (heavy, deposit) = make_heavy_world()
    proof = make_proof(world, (), [heavy, deposit])
    assert agree(proof) == (Reason.NONE, 0)
    assert proof.result.receipts[0].reason == Reason.METER_SYSTEM
    assert agree(make_proof(world, (), [deposit, heavy])) == (Reason.METER_SYSTEM, 1)
    assert agree(make_proof(world, (), [heavy, deposit, heavy])) == (Reason.METER_SYSTEM, 2)


def test_forced_trade_that_fails_late_gives_funding_back() -> None:
    """Both parties' funding payments are undone in every market, and the accrual stays."""
    world = make_world()
    world.set_underlying(w.ETH, mark=w.ETH_MARK + 50 * DOLLAR)
    world.hold(0, {w.BTC_PERP: LOT, w.ETH_PERP: 10 * LOT}, index=-(10**12))
    world.hold(1, {w.BTC_PERP: -3 * LOT, w.ETH_PERP: -7 * LOT}, index=10**12)
    size = 500 * w.COIN
    raw = encode_transaction(Trade(buy(size=size), sell(size=size), size))
    forced = encode_message(Forced(w.owner(0), raw))
    before = {key: world.read(key) for key in (account_key(0), account_key(1), market_key(w.BTC_PERP))}
    proof = make_proof(world, [Trade(buy(nonce=2), sell(nonce=2), LOT)], [forced, forced], timestamp=w.NOW + 30)
    assert agree(proof) == (Reason.NONE, 0)
    assert [receipt.reason for receipt in proof.result.receipts] == [Reason.MARGIN, Reason.MARGIN, Reason.NONE]
    alone = make_proof(world, (), [forced, forced], timestamp=w.NOW + 30)
    assert agree(alone) == (Reason.NONE, 0)
    accept(world, alone)
    assert {key: world.read(key) for key in before} == before
    assert Underlying.decode(world.read(underlying_key(w.ETH))).funding_index > 0


@pytest.mark.parametrize("elapsed", [0, 1, 59, 28_800, (1 << 40) - 1 - w.NOW])
@pytest.mark.parametrize(("spot", "mark"), [(PRICE, PRICE * 2), (PRICE, 1), (1, (1 << 47) - 1), ((1 << 47) - 1, 1)])
def test_funding_accrues_alike_at_the_extremes(elapsed: int, spot: int, mark: int) -> None:
    """Clamped premium, long pauses, saturated index; the touch alone accrues."""
    world = make_world()
    world.set_underlying(w.BTC, spot=spot, mark=mark, funding_cap=(1 << 32) - 1, max_age=(1 << 32) - 1)
    world.set_underlying(w.ETH, funding_index=(1 << 62) - 1, mark=w.ETH_MARK + 1)
    world.hold(0, {w.BTC_PERP: LOT, w.ETH_PERP: -LOT})
    world.count_interest()
    update = [w.oracle_update(coin, 1, PRICE, PRICE) for coin in (w.BTC, w.ETH)]
    messages = [encode_message(Forced(w.owner(0), encode_transaction(w.withdraw(0, DOLLAR, 1))))]
    valid = make_proof(world, (), messages, timestamp=w.NOW + elapsed)
    assert agree(valid) == (Reason.NONE, 0)
    late = Reason.MARKET_EXPIRED if elapsed > WIND_UP else Reason.ORACLE_TIME
    assert agree(make_proof(world, update, messages, timestamp=w.NOW + elapsed)) == (late, 1)
