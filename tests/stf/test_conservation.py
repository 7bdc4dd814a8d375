"""Promises that hold after every block of any traffic, valid or not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollup.errors import BlockFull, InvalidTransaction
from rollup.stf.fixed import div_ceil
from rollup.types.keys import KeyKind, kind_of
from rollup.types.leaves import Account
from rollup.types.messages import encode_message
from rollup.types.reasons import Reason
from tests.stf.traffic import Traffic
from tests.stf.world import World, funded

ROUNDS = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
seeds = st.integers(0, 2**32 - 1)


def accounts_of(world: World) -> Iterator[Account]:
    """All accounts of the state."""
    for key, value in world.leaves.items():
        if kind_of(key) is KeyKind.ACCOUNT:
            yield Account.decode(value)


def assert_promises(world: World) -> None:
    """Money, open interest, and pools that can pay what is owed to the last account that settles."""
    world.check()
    pending: Counter[int] = Counter()
    for account in accounts_of(world):
        for position in account.positions:
            index = world.underlying(world.market(position.market).underlying).funding_index
            pending[position.market] += div_ceil(position.size * (index - position.funding_index), 10**9)
    for number in (1, 2):
        assert world.market(number).pool + pending[number] >= 0


def build_block(world: World, traffic: Traffic, count: int) -> list[Reason]:
    """Offer traffic to a builder, seal, replay, keep; the reasons of all that was offered."""
    builder = world.builder(at=traffic.now)
    reasons: list[Reason] = []
    for _ in range(traffic.random.randrange(4)):
        message = traffic.message()
        try:
            reasons.append(
                builder.take_message(message if isinstance(message, bytes) else encode_message(message)).reason
            )
        except BlockFull as full:
            reasons.append(Reason(full.reason))
    for _ in range(count):
        try:
            reasons.append(builder.apply(traffic.transaction()).reason)
        except (InvalidTransaction, BlockFull) as refusal:
            reasons.append(Reason(refusal.reason))
    sealed = builder.finish()
    result = world.replay(sealed)
    assert (result.reason, result.writes, result.pre) == (Reason.NONE, sealed.writes, sealed.pre)
    assert (result.receipts, result.usage) == (sealed.receipts, sealed.usage)
    world.leaves.update(sealed.writes)
    world.now = traffic.now
    return reasons


@ROUNDS
@given(seeds)
def test_every_block_of_random_traffic_keeps_the_promises(seed: int) -> None:
    """Built from offered traffic, refused or not; and replay of each sealed block gives the same."""
    world = funded(5)
    traffic = Traffic(Random(seed), world)
    for _ in range(8):
        traffic.pass_time()
        build_block(world, traffic, 12)
        assert_promises(world)


@ROUNDS
@given(seeds)
def test_blocks_of_a_careless_poster_change_nothing_or_keep_the_promises(seed: int) -> None:
    """Blocks put together without asking the rules are valid as a whole or not at all."""
    world = funded(5)
    traffic = Traffic(Random(seed), world)
    for _ in range(12):
        traffic.pass_time()
        messages = [traffic.message() for _ in range(traffic.random.randrange(3))]
        txs = [traffic.transaction() for _ in range(traffic.random.randrange(3))]
        result = world.execute(*txs, messages=messages, at=traffic.now)
        assert (result.reason is Reason.NONE) or not result.writes
        assert_promises(world)


def test_random_traffic_reaches_most_of_the_rules() -> None:
    """The traffic is worth its name: most reasons occur, and most transactions succeed."""
    seen: Counter[Reason] = Counter()
    for seed in range(25):
        world = funded(5)
        traffic = Traffic(Random(seed), world)
        for _ in range(8):
            traffic.pass_time()
            seen.update(build_block(world, traffic, 16))
    assert len(seen) >= 28, sorted(reason.name for reason in seen)
    assert seen[Reason.NONE] > sum(seen.values()) // 4, seen
