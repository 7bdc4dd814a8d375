"""The verdict at the end: a state, a root or a rebuilt chain that is not right to the unit is found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rollup.crypto.tree import MemoryNodes, Tree
from rollup.derive.verification import Verification
from rollup.errors import BrokenInvariant
from rollup.replay.audit import Diverged, Head, check_rebuilt, check_state
from rollup.types.genesis import BTC_PERP, devnet_genesis
from rollup.types.keys import GLOBALS, account_key, market_key
from rollup.types.leaves import Account, Globals, Market, Position

DEPOSITED = 5_000


def sound_state() -> dict[int, bytes]:
    """Two accounts that deposited; one is long what the other is short."""
    leaves = devnet_genesis(1_000, (b"\1" * 20,), 1).leaves()
    totals = Globals.decode(leaves[GLOBALS])
    leaves[GLOBALS] = replace(totals, deposits=DEPOSITED, accounts=2, fees=10).encode()
    market = Market.decode(leaves[market_key(BTC_PERP)])
    leaves[market_key(BTC_PERP)] = replace(market, open_interest=7).encode()
    for number, (cash, size) in enumerate(((2_000, 7), (2_990, -7))):
        account = Account(bytes([number + 1]) * 20, bytes(20), cash, 0, 0, 0, (Position(BTC_PERP, size, 0),))
        leaves[account_key(number)] = account.encode()
    return leaves


def head_of(leaves: dict[int, bytes]) -> Head:
    """A block that claims this state."""
    return Head(9, Tree(MemoryNodes()).update(leaves), 3)


def test_a_sound_state_passes_with_its_sums() -> None:
    """Cash and fees make up the deposits, the vault holds them."""
    leaves = sound_state()
    report = check_state(leaves.items(), head_of(leaves), DEPOSITED)
    assert (report.cash, report.fees, report.deposits, report.open_interest[BTC_PERP]) == (4_990, 10, 5_000, 7)


def test_one_unit_of_cash_too_much_is_found() -> None:
    """Even under a root that commits to it."""
    leaves = sound_state()
    account = Account.decode(leaves[account_key(0)])
    leaves[account_key(0)] = replace(account, cash=account.cash + 1).encode()
    with pytest.raises(BrokenInvariant, match="cash"):
        check_state(leaves.items(), head_of(leaves), DEPOSITED)


def test_open_interest_that_does_not_net_to_zero_is_found() -> None:
    """One µcoin more on the long side."""
    leaves = sound_state()
    account = Account.decode(leaves[account_key(0)])
    leaves[account_key(0)] = replace(account, positions=(Position(BTC_PERP, 8, 0),)).encode()
    with pytest.raises(BrokenInvariant, match="market 1"):
        check_state(leaves.items(), head_of(leaves), DEPOSITED)


def test_leaves_of_another_root_and_a_vault_that_holds_other_money_are_found() -> None:
    """Sums alone would not show either."""
    leaves = sound_state()
    head = head_of(leaves)
    with pytest.raises(Diverged, match="state root"):
        check_state(leaves.items(), replace(head, root=bytes(32)), DEPOSITED)
    with pytest.raises(BrokenInvariant, match="vault"):
        check_state(leaves.items(), head, DEPOSITED - 1)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({}, None),
        ({"state_root": b"\7" * 32}, Diverged),
        ({"l1_root": b"\7" * 32}, Diverged),
        ({"broken": "a sum is off"}, Diverged),
        ({"report": None}, Diverged),
        ({"blocks": 8}, BrokenInvariant),
        ({"finalised": 2}, BrokenInvariant),
    ],
)
def test_whatever_differs_in_the_rebuilt_state_is_found(changes: dict[str, Any], error: type[Exception] | None) -> None:
    """The root, L1's own root, the sums, the number of blocks, finality."""
    leaves = sound_state()
    head = head_of(leaves)
    report = check_state(leaves.items(), head, DEPOSITED)
    found = Verification(
        batches=3,
        posted=3,
        blocks=9,
        transactions=1,
        messages=2,
        state_root=head.root,
        l1_root=head.root,
        l1_block=50,
        finalised=3,
        fork=0,
        fraud=None,
        broken="",
        report=report,
        seconds=0.1,
    )
    if error is None:
        check_rebuilt(found, head, report)
        return
    with pytest.raises(error):
        check_rebuilt(replace(found, **changes), head, report)
