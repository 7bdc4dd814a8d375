"""Every reason for which cancels, withdrawals, transfers, signers and prices are refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from rollup.l1.devkeys import dev_address
from rollup.types.limits import INSURANCE_FUND
from rollup.types.reasons import Reason
from rollup.types.transactions import EMPTY_SIGNATURE, OracleUpdate, Transaction
from tests.stf import (
    test_combo,
    test_dated,
    test_deleverage,
    test_liquidation,
    test_listing,
    test_series,
    test_trade_reasons,
)
from tests.stf.world import (
    COIN,
    START,
    USD,
    World,
    cancel,
    funded,
    price,
    set_signer,
    trade,
    transfer,
    withdraw,
)

P = 40_000 * USD
ALL = 100_000 * USD


def after(*txs: Transaction, then: Transaction, at: int | None = None) -> Callable[[World], Reason]:
    """The reason for refusing `then` once a block of `txs` stands."""

    def run(world: World) -> Reason:
        world.must(*txs)
        return world.refusal(then, at=at)

    return run


def alone(tx: Transaction | bytes, at: int | None = None) -> Callable[[World], Reason]:
    """The reason for refusing `tx` in a funded world."""
    return lambda world: world.refusal(tx, at=at)


def drained(world: World) -> Reason:
    """A withdrawal that would carry the chain's total beyond its range."""
    world.leaves[0] = replace(world.globals(), withdrawals=2**62 - 1).encode()
    return world.refusal(withdraw(0, 1, 1))


def often_withdrawn(world: World) -> Reason:
    """A withdrawal that would carry the account's own total beyond its range."""
    world.change_account(0, withdrawn=2**62 - 1)
    return world.refusal(withdraw(0, 1, 1))


def full_recipient(world: World) -> Reason:
    """A transfer to an account with cash at the bound."""
    world.change_account(1, cash=2**62 - 1)
    return world.refusal(transfer(0, 1, 1, 1))


def insolvent(world: World) -> Reason:
    """A withdrawal while another account is known to be worth less than nothing."""
    world.leaves[0] = replace(world.globals(), insolvent=1).encode()
    return world.refusal(withdraw(0, 1, 1))


def full_fund(world: World) -> Reason:
    """A gift to a fund that is at the bound."""
    world.leaves[0] = replace(world.globals(), insurance=2**62 - 1).encode()
    return world.refusal(transfer(0, INSURANCE_FUND, 1, 1))


def far_below(world: World) -> Reason:
    """A withdrawal of an account with cash at the lower bound."""
    world.change_account(0, cash=-(2**62) + 1)
    return world.refusal(withdraw(0, 1, 1))


T = START + 1
CASES: dict[str, tuple[Reason, Callable[[World], Reason]]] = {
    "cancel: unknown account": (Reason.ACCOUNT_UNKNOWN, alone(cancel(6, 1))),
    "cancel: twice": (Reason.NONCE_STALE, after(cancel(0, 1), then=cancel(0, 1))),
    "cancel: newer in the slot": (Reason.NONCE_STALE, after(cancel(0, 8193), then=cancel(0, 1))),
    "cancel: other key": (Reason.SIGNATURE_INVALID, alone(cancel(0, 1, key=1))),
    "cancel all: floor not raised": (
        Reason.NONCE_STALE,
        after(cancel(0, 5, cancel_all=True), then=cancel(0, 5, cancel_all=True)),
    ),
    "cancel all: nonce zero": (Reason.NONCE_STALE, alone(cancel(0, 0, cancel_all=True))),
    "cancel all signed as cancel": (Reason.SIGNATURE_INVALID, alone(replace(cancel(0, 5), cancel_all=True))),
    "withdraw: unknown account": (Reason.ACCOUNT_UNKNOWN, alone(withdraw(6, 1, 1))),
    "withdraw: nothing": (Reason.AMOUNT, alone(withdraw(0, 0, 1))),
    "withdraw: too much for any account": (Reason.AMOUNT, alone(withdraw(0, 2**62, 1))),
    "withdraw: nonce zero": (Reason.NONCE_STALE, alone(withdraw(0, 1, 0))),
    "withdraw: replayed": (Reason.NONCE_STALE, after(withdraw(0, 1, 1), then=withdraw(0, 1, 1))),
    "withdraw: other key": (Reason.SIGNATURE_INVALID, alone(withdraw(0, 1, 1, key=1))),
    "withdraw: session signer": (
        Reason.SIGNATURE_INVALID,
        after(set_signer(0, dev_address(5), 1), then=withdraw(0, 1, 2, key=5)),
    ),
    "withdraw: empty signature outside of L1": (
        Reason.SIGNATURE_INVALID,
        alone(replace(withdraw(0, 1, 1), signature=EMPTY_SIGNATURE)),
    ),
    "withdraw: more than all": (Reason.MARGIN, alone(withdraw(0, ALL + 1, 1))),
    "withdraw: margin of a position": (Reason.MARGIN, after(trade(COIN, P, 1), then=withdraw(0, ALL - 8_000 * USD, 1))),
    "withdraw: position with an old price": (
        Reason.ORACLE_STALE,
        after(trade(COIN, P, 1), then=withdraw(0, 1, 1), at=START + 61),
    ),
    "withdraw: cash below range": (Reason.CASH_RANGE, far_below),
    "withdraw: total of the chain": (Reason.CASH_RANGE, drained),
    "withdraw: total of the account": (Reason.CASH_RANGE, often_withdrawn),
    "transfer: to itself": (Reason.SELF_TRADE, alone(transfer(0, 0, 1, 1))),
    "transfer: unknown sender": (Reason.ACCOUNT_UNKNOWN, alone(transfer(6, 0, 1, 1))),
    "transfer: unknown recipient": (Reason.ACCOUNT_UNKNOWN, alone(transfer(0, 6, 1, 1))),
    "transfer: nothing": (Reason.AMOUNT, alone(transfer(0, 1, 0, 1))),
    "transfer: replayed": (Reason.NONCE_STALE, after(transfer(0, 1, 1, 1), then=transfer(0, 1, 1, 1))),
    "transfer: other key": (Reason.SIGNATURE_INVALID, alone(transfer(0, 1, 1, 1, key=1))),
    "transfer: more than all": (Reason.MARGIN, alone(transfer(0, 1, ALL + 1, 1))),
    "transfer: recipient out of range": (Reason.CASH_RANGE, full_recipient),
    "signer: unknown account": (Reason.ACCOUNT_UNKNOWN, alone(set_signer(6, bytes(20), 1))),
    "signer: replayed": (
        Reason.NONCE_STALE,
        after(set_signer(0, dev_address(5), 1), then=set_signer(0, dev_address(5), 1)),
    ),
    "signer: by itself": (
        Reason.SIGNATURE_INVALID,
        after(set_signer(0, dev_address(5), 1), then=set_signer(0, dev_address(4), 2, key=5)),
    ),
    "price: unknown underlying": (Reason.UNDERLYING_UNKNOWN, alone(price(T, P, underlying=9), at=T)),
    "price: not newer": (Reason.ORACLE_TIME, alone(price(START, P))),
    "price: from the future": (Reason.ORACLE_TIME, alone(price(START + 2, P), at=T)),
    "price: too old": (Reason.ORACLE_STALE, alone(price(T, P), at=T + 61)),
    "price: spot zero": (Reason.ORACLE_PRICE, alone(price(T, 0, P), at=T)),
    "price: mark zero": (Reason.ORACLE_PRICE, alone(price(T, P, 0), at=T)),
    "price: spot too high": (Reason.ORACLE_PRICE, alone(price(T, 1 << 47, P), at=T)),
    "price: mark too high": (Reason.ORACLE_PRICE, alone(price(T, P, 1 << 47), at=T)),
    "price: basis above": (Reason.ORACLE_PRICE, alone(price(T, P, P * 105 // 100 + 1), at=T)),
    "price: basis below": (Reason.ORACLE_PRICE, alone(price(T, P, P * 95 // 100 - 1), at=T)),
    "price: move up": (Reason.ORACLE_MOVE, alone(price(T, P * 11 // 10 + 1), at=T)),
    "price: move down": (Reason.ORACLE_MOVE, alone(price(T, P * 9 // 10 - 1), at=T)),
    "price: one signer": (Reason.ORACLE_SIGNERS, alone(price(T, P, signers=0b100), at=T)),
    "price: no signer": (Reason.ORACLE_SIGNERS, alone(OracleUpdate(1, T, P, P, 0, ()), at=T)),
    "price: unknown signer": (
        Reason.ORACLE_SIGNERS,
        alone(price(T, P, signers=0b1011, keys=[7, 8, 9]), at=T),
    ),
    "price: forged": (Reason.SIGNATURE_INVALID, alone(price(T, P, keys=[7, 6]), at=T)),
    "price: one feeder twice": (Reason.SIGNATURE_INVALID, alone(price(T, P, keys=[7, 7]), at=T)),
    "price: malformed": (
        Reason.SIGNATURE_MALFORMED,
        alone(replace(price(T, P), signatures=(b"\x01" * 32 + b"\xff" * 32,) * 2), at=T),
    ),
    "withdraw: somebody is insolvent": (Reason.INSOLVENCY, insolvent),
    "transfer: into a full insurance fund": (Reason.CASH_RANGE, full_fund),
    "block: earlier than the last": (Reason.TIME, alone(cancel(0, 1), at=START - 1)),
    "block: unknown type": (Reason.UNDECODABLE, alone(b"\x0c" + bytes(100))),
    "block: cut short": (Reason.UNDECODABLE, alone(b"\x03" + bytes(50))),
}
ELSEWHERE = {
    Reason.NONE,
    *(reason for reason in Reason if reason.is_meter),  # test_meters.py
}


@pytest.mark.parametrize("name", CASES)
def test_refused_for(name: str) -> None:
    """The transaction makes its block invalid with exactly this reason."""
    reason, case = CASES[name]
    assert case(funded()) is reason


def test_every_reason_is_reached() -> None:
    """No reason is dead: each is provoked by some test of this folder."""
    tables: list[dict[str, Any]] = [CASES, test_liquidation.BIDS, test_liquidation.FLAGS]
    modules = (test_trade_reasons, test_combo, test_dated, test_deleverage, test_listing, test_series)
    tables += [module.CASES for module in modules]
    reached = {reason for table in tables for reason, _ in table.values()}
    assert set(Reason) == reached | ELSEWHERE


def test_the_edges_of_the_oracle_limits_are_allowed() -> None:
    """Exactly the largest move, basis and age."""
    world = funded()
    for tx in (price(T, P * 11 // 10), price(T, P * 9 // 10), price(T, P, P * 105 // 100), price(T, P, P * 95 // 100)):
        assert world.refusal(tx, at=T) is Reason.NONE
    assert world.refusal(price(T, P), at=T + 60) is Reason.NONE


def test_larger_moves_are_allowed_as_time_passes() -> None:
    """10 % at once, 10 % more for each full minute since the last price."""
    world = funded()
    assert world.refusal(price(START + 59, P * 12 // 10), at=START + 59) is Reason.ORACLE_MOVE
    assert world.refusal(price(START + 60, P * 12 // 10), at=START + 60) is Reason.NONE


def test_the_first_price_may_be_any() -> None:
    """There is nothing to compare it with."""
    assert World().refusal(price(START, 1)) is Reason.NONE
