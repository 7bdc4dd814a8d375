"""States that a chain ends in, made up or real: what accounts are worth by the twin, and how they are proven to L1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from rollup.crypto.tree import MemoryNodes, Tree
from rollup.crypto.witness import build_witness
from rollup.stf.context import Context, Read
from rollup.stf.expiry import closed, value_at_expiry
from rollup.stf.fixed import div_floor
from rollup.stf.funding import funding_due
from rollup.stf.meters import Unmetered
from rollup.stf.sheets import sheet_of
from rollup.types.keys import GLOBALS, ORACLE_SET, account_key, market_key, series_key, underlying_key
from rollup.types.leaves import Account, Globals, Market, MarketKind, OracleSet, Position, Series, Underlying
from rollup.types.limits import MILLION
from tests.support.world import FORCE_DEADLINE, FREEZE_GRACE, World

NOW = 1_700_000_000
USD = 10**6
COIN = 10**6


class Estate(Context):
    """The state at its own time, in which what has expired has ended and no price is too old."""

    def __init__(self, read: Read) -> None:
        super().__init__(read, Globals.decode(read(GLOBALS)).time, bytes(32), lambda _digest, _signature: b"")
        self.meters = Unmetered()

    def appraise(self, position: Position) -> tuple[int, int]:
        """What a position pays at once (µUSD), and what it is worth then (10⁻¹² USD)."""
        market = self.market(position.market)
        underlying = self.underlying(market.underlying)
        if market.kind == MarketKind.PERP:
            due = funding_due(position.size, position.funding_index, underlying.funding_index)
            return -due, position.size * underlying.mark
        series = self.series(market.underlying, market.series)
        if series.settlement == 0 and series.expiry <= self.timestamp:
            series = closed(series, underlying.settlement_window, series.forward)
        if series.settlement:
            return div_floor(position.size * value_at_expiry(market, series), MILLION), 0
        return 0, position.size * sheet_of(self, position.market).mark


def equity_of(read: Read, account: int) -> int:
    """Equity of an account at the end, in µUSD, rounded down; the twin of the appraiser."""
    estate = Estate(read)
    found = estate.account(account)
    parts = [estate.appraise(position) for position in found.positions]
    return found.cash + sum(paid for paid, _ in parts) + div_floor(sum(worth for _, worth in parts), MILLION)


def keys_of(read: Read, account: int) -> list[int]:
    """Leaves that value an account."""
    keys = {GLOBALS, account_key(account)}
    for position in Account.decode(read(account_key(account))).positions:
        market = Market.decode(read(market_key(position.market)))
        keys |= {market_key(position.market), underlying_key(market.underlying)}
        if market.kind != MarketKind.PERP:
            keys.add(series_key(market.underlying, market.series))
    return sorted(keys)


@dataclass(slots=True)
class EndState:
    """A state of leaves and its tree."""

    leaves: dict[int, bytes]
    tree: Tree = field(init=False)

    def __post_init__(self) -> None:
        self.tree = Tree(MemoryNodes())
        self.tree.update(self.leaves)

    def read(self, key: int) -> bytes:
        """A leaf, empty if absent."""
        return self.leaves.get(key, b"")

    def write(self, leaves: Mapping[int, bytes]) -> None:
        """Change leaves."""
        self.leaves.update(leaves)
        self.tree.update(leaves)

    def prove(self, keys: Iterable[int]) -> bytes:
        """Witness of these leaves."""
        return build_witness(self.tree, {key: self.read(key) for key in sorted(keys)})

    def estate(self, account: int) -> bytes:
        """What `register` wants of an account."""
        return self.prove(keys_of(self.read, account))

    def leaf(self, account: int) -> bytes:
        """What `claim` wants of an account."""
        return self.prove([account_key(account)])

    def equity(self, account: int) -> int:
        """What the account is worth, µUSD."""
        return equity_of(self.read, account)


def totals(deposits: int = 0, withdrawals: int = 0, accounts: int = 0, time: int = NOW) -> bytes:
    """The globals' leaf."""
    return Globals(0, bytes(32), time, 0, 0, deposits, withdrawals, accounts).encode()


def holder(owner: bytes, cash: int, withdrawn: int = 0, positions: Iterable[Position] = ()) -> bytes:
    """An account's leaf."""
    return Account(owner, bytes(20), cash, withdrawn, 0, 0, tuple(positions)).encode()


def coin(**changes: int) -> Underlying:
    """An underlying at 40,000 USD unless changed, with parameters that let options be priced."""
    base = Underlying(
        spot=40_000 * USD, mark=40_100 * USD, time=NOW, funding_index=0, funding_time=NOW, funding_cap=3_750,
        spot_step=50_000, max_age=60, max_move=100_000, max_basis=50_000, vol_up=300_000, vol_down=200_000,
    )  # fmt: skip
    return replace(base, **changes)


def expiry(**changes: int) -> Series:
    """A series a month off, at 41,000 USD and some 60 % volatility."""
    base = Series(
        expiry=NOW + 30 * 86_400, time=NOW, forward=41_000 * USD, a=300_000_000, b=100_000_000, rho=-300_000_000,
        sigma=200_000_000, confidence=10**6,
    )  # fmt: skip
    return replace(base, **changes)


def instrument(kind: int, underlying: int, series: int = 0, strike: int = 0) -> Market:
    """A market."""
    return Market(
        kind=kind, underlying=underlying, series=series, strike=strike, opens=0, tick=100_000, lot=1_000, taker_fee=300,
        maker_fee=100, band=50_000, contingency=5_000, max_position=1 << 62, max_open_interest=1 << 62,
        open_interest=0, pool=0,
    )  # fmt: skip


def state_of(accounts: Mapping[int, bytes], more: Mapping[int, bytes] | None = None, *, deposits: int = 0) -> EndState:
    """A state with these accounts' leaves, total deposits, and withdrawals that add up."""
    withdrawn = sum(Account.decode(leaf).withdrawn for leaf in accounts.values())
    leaves = {GLOBALS: totals(deposits, withdrawn, len(accounts)), ORACLE_SET: OracleSet(1, (b"\1" * 20,)).encode()}
    return EndState(leaves | dict(more or {}) | {account_key(n): leaf for n, leaf in accounts.items()})


def end(world: World, state: EndState) -> int:
    """Make `state`, which has taken every message so far, the end state: post it, starve a message, freeze, finalise.

    Returns the number of its batch.
    """
    pending = world.inbox.call("count") - world.rollup.call("latestInboxIndex")
    posted = world.post(world.block(root=state.tree.root, messages=pending))
    starve(world)
    world.rollup.send("finalise", posted.index)
    assert world.rollup.call("endState") == (True, posted.index)
    return posted.index


def starve(world: World) -> None:
    """Send a message that nobody takes, and freeze the chain for it."""
    world.inbox.send("force", b"\x02", value=world.inbox.call("forceFee"))
    world.chain.travel(FORCE_DEADLINE + FREEZE_GRACE + 1)
    world.rollup.send("freeze")
