"""The builder: seals what replay accepts, and leaves no trace of what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from rollup.errors import BlockFull, InvalidTransaction, Unencodable
from rollup.l1.devkeys import dev_address
from rollup.stf.builder import BlockBuilder
from rollup.stf.margin import initial
from rollup.types.keys import GLOBALS, account_key, slot_key, underlying_key
from rollup.types.leaves import Account, Globals
from rollup.types.messages import Deposit, Open, encode_message
from rollup.types.reasons import Reason
from rollup.types.transactions import Transaction
from tests.stf.world import (
    COIN,
    SEPARATOR,
    START,
    USD,
    World,
    cancel,
    funded,
    order,
    price,
    set_signer,
    trade,
    transfer,
    withdraw,
)

P = 40_000 * USD
LOT = 1_000


def state_of(builder: BlockBuilder) -> tuple[Any, ...]:
    """Everything a builder knows."""
    ctx = builder._ctx
    return (
        dict(ctx.pre),
        list(ctx.pre),
        dict(ctx.values),
        dict(ctx.staged),
        set(ctx.dirty),
        builder.usage,
        builder.count,
        builder._inbox,
        list(builder._txs),
        list(builder._messages),
    )


def test_a_sealed_block_executes_to_the_same() -> None:
    """Writes, pre-values, receipts and meters of replay are those of the builder."""
    world = funded()
    builder = world.builder(at=START + 30)
    for message in (Deposit(0, 5), Open(3, dev_address(3), 9), Deposit(77, 1)):
        builder.take_message(encode_message(message))
    builder.take_message(b"junk")
    for tx in (
        trade(COIN, P, 1),
        price(START + 30, P, P + USD),
        withdraw(0, 7, 1),
        transfer(1, 3, 8, 1),
        cancel(0, 5),
        set_signer(3, bytes(20), 1),
        trade(COIN, P, 2, buyer=1, seller=0),
    ):
        builder.apply(tx)
    sealed = builder.finish()
    result = world.replay(sealed)
    assert result.reason is Reason.NONE
    assert (result.writes, result.pre, result.receipts, result.usage) == (
        sealed.writes,
        sealed.pre,
        sealed.receipts,
        sealed.usage,
    )
    assert len(sealed.receipts) == 11
    world.leaves.update(sealed.writes)
    world.check()
    totals = Globals.decode(sealed.writes[GLOBALS])
    assert (totals.inbox_index, totals.inbox_hash, totals.time) == (sealed.inbox_index, sealed.inbox_hash, START + 30)


REFUSED: dict[str, tuple[Transaction, Reason]] = {
    "unknown account": (cancel(6, 1), Reason.ACCOUNT_UNKNOWN),
    "signature, after touching slots": (trade(COIN, P, 9, buyer=2, seller=6), Reason.ACCOUNT_UNKNOWN),
    "margin, after settling funding": (trade(20 * COIN, P, 9, buyer=2), Reason.MARGIN),
    "withdrawal above margin": (withdraw(0, 99_999 * USD, 1), Reason.MARGIN),
    "price, after touching its coin": (price(START, 4_000 * USD, underlying=2), Reason.ORACLE_TIME),
    "order of an unknown market": (trade(COIN, P, 9, market=7), Reason.MARKET_UNKNOWN),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_transaction_leaves_no_trace(name: str) -> None:
    """Touches, meters, accruals and staged funding are as before, and the sealed block replays."""
    tx, reason = REFUSED[name]
    world = funded()
    world.must(trade(COIN, P, 1))
    world.must(price(START + 30, P, P + 100 * USD), at=START + 30)
    for first in ([], [trade(COIN, P, 2)]):
        builder = world.builder(at=START + 60)
        for applied in first:
            builder.apply(applied)
        before = state_of(builder)
        for _ in range(2):
            with pytest.raises(InvalidTransaction) as refusal:
                builder.apply(tx)
            assert refusal.value.reason is reason
            assert state_of(builder) == before
        builder.apply(trade(LOT, P, 3))
        sealed = builder.finish()
        result = world.replay(sealed)
        assert (result.reason, result.pre, result.writes) == (Reason.NONE, sealed.pre, sealed.writes)


def test_a_full_block_leaves_no_trace_of_what_did_not_fit() -> None:
    """The transaction goes into the next block unchanged."""
    world = funded(2)
    builder = world.builder()
    for nonce in range(1, 19):
        builder.apply(trade(LOT, P, nonce))
    before = state_of(builder)
    with pytest.raises(BlockFull) as refusal:
        builder.apply(trade(LOT, P, 21))
    assert refusal.value.reason is Reason.METER_SLOTS
    assert state_of(builder) == before
    builder.apply(cancel(0, 1))
    sealed = builder.finish()
    assert world.replay(sealed).writes == sealed.writes
    world.leaves.update(sealed.writes)
    assert world.refusal(trade(LOT, P, 21)) is Reason.NONE


def test_a_transaction_that_has_no_encoding_is_refused_before_anything() -> None:
    """Numbers too large for the wire come from outside and change nothing."""
    builder = funded().builder()
    before = state_of(builder)
    with pytest.raises(Unencodable):
        builder.apply(withdraw(0, 1 << 63, 1).__class__(0, 1 << 64, 1, bytes(64)))
    assert state_of(builder) == before


def test_time_never_goes_back() -> None:
    """A builder does not even start."""
    with pytest.raises(InvalidTransaction) as refusal:
        funded().builder(at=START - 1)
    assert refusal.value.reason is Reason.TIME


def test_messages_come_first() -> None:
    """Taking one after a transaction is a bug of the caller."""
    builder = funded().builder()
    assert builder.accepts_messages
    builder.apply(cancel(0, 1))
    assert not builder.accepts_messages
    with pytest.raises(AssertionError):
        builder.take_message(b"")


def test_reading_shows_the_block_so_far_and_touches_nothing() -> None:
    """Leaves and accounts after each transaction, the state's own where the block did nothing."""
    world = funded()
    builder = world.builder()
    assert builder.leaf(account_key(0)) == world.leaves[account_key(0)]
    assert builder.account(0) == world.account(0)
    assert builder.account(99) is None
    assert builder.leaf(slot_key(0, 1)) == b""
    assert builder.usage.system == 1
    assert builder.usage.accounts == 0
    builder.apply(trade(COIN, P, 1))
    assert Account.decode(builder.leaf(account_key(0))) == builder.account(0)
    assert builder.leaf(slot_key(0, 1)) != b""
    assert (builder.timestamp, builder.count) == (START, 1)
    sealed = builder.finish()
    for key, value in sealed.writes.items():
        assert builder.leaf(key) == value


def test_margin_of_an_account_is_what_the_rules_see() -> None:
    """With funding accrued to the block and settled, before and after trades, and for hypothetical accounts."""
    world = funded()
    world.must(trade(COIN, P, 1))
    world.must(price(START + 30, P, P + 100 * USD), at=START + 30)
    builder = world.builder(at=START + 60)
    before = state_of(builder)
    looked = builder.margin_of(0)
    due = 100 * USD * 30 // 28_800 + 1
    assert looked.equity == 100_000 * USD - 12 * USD + 100 * USD - due
    assert looked.maintenance == (P + 100 * USD) * 205 // 1000
    assert builder.margin_of(world.account(0)) == looked
    assert builder.margin_of(0) == looked
    assert state_of(builder) == before
    more = looked.equity - initial(looked.maintenance)
    with pytest.raises(InvalidTransaction):
        builder.apply(withdraw(0, more + 1, 1))
    builder.apply(withdraw(0, more, 1))
    after = builder.margin_of(0)
    assert after.equity == initial(after.maintenance)
    builder.apply(trade(COIN, P, 2, buyer=1, seller=0))
    assert builder.margin_of(1).maintenance == 0


def test_margin_of_what_cannot_be_valued_is_refused() -> None:
    """Unknown accounts, and prices that are too old."""
    world = funded()
    world.must(trade(COIN, P, 1))
    builder = world.builder(at=START + 61)
    for account, reason in ((99, Reason.ACCOUNT_UNKNOWN), (0, Reason.ORACLE_STALE)):
        with pytest.raises(InvalidTransaction) as refusal:
            builder.margin_of(account)
        assert refusal.value.reason is reason
    assert builder.margin_of(2) == (100_000 * USD, 0)


def test_margin_follows_a_price_within_the_block() -> None:
    """Views drop prices drawn before an update."""
    world = funded()
    world.must(trade(COIN, P, 1))
    builder = world.builder(at=START + 60)
    first = builder.margin_of(0)
    builder.apply(price(START + 60, P + 1_000 * USD))
    assert builder.margin_of(0).equity == first.equity + 1_000 * USD
    assert underlying_key(1) in builder.finish().pre


def test_recover_is_injected() -> None:
    """The sequencer answers from what its workers have already checked."""
    world = funded()
    asked: list[bytes] = []

    def recover(_digest: bytes, signature: bytes) -> bytes:
        asked.append(signature)
        return dev_address(0)

    builder = BlockBuilder(world.read, START, SEPARATOR, recover)
    unsigned = order(0, False, LOT, P, 1, signature=b"s" * 64)
    with pytest.raises(InvalidTransaction) as refusal:
        builder.apply(trade(LOT, P, 1).__class__(order(1, True, LOT, P, 1), unsigned, LOT))
    assert refusal.value.reason is Reason.SIGNATURE_INVALID
    builder.apply(cancel(0, 1, key=5))
    assert len(asked) == 2


def test_worlds_differ_only_by_what_is_written() -> None:
    """Applying the writes of a builder gives the state that its reader shows."""
    world: World = funded()
    builder = world.builder()
    builder.apply(trade(COIN, P, 1))
    sealed = builder.finish()
    keys = set(world.leaves) | set(sealed.writes)
    shown = {key: builder.leaf(key) for key in keys}
    world.leaves.update(sealed.writes)
    assert shown == world.leaves
