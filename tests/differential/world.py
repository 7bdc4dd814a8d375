"""A small state with accounts whose keys are known, and the means to sign for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Final

from rollup.crypto.eip712 import (
    cancel_digest,
    domain_separator,
    oracle_digest,
    order_digest,
    set_signer_digest,
    transfer_digest,
    withdraw_digest,
)
from rollup.crypto.keccak import keccak
from rollup.crypto.signatures import address_of, sign
from rollup.crypto.tree import MemoryNodes, Tree
from rollup.l1.deployment import created_address
from rollup.l1.devkeys import dev_address
from rollup.types.accounts import NO_ADDRESS, Account, Position, Slot
from rollup.types.keys import (
    GLOBALS,
    ORACLE_SET,
    KeyKind,
    account_key,
    kind_of,
    market_key,
    series_key,
    slot_key,
    underlying_key,
)
from rollup.types.leaves import Globals, Market, MarketKind, OracleSet, Series, Underlying
from rollup.types.transactions import Cancel, FreshOrder, OracleUpdate, SetSigner, Transfer, Withdraw

SEPARATOR: Final = domain_separator(31_337, created_address(dev_address(0), 3))
"""The domain of the Rollup that `tests.support.world` deploys, so that a block made here can be posted there."""
NOW: Final = 1_700_000_000
DOLLAR: Final = 1_000_000
COIN: Final = 1_000_000
BTC, ETH, NEW = 1, 2, 3
"""Underlyings; the last has no price yet."""
NEAR, FAR, BLANK = 1, 2, 3
"""Series: BTC's expire after two hours and after forty days, ETH's near one too; the last has no slice yet."""
BTC_PERP, ETH_PERP, BTC_SMALL, BTC_FUTURE, NEW_PERP = 1, 2, 3, 4, 5
NEAR_CALL, NEAR_PUT, FAR_CALL, FAR_PUT, ETH_CALL, ETH_PUT, ETH_FUTURE, LATER, NEAR_FUTURE, BLANK_CALL = range(6, 16)
NEAR_EXPIRY: Final = 1_700_007_200
FAR_EXPIRY: Final = 1_703_456_000
SLICE: Final = {"a": 200_000_000, "b": 200_000_000, "rho": -300_000_000, "m": 0, "sigma": 500_000_000}
"""A volatility of 55 % a year at the forward, with a smile."""
BTC_MARK: Final = 50_000 * DOLLAR
ETH_MARK: Final = 3_000 * DOLLAR
THRESHOLD: Final = 2


@cache
def key_of(role: str, number: int) -> bytes:
    """A private key that exists in tests only."""
    return keccak(f"{role} {number}".encode())


@cache
def address(role: str, number: int) -> bytes:
    """The address of `key_of`."""
    return address_of(key_of(role, number))


def owner(account: int) -> bytes:
    """Who owns an account."""
    return address("owner", account)


def underlying(**changes: int) -> Underlying:
    """A coin with a price of now, limits as on a devnet; BTC's price unless changed."""
    base = Underlying(
        spot=BTC_MARK, mark=BTC_MARK, time=NOW, funding_index=0, funding_time=NOW, funding_cap=3_750,
        spot_step=50_000, max_age=60, max_move=100_000, max_basis=50_000, vol_up=450_000, vol_down=300_000,
        call_contingency=10_000, confidence_factor=200_000, max_vol_move=500_000, halt_move=150_000, halt_window=600,
        halt_period=300, settlement_window=1_800,
    )  # fmt: skip
    return replace(base, **changes)


def market(**changes: int) -> Market:
    """A perpetual on BTC unless changed."""
    base = Market(
        kind=MarketKind.PERP, underlying=BTC, series=0, strike=0, opens=0, tick=100_000, lot=1_000, taker_fee=300,
        maker_fee=100, band=50_000, contingency=5_000, max_position=1_000 * COIN, max_open_interest=10_000 * COIN,
        open_interest=0, pool=0,
    )  # fmt: skip
    return replace(base, **changes)


def series(**changes: int) -> Series:
    """BTC's far expiry with a slice of now, unless changed."""
    base = Series(expiry=FAR_EXPIRY, time=NOW, forward=BTC_MARK + 100 * DOLLAR, confidence=900_000, **SLICE)
    return replace(base, **changes)


def option(kind: MarketKind, series: int, strike: int, **changes: int) -> Market:
    """A dated market on BTC, ticks of a tenth of a cent, unless changed."""
    return market(kind=kind, series=series, strike=strike, **({"tick": 1_000} | changes))


@dataclass
class World:
    """A state, and what a header needs beside it."""

    leaves: dict[int, bytes]
    time: int = NOW
    number: int = 0
    inbox_index: int = 0
    inbox_hash: bytes = bytes(32)
    tree: Tree = field(init=False)

    def __post_init__(self) -> None:
        self.tree = Tree(MemoryNodes())
        self.tree.update(self.leaves)

    def read(self, key: int) -> bytes:
        """Value of a leaf."""
        return self.leaves.get(key, b"")

    def write(self, writes: Mapping[int, bytes]) -> None:
        """Change the state as a block, or as a test that prepares one."""
        self.leaves.update(writes)
        self.tree.update(writes)

    def copy(self) -> World:
        """An independent world that starts like this one."""
        return World(dict(self.leaves), self.time, self.number, self.inbox_index, self.inbox_hash)

    def account(self, number: int) -> Account:
        """An account as it is."""
        return Account.decode(self.leaves[account_key(number)])

    def slot(self, account: int, nonce: int) -> Slot | None:
        """An order slot as it is."""
        value = self.read(slot_key(account, nonce))
        return Slot.decode(value) if value else None

    def set_account(self, number: int, **changes: object) -> None:
        """Replace fields of an account."""
        self.write({account_key(number): replace(self.account(number), **changes).encode()})  # type: ignore[arg-type]

    def set_underlying(self, number: int, **changes: int) -> None:
        """Replace fields of an underlying."""
        before = Underlying.decode(self.leaves[underlying_key(number)])
        self.write({underlying_key(number): replace(before, **changes).encode()})

    def set_market(self, number: int, **changes: int) -> None:
        """Replace fields of a market."""
        before = Market.decode(self.leaves[market_key(number)])
        self.write({market_key(number): replace(before, **changes).encode()})

    def set_series(self, underlying: int, number: int, **changes: int) -> None:
        """Replace fields of a series."""
        before = Series.decode(self.leaves[series_key(underlying, number)])
        self.write({series_key(underlying, number): replace(before, **changes).encode()})

    def count_interest(self) -> None:
        """Make every market's open interest what the accounts hold."""
        interest: Counter[int] = Counter()
        for key, value in self.leaves.items():
            if kind_of(key) is KeyKind.ACCOUNT:
                interest.update({p.market: max(p.size, 0) for p in Account.decode(value).positions})
        for market, held in interest.items():
            self.set_market(market, open_interest=held)

    def set_globals(self, **changes: int) -> None:
        """Replace totals."""
        before = Globals.decode(self.leaves[GLOBALS])
        self.write({GLOBALS: replace(before, **changes).encode()})  # type: ignore[arg-type]

    def hold(self, number: int, positions: Mapping[int, int], *, index: int = 0) -> None:
        """Give an account these positions (market → size), perpetuals settled at funding index `index`."""
        held = tuple(Position(m, positions[m], index if self._is_perp(m) else 0) for m in sorted(positions))
        self.set_account(number, positions=held)

    def _is_perp(self, number: int) -> bool:
        return Market.decode(self.leaves[market_key(number)]).kind == MarketKind.PERP


def account_leaf(number: int, cash: int, positions: Iterable[Position] = ()) -> bytes:
    """An account owned by its own key, with a session signer if its number is odd."""
    signer = address("session", number) if number % 2 else NO_ADDRESS
    return Account(owner(number), signer, cash, 0, 0, 0, tuple(positions)).encode()


def make_world(accounts: int = 12, cash: int = 100_000 * DOLLAR, feeders: int = 3) -> World:
    """Markets of all kinds on three coins, `accounts` accounts with `cash` µUSD each, and feeders: two must sign."""
    small = market(max_position=2 * COIN, max_open_interest=3 * COIN)
    leaves = {
        GLOBALS: Globals(0, bytes(32), NOW, 0, 0, accounts * cash, 0, accounts).encode(),
        ORACLE_SET: OracleSet(THRESHOLD, tuple(address("feeder", i) for i in range(feeders))).encode(),
        underlying_key(BTC): underlying().encode(),
        underlying_key(ETH): underlying(spot=ETH_MARK, mark=ETH_MARK + 2 * DOLLAR).encode(),
        underlying_key(NEW): underlying(spot=0, mark=0, time=0).encode(),
        market_key(BTC_PERP): market().encode(),
        market_key(ETH_PERP): market(underlying=ETH, tick=10_000, lot=10_000).encode(),
        market_key(BTC_SMALL): small.encode(),
        market_key(NEW_PERP): market(underlying=NEW).encode(),
        market_key(LATER): market(opens=NOW + 10**6).encode(),
    }
    leaves |= _dated_leaves()
    leaves |= {account_key(number): account_leaf(number, cash) for number in range(accounts)}
    return World(leaves)


def _dated_leaves() -> dict[int, bytes]:
    eth = {"underlying": ETH, "lot": 10_000, "tick": 10_000}
    return {
        series_key(BTC, NEAR): series(expiry=NEAR_EXPIRY, forward=BTC_MARK + 10 * DOLLAR).encode(),
        series_key(BTC, FAR): series().encode(),
        series_key(BTC, BLANK): Series(FAR_EXPIRY).encode(),
        series_key(ETH, NEAR): series(expiry=NEAR_EXPIRY, forward=ETH_MARK + DOLLAR).encode(),
        market_key(BTC_FUTURE): option(MarketKind.FUTURE, FAR, 0, tick=100_000).encode(),
        market_key(NEAR_FUTURE): option(MarketKind.FUTURE, NEAR, 0, tick=100_000).encode(),
        market_key(NEAR_CALL): option(MarketKind.CALL, NEAR, BTC_MARK).encode(),
        market_key(NEAR_PUT): option(MarketKind.PUT, NEAR, BTC_MARK).encode(),
        market_key(FAR_CALL): option(MarketKind.CALL, FAR, BTC_MARK * 11 // 10).encode(),
        market_key(FAR_PUT): option(MarketKind.PUT, FAR, BTC_MARK * 9 // 10).encode(),
        market_key(BLANK_CALL): option(MarketKind.CALL, BLANK, BTC_MARK).encode(),
        market_key(ETH_FUTURE): option(MarketKind.FUTURE, NEAR, 0, **eth).encode(),
        market_key(ETH_CALL): option(MarketKind.CALL, NEAR, ETH_MARK, **eth).encode(),
        market_key(ETH_PUT): option(MarketKind.PUT, NEAR, ETH_MARK, **eth).encode(),
    }


# -- signed transactions -----------------------------------------------------------------------------------------------


def order(
    account: int, market: int, flags: int, size: int, price: int, nonce: int, *, expiry: int = NOW + 3_600,
    key: bytes | None = None, signature: bytes | None = None,
) -> FreshOrder:  # fmt: skip
    """An order signed by its account's owner, by `key`, or with the given bytes."""
    if signature is None:
        digest = order_digest(SEPARATOR, account, market, flags, size, price, nonce, expiry)
        signature = sign(digest, key or key_of("owner", account))
    return FreshOrder(account, market, flags, size, price, nonce, expiry, signature)


def cancel(account: int, nonce: int, *, everything: bool = False, key: bytes | None = None) -> Cancel:
    """A hard cancel signed by the owner or by `key`."""
    digest = cancel_digest(SEPARATOR, account, everything, nonce)
    return Cancel(account, everything, nonce, sign(digest, key or key_of("owner", account)))


def withdraw(account: int, amount: int, nonce: int, *, key: bytes | None = None) -> Withdraw:
    """A withdrawal signed by the owner or by `key`."""
    digest = withdraw_digest(SEPARATOR, account, amount, nonce)
    return Withdraw(account, amount, nonce, sign(digest, key or key_of("owner", account)))


def transfer(sender: int, recipient: int, amount: int, nonce: int, *, key: bytes | None = None) -> Transfer:
    """A transfer signed by the sender's owner or by `key`."""
    digest = transfer_digest(SEPARATOR, sender, recipient, amount, nonce)
    return Transfer(sender, recipient, amount, nonce, sign(digest, key or key_of("owner", sender)))


def set_signer(account: int, signer: bytes, nonce: int, *, key: bytes | None = None) -> SetSigner:
    """The appointment of a session signer, signed by the owner or by `key`."""
    digest = set_signer_digest(SEPARATOR, account, signer, nonce)
    return SetSigner(account, signer, nonce, sign(digest, key or key_of("owner", account)))


def oracle_update(underlying: int, time: int, spot: int, mark: int, signers: Iterable[int] = (0, 1)) -> OracleUpdate:
    """A price signed by these feeders."""
    digest = oracle_digest(SEPARATOR, underlying, time, spot, mark)
    numbers = sorted(signers)
    signatures = tuple(sign(digest, key_of("feeder", number)) for number in numbers)
    return OracleUpdate(underlying, time, spot, mark, sum(1 << number for number in numbers), signatures)
