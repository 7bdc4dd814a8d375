"""Every kind of dishonesty makes a block that replay, from L1's data alone, calls wrong, and for the right reason."""

from __future__ import annotations

import pytest

from rollup.derive.fraud import Fraud
from rollup.errors import ConfigError
from rollup.sequencer.faults import FAULTS, DishonestLedger
from rollup.sequencer.rejections import Refused
from rollup.types.messages import Deposit, encode_message
from rollup.types.reasons import Reason
from tests.stf.world import SEPARATOR, USD, cancel, genesis, price
from tests.support.acts import REASONS as REASONS_OF_DERIVATIVES
from tests.support.desk import MARK, Trading, quote
from tests.support.dishonest import dishonest, verdict
from tests.support.prover import trying_to_prove

REASONS = {
    "wrong-root": Reason.NONE,
    "stolen-cash": Reason.NONE,
    "wrong-funding": Reason.NONE,
    "ignored-inbox": Reason.NONE,
    "forged-signature": Reason.SIGNATURE_INVALID,
    "overfill": Reason.OVERFILL,
    "replayed-order": Reason.OVERFILL,
    "undecodable": Reason.UNDECODABLE,
    "skipped-margin": Reason.MARGIN,
    "over-meter": Reason.METER_TRANSACTIONS,
}


def act(trading: Trading, fault: str | None) -> None:
    """A deposit, a price, two trades and a cancel; what a fault needs beside them."""
    trading.time += 1
    trading.desk.take_messages([encode_message(Deposit(0, 1_000 * USD))])
    trading.submit(price(trading.time, MARK + 100 * USD, MARK + 150 * USD))
    trading.place(quote(0, True, 300, 50_100, 1))
    trading.place(quote(1, False, 100, 50_200, 1))
    trading.place(quote(2, False, 200, 50_200, 1))
    if fault == "skipped-margin":
        trading.place(quote(3, True, 9_900, 50_100, 1))
        trading.place(quote(4, False, 9_900, 50_200, 1))
    for nonce in range(100, 140 if fault == "over-meter" else 101):
        trading.submit(cancel(5, nonce))
    trading.flush()


def judged(trading: Trading) -> Fraud | None:
    """What a replica says of the blocks; those that it finds right cannot be proven wrong either."""
    return verdict(trading, genesis().leaves(), trying_to_prove(SEPARATOR, attempts=8))


def test_an_honest_sequencer_is_found_right() -> None:
    """The same actions without a fault pass, and nothing keeps them from L1."""
    with dishonest(None, Trading()) as trading:
        act(trading, None)
    assert trading.desk.ledger.posts
    assert judged(trading) is None


@pytest.mark.parametrize("fault", REASONS)
def test_each_fault_is_found_by_replay_with_its_reason(fault: str) -> None:
    """The block is wrong for the very reason that the fault is named after; only with it is anything posted."""
    with dishonest(fault, Trading()) as trading:
        ledger = trading.desk.ledger
        assert isinstance(ledger, DishonestLedger)
        assert not ledger.posts
        act(trading, fault)
    fraud = judged(trading)
    assert fraud is not None
    assert fraud.reason is REASONS[fault]
    assert fraud.root != fraud.block.header.state_root
    assert fraud.block.header.number == ledger.wrong
    assert ledger.posts


def test_the_list_of_faults_is_the_list_of_reasons() -> None:
    """No kind goes untested."""
    assert set(FAULTS) == set(REASONS) | set(REASONS_OF_DERIVATIVES)


def test_an_unknown_fault_is_refused() -> None:
    """A typo must not run an honest sequencer by accident."""
    with pytest.raises(ConfigError, match="no fault 'kindness'"), dishonest("kindness", Trading()):
        pass


def test_a_fault_leaves_the_rules_as_they_were() -> None:
    """Once its block is made, the process is honest again."""
    with dishonest("skipped-margin", Trading()) as trading:
        ledger = trading.desk.ledger
        act(trading, "skipped-margin")
        assert ledger.enforces_margin
        with pytest.raises(Refused, match="MARGIN"):
            trading.place(quote(5, True, 9_900, 50_100, 9))
