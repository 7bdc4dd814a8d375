"""`rollup force prices`: what feeders have signed and a sequencer leaves out, through L1."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from rollup.batcher.contracts import RollupContract
from rollup.cli.amounts import show_usd
from rollup.cli.forced import send_payload
from rollup.cli.forcing import FORCING, SENDING, Force, Forcing, Sending, open_force
from rollup.cli.options import DEFAULT, Common
from rollup.exit.amounts import show_time
from rollup.exit.payloads import account_of, waiting_messages
from rollup.exit.prices import Choice, NothingToBring, Subject, Update, choose, read_journal, subject_of, subjects_of
from rollup.exit.room import Rehearsal
from rollup.types.instruments import symbol_of
from rollup.types.limits import FORCED_AGE
from rollup.types.transactions import OracleUpdate, encode_transaction


async def force_prices(
    *,
    source: Annotated[Path, Parameter(name="--from", help="a feeder's journal (`rollup feeder --journal FILE`)")],
    lag: Annotated[
        bool, Parameter(negative=(), help="first bring prices of before all that L1 lets blocks be dated back")
    ] = False,
    forcing: Forcing = FORCING,
    sending: Sending = SENDING,
    common: Common = DEFAULT,
) -> int:
    """Bring the newest prices that feeders have signed for the markets that the account holds; without one, for all.

    A withdrawal forced right behind them goes by them, whenever the sequencer takes both. Anybody may bring prices;
    each is a message of its own, with its own fee. No block takes a price that is later than itself: a sequencer that
    dates its blocks back is met by `--lag`.
    """
    updates = read_journal(source)
    async with open_force(forcing, common) as way:
        number = way.number
        if number is None:
            wanted = sorted({subject_of(update) for update in updates})
        else:
            account_of(way.mirror, number)
            wanted = subjects_of(way.mirror.store.read, number)
            if not wanted:
                raise NothingToBring(f"account {number} holds no positions: it leaves without any price")
        choice = await _choose(way, updates, wanted, lag=lag)
        if not choice.updates:
            raise NothingToBring(
                f"{source} has no price of {_names(choice.missing)} that is newer than the state's on L1 and what "
                "waits there, recent enough, signed by enough feeders, and within the limits of move"
            )
        if choice.missing:
            way.output.note(f"no usable price of {_names(choice.missing)} in {source}")
        return await _send(way, choice, sending)


async def _choose(way: Force, updates: list[Update], wanted: list[Subject], *, lag: bool) -> Choice:
    head = await way.client.get_block()
    now = 0 if head is None else head.timestamp
    rehearsal = Rehearsal(way.mirror.store.read, way.separator, now)
    for _, message in waiting_messages(way.mirror):
        rehearsal.take(message)
    if not lag:
        return choose(rehearsal, way.sender, updates, wanted)
    terms = await RollupContract(way.client, way.mirror.pipeline.replica.origin.rollup).terms()
    before = [update for update in updates if update.time <= now - terms.max_time_lag]
    old = choose(rehearsal, way.sender, before, wanted)
    new = choose(rehearsal, way.sender, updates, wanted)
    return Choice(old.updates + new.updates, tuple(sorted({*old.missing} & {*new.missing})))


async def _send(way: Force, choice: Choice, sending: Sending) -> int:
    """One message after the other; only the last is waited for, since it is executed last."""
    last = len(choice.updates) - 1
    before: list[bytes] = []
    for place, update in enumerate(choice.updates):
        payload = encode_transaction(update)
        notes = [f"what leaves behind it may rely on it until {show_time(update.time + FORCED_AGE)}"]
        if place:
            notes.append(f"message {place + 1} of {last + 1}")
        how = sending if place == last else replace(sending, wait=None)
        code = await send_payload(way, _describe(update), payload, how, notes, before)
        if code:
            return code
        if sending.dry_run or way.wallet is not None:
            before.append(payload)
        else:
            await way.mirror.advance()
    return 0


def _describe(update: Update) -> str:
    coin, when = symbol_of(update.underlying), show_time(update.time)
    if isinstance(update, OracleUpdate):
        return f"Bring {coin}'s price of {when}: spot {show_usd(update.spot)}, mark {show_usd(update.mark)} USD"
    return f"Bring the slice of {coin}'s series {update.series} of {when}: forward {show_usd(update.forward)} USD"


def _names(subjects: tuple[Subject, ...]) -> str:
    return ", ".join(symbol_of(coin) + (f" series {series}" if series else "") for coin, series in subjects)
