"""The demo's small parts: waiting, reporting, and the bookkeeping against which L1 is compared."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
import trio

from rollup.cli.output import Output
from rollup.cli.wallet import Wallet
from rollup.demo.escape.killing import NEWCOMER
from rollup.demo.escape.setting import STRANGER
from rollup.demo.markets import sign_order
from rollup.demo.party import DOLLAR, OPENINGS, USERS, Party, User, fee_of, make_order
from rollup.demo.provoke import FLOOD, PROVOCATIONS
from rollup.demo.report import NotVerified, Report, Step, require, require_equal
from rollup.demo.script import POSTERS, SUCCESSOR
from rollup.demo.setting import CALL, FAR_CALL, FUTURE, PUT, demo_genesis
from rollup.demo.waiting import GaveUp, until
from rollup.derive.mirror import Mirror
from rollup.devnet.client import Instrument
from rollup.devnet.roles import BANKER, CHALLENGER, FEEDERS, SEQUENCER
from rollup.l1.deployment import market_numbers
from rollup.l1.devkeys import dev_key
from rollup.sequencer.faults import FAULTS
from rollup.types.leaves import Account, Position
from rollup.types.limits import MAX_TRANSACTIONS
from rollup.types.reasons import Reason
from rollup.types.transactions import FLAG_IMMEDIATE, FLAG_POST_ONLY, FLAG_SELL

BTC = Instrument("BTC-PERP", 1, 1, 100_000, 1_000)


def party() -> Party:
    """The users with what they begin with."""
    wallet = Wallet(dev_key(USERS), 31_337, bytes(20))
    return Party(User(number, USERS + number, wallet, cash=amount) for number, amount in enumerate(OPENINGS))


def fill(price: str, amount: str, direction: str) -> dict[str, object]:
    """A trade between users 0 and 2 as the RPC shows it, with fees that are not to be believed."""
    return {
        "instrument_name": "BTC-PERP", "trade_price": price, "trade_amount": amount, "direction": direction,
        "maker_subaccount_id": 0, "taker_subaccount_id": 2, "maker_fee": "0", "taker_fee": "0",
    }  # fmt: skip


@pytest.mark.usefixtures("autojump_clock")
async def test_waiting_returns_the_first_answer() -> None:
    """However often it has to ask."""
    asked: list[int] = []

    async def probe() -> str | None:
        asked.append(1)
        return "here" if len(asked) == 3 else None

    assert await until(Step("step", "doing"), "it", probe, 10) == "here"


@pytest.mark.usefixtures("autojump_clock")
async def test_waiting_in_vain_names_what_did_not_come() -> None:
    """Also when a question itself hangs."""

    async def never() -> None:
        return None

    async def hangs() -> None:
        await trio.sleep_forever()

    for probe in (never, hangs):
        with pytest.raises(GaveUp, match=r"waited 5 s for the cows to come home, in vain"):
            await until(Step("step", "doing"), "the cows to come home", probe, 5)


async def test_a_report_for_machines_has_an_object_per_step_and_says_where_it_ended(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Figures, duration, and for the step that failed its error; nothing is told of a step before its end."""
    report = Report(Output(json=True))
    with report.step("first", "doing") as step:
        step.found("done", gas=2**70, address=b"\xab" * 20)
        assert capsys.readouterr().out == ""
    with pytest.raises(NotVerified), report.step("second", "doing"):
        require_equal("answer", 42, 41)
    assert report.current is not None
    report.fail(NotVerified("answer: expected 42, L1 shows 41"))
    report.summary(ok=False, steps=len(report.done))
    first, second, summary = (msgspec.json.decode(line) for line in capsys.readouterr().out.splitlines())
    assert first["seconds"] >= 0
    assert first | {"seconds": 0} == {
        "step": "first", "ok": True, "gas": 2**70, "address": "0x" + "ab" * 20, "seconds": 0
    }  # fmt: skip
    assert second["step"] == "second"
    assert not second["ok"]
    assert second["error"] == {"type": "NotVerified", "message": "answer: expected 42, L1 shows 41"}
    assert summary == {"step": "summary", "ok": False, "steps": 1}


async def test_a_report_for_people_has_a_tick_per_step(capsys: pytest.CaptureFixture[str]) -> None:
    """And a cross where it ended."""
    report = Report(Output(json=False))
    with report.step("first", "doing") as step:
        step.found("[bold] is no markup here")
    report.summary(ok=True, fraud_proof_gas=212_620)
    with pytest.raises(NotVerified), report.step("third", "doing"):
        require(False, "the moon", "round", "square")
    report.fail(NotVerified("the moon: expected round, L1 shows square"))
    first, summary, gas, third = capsys.readouterr().out.splitlines()
    assert first.split() == ["✓", "first", "[bold]", "is", "no", "markup", "here"]
    assert summary.startswith("✓ summary")
    assert gas.strip() == "fraud proof gas: 212620"
    assert third.startswith("✗ third")
    assert third.endswith("the moon: expected round, L1 shows square")


def test_a_trade_is_settled_with_the_fee_rounded_up() -> None:
    """The buyer pays, both pay fees, whatever the answer says of them: 0.03 % of 80.2 USD is 0.02406 USD."""
    users = party()
    users.record(BTC, fill("40100.3", "0.002", "buy"))
    maker, taker = users.of(0), users.of(2)
    assert maker.cash == OPENINGS[0] + 80_200_600
    assert taker.cash == OPENINGS[2] - 80_200_600 - 24_061
    assert (maker.positions, taker.positions) == ({1: -2_000}, {1: 2_000})
    users.record(BTC, fill("40100.3", "0.002", "sell"))
    assert (maker.positions, taker.positions) == ({1: 0}, {1: 0})
    assert taker.cash == OPENINGS[2] - 2 * 24_061
    assert users.trades == 2


def test_an_options_fee_is_a_share_of_its_forward_and_of_its_premium_at_most() -> None:
    """0.03 % of 40,000 USD are 12 USD a coin; of a premium of 50 USD an eighth, 6.25 USD, is less. Rounded up."""
    option = Instrument("BTC-20300101-40000-C", 4, 1, 1_000_000, 10_000, "option")
    assert fee_of(option, 250_000, 2_500 * DOLLAR, 300) == 3 * DOLLAR
    assert fee_of(option, 250_000, 50 * DOLLAR, 300) == 1_562_500
    assert fee_of(option, 1, 50 * DOLLAR, 300) == 7
    assert fee_of(option, 250_000, 50 * DOLLAR, 0) == 0


class Shown(Mirror):
    """A mirror that shows given accounts."""

    def __init__(self, accounts: dict[int, Account]) -> None:
        self.accounts = accounts

    def account(self, number: int) -> Account | None:
        """As given."""
        return self.accounts.get(number)


def test_every_difference_between_the_books_and_l1_is_found() -> None:
    """To the unit: owner, cash, what was withdrawn, positions, a missing account."""
    users = party()
    users.record(BTC, fill("40000", "0.001", "buy"))
    right = {
        user.account: Account(
            user.owner, bytes(20), user.cash, 0, 0, 0, tuple(Position(1, size, 0) for size in user.positions.values())
        )
        for user in users.users
    }
    users.check(Shown(right))
    taker = right[2]
    for wrong in (
        replace(taker, owner=bytes(20)),
        replace(taker, cash=taker.cash + 1),
        replace(taker, withdrawn=1),
        replace(taker, positions=()),
        replace(taker, positions=(Position(1, 999, 0),)),
    ):
        with pytest.raises(NotVerified, match="of account 2"):
            users.check(Shown(right | {2: wrong}))
    with pytest.raises(NotVerified, match="account 4 is not in the state"):
        users.check(Shown({number: account for number, account in right.items() if number != 4}))


def test_orders_of_the_demo_rest_or_take_as_asked() -> None:
    """A quote never takes, a taker never rests."""
    user = party().users[0]
    quote, take = (make_order(user, BTC, sell=True, lots=3, taking=taking) for taking in (False, True))
    assert quote.size == take.size == 3 * BTC.lot
    assert quote.price == take.price == 40_000 * DOLLAR
    assert (quote.flags & 2, quote.flags & 8, take.flags & 2, take.flags & 8) == (2, 0, 0, 8)


def test_orders_for_dated_markets_fall_on_tick_and_lot() -> None:
    """Towards zero, so that nobody trades more or pays more than meant; the sign of the size is the side."""
    option = Instrument("BTC-20300101-40000-C", 4, 1, 1_000_000, 10_000)
    order = sign_order(party().users[0], option, -25_999, 12_345_678, taking=True)
    assert (order.size, order.price, order.flags) == (20_000, 12_000_000, FLAG_SELL | FLAG_IMMEDIATE)
    assert sign_order(party().users[0], option, 10_000, 1_000_000).flags == FLAG_POST_ONLY


def test_the_settings_genesis_lists_what_the_frauds_trade() -> None:
    """A future, two calls and a put on one series, beside the devnet's markets."""
    instruments = market_numbers(demo_genesis(1_900_000_000).leaves())
    day = "BTC-20300416"
    assert instruments == {
        "BTC-PERP": 1, "ETH-PERP": 2, day: FUTURE, f"{day}-40000-C": CALL, f"{day}-40000-P": PUT,
        f"{day}-44000-C": FAR_CALL,
    }  # fmt: skip


def test_every_fault_has_a_provocation_and_a_verdict_that_exists() -> None:
    """A kind that is added to the sequencer must be shown by the demo."""
    assert set(PROVOCATIONS) == set(FAULTS)
    names = {reason.name for reason in Reason if reason} | {"WRONG_ROOT"}
    assert {provocation.verdict for provocation in PROVOCATIONS.values()} <= names
    assert FLOOD > MAX_TRANSACTIONS


def test_no_key_plays_two_roles() -> None:
    """Each fraud has a staked key of its own, and none of them is anybody else's."""
    assert len(POSTERS) >= len(FAULTS)
    roles = [*POSTERS, SUCCESSOR, BANKER, CHALLENGER, *range(FEEDERS, FEEDERS + 3)]
    assert len(set(roles)) == len(roles)
    assert max(roles) < USERS
    leaving = [
        SEQUENCER,
        STRANGER,
        BANKER,
        *range(FEEDERS, FEEDERS + 3),
        *range(USERS, USERS + len(OPENINGS)),
        NEWCOMER,
    ]
    assert len(set(leaving)) == len(leaving)
