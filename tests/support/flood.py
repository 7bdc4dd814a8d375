"""Whoever floods the inbox: hundreds of messages in one L1 transaction, from code that runs once and leaves nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rollup.l1.deployment import created_address
from rollup.l1.devkeys import dev_address
from rollup.l1.limits import MAX_TX_GAS
from rollup.l1.values import Receipt
from tests.support.deployed import SEQUENCER, Site

LONG: Final = b"\x01" + b"\xff" * 490
"""The longest transaction that the inbox takes, and nothing that can be executed: sixteen fill a block's bytes."""
AT_ONCE: Final = 250
"""Messages of one transaction: the gas of longer ones would not fit."""
PURSE: Final = 10**17
"""Wei with each call; more than any fee here, and what is left is returned."""

Call = tuple[bytes, bytes, int]
"""Contract, calldata, value."""


async def force_many(site: Site, transactions: Sequence[bytes], key: int = SEQUENCER) -> list[Receipt]:
    """Force all of these, in order."""
    inbox = site.contract("Inbox")
    receipts = []
    for at in range(0, len(transactions), AT_ONCE):
        part = transactions[at : at + AT_ONCE]
        calls = [(inbox.address, inbox.abi.encode_call("force", each), PURSE) for each in part]
        first, slope = await inbox.call("forceFee"), await inbox.call("feeSlope")
        fees = len(part) * first + slope * len(part) * (len(part) - 1) // 2
        receipts.append(await _run(site, calls, fees + PURSE, key))
    return receipts


async def deposit_many(site: Site, count: int, *, opening: bool = False, key: int = SEQUENCER) -> Receipt:
    """Deposit a millionth of a dollar `count` times, or open as many accounts with a dollar each."""
    inbox, token = site.contract("Inbox"), site.contract("TestUSD")
    payer = created_address(dev_address(key), await site.l1.get_nonce(dev_address(key)))
    if opening:
        call = inbox.abi.encode_call("open", dev_address(key), 10**6)
    else:
        call = inbox.abi.encode_call("deposit", 0, 1)
    money = [
        (token.address, token.abi.encode_call("mint", payer, 10**6 * count), 0),
        (token.address, token.abi.encode_call("approve", inbox.address, 10**6 * count), 0),
    ]
    return await _run(site, [*money, *[(inbox.address, call, 0)] * count], 0, key)


async def _run(site: Site, calls: Sequence[Call], value: int, key: int) -> Receipt:
    return await site.account(key).transact(None, assemble(calls), value=value, gas=MAX_TX_GAS)


def assemble(calls: Sequence[Call]) -> bytes:
    """Creation code: for each call `mem[0:] = data; if (!to.call{value}(mem)) revert();`, then return no code."""
    places: dict[bytes, int] = {}
    end = len(_step(bytes(20), 0, 0, 0, 0)) * len(calls) + 1
    at = end + len(_FAIL)
    for _, data, _ in calls:
        if data not in places:
            places[data] = at
            at += len(data)
    steps = b"".join(_step(to, len(data), places[data], value, end) for to, data, value in calls)
    return steps + b"\x00" + _FAIL + b"".join(places)


_FAIL: Final = b"\x5b\x60\x00\x60\x00\xfd"


def _step(to: bytes, size: int, place: int, value: int, fail: int) -> bytes:
    copy = _push(size, 2) + _push(place, 3) + _push(0, 1) + b"\x39"
    call = _push(0, 1) * 2 + _push(size, 2) + _push(0, 1) + _push(value, 12) + b"\x73" + to + b"\x5a\xf1"
    return copy + call + b"\x15" + _push(fail, 2) + b"\x57"


def _push(number: int, size: int) -> bytes:
    return bytes([0x5F + size]) + number.to_bytes(size, "big")
