"""The dearest messages that anybody can force: alone they are proven with ease, in any number they only take blocks."""

from __future__ import annotations

from rollup.errors import BlockFull
from rollup.l1.artifacts import load_artifact
from rollup.l1.limits import MAX_TX_GAS
from rollup.stf.builder import BlockBuilder
from rollup.stf.meters import Usage
from rollup.types.limits import MAX_BATCH_BLOCKS, MAX_REVALUATIONS, MAX_SLOTS
from rollup.types.reasons import Reason
from rollup.types.transactions import Bid, Trade
from tests.bounds.crowd import (
    NEW_NONCE,
    Book,
    Slots,
    account_number,
    even,
    make_crowd,
    mark_of,
    nobody,
    remember_old_orders,
    trade,
)
from tests.bounds.forced import FULL, GARBAGE, PAIRED, VALUED, force, parties
from tests.differential import signed
from tests.differential import world as w
from tests.differential.twins import Proof, assert_agreement, fast_verifier, make_proof
from tests.differential.world import World as State
from tests.support.chain import ALICE, BOB, CAROL, load_test_artifact, reverts
from tests.support.fastchain import FastChain
from tests.support.world import BASE_FEE, FEE_SLOPE, FORCE_DEADLINE, FREEZE_GRACE, deploy_world

NEVER = 2**256 - 1
FLOOD = 2 * MAX_BATCH_BLOCKS + 88


def heavy_trades(count: int) -> tuple[State, list[Trade]]:
    """Trades of accounts full of options, which fail when both are settled and valued; and the state for them."""
    state, slots = make_crowd(PAIRED, 0), Slots(MAX_SLOTS)
    trades = []
    for i in range(count):
        seller, buyer, turn = parties(i, PAIRED)
        trades.append(trade(slots.of(seller, turn), slots.of(buyer, turn), 0, i, mark_of(Book.OPTIONS, 0)))
    remember_old_orders(state, slots.used)
    return state, trades


def heavy_bid() -> tuple[State, Bid]:
    """A bid for a whole book by a liquidator who holds the same and has no money for it."""
    state = make_crowd(FULL, 0, 32, poor=lambda k: k % 2 == 1, sick=even, second=nobody)
    account, liquidator, _ = parties(0, FULL)
    key = w.key_of("owner", liquidator)
    return state, signed.bid(account_number(account), account_number(liquidator), NEW_NONCE, key=key)


def prove_alone(state: State, message: bytes, reason: Reason) -> Proof:
    """A block of this message only; it fails for `reason`, and the block is valid and cannot be proven wrong."""
    proof = make_proof(state, (), [message])
    assert proof.result.reason == Reason.NONE
    assert [receipt.reason for receipt in proof.result.receipts] == [reason]
    return proof


def test_heaviest_message_alone_fits_a_block() -> None:
    """One message stays within every meter, and its block is proven for a part of what a proof may cost."""
    state, trades = heavy_trades(1)
    sick, bid = heavy_bid()
    proofs = [
        prove_alone(state, force(trades[0]), Reason.MARGIN),
        prove_alone(sick, force(bid), Reason.MARGIN),
        prove_alone(state, GARBAGE, Reason.UNDECODABLE),
    ]
    for proof in proofs:
        for meter in Usage.__annotations__:
            assert getattr(proof.result.usage, meter) <= getattr(Usage.limits(), meter)
        verdict = assert_agreement(proof, fast_verifier())
        assert verdict.gas_used * 2 < MAX_TX_GAS
    # A trade values both sides; a bid the account and the liquidator, and moves the account's positions.
    assert [proof.result.usage.revaluations for proof in proofs] == [2 * 32, 3 * 32, 0]


def test_many_heavy_messages_take_blocks_and_nothing_else() -> None:
    """Twice as many as a block has room for are taken by a sequencer in order, block by block, within one batch."""
    count = 2 * VALUED
    state, trades = heavy_trades(count)
    waiting = [force(tx) for tx in trades]
    blocks: list[int] = []
    while waiting:
        builder = BlockBuilder(state.read, state.time, w.SEPARATOR)
        taken = take_what_fits(builder, waiting)
        assert taken > 0
        sealed = builder.finish()
        assert_agreement(make_proof(state, (), waiting[:taken]), fast_verifier())
        assert sealed.usage.revaluations <= MAX_REVALUATIONS
        state.write(sealed.writes)
        state.inbox_index, state.inbox_hash, state.number = sealed.inbox_index, sealed.inbox_hash, state.number + 1
        del waiting[:taken]
        blocks.append(taken)
    # As many as the meter of revaluations has room for; a batch has room for some 6,000.
    assert blocks == [VALUED, VALUED]


def take_what_fits(builder: BlockBuilder, messages: list[bytes]) -> int:
    """How many messages the block takes; each that it takes is refused by the state transition, so nothing happens."""
    for taken, message in enumerate(messages):
        try:
            receipt = builder.take_message(message)
        except BlockFull:
            return taken
        assert receipt.reason == Reason.MARGIN
    return len(messages)


def test_flood_of_heavy_messages_costs_its_sender_and_stops_nobody() -> None:
    """600 messages that need a block each, then an honest one: three batches take them, and nobody can freeze."""
    chain = FastChain()
    verifier = load_test_artifact("ChosenVerifier")
    world = deploy_world(load_artifact("TestUSD"), verifier, [ALICE], chain=chain)
    burnt = chain.balance(bytes(20))
    for _ in range(FLOOD):
        world.inbox.send("force", GARBAGE[21:], sender=CAROL, value=world.inbox.call("forceFee"))
    assert chain.balance(bytes(20)) - burnt == FLOOD * BASE_FEE + FEE_SLOPE * FLOOD * (FLOOD - 1) // 2
    world.inbox.send("force", b"\x02", sender=BOB, value=world.inbox.call("forceFee"))
    # The whole queue is overdue by now, as late as can be.
    world.chain.travel(FORCE_DEADLINE + FREEZE_GRACE)
    for left in (FLOOD + 1 - MAX_BATCH_BLOCKS, FLOOD + 1 - 2 * MAX_BATCH_BLOCKS):
        with reverts("NotOverdue"):
            world.rollup.send("freeze", sender=CAROL)
        with reverts("MessageOverdue"):
            world.post(*[world.block(messages=1)] * (MAX_BATCH_BLOCKS - 1))
        world.post(*[world.block(messages=1)] * MAX_BATCH_BLOCKS)
        assert world.inbox.call("count") - world.rollup.call("latestInboxIndex") == left
    with reverts("MessageOverdue"):
        world.post(*[world.block(messages=1)] * 88)
    world.post(*[world.block(messages=1)] * 89)
    assert world.rollup.call("freezeDeadline") == (FLOOD + 1, NEVER)
    assert world.inbox.call("forceFee") == BASE_FEE
