"""Tokens and owners that misbehave take no more out of the vault, and keep nobody else from being paid."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.contracts.test_escape import FUNDED, close, collect, ended, fund, held, paid, register
from tests.support.chain import ALICE, BOB, CAROL, DAVE, Outcome, load_test_artifact, reverts
from tests.support.ending import USD, EndState, end, holder, starve, state_of
from tests.support.world import DOLLARS, REWARD_DELAY, World

NONE, TAKE_FEE, ADD_BONUS, FAIL, RETURN_FALSE, REENTER, REFUSE = range(7)
LATE = 77
WAYS = ("claim", "register", "collect", "refund")
DUE = {"claim": 100 * USD, "register": 300 * USD, "collect": 400 * USD, "refund": LATE}
"""What each way pays in the scene below, µUSD; all but the second to BOB."""

AGAIN = {
    "claim": "NothingToClaim",
    "register": "AlreadyRegistered",
    "collect": "NothingToCollect",
    "refund": "AlreadyRefunded",
}


@dataclass(frozen=True, slots=True)
class Scene:
    """An ended chain: BOB's account 0 is registered, CAROL's 1 came too late, and a deposit of BOB's never arrived."""

    world: World
    state: EndState
    calls: dict[str, tuple[object, ...]]

    def pay(self, name: str) -> Outcome:
        """Call one of the ways out, as a stranger."""
        return self.world.vault.send(name, *self.calls[name], sender=DAVE)

    def fork(self) -> Scene:
        """The same by itself."""
        return Scene(self.world.fork(), self.state, self.calls)

    def play(self, trick: int, target: bytes = bytes(20), data: bytes = b"") -> None:
        """Let the token misbehave."""
        self.world.token.send("choose", trick, target, data)


@pytest.fixture
def scene(hostile_world: World) -> Scene:
    """The scene, after the window."""
    world = hostile_world
    fund(world)
    state = state_of({0: holder(BOB, 400 * USD, 100 * USD), 1: holder(CAROL, 300 * USD, 50 * USD)}, deposits=FUNDED)
    posted = world.post(world.block(root=state.tree.root, messages=1))
    world.inbox.send("deposit", 0, LATE, sender=DAVE)
    starve(world)
    world.rollup.send("finalise", posted.index)
    register(world, state, 0)
    close(world)
    late = b"\x02" + bytes(3) + LATE.to_bytes(8, "big")
    calls: dict[str, tuple[object, ...]] = {
        "claim": (posted.index, state.leaf(0)),
        "register": (state.estate(1),),
        "collect": (0,),
        "refund": (1, late),
    }
    return Scene(world, state, calls)


@pytest.mark.parametrize("inner", WAYS)
@pytest.mark.parametrize("outer", WAYS)
def test_token_that_calls_back_gets_nothing(scene: Scene, outer: str, inner: str) -> None:
    """From within a payment no other can be made, so the pot is never measured with money half way out."""
    vault = scene.world.vault
    scene.play(REENTER, vault.address, vault.abi.encode_call(inner, *scene.calls[inner]))
    with reverts("TransferFailed"):
        scene.pay(outer)
    assert held(scene.world, vault.address) == FUNDED + LATE
    scene.play(NONE)
    scene.pay(outer)
    assert held(scene.world, vault.address) == FUNDED + LATE - DUE[outer]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("trick", [FAIL, RETURN_FALSE])
def test_failed_payment_can_be_repeated(scene: Scene, trick: int, way: str) -> None:
    """If the token fails nothing counts as paid, and what was due is due as before."""
    scene.play(trick)
    with reverts("TransferFailed"):
        scene.pay(way)
    assert scene.world.vault.call("claimedTotal") == scene.world.vault.call("refundedTotal") == 0
    scene.play(NONE)
    scene.pay(way)
    assert held(scene.world, scene.world.vault.address) == FUNDED + LATE - DUE[way]
    with reverts(AGAIN[way]):
        scene.pay(way)


@pytest.mark.parametrize("way", WAYS)
def test_fee_of_the_token_is_the_owners_loss(scene: Scene, way: str) -> None:
    """A token that keeps a part of each payment takes it from who is paid, not from what the vault keeps for others."""
    owner = CAROL if way == "register" else BOB
    scene.play(TAKE_FEE)
    scene.pay(way)
    assert held(scene.world, owner) == DOLLARS + DUE[way] - 1
    assert held(scene.world, scene.world.vault.address) == FUNDED + LATE - DUE[way]


def test_owner_that_the_token_refuses_holds_nobody_up(scene: Scene) -> None:
    """Whoever cannot be paid waits alone; the others get all of theirs, and so does the refused one afterwards."""
    scene.play(REFUSE, BOB)
    for way in ("claim", "collect", "refund"):
        with reverts("TransferFailed"):
            scene.pay(way)
    assert paid(scene.world, scene.pay("register")) == DUE["register"]
    assert held(scene.world, CAROL) == DOLLARS + DUE["register"]
    scene.play(NONE)
    for way in ("claim", "collect", "refund"):
        scene.pay(way)
    assert held(scene.world, BOB) == DOLLARS + sum(DUE.values()) - DUE["register"]
    # What is left: 50 that CAROL withdrew, and what belonged to nobody.
    assert held(scene.world, scene.world.vault.address) == FUNDED + LATE - sum(DUE.values())


def test_share_of_a_refused_owner_is_not_shared_out(hostile_world: World) -> None:
    """In a shortfall the shares are what they are, whoever can be paid."""
    world = hostile_world
    fund(world)
    state = ended(world, {0: holder(BOB, FUNDED), 1: holder(CAROL, FUNDED)})
    register(world, state, 0, 1)
    close(world)
    world.token.send("choose", REFUSE, BOB, b"")
    with reverts("TransferFailed"):
        collect(world, 0)
    assert collect(world, 1) == FUNDED // 2
    assert held(world, world.vault.address) == FUNDED // 2
    world.token.send("choose", NONE, bytes(20), b"")
    assert collect(world, 0) == FUNDED // 2
    assert held(world, world.vault.address) == 0


def test_deposit_from_within_a_claim_is_booked_to_the_unit(hostile_world: World) -> None:
    """A token may let others act while it pays: what comes in and what goes out are counted apart."""
    world = hostile_world
    fund(world)
    state = state_of({0: holder(BOB, 1, 100 * USD)}, deposits=FUNDED)
    posted = world.post(world.block(root=state.tree.root, messages=1))
    world.finalise(posted)
    relay = world.chain.deploy(load_test_artifact("Relay"))
    world.token.send("mint", relay.address, LATE)
    relay.send("relay", world.token.address, world.token.abi.encode_call("approve", world.inbox.address, LATE))
    deposit = world.inbox.abi.encode_call("deposit", 0, LATE)
    world.token.send("choose", REENTER, relay.address, relay.abi.encode_call("relay", world.inbox.address, deposit))
    world.vault.send("claim", posted.index, state.leaf(0), sender=DAVE)
    assert world.inbox.call("depositedTotal") == FUNDED + LATE
    assert world.vault.call("claimedTotal") == 100 * USD
    assert held(world, BOB) == DOLLARS + 100 * USD
    assert held(world, world.vault.address) == FUNDED + LATE - 100 * USD


def test_claim_pays_once_before_and_after_the_end(world: World) -> None:
    """Neither the escape nor an older or a reverted state pays a withdrawal again."""
    fund(world)
    states = [state_of({0: holder(BOB, 900 * USD - cash, cash)}, deposits=FUNDED) for cash in (100 * USD, 150 * USD)]
    first = world.post(world.block(root=states[0].tree.root, messages=1))
    world.finalise(first)
    claim(world, first.index, states[0])
    with reverts("NothingToClaim", 0, 100 * USD, 100 * USD):
        claim(world, first.index, states[0])
    robbed = state_of({0: holder(BOB, 0, FUNDED)}, deposits=FUNDED)
    bad = world.post(world.block(root=robbed.tree.root))
    with reverts("BatchNotFinal", bad.index):
        claim(world, bad.index, robbed)
    world.verifier.send("choose", 1, 0, bytes(32))
    world.prove(bad, sender=CAROL)
    with reverts("BatchNotFinal", bad.index):
        claim(world, bad.index, robbed)
    world.chain.travel(REWARD_DELAY + 1)
    world.rollup.send("claimReward", ALICE)
    world.stake(ALICE)
    last = end(world, states[1])
    assert last == bad.index
    with reverts("WrongRoot", robbed.tree.root, states[1].tree.root):
        claim(world, last, robbed)
    register(world, states[1], 0)
    close(world)
    assert collect(world, 0) == 750 * USD
    claim(world, last, states[1])
    for batch, state in ((first.index, states[0]), (last, states[1])):
        with reverts("NothingToClaim"):
            claim(world, batch, state)
    assert held(world, BOB) == DOLLARS + 900 * USD


def claim(world: World, batch: int, state: EndState) -> None:
    """A stranger claims for account 0."""
    world.vault.send("claim", batch, state.leaf(0), sender=DAVE)
