"""Random games: small plans of integers, which Hypothesis draws and shrinks, played against a world.

Most moves are valid where the world allows it; a move's `fault` picks one thing that is wrong with it. A block that is
invalid is compared, then played again without the transaction at fault, so that the world goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from hypothesis import strategies as st

from challenger.execute import Verdict
from rollup.crypto.signatures import recover
from rollup.errors import BlockFull, InvalidTransaction, Undecodable
from rollup.stf.builder import BlockBuilder
from rollup.stf.invariants import check_invariants
from rollup.stf.receipts import Receipt
from rollup.types.leaves import MarketKind
from rollup.types.messages import Forced, encode_message
from rollup.types.reasons import Reason
from rollup.types.transactions import (
    Bid,
    Cancel,
    ComboTrade,
    SetSigner,
    Trade,
    Transaction,
    Transfer,
    Withdraw,
    decode_transaction,
    encode_transaction,
)
from tests.differential import world as w
from tests.differential.arena import RISKY, make_arena
from tests.differential.keepers import Keeper
from tests.differential.moves import MESSAGES, NEXT, Move, Round, last_rounds, rounds
from tests.differential.paths import paths_of
from tests.differential.twins import Proof, accept, make_proof
from tests.differential.world import SEPARATOR, World

HEALTHS: Final = (-40, -6, 3, 30, 51, 80, 95, 104, 140, 300)
"""What risky accounts begin with, in per cent of their maintenance margin."""
BAD_DEBTS: Final = (0, 0, 1, 5_000_000_000)
MUTE: Final = ((), (), (), NEXT)


@dataclass(frozen=True, slots=True)
class Plan:
    """A game: how accounts stand at its start, losses nobody has borne, series never priced again, and its rounds."""

    health: tuple[int, ...]
    bad_debt: int
    mute: tuple[tuple[int, int], ...]
    rounds: tuple[Round, ...]


def plans(length: int, moves: int) -> st.SearchStrategy[Plan]:
    """Games of `length` blocks of up to so many moves, and at most three more after long silences.

    Half of them begin with all accounts sound or nearly so.
    """
    sick = st.tuples(*[st.sampled_from(HEALTHS)] * len(RISKY))
    well = st.tuples(*[st.sampled_from(HEALTHS[4:])] * len(RISKY))
    blocks = st.lists(rounds(moves), min_size=length, max_size=length)
    last = st.lists(last_rounds(moves), min_size=0, max_size=3)
    both = st.builds(lambda first, then: (*first, *then), blocks, last)
    return st.builds(Plan, st.one_of(sick, well), st.sampled_from(BAD_DEBTS), st.sampled_from(MUTE), both)


@dataclass
class Tally:
    """What was run through both twins; `transactions` leaves out the prices with which blocks begin."""

    transactions: int = 0
    blocks: int = 0
    invalid: int = 0
    gas: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    tried: Counter[str] = field(default_factory=Counter)
    valid: Counter[str] = field(default_factory=Counter)
    paths: Counter[str] = field(default_factory=Counter)

    def shares(self) -> str:
        """Of each kind how many were tried, and the share of them that was valid."""
        return "\n".join(
            f"  {kind:<24} {tried:>6} {self.valid[kind]:>6} valid = {self.valid[kind] / tried:.0%}"
            for kind, tried in sorted(self.tried.items())
        )


def play(plan: Plan, judge: Callable[[Proof], Verdict], tally: Tally) -> World:
    """A whole game; its last state holds the promises about states."""
    world = make_arena(plan.health, plan.bad_debt)
    player = Player(world, judge, tally, plan.mute)
    for played in plan.rounds:
        player.play(played)
    check_invariants(world.leaves.items())
    return world


class Player:
    """Turns rounds into blocks on a world, and lets a judge compare the twins on each."""

    def __init__(
        self, world: World, judge: Callable[[Proof], Verdict], tally: Tally, mute: tuple[tuple[int, int], ...] = ()
    ) -> None:
        self._world = world
        self._judge = judge
        self._tally = tally
        self._mute = mute
        self._keeper = Keeper()

    def play(self, played: Round) -> None:
        """One round: its block is judged until it is valid, then accepted."""
        keeper = self._keeper
        time = self._world.time + played.pause
        keeper.builder = BlockBuilder(self._world.read, time, SEPARATOR, recover)
        messages = [self._say(move) for move in played.moves if is_message(move)]
        txs = (
            [self._do(tx, None) for tx in keeper.prices(played.drift, (*played.silent, *self._mute))]
            if time > self._world.time
            else []
        )
        txs += [self._do(self._make(move), move) for move in played.moves if not is_message(move)]
        self._tally.transactions += len(played.moves)
        self._settle(txs, messages, time)

    def _settle(self, txs: list[bytes], messages: Sequence[bytes], time: int) -> None:
        tally = self._tally
        while True:
            proof = make_proof(self._world, txs, messages, timestamp=time)
            tally.gas += self._judge(proof).gas_used
            tally.blocks += 1
            reason = Reason(proof.result.reason)
            tally.reasons[reason.name] += 1
            if reason == Reason.NONE:
                break
            tally.invalid += 1
            fault = proof.result.index - len(messages)
            if fault < 0:  # A meter: what the message needs does not fit any more.
                messages = messages[:-1]
                continue
            kind = kind_of(txs[fault], self._keeper)
            tally.tried[kind] += 1
            tally.paths[f"{kind}: {reason.name}"] += 1
            del txs[fault]
        for receipt in proof.result.receipts:
            self._count(receipt)
        tally.paths.update(paths_of(self._world, proof))
        accept(self._world, proof)
        self._keeper.resting = [o for o in self._keeper.resting if self._world.slot(o.account, o.nonce)]

    def _count(self, receipt: Receipt) -> None:
        kind = (
            f"forced {name_of(receipt.subject, self._keeper)}"
            if receipt.forced
            else name_of(receipt.subject, self._keeper)
        )
        self._tally.tried[kind] += 1
        self._tally.valid[kind] += receipt.reason == Reason.NONE
        if receipt.reason:
            self._tally.reasons[f"{Reason(receipt.reason).name} in a message"] += 1

    # -- moves ---------------------------------------------------------------------------------------------------------

    def _make(self, move: Move) -> Transaction:
        keeper = self._keeper
        match move.kind:
            case "trade":
                return keeper.trade(move)
            case "combo":
                return keeper.combo(move)
            case "price":
                return keeper.price(move)
            case "surface":
                return keeper.surface(move)
            case "cancel" | "withdraw" | "transfer" | "signer":
                return keeper.pay(move)
            case _:
                return keeper.keep(move)

    def _do(self, tx: Transaction, move: Move | None) -> bytes:
        """The transaction's bytes; what they do is seen by the moves after it."""
        raw = spoiled(encode_transaction(tx), move) if move else encode_transaction(tx)
        with suppress(InvalidTransaction, BlockFull, Undecodable):
            whole, end = decode_transaction(raw)
            if end == len(raw):
                self._keeper.builder.apply(whole)
        return raw

    def _say(self, move: Move) -> bytes:
        if move.kind in MESSAGES:
            message = self._keeper.message(move)
        else:
            tx = self._make(move)
            raw = spoiled(encode_transaction(tx), move)
            signed = not isinstance(tx, Trade | Cancel | Withdraw | Transfer | SetSigner | Bid | ComboTrade)
            blank = raw if move.shade % 4 == 0 or signed else raw[:-64] + bytes(64)
            message = encode_message(Forced(w.owner(signer_of(tx, move)), blank))
        with suppress(BlockFull):
            self._keeper.builder.take_message(message)
        return message


def is_message(move: Move) -> bool:
    """Whether a move comes through L1."""
    return move.kind in MESSAGES or move.forced < (4 if move.kind == "withdraw" else 1)


def signer_of(tx: Transaction, move: Move) -> int:
    """The account that can vouch for a transaction's last signature; anybody else if that is the fault."""
    if move.fault in range(60, 70):
        return move.who
    match tx:
        case Trade():
            return tx.taker.account
        case ComboTrade():
            return tx.taker
        case Bid():
            return tx.liquidator
        case Transfer():
            return tx.sender
        case Cancel() | Withdraw() | SetSigner():
            return tx.account
        case _:
            return move.who


def spoiled(raw: bytes, move: Move) -> bytes:
    """Bytes changed or cut, if that is the fault."""
    if move.fault in {1, 61}:
        place = (move.shade * 7 + move.size) % len(raw)
        return raw[:place] + bytes([raw[place] ^ 1 << move.whom % 8]) + raw[place + 1 :]
    return raw[: -1 - move.shade] if move.fault == 2 and move.shade % 4 == 0 else raw


def kind_of(raw: bytes, keeper: Keeper) -> str:
    """The kind of a transaction's bytes."""
    try:
        return name_of(decode_transaction(raw)[0], keeper)
    except Undecodable:
        return "undecodable bytes"


def name_of(subject: object, keeper: Keeper) -> str:
    """The kind of a transaction or message; of a trade also what it trades."""
    if subject is None:
        return "undecodable bytes"
    name = type(subject).__name__
    if isinstance(subject, Trade):
        orders = [side for side in (subject.maker, subject.taker) if hasattr(side, "market")]
        market = keeper.market(orders[0].market) if orders else None
        return f"Trade of a {MarketKind(market.kind).name.lower()}" if market else "Trade of nothing"
    return name
