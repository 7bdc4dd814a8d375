"""Positions of an account, ascending by market."""

from __future__ import annotations

from rollup.errors import InvalidTransaction
from rollup.stf.fixed import div_ceil
from rollup.types.leaves import Account, Position
from rollup.types.limits import MAX_POSITIONS, MILLION
from rollup.types.reasons import Reason


def held(account: Account, market: int) -> int:
    """Signed size (µcoin) held in `market`, 0 if none."""
    return account.position_in(market)


def is_shrinking(old: int, new: int) -> bool:
    """Whether a holding went strictly towards zero without crossing it."""
    return 0 <= new < old or old < new <= 0


def require_room(account: Account, old: int, new: int, limit: int) -> None:
    """Raise POSITION_LIMIT if a holding grows beyond `limit` µcoin, POSITIONS_FULL if it would be one too many."""
    if abs(new) > limit and abs(new) >= abs(old):
        raise InvalidTransaction(Reason.POSITION_LIMIT)
    if old == 0 and len(account.positions) == MAX_POSITIONS:
        raise InvalidTransaction(Reason.POSITIONS_FULL)


def long_change(old: int, new: int) -> int:
    """What the change of a holding adds to open interest, the sum of long positions."""
    return max(0, new) - max(0, old)


def with_size(account: Account, market: int, size: int, index: int, cash: int) -> Account:
    """The account with `size` (µcoin) in `market` and other `cash`; size 0 removes the position.

    The position carries `index`: of a perpetual, the underlying's funding index now, up to which the account is
    settled; else 0.
    """
    positions = [position for position in account.positions if position.market < market]
    if size:
        positions.append(Position(market, size, index))
    positions += [position for position in account.positions if position.market > market]
    return with_positions(account, cash, tuple(positions))


def with_positions(account: Account, cash: int, positions: tuple[Position, ...]) -> Account:
    """The account with other cash and positions (written out: replacing fields by name takes four times as long)."""
    return Account(
        account.owner, account.signer, cash, account.withdrawn, account.owner_nonce, account.nonce_floor, positions,
        account.status, account.flagged,
    )  # fmt: skip


def slice_of(size: int, fraction: int, lot: int) -> int:
    """`fraction` (ppm) of a holding: rounded up to a multiple of `lot` (µcoin), at most all of it, with its sign."""
    part = min(abs(size), div_ceil(abs(size) * fraction, MILLION * lot) * lot)
    return part if size > 0 else -part
