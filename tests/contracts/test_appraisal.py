"""What an account is worth in the end state: the appraiser agrees with the Python twin to the unit."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from challenger.execute import PyEvm
from rollup.exit.estate import keys_of
from rollup.types.keys import GLOBALS, ORACLE_SET, account_key, market_key, series_key, slot_key, underlying_key
from rollup.types.leaves import MarketKind, Position
from tests.support.chain import BOB, CAROL
from tests.support.ending import COIN, NOW, USD, EndState, coin, expiry, holder, instrument, state_of, totals
from tests.support.evm import Reverted, contract

NUMBER = 5
PRICES = st.integers(1, 2**47 - 1) | st.integers(10_000 * USD, 90_000 * USD) | st.sampled_from([1, 2**47 - 1])
SIZES = st.integers(-(10**9), 10**9).filter(bool) | st.sampled_from([1, -1])
INDEXES = st.integers(-(10**15), 10**15)
KINDS = st.sampled_from(MarketKind)


def appraise(state: EndState, witness: bytes | None = None) -> tuple[bytes, int, bytes, int, int, int]:
    """What the contract finds: root, account, owner, equity, deposits, withdrawals."""
    found: tuple[bytes, int, bytes, int, int, int] = contract("Appraiser").call(
        "appraise", state.estate(NUMBER) if witness is None else witness
    )
    return found


@st.composite
def states(draw: st.DrawFn) -> EndState:
    """An account with up to 32 positions in markets on up to three coins and six series, some expired or settled."""
    leaves: dict[int, bytes] = {}
    for number in (1, 2, 9):
        moved = draw(st.integers(0, 10**7))
        window = draw(st.integers(1, 86_400))
        leaves[underlying_key(number)] = coin(
            spot=draw(PRICES), mark=draw(PRICES), time=NOW - moved, funding_time=NOW - draw(st.integers(0, moved)),
            funding_index=draw(INDEXES), funding_cap=draw(st.integers(0, 10**6)),
            max_age=draw(st.integers(1, 86_400)), settlement_window=window,
        ).encode()  # fmt: skip
        for series in (1, 4):
            covered = draw(st.integers(0, window))
            leaves[series_key(number, series)] = expiry(
                expiry=NOW + draw(st.integers(-(10**7), 10**8) | st.sampled_from([0, 1, -1])),
                time=NOW - moved,
                forward=draw(PRICES),
                a=draw(st.integers(0, 10**9)),
                b=draw(st.integers(0, 10**9)),
                rho=draw(st.integers(-(10**9) + 1, 10**9 - 1)),
                m=draw(st.integers(-(10**9), 10**9)),
                sigma=draw(st.integers(1, 10**9)),
                settlement=draw(st.just(0) | PRICES),
                sum=covered * draw(PRICES),
                covered=covered,
            ).encode()
    positions = []
    for market in sorted(draw(st.sets(st.integers(1, 60), max_size=32))):
        kind = draw(KINDS)
        series = 0 if kind == MarketKind.PERP else draw(st.sampled_from([1, 4]))
        strike = draw(PRICES) if kind in {MarketKind.CALL, MarketKind.PUT} else 0
        listed = instrument(kind, draw(st.sampled_from([1, 2, 9])), series, strike)
        leaves[market_key(market)] = listed.encode()
        positions.append(Position(market, draw(SIZES), draw(INDEXES) if kind == MarketKind.PERP else 0))
    cash = draw(st.integers(-(2**61), 2**61) | st.integers(-(10**9), 10**9))
    accounts = {NUMBER: holder(BOB, cash, 17, positions), NUMBER + 1: holder(CAROL, 4, 5)}
    return state_of(accounts, leaves, deposits=draw(st.integers(0, 2**60)))


@settings(max_examples=150, deadline=None)
@given(state=states())
def test_equity_is_what_the_twin_finds(state: EndState) -> None:
    """To the unit, for perps, futures and options, priced, expired and settled, however old the prices are."""
    expected = state.equity(NUMBER)
    found = appraise(state)
    globals_ = state.read(GLOBALS)
    assert found == (
        state.tree.root, NUMBER, BOB, expected, int.from_bytes(globals_[58:66], "big"), 22,
    )  # fmt: skip
    for key in keys_of(state.read, NUMBER):
        assert state.read(key)


def book(*positions: Position, **changes: int) -> EndState:
    """A few markets on one coin: 1 perp, 2 future, 3 call and 4 put at 41,000; 5 to 7 the same of an ended series."""
    strike = 41_000 * USD
    markets = {
        1: instrument(MarketKind.PERP, 1),
        2: instrument(MarketKind.FUTURE, 1, 1),
        3: instrument(MarketKind.CALL, 1, 1, strike),
        4: instrument(MarketKind.PUT, 1, 1, strike),
        5: instrument(MarketKind.FUTURE, 1, 2),
        6: instrument(MarketKind.CALL, 1, 2, strike),
        7: instrument(MarketKind.PUT, 1, 2, strike),
    }
    leaves = {market_key(number): market.encode() for number, market in markets.items()}
    leaves[underlying_key(1)] = coin(**changes).encode()
    leaves[series_key(1, 1)] = expiry().encode()
    leaves[series_key(1, 2)] = expiry(expiry=NOW - 9, settlement=43_500 * USD, forward=1).encode()
    accounts = {NUMBER: holder(BOB, 100 * USD, 0, positions), 3: holder(CAROL, 1)}
    return state_of(accounts, leaves, deposits=7)


@pytest.mark.parametrize(
    ("market", "size", "value"),
    [
        (1, COIN, 40_100 * USD),
        (1, -COIN, -40_100 * USD),
        (2, COIN // 2, 20_500 * USD),
        (5, COIN, 43_500 * USD),
        (6, COIN, 2_500 * USD),
        (6, -2 * COIN, -5_000 * USD),
        (7, COIN, 0),
        (7, -COIN, 0),
    ],
)
def test_values_are_those_of_the_textbook(market: int, size: int, value: int) -> None:
    """Perps at mark, futures at forward, what is settled at its settlement, whatever the price afterwards."""
    assert appraise(book(Position(market, size, 0)))[3] == 100 * USD + value


def test_options_satisfy_parity_and_are_worth_something() -> None:
    """A call less a put is the forward less the strike, here nothing; each is worth about 0.4 σ√τ of the forward."""
    call, put = (appraise(book(Position(market, COIN, 0)))[3] - 100 * USD for market in (3, 4))
    assert call == put
    assert 2_000 * USD < call < 4_000 * USD


def test_funding_accrues_while_a_price_is_fresh() -> None:
    """A premium of 100 USD since eight hours ago costs a long coin 100 USD, or less if its price was good for less."""
    since = {"time": NOW - 28_800, "funding_time": NOW - 28_800, "funding_index": 5}
    for age, share in ((28_800, 1), (30_000, 1), (14_400, 2), (3_600, 8)):
        state = book(Position(1, COIN, 5), **since, max_age=age)
        assert appraise(state)[3] == 100 * USD + 40_100 * USD - 100 * USD // share


@pytest.mark.parametrize(
    ("market", "changes", "value"),
    [
        (2, {}, 41_000),
        (2, {"sum": 600 * 42_000 * USD, "covered": 600}, 41_500),
        (3, {"sum": 600 * 42_000 * USD, "covered": 600}, 500),
        (4, {"sum": 600 * 42_000 * USD, "covered": 600}, 0),
        (4, {"sum": 1_200 * 30_000 * USD, "covered": 1_200}, 11_000),
        (2, {"forward": 0, "time": 0}, 0),
    ],
)
def test_series_that_expired_ends_at_its_average_and_last_forward(
    market: int, changes: dict[str, int], value: int
) -> None:
    """At its expiry already, however new: nobody goes on to end it. Less than a µUSD is one."""
    state = book(Position(market, COIN, 0), settlement_window=1_200)
    for age in (0, 86_400):
        state.write({series_key(1, 1): expiry(expiry=NOW - age, **changes).encode()})
        assert appraise(state)[3] == 100 * USD + max(value * USD, market == 2) == state.equity(NUMBER)
    state.write({series_key(1, 1): expiry(expiry=NOW + 1, **changes | {"forward": 41_000 * USD}).encode()})
    assert appraise(state)[3] == state.equity(NUMBER)


@pytest.mark.parametrize("size", [2**62, -(2**62)])
def test_holdings_at_the_limits_do_not_lock_the_account(size: int) -> None:
    """What no cash could hold is still a number: 32 of the largest holdings at the highest price."""
    leaves = {market_key(n): instrument(MarketKind.PERP, 1).encode() for n in range(1, 33)}
    leaves[underlying_key(1)] = coin(spot=2**47 - 1, mark=2**47 - 1).encode()
    held = [Position(n, size, 0) for n in range(1, 33)]
    state = state_of({NUMBER: holder(BOB, 0, 0, held)}, leaves)
    assert appraise(state)[3] == 32 * size * (2**47 - 1) // 10**6


def test_the_reference_evm_agrees() -> None:
    """py-evm finds what the fast one does."""
    state = book(*(Position(market, market * COIN - 4 * COIN + 1, 0) for market in range(1, 8)))
    assert contract("Appraiser", PyEvm).call("appraise", state.estate(NUMBER)) == appraise(state)
    assert appraise(state)[3] == state.equity(NUMBER)


HELD = (Position(1, COIN, 0), Position(3, COIN, 0))


@pytest.mark.parametrize("missing", [market_key(1), market_key(3), underlying_key(1), series_key(1, 1), GLOBALS])
def test_missing_leaf_is_refused(missing: int) -> None:
    """Nobody is valued without what the value depends on."""
    state = book(*HELD)
    keys = [key for key in keys_of(state.read, NUMBER) if key != missing]
    with pytest.raises(Reverted, match="MissingLeaf"):
        appraise(state, state.prove(keys))


@pytest.mark.parametrize(
    ("extra", "error"),
    [
        (ORACLE_SET, "UntouchedLeaf"),
        (market_key(2), "UntouchedLeaf"),
        (series_key(1, 2), "UntouchedLeaf"),
        (account_key(3), "UntouchedLeaf"),
        (slot_key(NUMBER, 1), "NoAccount"),
    ],
)
def test_leaf_too_many_is_refused(extra: int, error: str) -> None:
    """Each account has one witness."""
    state = book(*HELD)
    with pytest.raises(Reverted, match=error):
        appraise(state, state.prove([*keys_of(state.read, NUMBER), extra]))


def test_witness_without_an_account_is_refused() -> None:
    """Neither globals alone nor an absent account can be valued."""
    state = book(*HELD)
    for keys in ([GLOBALS], [GLOBALS, market_key(1)], [GLOBALS, account_key(77)]):
        with pytest.raises(Reverted, match="NoAccount"):
            appraise(state, state.prove(keys))


def test_market_that_does_not_exist_is_refused() -> None:
    """No reachable state has such a position; a made-up one pays nothing."""
    state = book(Position(55, COIN, 0))
    with pytest.raises(Reverted, match="Inconsistent"):
        appraise(state, state.prove([GLOBALS, account_key(NUMBER), market_key(55)]))


def test_changed_leaves_lead_to_another_root() -> None:
    """A better price, an older series, more cash: each shows in the root."""
    state = book(*HELD)
    honest = appraise(state)
    for key, value in (
        (GLOBALS, totals(8)),
        (underlying_key(1), coin(mark=50_000 * USD).encode()),
        (series_key(1, 1), expiry(forward=50_000 * USD).encode()),
        (account_key(NUMBER), holder(BOB, 101 * USD, 0, HELD)),
    ):
        keys = keys_of(state.read, NUMBER)
        forged = state.prove(keys).replace(state.read(key), value)
        assert appraise(state, forged)[0] != honest[0]


def test_malformed_witnesses_are_refused() -> None:
    """Cut or padded bytes prove nothing."""
    state = book(*HELD)
    witness = state.estate(NUMBER)
    for spoilt in (b"", witness[:-1], witness[:-32], witness + b"\0", witness + bytes(32), witness[:40]):
        with pytest.raises(Reverted):
            appraise(state, spoilt)
