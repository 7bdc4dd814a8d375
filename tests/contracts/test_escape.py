"""After the end: accounts register by proof and are paid, in proportion if there is too little, once."""

from __future__ import annotations

from rollup.types.keys import account_key, market_key, series_key, underlying_key
from rollup.types.leaves import MarketKind, Position
from tests.support.chain import ALICE, BOB, CAROL, DAVE, Outcome, load_test_artifact, reverts
from tests.support.ending import COIN, USD, EndState, coin, end, expiry, holder, instrument, state_of
from tests.support.world import DISPUTE_WINDOW, DOLLARS, FORCE_DEADLINE, FREEZE_GRACE, REGISTRATION_WINDOW, World

FUNDED = 1_000 * USD


def fund(world: World, amount: int = FUNDED) -> None:
    """Bring money in, as a message that the end state takes."""
    world.inbox.send("open", BOB, amount, sender=DAVE)


def ended(world: World, accounts: dict[int, bytes], *, deposits: int = FUNDED) -> EndState:
    """A world that has ended with these accounts."""
    state = state_of(accounts, deposits=deposits)
    end(world, state)
    return state


def register(world: World, state: EndState, *accounts: int) -> None:
    """Let a stranger register accounts."""
    for account in accounts:
        world.vault.send("register", state.estate(account), sender=ALICE)


def close(world: World) -> None:
    """Let the window pass."""
    world.chain.travel(world.vault.call("registrationDeadline") + 1 - world.chain.now)


def paid(world: World, outcome: Outcome) -> int:
    """What a payment says that it paid."""
    amount: int = world.vault.events(outcome)["Collected"]["amount"]
    return amount


def collect(world: World, account: int) -> int:
    """Let a stranger collect for an account; returns what it got."""
    return paid(world, world.vault.send("collect", account, sender=ALICE))


def held(world: World, who: bytes) -> int:
    """Tokens of an account."""
    balance: int = world.token.call("balanceOf", who)
    return balance


def test_everybody_gets_all_of_it_if_the_vault_suffices(world: World) -> None:
    """Whoever calls, the tokens go to the owners, and what belongs to nobody stays."""
    fund(world)
    state = ended(world, {0: holder(BOB, 600 * USD), 1: holder(CAROL, 300 * USD + 1)})
    deadline = world.rollup.call("settledAt") + REGISTRATION_WINDOW
    assert world.vault.call("registrationDeadline") == deadline
    outcome = world.vault.send("register", state.estate(0), sender=DAVE)
    assert world.vault.events(outcome)["Registered"] == {"account": 0, "owner": BOB, "equity": 600 * USD}
    register(world, state, 1)
    assert world.vault.call("entryOf", 0) == (BOB, 600 * USD)
    assert world.vault.call("registeredEquity") == 900 * USD + 1
    assert world.vault.call("pot") == (FUNDED, False)
    close(world)
    outcome = world.vault.send("collect", 0, sender=DAVE)
    events = world.vault.events(outcome)
    assert events["Closed"] == {"pot": FUNDED, "registered": 900 * USD + 1}
    assert events["Collected"] == {"account": 0, "owner": BOB, "amount": 600 * USD}
    assert collect(world, 1) == 300 * USD + 1
    assert held(world, BOB) == DOLLARS + 600 * USD
    assert held(world, world.vault.address) == 100 * USD - 1
    assert world.vault.call("pot") == (FUNDED, True)


def test_shortfall_is_shared_in_proportion(world: World) -> None:
    """Who owes counts as zero; the others get equity * pot / total, rounded down."""
    fund(world)
    equities = {0: 700 * USD, 1: 800 * USD, 2: 7}
    state = ended(world, {n: holder(BOB, e) for n, e in equities.items()} | {3: holder(CAROL, -500 * USD)})
    register(world, state, 0, 1, 2)
    with reverts("WorthNothing", 3, -500 * USD):
        register(world, state, 3)
    close(world)
    total = sum(equities.values())
    for account, equity in equities.items():
        assert collect(world, account) == equity * FUNDED // total
    assert 0 <= held(world, world.vault.address) < 3


def test_withdrawals_come_first_before_and_after_payment(world: World) -> None:
    """What was withdrawn is paid in full by claim whenever it is asked for; the pot is the rest, whatever the order."""
    fund(world)
    accounts = {0: holder(BOB, 900 * USD, 250 * USD), 1: holder(CAROL, 600 * USD, 150 * USD), 2: holder(DAVE, 0, 5)}
    state = state_of(accounts, deposits=FUNDED)
    early = world.post(world.block(root=state.tree.root, messages=1))
    world.finalise(early)
    world.vault.send("claim", early.index, state.leaf(2))
    batch = end(world, state)
    pot = FUNDED - 400 * USD - 5
    register(world, state, 0, 1)
    assert world.vault.call("pot") == (pot, False)
    world.vault.send("claim", batch, state.leaf(0))
    assert world.vault.call("pot") == (pot, False)
    close(world)
    assert collect(world, 0) == 900 * pot // 1_500
    world.vault.send("claim", batch, state.leaf(1))
    assert collect(world, 1) == 600 * pot // 1_500
    assert held(world, CAROL) == DOLLARS + 150 * USD + 600 * pot // 1_500
    with reverts("NothingToClaim", 0, 250 * USD, 250 * USD):
        world.vault.send("claim", batch, state.leaf(0))
    assert world.vault.call("claimedTotal") == 400 * USD + 5


def test_late_accounts_share_what_the_others_leave(world: World) -> None:
    """First come, first served, at once; when nothing is left, a late registration is refused."""
    fund(world)
    state = ended(world, {n: holder(CAROL, e * USD) for n, e in enumerate((400, 500, 200, 50))})
    register(world, state, 0)
    close(world)
    first = world.vault.send("register", state.estate(1))
    assert paid(world, first) == 500 * USD
    assert world.vault.call("spare") == 100 * USD
    assert paid(world, world.vault.send("register", state.estate(2))) == 100 * USD
    with reverts("NothingLeft", 3):
        world.vault.send("register", state.estate(3))
    for late in (1, 2):
        with reverts("NothingToCollect", late):
            world.vault.send("collect", late)
        with reverts("AlreadyRegistered", late):
            world.vault.send("register", state.estate(late))
    assert collect(world, 0) == 400 * USD
    assert held(world, world.vault.address) == 0


def test_late_accounts_get_nothing_of_a_short_pot(world: World) -> None:
    """Those who came in time come first."""
    fund(world)
    state = ended(world, {0: holder(BOB, 2 * FUNDED), 1: holder(CAROL, 1)})
    register(world, state, 0)
    close(world)
    with reverts("NothingLeft", 1):
        world.vault.send("register", state.estate(1))
    assert collect(world, 0) == FUNDED


def test_window_is_exact(world: World) -> None:
    """In its last second one registers and nobody is paid; a second later it is the other way round."""
    fund(world)
    state = ended(world, {0: holder(BOB, 5), 1: holder(CAROL, 6)})
    register(world, state, 0)
    deadline = world.vault.call("registrationDeadline")
    world.chain.travel(deadline - world.chain.now)
    with reverts("RegistrationOpen", deadline, deadline):
        world.vault.send("collect", 0)
    register(world, state, 1)
    assert world.vault.call("entryOf", 1) == (CAROL, 6)
    world.chain.travel(1)
    assert (collect(world, 0), collect(world, 1)) == (5, 6)


def test_nobody_is_registered_or_paid_twice(world: World) -> None:
    """Each account shares once, and collects once."""
    fund(world)
    state = ended(world, {0: holder(BOB, 5), 1: holder(CAROL, FUNDED)})
    register(world, state, 0)
    with reverts("AlreadyRegistered", 0):
        register(world, state, 0)
    close(world)
    assert collect(world, 0) == 5
    for account in (0, 1, 77):
        with reverts("NothingToCollect", account):
            collect(world, account)
    with reverts("AlreadyRegistered", 0):
        register(world, state, 0)


def test_nothing_happens_before_the_end_is_settled(world: World) -> None:
    """Neither on a living chain nor on a frozen one with something pending."""
    fund(world)
    state = state_of({0: holder(BOB, 5)}, deposits=FUNDED)
    message = b"\x01" + bytes(3) + BOB + FUNDED.to_bytes(8, "big")
    calls = (("register", (state.estate(0),)), ("collect", (0,)), ("refund", (0, message)))

    def refused() -> None:
        for name, arguments in calls:
            with reverts("NotEnded"):
                world.vault.send(name, *arguments)

    refused()
    posted = world.post(world.block(root=state.tree.root, messages=1))
    world.finalise(posted)
    refused()
    pending = world.post(world.block(root=b"\2" * 32))
    world.inbox.send("force", b"\x02", value=world.inbox.call("forceFee"))
    world.chain.travel(FORCE_DEADLINE)
    later = world.post(world.block(root=b"\3" * 32))
    world.chain.travel(FREEZE_GRACE + 1)
    world.rollup.send("freeze")
    world.rollup.send("finalise", pending.index)
    refused()
    world.chain.travel(DISPUTE_WINDOW)
    world.rollup.send("finalise", later.index)
    with reverts("WrongRoot", state.tree.root, b"\3" * 32):
        world.vault.send("register", state.estate(0))


def test_other_states_than_the_end_do_not_count(world: World) -> None:
    """An earlier final state, in which one was richer, registers nobody."""
    fund(world)
    rich = state_of({0: holder(BOB, 900)}, deposits=FUNDED)
    world.finalise(world.post(world.block(root=rich.tree.root, messages=1)))
    poor = ended(world, {0: holder(BOB, 800)})
    with reverts("WrongRoot", rich.tree.root, poor.tree.root):
        world.vault.send("register", rich.estate(0))
    register(world, poor, 0)


def test_forged_account_is_refused(world: World) -> None:
    """Owner, cash and positions are what the end state holds."""
    fund(world)
    state = ended(world, {0: holder(BOB, 800, 1)})
    honest = state.read(account_key(0))
    for forged in (holder(CAROL, 800, 1), holder(BOB, 801, 1)):
        with reverts("WrongRoot"):
            world.vault.send("register", state.estate(0).replace(honest, forged))


def test_positions_are_valued_in_the_end_state(world: World) -> None:
    """A perp, a future, an option and a settled option: what is paid is what the twin computes, to the unit."""
    fund(world, 200_000 * USD)
    listed = {
        1: instrument(MarketKind.PERP, 1),
        2: instrument(MarketKind.FUTURE, 1, 1),
        3: instrument(MarketKind.CALL, 1, 1, 42_000 * USD),
        4: instrument(MarketKind.PUT, 1, 2, 42_000 * USD),
    }
    leaves = {market_key(number): market.encode() for number, market in listed.items()}
    leaves |= {
        underlying_key(1): coin(time=1_699_990_000, funding_time=1_699_990_000).encode(),
        series_key(1, 1): expiry().encode(),
        series_key(1, 2): expiry(settlement=40_500 * USD).encode(),
    }
    sizes = {1: COIN, 2: -COIN // 2, 3: 3 * COIN, 4: -COIN}
    mine = [Position(market, size, 0) for market, size in sizes.items()]
    theirs = [Position(market, -size, 0) for market, size in sizes.items()]
    accounts = {0: holder(BOB, 10_000 * USD, 0, mine), 1: holder(CAROL, 190_000 * USD, 0, theirs)}
    state = state_of(accounts, leaves, deposits=200_000 * USD)
    end(world, state)
    expected = [state.equity(account) for account in accounts]
    assert all(equity > 0 for equity in expected)
    # Each payment and each mark is rounded against its account or down, so together they never exceed what is there.
    assert 200_000 * USD - 8 <= sum(expected) <= 200_000 * USD
    register(world, state, *accounts)
    close(world)
    assert [collect(world, account) for account in accounts] == expected


def test_contract_wallets_are_paid(world: World) -> None:
    """The owner need not call anything, nor be able to."""
    fund(world)
    wallet = world.chain.deploy(load_test_artifact("Relay"))
    state = ended(world, {0: holder(wallet.address, 55)})
    register(world, state, 0)
    close(world)
    collect(world, 0)
    assert held(world, wallet.address) == 55


def test_gifts_to_the_vault_make_up_for_a_shortfall(world: World) -> None:
    """Who fills the hole before payment fills it for all; afterwards it is too late."""
    fund(world)
    state = ended(world, {0: holder(BOB, FUNDED), 1: holder(CAROL, FUNDED)})
    register(world, state, 0, 1)
    close(world)
    world.token.send("transfer", world.vault.address, FUNDED // 2, sender=DAVE)
    assert collect(world, 0) == FUNDED * 3 // 4
    world.token.send("transfer", world.vault.address, FUNDED // 2, sender=DAVE)
    assert collect(world, 1) == FUNDED * 3 // 4
