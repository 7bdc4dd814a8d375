"""Prices that feeders have signed and a sequencer has left out, for a holder to bring through L1 before leaving.

They come from a feeder's journal. Which of them count is not for the journal to say: each candidate is executed on the
state as L1 has it, behind everything that waits there, signatures and all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec

from rollup.errors import ConfigError, PlumblineError, Undecodable
from rollup.exit.room import Rehearsal
from rollup.stf.context import Read
from rollup.types.keys import ORACLE_SET, account_key, market_key
from rollup.types.leaves import Account, Market, MarketKind, OracleSet
from rollup.types.messages import Forced, encode_message
from rollup.types.reasons import Reason
from rollup.types.transactions import OracleUpdate, SurfaceUpdate, decode_transaction, encode_transaction

TRIES: Final = 50
"""The newest updates of a market that are tried: what older ones would do, none of these does."""

Update = OracleUpdate | SurfaceUpdate
Subject = tuple[int, int]
"""Numbers of an underlying and of its series; series 0 is the underlying itself."""


class NothingToBring(PlumblineError):  # noqa: N818 - a state of affairs
    """The journal has no price that would change anything."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Updates to force in this order, and what there is no usable one of."""

    updates: tuple[Update, ...]
    missing: tuple[Subject, ...]


class _Line(msgspec.Struct, frozen=True):
    hex: str


def read_journal(path: Path) -> list[Update]:
    """The updates of a feeder's journal; `ConfigError` says which line is none. The last line may be cut short."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise ConfigError(f"journal {path}: {error.strerror}") from error
    found: list[Update] = []
    for number, line in enumerate(lines, 1):
        try:
            if line.strip():
                found.append(_read(line))
        except (ValueError, Undecodable) as error:  # what msgspec finds wrong is a ValueError
            if number < len(lines):
                raise ConfigError(f"journal {path}, line {number}: {error or 'no signed price'}") from error
    return found


def subject_of(update: Update) -> Subject:
    """What it prices."""
    return update.underlying, update.series if isinstance(update, SurfaceUpdate) else 0


def subjects_of(read: Read, account: int) -> list[Subject]:
    """What must be priced for an account to be valued, ascending."""
    markets = [Market.decode(read(market_key(held.market))) for held in _account(read, account).positions]
    return sorted({(each.underlying, 0 if each.kind == MarketKind.PERP else each.series) for each in markets})


def choose(rehearsal: Rehearsal, sender: bytes, updates: Iterable[Update], wanted: Iterable[Subject]) -> Choice:
    """The newest update of each of `wanted` that would be executed on the state of `rehearsal`, which has them then.

    A forward may lie too far from an old spot: then the underlying's own newest price goes before it.
    """
    known: dict[Subject, list[Update]] = defaultdict(list)
    threshold = OracleSet.decode(rehearsal.look(ORACLE_SET)).threshold
    for update in updates:
        known[subject_of(update)].append(trimmed(update, threshold))
    for each in known.values():
        each.sort(key=lambda update: update.time, reverse=True)
        del each[TRIES:]
    chosen: list[Update] = []
    missing: list[Subject] = []
    for subject in wanted:
        found, refused = _newest(rehearsal, sender, known[subject])
        spot = (subject[0], 0)
        if found is None and refused is Reason.ORACLE_PRICE and all(subject_of(each) != spot for each in chosen):
            before, _ = _newest(rehearsal, sender, known[spot])
            if before is not None:
                chosen.append(before)
                found, _ = _newest(rehearsal, sender, known[subject])
        if found is None:
            missing.append(subject)
        else:
            chosen.append(found)
    return Choice(tuple(chosen), tuple(missing))


def trimmed(update: Update, threshold: int) -> Update:
    """The update with no more signatures than it needs: each costs gas, and all of them may not fit a message."""
    bits = [bit for bit in range(8) if update.signers >> bit & 1][:threshold]
    return replace(update, signers=sum(1 << bit for bit in bits), signatures=update.signatures[: len(bits)])


def _newest(rehearsal: Rehearsal, sender: bytes, candidates: Sequence[Update]) -> tuple[Update | None, Reason]:
    """The first that would be executed, which then is; or why the newest would not be."""
    first = Reason.NONE
    for update in candidates:
        reason = rehearsal.take(encode_message(Forced(sender, encode_transaction(update)))).reason
        if not reason:
            return update, reason
        first = first or reason
    return None, first


def _account(read: Read, number: int) -> Account:
    return Account.decode(read(account_key(number)))


def _read(line: bytes) -> Update:
    data = bytes.fromhex(msgspec.json.decode(line, type=_Line).hex.removeprefix("0x"))
    update, end = decode_transaction(data)
    if end != len(data) or not isinstance(update, OracleUpdate | SurfaceUpdate):
        raise ValueError("no signed price")
    return update
