"""The simulated accounts: characters with signers and luck of their own, acting on what the exchange says they hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from rollup.replay.population import Character
from rollup.replay.signing import Signer
from rollup.replay.strategies import Holding, Scene, Wish
from rollup.replay.tally import Health
from rollup.sequencer.exchange import Exchange
from rollup.types.transactions import Cancel, FreshOrder


@dataclass(frozen=True, slots=True)
class Trader:
    """A character with an account of its own."""

    character: Character
    signer: Signer
    luck: Random = field(repr=False)

    @property
    def account(self) -> int:
        """The account's number."""
        return self.signer.account


@dataclass(frozen=True, slots=True)
class Turn:
    """What one trader does at one tick."""

    trader: Trader
    wishes: list[Wish]

    def sign(self, market: int, now: int) -> Iterator[Cancel | FreshOrder]:
        """The cancel of what it has in the book, if it requotes, and its orders."""
        signer = self.trader.signer
        if self.trader.character.strategy.requotes:
            yield signer.cancel_all(now)
        for wish in self.wishes:
            yield signer.order(wish, market, now)


def make_traders(characters: Sequence[Character], accounts: Sequence[int], separator: bytes, seed: int) -> list[Trader]:
    """Give each character its account."""
    return [
        Trader(
            character,
            Signer(account, character.key, separator),
            Random(f"{seed}/{character.number}/luck"),  # noqa: S311 - reproducible on purpose, protects nothing
        )
        for character, account in zip(characters, accounts, strict=True)
    ]


def holding_of(exchange: Exchange, account: int, market: int) -> Holding | None:
    """What an account holds; None while the price that its margin needs is stale."""
    view = exchange.account(account)
    if view.equity is None or view.maintenance is None:
        return None
    size = next((position.size for position in view.positions if position.market == market), 0)
    return Holding(view.equity, view.maintenance, size)


def turns_of(traders: Sequence[Trader], exchange: Exchange, scene: Scene, market: int) -> list[Turn]:
    """What those who act at this tick want, each trader's luck deciding whether it acts."""
    turns: list[Turn] = []
    for trader in traders:
        if trader.luck.random() >= trader.character.pace:
            continue
        holding = holding_of(exchange, trader.account, market)
        if holding is not None:
            turns.append(Turn(trader, trader.character.strategy.wishes(scene, holding, trader.luck)))
    return turns


def sign_all(turns: Sequence[Turn], market: int, now: int) -> list[Cancel | FreshOrder]:
    """Sign a whole round; meant for a worker thread, which lets the event loop go on between signatures."""
    return [request for turn in turns for request in turn.sign(market, now)]


def health_of(traders: Sequence[Trader], exchange: Exchange, market: int) -> Health | None:
    """How everybody stands; None while prices are stale."""
    holdings = [holding_of(exchange, trader.account, market) for trader in traders]
    known = [holding for holding in holdings if holding is not None]
    if not known or len(known) < len(holdings):
        return None
    return Health(
        short=sum(holding.equity < holding.maintenance for holding in known),
        broke=sum(holding.equity < 0 for holding in known),
        worst_equity=min(holding.equity for holding in known),
        equity=sum(holding.equity for holding in known),
    )
