"""One block, from its first message to its last transaction (SPEC section 5): what replay and challengers execute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rollup.crypto.keccak import roll
from rollup.crypto.signatures import Recover, recover
from rollup.errors import BlockFull, InvalidTransaction, Undecodable
from rollup.stf import meters
from rollup.stf.context import Context, Read
from rollup.stf.fund import repaid
from rollup.stf.messages import execute_message
from rollup.stf.meters import Usage
from rollup.stf.receipts import Receipt, kind_of
from rollup.stf.transactions import execute_transaction
from rollup.types.blocks import Header
from rollup.types.keys import GLOBALS
from rollup.types.leaves import Globals
from rollup.types.reasons import Reason
from rollup.types.transactions import decode_transaction


@dataclass(frozen=True, slots=True)
class BlockResult:
    """The verdict on a block. `reason` NONE: valid, up to its state root, which the caller compares.

    `index` is the message or transaction at fault (counted together), `pre` the touched keys with their values before
    the block (the content of its witness, up to the fault), `writes` the leaves that changed (none if invalid),
    `receipts` of all that executed before the fault.
    """

    reason: Reason
    index: int
    pre: dict[int, bytes]
    writes: dict[int, bytes]
    receipts: tuple[Receipt, ...]
    usage: Usage


def execute_block(
    read: Read, header: Header, txs: bytes, messages: Sequence[bytes], separator: bytes, recover: Recover = recover
) -> BlockResult:
    """Execute a block on the state that `read` gives; never raises for the block's own faults.

    `messages` are the inbox messages from the state's inbox position up to the header's, which L1 fixes: others are a
    fault of the caller, an AssertionError. The header's roots and transaction hash are the caller's to compare.
    """
    ctx = Context(read, header.timestamp, separator, recover)
    receipts: list[Receipt] = []
    reason = _execute(ctx, header, txs, messages, receipts)
    valid = reason is Reason.NONE
    writes = ctx.writes() if valid else {}
    return BlockResult(reason, 0 if valid else len(receipts), ctx.pre, writes, tuple(receipts), ctx.meters.read())


def _execute(ctx: Context, header: Header, txs: bytes, messages: Sequence[bytes], receipts: list[Receipt]) -> Reason:
    totals = ctx.globals()
    _assert_fold(totals, header, messages)
    if header.timestamp < totals.time:
        return Reason.TIME
    try:
        for message in messages:
            receipts.append(execute_message(ctx, message, len(receipts)))
        _execute_transactions(ctx, txs, receipts)
    except (InvalidTransaction, BlockFull) as fault:
        return Reason(fault.reason)
    except Undecodable:
        return Reason.UNDECODABLE
    close(ctx, header.inbox_index, header.inbox_hash)
    return Reason.NONE


def _execute_transactions(ctx: Context, txs: bytes, receipts: list[Receipt]) -> None:
    offset = 0
    while offset < len(txs):
        ctx.meters.add(meters.TRANSACTIONS)
        tx, end = decode_transaction(txs, offset)
        ctx.meters.add(meters.BYTES, end - offset)
        detail = execute_transaction(ctx, tx)
        ctx.commit()
        receipts.append(Receipt(len(receipts), kind_of(tx), Reason.NONE, False, tx, detail))
        offset = end


def close(ctx: Context, inbox_index: int, inbox_hash: bytes) -> None:
    """Write the block's inbox position and time into the totals: the last thing a valid block does.

    Before that the fund repays bad debt, with what has come into it since.
    """
    totals = repaid(ctx.globals())
    ctx.stage(GLOBALS, replace(totals, inbox_index=inbox_index, inbox_hash=inbox_hash, time=ctx.timestamp))
    ctx.commit()


def _assert_fold(totals: Globals, header: Header, messages: Sequence[bytes]) -> None:
    folded = totals.inbox_hash
    for message in messages:
        folded = roll(folded, message)
    position = (totals.inbox_index + len(messages), folded)
    assert position == (header.inbox_index, header.inbox_hash), (
        "the messages do not lead to the header's inbox position"
    )
