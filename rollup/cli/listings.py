"""What to list: instruments by their names, as the items that the market admin announces.

What is listed already, or announced and on its way, is read from L1 alone: the genesis state and the inbox. So numbers
are never given twice, and no sequencer is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from rollup.errors import ConfigError, Undecodable
from rollup.feeder.coins import coin_number
from rollup.types.genesis import Genesis
from rollup.types.instruments import Instruments, symbol_of
from rollup.types.keys import KeyKind, index_of, kind_of, underlying_of
from rollup.types.limits import MILLION
from rollup.types.listing import Item, MarketConfig, SeriesConfig, UnderlyingConfig, fault_of, market_leaf
from rollup.types.markets import Market, MarketKind, Series
from rollup.types.messages import List, decode_message

EXPIRY_HOUR: Final = 8
"""Expiries are at 8:00 UTC unless another time is given."""

_NAME: Final = re.compile(
    r"(?P<coin>[A-Z][A-Z0-9]*)(?:-(?:(?P<perp>PERP)|(?P<day>\d{8})(?:T(?P<time>\d{4}))?(?:-(?P<strike>[\d.]+)-(?P<side>[CP]))?))?"
)


@dataclass(frozen=True, slots=True)
class Terms:
    """Tick (µUSD per coin) and lot (µcoin) of one coin's markets."""

    tick: int
    lot: int


_LINEAR: Final[Mapping[str, Terms]] = {"BTC": Terms(100_000, 1_000), "ETH": Terms(10_000, 10_000)}
_OPTION: Final[Mapping[str, Terms]] = {"BTC": Terms(MILLION, 10_000), "ETH": Terms(100_000, 100_000)}
_OTHER: Final = Terms(1_000, MILLION // 100 * 100)
"""A tenth of a cent, and whole coins."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An instrument, or (kind None) a coin, that a name asks for. `expiry` in s, `strike` in µUSD."""

    coin: str
    kind: MarketKind | None = None
    expiry: int = 0
    strike: int = 0


@dataclass(slots=True)
class Listed:
    """Everything listed or announced: coins, expiries by (coin, series), markets by number."""

    coins: set[int] = field(default_factory=set)
    expiries: dict[tuple[int, int], int] = field(default_factory=dict)
    markets: dict[int, Market] = field(default_factory=dict)
    _known: set[tuple[int, int, int, int]] = field(default_factory=set)

    @property
    def names(self) -> dict[str, int]:
        """Number of each instrument by its name."""
        return dict(Instruments.of(self.markets, self.expiries).markets)

    @classmethod
    def of(cls, leaves: Mapping[int, bytes], messages: Iterable[bytes]) -> Listed:
        """From the leaves of a genesis and all messages of the inbox since; other messages are passed over."""
        listed = cls()
        for key, value in leaves.items():
            if kind_of(key) is KeyKind.UNDERLYING:
                listed.coins.add(index_of(key))
            elif kind_of(key) is KeyKind.SERIES:
                listed.expiries[underlying_of(key), index_of(key)] = Series.decode(value).expiry
            elif kind_of(key) is KeyKind.MARKET:
                listed._note_market(index_of(key), Market.decode(value))
        for data in messages:
            try:
                message = decode_message(data)
            except Undecodable:
                continue
            if isinstance(message, List):
                listed.note(message.item, message.opens)
        return listed

    def note(self, item: Item, opens: int = 0) -> None:
        """Take an item as listed, unless its number is taken: then the rollup passes over it too."""
        match item:
            case UnderlyingConfig():
                self.coins.add(item.number)
            case SeriesConfig():
                self.expiries.setdefault((item.underlying, item.number), item.expiry)
            case MarketConfig():
                self._note_market(item.number, market_leaf(item, opens))

    def plan(self, wanted: Sequence[Wanted], terms: Terms | None = None) -> list[Item]:
        """The items that list everything wanted, in order of need; what is listed already is left out, and noted.

        `terms` of the markets are the coin's usual ones by default. ConfigError for terms that cannot be.
        """
        items: list[Item] = []
        for each in wanted:
            for item in self._items(each, terms):
                fault = fault_of(item)
                if fault is not None:
                    raise ConfigError(f"{describe_wanted(each)}: {fault}")
                self.note(item)
                items.append(item)
        return items

    def _items(self, wanted: Wanted, terms: Terms | None) -> Iterable[Item]:
        coin = coin_number(wanted.coin)
        if coin not in self.coins:
            yield UnderlyingConfig(coin)
        if wanted.kind is None:
            return
        series = 0
        if wanted.expiry:
            numbers = {number: expiry for (owner, number), expiry in self.expiries.items() if owner == coin}
            known = next((number for number, expiry in numbers.items() if expiry == wanted.expiry), None)
            series = known or 1 + max(numbers, default=0)
            if known is None:
                yield SeriesConfig(coin, series, wanted.expiry)
        if (coin, wanted.kind, series, wanted.strike) not in self._known:
            used = terms or (_OPTION if wanted.strike else _LINEAR).get(wanted.coin, _OTHER)
            number = 1 + max(self.markets, default=0)
            yield MarketConfig(number, coin, used.tick, used.lot, wanted.kind, series, wanted.strike)

    def _note_market(self, number: int, market: Market) -> None:
        self.markets.setdefault(number, market)
        self._known.add((market.underlying, market.kind, market.series, market.strike))


def extended(genesis: Genesis, wanted: Sequence[Wanted]) -> Genesis:
    """The genesis with everything wanted listed from the beginning, and what that needs."""
    items = Listed.of(genesis.leaves(), ()).plan(wanted)
    return replace(
        genesis,
        underlyings=(*genesis.underlyings, *(item for item in items if isinstance(item, UnderlyingConfig))),
        series=(*genesis.series, *(item for item in items if isinstance(item, SeriesConfig))),
        markets=(*genesis.markets, *(item for item in items if isinstance(item, MarketConfig))),
    )


def read_name(name: str) -> Wanted:
    """`SOL`, `SOL-PERP`, `BTC-20261225`, `BTC-20261225T1430`, `BTC-20261225-60000-C`; ConfigError."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise ConfigError(
            f"{name[:40]!r} names no instrument: COIN, COIN-PERP, COIN-YYYYMMDD or COIN-YYYYMMDD-STRIKE-C"
        )
    coin = match["coin"]
    coin_number(coin)
    if match["perp"]:
        return Wanted(coin, MarketKind.PERP)
    if not match["day"]:
        return Wanted(coin)
    expiry = read_expiry(match["day"] + (f"T{match['time']}" if match["time"] else ""))
    if not match["strike"]:
        return Wanted(coin, MarketKind.FUTURE, expiry)
    return Wanted(coin, MarketKind.CALL if match["side"] == "C" else MarketKind.PUT, expiry, read_usd(match["strike"]))


def read_expiry(text: str) -> int:
    """`20261225` (8:00 UTC) or `20261225T1430` as Unix seconds; ConfigError."""
    day, _, hour = text.partition("T")
    try:
        moment = datetime.strptime(f"{day}{hour or f'{EXPIRY_HOUR:02d}00'}", "%Y%m%d%H%M").replace(tzinfo=UTC)
    except ValueError:
        raise ConfigError(f"{text[:40]!r} is no expiry: YYYYMMDD or YYYYMMDDTHHMM, in UTC") from None
    return int(moment.timestamp())


def read_usd(text: str) -> int:
    """A strike in µUSD; ConfigError."""
    try:
        micro = Decimal(text) * MILLION
    except InvalidOperation:
        micro = Decimal("NaN")
    if not micro.is_finite() or micro != int(micro) or micro < 1:
        raise ConfigError(f"{text[:40]!r} is no strike in USD")
    return int(micro)


def chain_of(coin: str, expiry: int, strikes: Iterable[int], *, future: bool = True) -> list[Wanted]:
    """A whole chain: the future of an expiry, and a call and a put at each strike (µUSD)."""
    options = [Wanted(coin, kind, expiry, strike) for strike in strikes for kind in (MarketKind.CALL, MarketKind.PUT)]
    return [Wanted(coin, MarketKind.FUTURE, expiry), *options] if future else options


def read_strikes(text: str) -> list[int]:
    """`50000,55000` or `50000:70000:5000` (both ends included) in µUSD; ConfigError."""
    strikes: list[int] = []
    for part in text.split(","):
        ends = [read_usd(each) for each in part.split(":")]
        if len(ends) == 1:
            strikes += ends
        elif len(ends) == 3 and ends[0] <= ends[1]:
            strikes += range(ends[0], ends[1] + 1, ends[2])
        else:
            raise ConfigError(f"{part[:40]!r} are no strikes: a number, or FIRST:LAST:STEP")
    if len(strikes) > MOST_STRIKES:
        raise ConfigError(f"{len(strikes)} strikes at once; at most {MOST_STRIKES}")
    return sorted(set(strikes))


MOST_STRIKES: Final = 200


def strikes_around(price: int, count: int, step_ppm: int) -> list[int]:
    """`count` (odd) round strikes (µUSD) around a price, about `step_ppm` of it apart."""
    step = _round_step(price * step_ppm // MILLION)
    middle = (price + step // 2) // step * step
    half = count // 2
    return [middle + turn * step for turn in range(-half, half + 1) if middle + turn * step > 0]


def describe_item(item: Item) -> str:
    """For people."""
    match item:
        case UnderlyingConfig():
            return f"coin {symbol_of(item.number)}, underlying {item.number}"
        case SeriesConfig():
            return f"series {item.number} of {symbol_of(item.underlying)}, expires {show_time(item.expiry)}"
        case MarketConfig():
            kind = MarketKind(item.kind).name.lower()
            strike = f" at {item.strike / MILLION:,.10g} USD" if item.strike else ""
            series = f" on series {item.series}" if item.series else ""
            return f"market {item.number}, {symbol_of(item.underlying)} {kind}{strike}{series}"


def describe_wanted(wanted: Wanted) -> str:
    """For people."""
    if wanted.kind is None:
        return wanted.coin
    when = f" of {show_time(wanted.expiry)}" if wanted.expiry else ""
    return f"{wanted.coin} {wanted.kind.name.lower()}{when}"


def show_time(seconds: int) -> str:
    """A Unix time in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _round_step(exact: int) -> int:
    """The nearest of 1, 2, 5 times a power of ten, not below it."""
    power = 1
    while power * 10 <= exact:
        power *= 10
    return next(power * digit for digit in (1, 2, 5, 10) if power * digit >= exact)
