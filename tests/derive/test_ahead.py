"""Signatures recovered ahead of execution: the same answers, whatever becomes of the process."""

from __future__ import annotations

from itertools import islice
from random import Random

import pytest

from rollup.bench.crowd import OWNER, SEPARATOR, make_crowd
from rollup.crypto.eip712 import order_digest
from rollup.crypto.signatures import SignatureFault
from rollup.derive import ahead as module
from rollup.derive.ahead import Ahead
from rollup.types.transactions import FreshOrder, Trade, decode_transactions, encode_transaction

PER_BLOCK = 4
GARBAGE = b"\xff" * 400


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Ten blocks of trades, enough to be worth a process."""
    trades = list(islice(make_crowd(20).trades(Random(1), remember=False), 10 * PER_BLOCK))
    made = [
        b"".join(encode_transaction(trade) for trade in trades[start : start + PER_BLOCK])
        for start in range(0, len(trades), PER_BLOCK)
    ]
    monkeypatch.setattr(module, "WORTHWHILE", sum(map(len, made)))
    return made


def orders_of(block: bytes) -> list[tuple[bytes, bytes]]:
    """Digest and signature of every order."""
    found = []
    for trade in decode_transactions(block):
        assert isinstance(trade, Trade)
        for side in (trade.maker, trade.taker):
            assert isinstance(side, FreshOrder)
            terms = (side.account, side.market, side.flags, side.size, side.price, side.nonce, side.expiry)
            found.append((order_digest(SEPARATOR, *terms), side.signature))
    return found


def expect_answers(ahead: Ahead, block: bytes) -> None:
    """Every signature of the block shows its signer, one that is not of the block as well."""
    assert [ahead.recover(digest, signature) for digest, signature in orders_of(block)] == [OWNER] * 2 * PER_BLOCK


def test_signatures_of_a_batch_are_known_before_they_are_asked_for(
    blocks: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left to recover here, in any block of two batches."""
    monkeypatch.setattr(module, "recover", lambda *_: pytest.fail("recovered again"))
    with Ahead(SEPARATOR) as ahead:
        ahead.start()
        for _ in range(2):
            ahead.begin(blocks)
            for block in blocks:
                ahead.next_block()
                expect_answers(ahead, block)


def test_nobody_waits_for_the_process_to_start(blocks: list[bytes]) -> None:
    """Batches are gone through with recoveries of one's own until it is up, and with its answers from then on."""
    with Ahead(SEPARATOR) as ahead:
        ahead.begin(blocks)
        for block in blocks:
            ahead.next_block()
            expect_answers(ahead, block)
        ahead.start()
        ahead.begin(blocks)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "recover", lambda *_: pytest.fail("recovered again"))
            for block in blocks:
                ahead.next_block()
                expect_answers(ahead, block)


@pytest.mark.parametrize("up", [False, True])
def test_batch_that_stopped_half_way_does_not_disturb_the_next(blocks: list[bytes], up: bool) -> None:
    """Answers that nobody waited for are not taken for those of another block."""
    with Ahead(SEPARATOR) as ahead:
        if up:
            ahead.start()
        ahead.begin(blocks)
        ahead.next_block()
        ahead.begin(blocks[5:])
        for block in blocks[5:]:
            ahead.next_block()
            expect_answers(ahead, block)


def test_bytes_that_are_no_transaction_are_left_to_execution(blocks: list[bytes]) -> None:
    """A wrong block is for the state transition to judge, and the blocks after it are answered as ever."""
    with Ahead(SEPARATOR) as ahead:
        ahead.start()
        ahead.begin([GARBAGE, *blocks])
        ahead.next_block()
        for block in blocks:
            ahead.next_block()
            expect_answers(ahead, block)


def test_forged_signature_is_refused_as_by_recovery_itself(blocks: list[bytes]) -> None:
    """The process' silence about a signature proves nothing."""
    with Ahead(SEPARATOR) as ahead:
        ahead.begin(blocks)
        ahead.next_block()
        digest, signature = orders_of(blocks[0])[0]
        with pytest.raises(SignatureFault):
            ahead.recover(digest, signature[:32] + b"\x7f" + b"\xff" * 31)


@pytest.mark.parametrize("up", [False, True])
def test_killed_process_costs_time_and_nothing_else(blocks: list[bytes], up: bool) -> None:
    """What it would have answered is recovered where it is asked for."""
    with Ahead(SEPARATOR) as ahead:
        if up:
            ahead.start()
        ahead.begin(blocks)
        ahead.next_block()
        assert ahead.process is not None
        ahead.process.kill()
        ahead.process.wait()
        for block in blocks[1:]:
            ahead.next_block()
            expect_answers(ahead, block)
        ahead.begin(blocks)
        ahead.next_block()
        expect_answers(ahead, blocks[0])
    assert ahead.process.returncode is not None


def test_small_batch_starts_no_process(blocks: list[bytes]) -> None:
    """A follower of a quiet chain is one process."""
    with Ahead(SEPARATOR) as ahead:
        ahead.begin(blocks[1:])
        ahead.next_block()
        expect_answers(ahead, blocks[1])
        assert ahead.process is None
