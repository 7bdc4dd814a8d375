"""The end of a real chain: the real verifier proves fraud after the freeze, and everybody gets out."""

from __future__ import annotations

from rollup.crypto.eip712 import withdraw_digest
from rollup.crypto.signatures import sign
from rollup.l1.devkeys import dev_key
from rollup.types.keys import GLOBALS
from rollup.types.leaves import Globals
from rollup.types.transactions import Withdraw, encode_transaction
from tests.support.chain import BOB, CAROL, DAVE
from tests.support.ending import EndState
from tests.support.producer import CASH, Producer, start_producer, with_root
from tests.support.world import DISPUTE_WINDOW, DOLLARS, FORCE_DEADLINE, FREEZE_GRACE, Posted

WITHDRAWN = 1_000_000
LATE = 5_000_000


def play(producer: Producer) -> Posted:
    """A trade and a withdrawal; BOB is short a coin, CAROL long."""
    sealed = producer.build([producer.price(), producer.trade(), producer.withdraw(WITHDRAWN)])
    posted = producer.world.post(producer.batch_block(sealed))
    producer.apply(sealed)
    return posted


def cheat(producer: Producer) -> None:
    """Post a block with a wrong root that takes a message, freeze the chain, and prove the fraud only then."""
    world = producer.world
    world.chain.travel(1)
    sealed = producer.build([producer.price(), producer.trade()])
    bad = with_root(producer.batch_block(sealed), bytes(32))
    posted = world.post(bad)
    starved = sign(withdraw_digest(producer.separator, 0, 7, 99), dev_key(1))
    call = encode_transaction(Withdraw(0, 7, 99, starved))
    world.inbox.send("force", call, sender=BOB, value=world.inbox.call("forceFee"))
    world.chain.travel(FORCE_DEADLINE + FREEZE_GRACE + 1)
    world.rollup.send("freeze", sender=BOB)
    proof = producer.proof(posted.headers[0], bad, list(sealed.messages))
    proven = producer.prove(posted, 0, proof, sender=DAVE)
    assert proven.reason == 0
    assert world.rollup.call("batchCount") == posted.index


def test_everybody_leaves_a_chain_whose_sequencer_cheated_and_vanished() -> None:
    """The fraud is reverted after the freeze, the trade before it counts, and each is paid to the unit."""
    producer = start_producer()
    world = producer.world
    last = play(producer)
    late = world.inbox.send("deposit", 1, LATE, sender=CAROL)
    producer.messages.append(world.inbox.events(late)["MessageAdded"]["message"])
    cheat(producer)
    world.chain.travel(DISPUTE_WINDOW)
    world.rollup.send("finalise", last.index)
    assert world.rollup.call("endState") == (True, last.index)
    state = EndState(dict(producer.leaves))
    totals = Globals.decode(state.read(GLOBALS))
    assert state.tree.root == world.rollup.call("stateRootOf", last.index)
    equities = [state.equity(account) for account in (0, 1)]
    assert equities[0] <= CASH - WITHDRAWN
    for account in (0, 1):
        world.vault.send("register", state.estate(account), sender=DAVE)
    assert world.vault.call("pot")[0] == totals.deposits - totals.withdrawals == 2 * CASH - WITHDRAWN
    # A trade at the mark: what the pot holds more is what went as fees, and roundings.
    assert 0 <= 2 * CASH - WITHDRAWN - totals.fees - sum(equities) <= 2
    world.vault.send("claim", last.index, state.leaf(0), sender=DAVE)
    world.vault.send("refund", 2, producer.messages[0], sender=DAVE)
    world.chain.travel(world.vault.call("registrationDeadline") + 1 - world.chain.now)
    for account in (0, 1):
        world.vault.send("collect", account, sender=DAVE)
    assert world.token.call("balanceOf", BOB) == DOLLARS - CASH + WITHDRAWN + equities[0]
    assert world.token.call("balanceOf", CAROL) == DOLLARS - CASH + equities[1]
    assert world.token.call("balanceOf", world.vault.address) == 2 * CASH - WITHDRAWN - sum(equities)


def test_stranger_takes_over_and_trading_resumes() -> None:
    """The sequencer falls silent: whoever stakes goes on, takes the forced message, and nothing can be frozen."""
    producer = start_producer()
    world = producer.world
    play(producer)
    forced = producer.withdraw(WITHDRAWN)
    outcome = world.inbox.send("force", encode_transaction(forced), sender=BOB, value=world.inbox.call("forceFee"))
    producer.messages.append(world.inbox.events(outcome)["MessageAdded"]["message"])
    world.chain.travel(FORCE_DEADLINE)
    world.stake(CAROL)
    # A forced withdrawal needs a fresh price, so the price goes into an earlier block than the message.
    waiting, producer.messages = producer.messages, []
    first = producer.build([producer.price()])
    blocks = [producer.batch_block(first)]
    producer.apply(first)
    producer.messages = waiting
    second = producer.build([producer.trade()])
    blocks.append(producer.batch_block(second))
    producer.apply(second)
    posted = world.post(*blocks, sender=CAROL)
    world.chain.travel(FORCE_DEADLINE + FREEZE_GRACE + 1)
    assert world.rollup.call("freezeDeadline")[1] == 2**256 - 1
    world.rollup.send("finalise", posted.index)
    state = EndState(dict(producer.leaves))
    outcome = world.vault.send("claim", posted.index, state.leaf(0), sender=DAVE)
    assert world.vault.events(outcome)["Claimed"]["amount"] == 2 * WITHDRAWN
    assert state.equity(0) + state.equity(1) <= 2 * CASH - 2 * WITHDRAWN
    assert world.rollup.call("mayPost", CAROL)
