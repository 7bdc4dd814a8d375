"""`rollup force-withdraw`: money out of an account through L1, whether or not a sequencer likes it."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from rollup.cli.amounts import read_usd, show_usd
from rollup.cli.forced import send_payload
from rollup.cli.forcing import FORCING, SENDING, Force, Forcing, Sending, open_force
from rollup.cli.options import DEFAULT, Common
from rollup.errors import InvalidTransaction, PlumblineError
from rollup.exit.payloads import account_of, next_owner_nonce, sign_withdrawal, transaction_of, waiting_messages
from rollup.exit.reasons import sentence
from rollup.exit.room import Room, room_of
from rollup.types.limits import FORCED_AGE
from rollup.types.reasons import Reason
from rollup.types.transactions import Withdraw

SPARE = 50
"""Per cent of the initial margin that stay besides it: prices move until the message's turn, perhaps a day later."""


class NothingToWithdraw(PlumblineError):  # noqa: N818 - a state of affairs
    """Nothing can leave the account without closing positions."""


class WithdrawsAlready(PlumblineError):  # noqa: N818 - a state of affairs
    """The same withdrawal waits in L1's inbox."""


async def force_withdraw(
    amount: Annotated[str, Parameter(help="USD, up to six decimals, or `all`")],
    *,
    spare: Annotated[
        int, Parameter(help="per cent of the initial margin that `all` leaves besides it", validator=Number(gte=0))
    ] = SPARE,
    nonce: Annotated[
        int | None, Parameter(help="default: the next after the state's on L1", validator=Number(gte=0, lt=2**64))
    ] = None,
    again: Annotated[
        bool, Parameter(negative=(), help="also if such a withdrawal of the account waits in the inbox already")
    ] = False,
    forcing: Forcing = FORCING,
    sending: Sending = SENDING,
    common: Common = DEFAULT,
) -> int:
    """Withdraw through L1. Explains itself and its cost before it sends; `rollup claim` collects the money later.

    `all` is the most that leaves the account at its initial margin (twice that where prices have grown old), and with
    positions some of it stays besides, since prices move until the withdrawal's turn.
    """
    async with open_force(forcing, common) as force:
        number = force.require_account()
        key = force.signing_key(number)
        room = await find_room(force, number)
        micro = most_of(number, room, spare) if amount == "all" else read_usd(amount)
        if not again:
            require_first(force, number, None if amount == "all" else micro)
        notes = notes_on(room, micro)
        chosen = next_owner_nonce(force.mirror, number) if nonce is None else nonce
        payload = sign_withdrawal(force.separator, number, micro, chosen, key)
        what = f"Withdraw {show_usd(micro)} USD from account {number}"
        return await send_payload(force, what, payload, sending, notes)


def require_first(force: Force, number: int, micro: int | None) -> None:
    """`WithdrawsAlready` if a withdrawal of the account (of that amount) waits: a repeated command pays once."""
    for index, message in waiting_messages(force.mirror):
        tx = transaction_of(message)
        if isinstance(tx, Withdraw) and tx.account == number and micro in {None, tx.amount}:
            raise WithdrawsAlready(
                f"message {index} waits already and withdraws {show_usd(tx.amount)} USD from account {number}: "
                f"follow it with `rollup force status {index} --wait consumed`, or add --again"
            )


async def find_room(force: Force, number: int) -> Room:
    """What may leave the account by the state on L1; `NothingToWithdraw` if it has no margin that could be computed."""
    account_of(force.mirror, number)
    head = await force.client.get_block()
    try:
        return room_of(force.mirror.store.read, number, 0 if head is None else head.timestamp)
    except InvalidTransaction as refusal:
        why = sentence(Reason(refusal.reason))
        raise NothingToWithdraw(f"account {number} cannot be valued: {why}") from refusal


def most_of(number: int, room: Room, spare: int) -> int:
    """What `all` means (µUSD); `NothingToWithdraw` says what else to do."""
    micro = room.with_spare(spare)
    if micro > 0:
        return micro
    worth, kept = show_usd(room.equity), show_usd(room.required)
    if not room.positions:
        raise NothingToWithdraw(f"account {number} holds {worth} USD: there is nothing to withdraw")
    old = " (twice, for prices are old: `rollup force prices` brings newer ones)" if room.stale else ""
    raise NothingToWithdraw(
        f"account {number} is worth {worth} USD and needs {kept} USD as initial margin{old} for {room.positions} "
        f"positions; {spare} % of that margin stay besides. Close or reduce positions (`rollup force trade` with "
        "somebody), keep less (`--spare 0`), or, if nobody goes on with the chain, freeze it and escape "
        "(`rollup rescue`)"
    )


def notes_on(room: Room, micro: int) -> list[str]:
    """What may keep the withdrawal from succeeding, and what to do about it."""
    notes: list[str] = []
    if room.lost:
        notes.append(
            f"the last prices of market {_show(room.lost)} are too old by now: it succeeds only behind newer ones. "
            "`rollup force prices` brings what feeders have signed; if there is nothing, and nobody goes on with the "
            "chain, freeze it and escape (`rollup rescue`)"
        )
    elif room.stale:
        notes.append(
            f"the last prices of market {_show(room.stale)} are no longer fresh: it succeeds at them until they are "
            f"{FORCED_AGE // 3_600} hours old, but twice the initial margin must stay, {show_usd(room.required)} USD. "
            "`rollup force prices` brings newer ones before it"
        )
    if micro > room.most:
        most = show_usd(room.most)
        closing = "more takes closing positions (`rollup force trade`) or a deposit"
        notes.append(f"at the last prices only {most} USD can leave; {closing}")
    elif room.positions:
        left = show_usd(room.equity - micro - room.required)
        notes.append(f"{left} USD stay besides the margin: if prices take more than that, it is refused")
        if not room.stale and room.equity - micro < 2 * room.initial:
            notes.append(
                "if a sequencer lets prices grow old before its turn, twice the initial margin must stay, "
                f"{show_usd(2 * room.initial)} USD, or it is refused: withdraw less (`--spare 100`) to be sure of it"
            )
    if room.bad_debt:
        notes.append(f"of losses that nobody has borne ({show_usd(room.bad_debt)} USD) the withdrawal bears its share")
    return notes


def _show(markets: tuple[int, ...]) -> str:
    return ", ".join(map(str, markets))
