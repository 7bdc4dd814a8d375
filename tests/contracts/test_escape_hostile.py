"""A token that calls back or fails cannot take more out of the vault, nor keep anybody from being paid later."""

from __future__ import annotations

import pytest

from tests.contracts.test_escape import FUNDED, close, collect, ended, fund, held, register
from tests.support.chain import BOB, CAROL, DAVE, reverts
from tests.support.ending import USD, holder, starve, state_of
from tests.support.world import World

NONE, TAKE_FEE, ADD_BONUS, FAIL, RETURN_FALSE, REENTER = range(6)


@pytest.mark.parametrize("name", ["claim", "register", "collect", "refund"])
def test_token_that_calls_back_gets_nothing(hostile_world: World, name: str) -> None:
    """From within a payment no other can be made, so the pot is never measured with money half way out."""
    world = hostile_world
    fund(world)
    state = state_of({0: holder(BOB, 400 * USD, 100 * USD), 1: holder(CAROL, 300 * USD, 50 * USD)}, deposits=FUNDED)
    posted = world.post(world.block(root=state.tree.root, messages=1))
    world.inbox.send("deposit", 0, 77, sender=DAVE)
    starve(world)
    world.rollup.send("finalise", posted.index)
    register(world, state, 0)
    close(world)
    late = b"\x02" + bytes(3) + (77).to_bytes(8, "big")
    calls = {
        "claim": (posted.index, state.leaf(1)),
        "register": (state.estate(1),),
        "collect": (0,),
        "refund": (1, late),
    }
    inner = world.vault.abi.encode_call(name, *calls[name])
    for outer in ("claim", "collect", "refund", "register"):
        trial = world.fork()
        trial.token.send("choose", REENTER, trial.vault.address, inner)
        with reverts("TransferFailed"):
            trial.vault.send(outer, *calls[outer])
        assert held(trial, trial.vault.address) == FUNDED + 77
        trial.token.send("choose", NONE, bytes(20), b"")
        trial.vault.send(outer, *calls[outer])


@pytest.mark.parametrize("trick", [FAIL, RETURN_FALSE])
def test_failed_payment_can_be_repeated(hostile_world: World, trick: int) -> None:
    """If the token fails nothing counts as paid."""
    world = hostile_world
    fund(world)
    state = ended(world, {0: holder(BOB, 40)})
    register(world, state, 0)
    close(world)
    world.token.send("choose", trick, bytes(20), b"")
    with reverts("TransferFailed"):
        collect(world, 0)
    world.token.send("choose", NONE, bytes(20), b"")
    assert collect(world, 0) == 40
