"""The end state rebuilt from L1: what each account is worth in it, and the witnesses that show that to the vault.

The twin of the Appraiser contract (SPEC section 11). It reads any state of a mirror, so that before the end, too, one
can see what an account would get if the chain ended there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from rollup.derive.mirror import Mirror
from rollup.errors import StoreError
from rollup.exit.errors import EndUnknown, NotInEndState
from rollup.stf.context import Context, Read
from rollup.stf.expiry import closed, value_at_expiry
from rollup.stf.fixed import div_floor
from rollup.stf.funding import funding_due
from rollup.stf.meters import Unmetered
from rollup.stf.sheets import sheet_of
from rollup.store.view import View
from rollup.types.keys import GLOBALS, KeyKind, account_key, account_of, kind_of, market_key, series_key, underlying_key
from rollup.types.leaves import Account, Globals, Market, MarketKind, Position, Series, Underlying
from rollup.types.limits import MILLION


class Estate(Context):
    """A state at its own time, in which no price is too old and nothing is signed or written."""

    def __init__(self, read: Read) -> None:
        super().__init__(read, Globals.decode(read(GLOBALS)).time, bytes(32), lambda _digest, _signature: b"")
        self.meters = Unmetered()

    def underlying(self, number: int) -> Underlying:
        """Its price is as of now; funding has accrued by when it was really made."""
        return replace(super().underlying(number), time=self.timestamp)

    def series(self, underlying: int, number: int) -> Series:
        """Its slice is as of now."""
        return replace(super().series(underlying, number), time=self.timestamp)


def equity_of(read: Read, account: int) -> int:
    """What an account is worth (µUSD, rounded down): cash after funding and payouts, and its positions at their marks.

    Cash and pools out of range are no matter here, as they are none to the appraiser.
    """
    estate = Estate(read)
    found = estate.account(account)
    worths = [_appraise(estate, position) for position in found.positions]
    return found.cash + sum(paid for paid, _ in worths) + div_floor(sum(raw for _, raw in worths), MILLION)


def _appraise(estate: Estate, position: Position) -> tuple[int, int]:
    """What a position pays at once (µUSD), and what it is worth then (10^-12 USD)."""
    market = estate.market(position.market)
    underlying = estate.underlying(market.underlying)
    size = position.size
    if market.kind == MarketKind.PERP:
        return -funding_due(size, position.funding_index, underlying.funding_index), size * underlying.mark
    series = estate.series(market.underlying, market.series)
    if series.settlement == 0 and series.expiry <= estate.timestamp:
        series = closed(series, underlying.settlement_window, series.forward)
    if series.settlement:
        return div_floor(size * value_at_expiry(market, series), MILLION), 0
    if market.kind == MarketKind.FUTURE:
        return 0, size * series.forward
    return 0, size * sheet_of(estate, position.market).mark


def keys_of(read: Read, account: int) -> list[int]:
    """The leaves that value an account, ascending: globals, the account, and what each position is priced by."""
    keys = {GLOBALS, account_key(account)}
    for position in Account.decode(read(account_key(account))).positions:
        market = Market.decode(read(market_key(position.market)))
        keys |= {market_key(position.market), underlying_key(market.underlying)}
        if market.kind != MarketKind.PERP:
            keys.add(series_key(market.underlying, market.series))
    return sorted(keys)


@dataclass(frozen=True, slots=True)
class Holder:
    """An account as the state has it: what it has withdrawn so far and what is left of it, in µUSD."""

    account: int
    owner: bytes
    withdrawn: int
    equity: int
    positions: int


class EndState:
    """The state after `batch`, frozen; made by `open_end`."""

    def __init__(self, view: View, batch: int) -> None:
        self._view = view
        self.batch = batch
        self.root = view.root
        self.totals = Globals.decode(view.read(GLOBALS))

    def owners(self) -> Iterator[tuple[int, bytes]]:
        """Every account with its owner, ascending."""
        for key, leaf in self._view.leaves():
            if kind_of(key) is KeyKind.ACCOUNT:
                yield account_of(key), Account.decode(leaf).owner

    def withdrawn(self, account: int) -> int:
        """What an account has withdrawn so far, µUSD; 0 if it was not opened by then."""
        leaf = self._view.read(account_key(account))
        return Account.decode(leaf).withdrawn if leaf else 0

    def holder(self, account: int) -> Holder:
        """An account and its worth. `NotInEndState` if it was not opened by then."""
        leaf = self._view.read(account_key(account))
        if not leaf:
            raise NotInEndState(account, self.batch)
        found = Account.decode(leaf)
        worth = equity_of(self._view.read, account)
        return Holder(account, found.owner, found.withdrawn, worth, len(found.positions))

    def read(self, key: int) -> bytes:
        """A leaf, empty if absent."""
        return self._view.read(key)

    def registration(self, account: int) -> bytes:
        """The witness that `Vault.register` wants."""
        return self._prove(keys_of(self._view.read, account))

    def claim(self, account: int) -> bytes:
        """The witness that `Vault.claim` wants."""
        return self._prove([account_key(account)])

    def _prove(self, keys: Iterable[int]) -> bytes:
        return self._view.proof(keys)


@contextmanager
def open_end(mirror: Mirror, batch: int) -> Iterator[EndState]:
    """The state after `batch`. `EndUnknown` if the mirror has found it wrong, or holds only later ones."""
    if batch > mirror.batch:
        wrong = f": {mirror.fraud}" if mirror.fraud else ""
        raise EndUnknown(f"the state after batch {batch} cannot be computed from L1{wrong}")
    try:
        view = mirror.store.view(mirror.last_block(batch))
    except StoreError as error:
        raise EndUnknown(f"the state after batch {batch}: {error}") from error
    try:
        yield EndState(view, batch)
    finally:
        view.close()
