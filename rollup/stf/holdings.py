"""Positions of an account, ascending by market."""

from __future__ import annotations

from rollup.types.leaves import Account, Position


def held(account: Account, market: int) -> int:
    """Signed size (µcoin) held in `market`, 0 if none."""
    return account.position_in(market)


def is_shrinking(old: int, new: int) -> bool:
    """Whether a holding went strictly towards zero without crossing it."""
    return 0 <= new < old or old < new <= 0


def with_size(account: Account, market: int, size: int, index: int, cash: int) -> Account:
    """The account with `size` (µcoin) in `market` and other `cash`; size 0 removes the position.

    The position carries `index`, the underlying's funding index now, up to which the account is settled.
    """
    positions = [position for position in account.positions if position.market < market]
    if size:
        positions.append(Position(market, size, index))
    positions += [position for position in account.positions if position.market > market]
    return Account(
        account.owner, account.signer, cash, account.withdrawn, account.owner_nonce, account.nonce_floor,
        tuple(positions),
    )  # fmt: skip
