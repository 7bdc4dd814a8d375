"""Every kind of dishonesty makes a block that replay, from L1's data alone, calls wrong, and for the right reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollup.derive.chain import Chain, DerivedBatch, DerivedBlock
from rollup.derive.fraud import Fraud
from rollup.derive.replica import Replica
from rollup.errors import ConfigError
from rollup.l1.devkeys import dev_address
from rollup.sequencer.faults import FAULTS, make_ledger
from rollup.sequencer.memo import Memo
from rollup.sequencer.options import SequencerOptions
from rollup.stf import meters, trade
from rollup.types.genesis import decode_leaves
from rollup.types.messages import Deposit, encode_message
from rollup.types.reasons import Reason
from tests.stf.world import SEPARATOR, USD, cancel, genesis, price
from tests.support.desk import IDENTITY, MARK, Trading, new_store, origin_of, quote
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


def dishonest(fault: str | None, honest: Trading) -> Trading:
    """A desk that goes on dishonestly from where an honest one stands."""
    options = SequencerOptions(Path(), "http://127.0.0.1", bytes(20), b"\x22" * 32, fault=fault)
    ledger = make_ledger(options, honest.store, 0, SEPARATOR, Memo().recover, options.clock)
    trading = Trading(store=honest.store, time=honest.time, ledger=ledger)
    ledger._clock = lambda: trading.time
    return trading


def verdict(trading: Trading) -> Fraud | None:
    """What a replica says of all blocks, posted as one batch."""
    store = new_store()
    origin = origin_of(genesis().leaves(), store.root)
    assert decode_leaves(origin.leaves) == genesis().leaves()
    assert IDENTITY.rollup == origin.rollup
    chain = Chain(origin.genesis)
    blocks = tuple(DerivedBlock(r.header, r.txs, r.messages) for r in trading.records())
    last = blocks[-1].header
    batch = DerivedBatch(
        1, b"\x44" * 32, 0, dev_address(0), 2, last.state_root, last.number, last.inbox_index, blocks, last.timestamp
    )
    chain.batches.append(batch)
    replica = Replica(store, origin, on_block=trying_to_prove(origin.separator, attempts=8))
    replica.execute_next(chain)
    return replica.fraud


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


@pytest.fixture(autouse=True)
def restored_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faults of the rules themselves are undone after each test."""
    monkeypatch.setattr(trade, "require_margin", trade.require_margin)
    monkeypatch.setattr(meters, "LIMITS", meters.LIMITS)


def test_an_honest_sequencer_is_found_right() -> None:
    """The same actions without a fault pass."""
    trading = dishonest(None, Trading())
    act(trading, None)
    assert verdict(trading) is None


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found_by_replay_with_its_reason(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The block is wrong for the very reason that the fault is named after."""
    honest = Trading()
    rules, limits = trade.require_margin, meters.LIMITS
    trading = dishonest(fault, honest)
    act(trading, fault)
    monkeypatch.setattr(trade, "require_margin", rules)
    monkeypatch.setattr(meters, "LIMITS", limits)
    fraud = verdict(trading)
    assert fraud is not None
    assert fraud.reason is REASONS[fault]
    assert fraud.root != fraud.block.header.state_root


def test_the_list_of_faults_is_the_list_of_reasons() -> None:
    """No kind goes untested."""
    assert set(FAULTS) == set(REASONS)


def test_an_unknown_fault_is_refused() -> None:
    """A typo must not run an honest sequencer by accident."""
    with pytest.raises(ConfigError, match="no fault 'kindness'"):
        dishonest("kindness", Trading())
