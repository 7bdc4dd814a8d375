"""A venue under any sequence of trades, prices, liquidations, settlements and departures: what must hold throughout."""

from __future__ import annotations

from collections import Counter
from random import Random

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rollup.errors import BlockFull, InvalidTransaction
from rollup.l1.devkeys import dev_address
from rollup.stf.funding import funding_due
from rollup.stf.margin import Margin
from rollup.types.genesis import ETH
from rollup.types.leaves import Account, MarketKind
from rollup.types.limits import CLOSING, INSURANCE_FUND, WIND_UP
from rollup.types.listing import MarketConfig
from rollup.types.messages import Deposit, Forced, List, encode_message
from rollup.types.reasons import Reason
from rollup.types.transactions import (
    EMPTY_SIGNATURE,
    Bid,
    ComboTrade,
    Deleverage,
    Flag,
    OracleUpdate,
    Settle,
    SurfaceUpdate,
    Trade,
    Transaction,
    Transfer,
    Withdraw,
    WriteOff,
    encode_transaction,
)
from tests.stf.venue import CALL, FAR_CALL, FUTURE, LOT, PERP, PUT, P, Venue, bid, combo, dated, leg, surface
from tests.stf.world import START, USD, price, trade, transfer, withdraw

ACCOUNTS = 5
MARKETS = (PERP, FUTURE, CALL, PUT, FAR_CALL)
accounts = st.integers(0, ACCOUNTS - 1)
markets = st.sampled_from(MARKETS)
lots = st.sampled_from((1, 3, 100, 700, 2_000))
money = st.sampled_from((1, 999, 100 * USD, 9_000 * USD, 30_000 * USD))


class RiskMachine(RuleBasedStateMachine):
    """Blocks under construction on a small venue; each sealed block is replayed, then every promise is checked."""

    def __init__(self) -> None:
        super().__init__()
        self.venue: Venue = dated(ACCOUNTS, 20_000 * USD)
        self.nonce = 0
        self.venue.change_underlying(max_move=10**6, spot_step=10_000)
        self.venue.change_globals(auction=40)
        self.builder = self.venue.builder()
        self.seen: Counter[Reason] = Counter()
        self.done: Counter[type] = Counter()

    # -- what may happen -----------------------------------------------------------------------------------------------

    @rule(buyer=accounts, seller=accounts, market=markets, count=lots, away=st.integers(-9, 9), sells=st.booleans())
    def trade(self, buyer: int, seller: int, market: int, count: int, away: int, sells: bool) -> None:
        """Two orders near the mark, or too far from it."""
        at = self._price(market, away)
        self._offer(trade(count * LOT, at, self._next(), buyer, seller, sells, market))

    @rule(maker=accounts, taker=accounts, count=lots, first=markets, second=markets, sell=st.booleans())
    def combine(self, maker: int, taker: int, count: int, first: int, second: int, sell: bool) -> None:
        """Two legs, opposite ways."""
        legs = [
            leg(first, count * LOT, self._price(first, 0), sell),
            leg(second, count * LOT, self._price(second, 0), not sell),
        ]
        self._offer(combo(maker, taker, self._next(), legs))

    @rule(seconds=st.integers(1, 50), per_mille=st.integers(-140, 140), basis=st.integers(-20, 20))
    def move(self, seconds: int, per_mille: int, basis: int) -> None:
        """Time passes, prices move, sometimes fast enough for a halt."""
        self.seal()
        now = self.venue.now + seconds
        self.builder = self.venue.builder(now)
        spot = max(USD, self.venue.underlying().spot * (1_000 + per_mille) // 1_000)
        self._offer(price(now, spot, spot * (1_000 + basis) // 1_000))
        self._offer(price(now, P // 10, underlying=ETH))
        self._offer(surface(now, spot * (1_000 + basis // 2) // 1_000, confidence=10**6 - 1_000 * abs(basis)))

    @precondition(lambda self: not self.venue.series().settlement)
    @rule(late=st.integers(0, 40))
    def expire(self, late: int) -> None:
        """The series ends, and the first update after that settles it."""
        self.seal()
        self.venue.change_series(expiry=self.venue.now + 1)
        self.builder = self.venue.builder(self.venue.now)
        now = self.venue.now + 1 + late
        self.builder = self.venue.builder(now)
        self._offer(price(now, self.venue.underlying().spot))
        self._offer(surface(now, self.venue.underlying().spot))

    @precondition(lambda self: not self.venue.series().settlement)
    @rule(late=st.integers(0, 40))
    def lapse(self, late: int) -> None:
        """The series ends and no feeder says anything about it: a day later holders close it themselves."""
        self.seal()
        self.venue.change_series(expiry=self.venue.now + 1)
        now = self.venue.now + 1 + CLOSING + late
        self.builder = self.venue.builder(now)
        self._offer(price(now, self.venue.underlying().spot))
        self._offer(Settle(late % ACCOUNTS))

    @rule(luck=st.integers(0, 24), account=accounts)
    def abandon(self, luck: int, account: int) -> None:
        """Seldom: the coin's feeders are silent for good, and holders of its perpetual begin to leave."""
        if luck != 7:
            return
        self.seal()
        now = self.venue.underlying().time + WIND_UP + 1
        if now > self.venue.now:
            self.builder = self.venue.builder(now)
        self._offer(price(now, self.venue.underlying().spot))
        self._offer(Settle(account))

    @rule(account=accounts)
    def settle(self, account: int) -> None:
        """Anybody may have an expired account paid out."""
        self._offer(Settle(account))

    @rule(account=accounts)
    def flag(self, account: int) -> None:
        """Anybody may look."""
        self._offer(Flag(account))

    @rule(account=accounts, keeper=accounts, fraction=st.sampled_from((99_999, 100_000, 10**6)))
    def liquidate(self, account: int, keeper: int, fraction: int) -> None:
        """A bid: good only on an account that is flagged and still below maintenance."""
        self._offer_on_weak(account, bid(account, keeper, self._next(), fraction=fraction))

    @rule(account=accounts, other=accounts, market=markets, count=lots)
    def deleverage(self, account: int, other: int, market: int, count: int) -> None:
        """The same of a deleveraging; its auction may be over already."""
        self._offer_on_weak(account, Deleverage(account, other, market, count * LOT))

    @rule(account=accounts)
    def write_off(self, account: int) -> None:
        """Clear what nobody can pay."""
        self._offer(WriteOff(account))

    @rule(account=accounts, amount=money)
    def withdraw(self, account: int, amount: int) -> None:
        """Somebody leaves."""
        self._offer(withdraw(account, amount, self._next()))

    @rule(account=accounts, to=st.one_of(accounts, st.just(INSURANCE_FUND)), amount=money)
    def transfer(self, account: int, to: int, amount: int) -> None:
        """Money moves to another account, or into the fund."""
        self._offer(transfer(account, to, amount, self._next()))

    @rule(account=accounts, kind=st.integers(0, 3), amount=money)
    def message(self, account: int, kind: int, amount: int) -> None:
        """What L1 passes on: a deposit, a forced look, a listing, a withdrawal that no insolvency holds up."""
        self.seal()
        item = MarketConfig(40 + amount % 7, 1, 1_000, LOT, MarketKind.PUT, 1, P)
        message = (
            Deposit(account, amount),
            Forced(dev_address(account), encode_transaction(Flag(account))),
            List(START, item),
            Forced(dev_address(account), encode_transaction(Withdraw(account, amount, self._next(), EMPTY_SIGNATURE))),
        )[kind]
        self.builder.take_message(encode_message(message))

    @rule()
    def seal(self) -> None:
        """Close the block: a replay of it comes to the same state, touches and meters; then begin the next."""
        sealed = self.builder.finish()
        result = self.venue.replay(sealed)
        assert result.reason is Reason.NONE
        assert (result.writes, result.pre, result.usage) == (sealed.writes, sealed.pre, sealed.usage)
        assert result.receipts == sealed.receipts
        self.venue.leaves.update(sealed.writes)
        self.venue.now = sealed.timestamp
        self.builder = self.venue.builder(self.venue.now)

    # -- what must hold ------------------------------------------------------------------------------------------------

    @invariant()
    def money_and_positions_add_up(self) -> None:
        """To the unit, with bad debt; open interest; the number of the insolvent; nothing below zero."""
        report = self.venue.check()
        assert report.withdrawals <= report.deposits
        assert min(report.fees, report.insurance, report.bad_debt) >= 0

    @invariant()
    def flags_tell_since_when(self) -> None:
        """A sound account has no time of a flag, any other has one that has passed."""
        for account in self._accounts():
            assert (account.flagged == 0) == (account.status == 0)
            assert account.flagged <= self.venue.now

    @invariant()
    def the_fund_repays_losses_before_it_grows(self) -> None:
        """After a block there is bad debt, or something in the fund, but not both."""
        totals = self.venue.globals()
        assert min(totals.bad_debt, totals.fees + totals.insurance) == 0

    @invariant()
    def pools_can_pay(self) -> None:
        """Funding that is still to be paid out is there, whoever comes last; see `check_invariants` for the end."""
        if self.venue.globals().time > self.venue.underlying().time + WIND_UP:
            return
        index = self.venue.underlying().funding_index
        pending = sum(
            funding_due(position.size, position.funding_index, index)
            for account in self._accounts()
            for position in account.positions
            if position.market == PERP
        )
        assert self.venue.market(PERP).pool + pending >= 0

    # -- helpers -------------------------------------------------------------------------------------------------------

    def _accounts(self) -> list[Account]:
        return [self.venue.account(number) for number in range(ACCOUNTS)]

    def _offer(self, tx: Transaction) -> bool:
        """Offer a transaction; whether it was taken. What is refused leaves no trace."""
        before = (self.builder.usage, self.builder.count)
        try:
            self.builder.apply(tx)
        except InvalidTransaction as refusal:
            self.seen[Reason(refusal.reason)] += 1
            assert (self.builder.usage, self.builder.count) == before
            return False
        except BlockFull:
            assert (self.builder.usage, self.builder.count) == before
            return False
        self.done[type(tx)] += 1
        return True

    def _offer_on_weak(self, account: int, tx: Transaction) -> None:
        """Offer what takes positions away: never good on an account that is sound, or that nobody has flagged."""
        found = self._margin(account)
        known = self.builder.account(account)
        assert known is not None
        if self._offer(tx):
            assert known.status != 0
            assert found is not None
            assert found.equity < found.maintenance

    def _margin(self, account: int) -> Margin | None:
        try:
            return self.builder.margin_of(account)
        except InvalidTransaction:
            return None

    def _price(self, market: int, away: int) -> int:
        """A price of a market `away` percent from its mark, on its tick."""
        view = self.builder.view
        terms = view.market(market)
        mark = self.venue.mark(market, self.builder.timestamp)
        base = view.underlying(1).spot
        return max(terms.tick, (mark + base * away // 200) // terms.tick * terms.tick)

    def _next(self) -> int:
        self.nonce += 1
        return self.nonce


TestRisk = RiskMachine.TestCase
TestRisk.settings = settings(
    max_examples=40, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
)


def play(machine: RiskMachine, rng: Random, steps: int) -> None:
    """Drive the machine blindly, a little more often towards what needs several things to have happened."""
    for step in range(steps):
        a, b, market = rng.randrange(ACCOUNTS), rng.randrange(ACCOUNTS), rng.choice(MARKETS)
        match rng.randrange(12):
            case 0 | 1 | 2 | 3:
                machine.trade(a, b, market, rng.choice((1, 100, 2_000)), rng.randrange(-3, 4), rng.random() < 0.5)
            case 4:
                machine.combine(a, b, 300, CALL, FAR_CALL, rng.random() < 0.5)
            case 5 | 6:
                machine.move(rng.randrange(1, 50), rng.randrange(-140, 140), rng.randrange(-20, 20))
            case 7 | 8:
                for account in range(ACCOUNTS):
                    machine.flag(account)
                    machine.liquidate(account, b, 100_000)
            case 9 | 10:
                for account in range(ACCOUNTS):
                    machine.deleverage(account, b, market, 1)
                    machine.write_off(account)
            case _:
                machine.withdraw(a, USD)
                machine.transfer(a, b, USD)
                if step > steps * 2 // 3 and not machine.venue.series().settlement:
                    machine.expire(3)
                machine.settle(a)
        machine.seal()
        machine.money_and_positions_add_up()


def test_random_play_reaches_the_rules_of_risk() -> None:
    """The machine is worth its name: played blindly, it liquidates, deleverages, settles and writes off."""
    done: Counter[type] = Counter()
    seen: Counter[Reason] = Counter()
    for seed in range(20):
        machine = RiskMachine()
        play(machine, Random(seed), 100)
        done += machine.done
        seen += machine.seen
    wanted = {
        Trade,
        ComboTrade,
        Flag,
        Bid,
        Deleverage,
        WriteOff,
        Settle,
        SurfaceUpdate,
        OracleUpdate,
        Withdraw,
        Transfer,
    }
    assert set(done) == wanted, done
    for reason in (Reason.MARGIN, Reason.INSOLVENCY, Reason.HALTED, Reason.AUCTION_OPEN, Reason.MARKET_EXPIRED):
        assert seen[reason], seen
