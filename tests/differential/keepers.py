"""Moves of those who keep a venue running: feeders, settlers, liquidators, and the market admin."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from rollup.stf.liquidation import is_spent
from rollup.types.leaves import Account, MarketKind
from rollup.types.limits import CLOSING, MAX_PERIOD
from rollup.types.listing import Item, MarketConfig, SeriesConfig, UnderlyingConfig
from rollup.types.messages import Deposit, List, Open, encode_message
from rollup.types.transactions import Bid, Deleverage, Flag, OracleUpdate, Settle, SurfaceUpdate, Transaction, WriteOff
from tests.differential import signed
from tests.differential import world as w
from tests.differential.arena import ACCOUNTS, LIQUIDATORS
from tests.differential.moves import Move, Trader

SERIES: Final = ((w.BTC, w.NEAR), (w.BTC, w.FAR), (w.ETH, w.NEAR), (w.BTC, w.BLANK), (w.ETH, w.FAR))
PERIODS: Final = ("max_age", "halt_window", "halt_period", "settlement_window")
_SIGNERS: Final = ((0, 1), (1, 2), (0, 2), (0, 1, 2), (0, 1), (1,), (), (0, 3))


class Keeper(Trader):
    """Finds accounts that something can be done about, and does it; or to any account, if that is the fault."""

    def prices(self, drift: int, silent: Collection[tuple[int, int]]) -> list[Transaction]:
        """Prices of now for coins and series neither settled nor `silent`, `drift` per cent from the last."""
        updates: list[Transaction] = []
        view, spots = self.builder.view, {}
        for coin in (w.BTC, w.ETH):
            before = view.underlying(coin)
            spots[coin] = max(10**6, before.spot * (100 + drift) // 100)
            if (coin, 0) in silent:
                continue
            mark = spots[coin] + (self.time % 7 - 3) * spots[coin] // 1_000
            updates.append(w.oracle_update(coin, self.time, spots[coin], mark))
        for coin, number in SERIES:
            series = view.series(coin, number)
            if not series.settlement and (coin, number) not in silent:
                forward = (series.forward or spots[coin]) * (100 + drift * bool(series.forward)) // 100
                updates.append(signed.surface(coin, number, self.time, forward))
        return updates

    # -- the oracle ----------------------------------------------------------------------------------------------------

    def price(self, move: Move) -> OracleUpdate:
        """One coin's price, some per cent from the last."""
        coins = (w.BTC, w.ETH, w.NEW, 404) if move.fault < 20 else (w.BTC, w.ETH, w.ETH, w.BTC)
        coin = coins[move.market % 4]
        found = self.builder.view.find_underlying(coin)
        spot = ((found.spot if found else 0) or w.ETH_MARK) * (1_000 + move.shade - 31) // 1_000
        mark = spot * (1_000 + move.size - 3) // 1_000
        if move.fault in range(14, 19):
            odd = ((0, mark), (spot, spot * 2), (1 << 47, mark), (spot * 2, mark * 2), (spot, 0))
            spot, mark = odd[move.fault - 14]
        return w.oracle_update(coin, self._stamp(move), min(spot, 1 << 47), mark, self._signers(move))

    def surface(self, move: Move) -> SurfaceUpdate:
        """One series' forward and slice, some per cent from the last."""
        coin, number = SERIES[move.market % len(SERIES)]
        if move.fault < 6:
            coin, number = ((404, 1), (w.BTC, 404), (w.NEW, 1))[move.fault % 3]
        found = self.builder.view.find_series(coin, number)
        forward = ((found.forward if found else 0) or w.BTC_MARK) * (1_000 + move.shade % 16 - 8) // 1_000
        forward = {14: 0, 15: 1 << 47, 16: forward * 2, 17: forward // 2}.get(move.fault, forward)
        terms = {"a": w.SLICE["a"] * (90 + move.size * 3) // 100, "m": (move.shade - 31) * 10**6,
                 "confidence": (10**6, 0, 999_999, 500_000)[move.size % 4]}  # fmt: skip
        terms |= {
            21: {"rho": 10**9}, 22: {"b": 100 * 10**9 + 1}, 23: {"sigma": 0}, 24: {"a": -(10**12)},
            25: {"confidence": 10**6 + 1}, 26: {"a": 10**11}, 27: {"a": -(50 * 10**6), "rho": 0}, 28: {"m": 10**10 + 1},
        }.get(move.fault, {})  # fmt: skip
        return signed.surface(coin, number, self._stamp(move), forward, self._signers(move), **terms)

    def _stamp(self, move: Move) -> int:
        return max(self.time - (move.shade % 3 if move.fault != 19 else 130) + (move.fault == 20), 0)

    def _signers(self, move: Move) -> tuple[int, ...]:
        return _SIGNERS[move.whom % 8] if move.fault < 30 else (0, 2)

    # -- those who cannot pay ------------------------------------------------------------------------------------------

    def keep(self, move: Move) -> Transaction:
        """Settle, flag, bid for, deleverage or write off somebody whom it concerns."""
        candidates = {
            "settle": self._expired, "flag": self._changed, "bid": self._sick, "deleverage": self._sick,
            "write off": self._ruined,
        }[move.kind]()  # fmt: skip
        if not candidates and move.fault >= 60:
            return self.trade(move)
        if move.kind == "flag" and move.fault in range(20, 120):
            candidates = (self._expired() if move.fault < 80 else self._flagged()) or candidates
        number = candidates[move.who % len(candidates)] if candidates and move.fault >= 20 else move.who
        match move.kind:
            case "settle":
                return Settle(number)
            case "flag":
                return Flag(number)
            case "bid":
                return self._bid(move, number)
            case "deleverage":
                return self._deleverage(move, number)
            case _:
                return WriteOff(number)

    def _accounts(self) -> list[tuple[int, Account]]:
        found = [(number, self.account(number)) for number in range(ACCOUNTS)]
        return [(number, account) for number, account in found if account]

    def _expired(self) -> list[int]:
        return [n for n, a in self._accounts() if any(self._is_over(p.market) for p in a.positions)]

    def _is_over(self, number: int) -> bool:
        view = self.builder.view
        market = view.market(number)
        if market.kind == MarketKind.PERP:
            return view.is_abandoned(view.underlying(market.underlying).time)
        series = view.series(market.underlying, market.series)
        return series.settlement > 0 or series.expiry + CLOSING <= self.time

    def _flagged(self) -> list[int]:
        return [n for n, a in self._accounts() if a.status and not self._is_spent(a)]

    def _changed(self) -> list[int]:
        """Accounts whose status is not what it should be, or whose flag is spent."""
        found = []
        for number, account in self._accounts():
            margin = self.margin(number)
            status = margin and (2 if margin.equity < 0 else margin.equity < margin.maintenance)
            if margin and (account.status != status or self._is_spent(account)):
                found.append(number)
        return found

    def _sick(self) -> list[int]:
        """Flagged accounts below maintenance, with positions; if there are any, those whose flag is not spent."""
        found = []
        for number, account in self._accounts():
            margin = self.margin(number) if account.status and account.positions else None
            if margin and margin.equity < margin.maintenance:
                found.append(number)
        return [n for n in found if not self._is_spent(self.builder.view.account(n))] or found

    def _is_spent(self, account: Account) -> bool:
        return is_spent(account, self.time, self.builder.view.globals().auction)

    def _ruined(self) -> list[int]:
        return [n for n, a in self._accounts() if a.status and not a.positions and a.cash < 0]

    def _bid(self, move: Move, number: int) -> Bid:
        liquidator = (*LIQUIDATORS, *LIQUIDATORS, move.who, 404)[move.whom % 8]
        liquidator = number if move.fault == 33 else liquidator if move.fault < 60 else LIQUIDATORS[move.whom % 3]
        fraction = (10**6, 10**6, 500_000, 300_000, 100_000, 999_999, 400_000, 99_999)[move.size]
        fraction = {34: 0, 35: 10**6 + 1}.get(move.fault, fraction)
        limit = {36: -(1 << 63), 37: 0}.get(move.fault, (1 << 63) - 1)
        expiry = self.time - (move.fault == 44)
        nonce, key = self.next_nonce(move), self.key(move, liquidator)
        return signed.bid(number, liquidator, nonce, fraction, limit, expiry, key)

    def _deleverage(self, move: Move, number: int) -> Deleverage:
        account = self.account(number)
        positions = account.positions if account else ()
        if not positions:
            return Deleverage(number, move.whom, w.BTC_PERP, 1_000)
        position = positions[move.market % len(positions)]
        others = [n for n, a in self._accounts() if a.position_in(position.market) * position.size < 0]
        other = others[move.whom % len(others)] if others and move.fault != 25 else move.whom
        opposite = self.account(other)
        most = min(abs(position.size), abs(opposite.position_in(position.market)) if opposite else 0)
        market = self.market(position.market)
        lot = market.lot if market else 1
        size = most if move.size % 2 else max(lot, most // (1 + move.size) // lot * lot)
        size = {26: 0, 27: size + lot, 28: size + 1}.get(move.fault, size)
        return Deleverage(number, {29: number}.get(move.fault, other), {22: 404}.get(move.fault, position.market), size)

    # -- messages ------------------------------------------------------------------------------------------------------

    def message(self, move: Move) -> bytes:
        """What L1 says: a deposit, an account, a listing, or noise."""
        if move.kind == "noise":
            return bytes([move.size]) * move.shade
        if move.kind == "list":
            raw = encode_message(List(self.time + (0, 0, 100, 10**6)[move.shade % 4], self._item(move)))
            return raw[: -1 - move.shade] if move.fault == 2 else raw
        account = move.who if move.fault >= 10 else ACCOUNTS + 1
        if move.kind == "deposit":
            return encode_message(Deposit(account, 10 ** (3 + move.size)))
        new = ACCOUNTS if move.shade % 8 == 0 else account
        return encode_message(Open(new, w.owner(new), 10**9))

    def _item(self, move: Move) -> Item:
        new = 2_000 + self.nonce + move.shade if move.fault >= 4 else 1
        self.nonce += 1
        if move.size < 2:
            period = PERIODS[move.shade % 4]
            limits = {period: MAX_PERIOD + (move.fault in range(7, 120))}
            return UnderlyingConfig(
                new, spot_step=0 if move.fault == 5 else 50_000, vol_up=10**6 + (move.fault == 6), **limits
            )
        coin = w.BTC if move.fault not in {7, 8} else 404
        expiry = self.time + (10**7 if move.fault not in {9, 10} else -1)
        if move.size < 4:
            return SeriesConfig(coin, new if move.fault != 11 else 0, expiry)
        kind = move.shade % 4 if move.fault != 12 else 4
        strike = w.BTC_MARK if kind >= MarketKind.CALL else 0
        strike += {13: 1, 14: 1 << 47}.get(move.fault, 0)
        terms = {15: {"tick": 0}, 16: {"lot": 0}, 17: {"lot": 1}, 18: {"taker_fee": 10**5 + 1}, 19: {"max_position": 0},
                 20: {"band": 10**6 + 1}, 21: {"max_open_interest": (1 << 62) + 1}}.get(move.fault, {})  # fmt: skip
        series = (w.FAR if move.fault != 22 else 404) if kind else int(move.fault == 23)
        return MarketConfig(
            new, coin, **({"tick": 1_000, "lot": 1_000} | terms), kind=kind, series=series, strike=strike
        )
