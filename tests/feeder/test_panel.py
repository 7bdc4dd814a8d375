"""Co-signing: who is asked, whose signature counts, and feeders in processes of their own, over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

from rollup.crypto.signatures import recover
from rollup.errors import ConfigError
from rollup.feeder.endpoint import NoStatement, read_statement
from rollup.feeder.judge import NotSigned
from rollup.feeder.panel import OwnKey, Panel, Peer, Signer, TooFewSigners, threshold_of
from rollup.feeder.rounds import Leader
from rollup.feeder.service import FeederOptions, open_rpc, run_feeder
from rollup.feeder.statements import Statement, digest_of, price_statement
from rollup.l1.devkeys import dev_address, dev_key
from rollup.quant.sources import Prices
from rollup.rpc.client import RpcError, connect_http
from rollup.rpc.server import run_rpc_server
from rollup.types.genesis import BTC
from rollup.types.transactions import Cancel, encode_transaction
from tests.feeder.market import FEEDERS, PRICE, SEPARATOR, START, Market, Scripted, opinion, panel

ADDRESSES = tuple(map(dev_address, FEEDERS))
SLOW = 0.05
"""Of real time, where real sockets are used: what is waited for there must come though the machine is busy."""


def price(time: int = START, spot: int = PRICE) -> Statement:
    """A proposal."""
    return price_statement(BTC, time, Prices(spot, spot))


class Silent:
    """A feeder that does not answer."""

    name = "silent"

    async def sign(self, statement: Statement, digest: bytes) -> bytes:  # noqa: ARG002
        """Never."""
        await trio.sleep_forever()
        raise AssertionError


class Refusing:
    """A feeder of another opinion."""

    name = "refusing"

    async def sign(self, statement: Statement, digest: bytes) -> bytes:  # noqa: ARG002
        """No."""
        raise NotSigned("spot 1, here it is 2")


@pytest.mark.parametrize(("count", "threshold"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 4), (6, 4), (8, 6)])
def test_two_thirds_of_the_feeders_rounded_up_must_sign(count: int, threshold: int) -> None:
    """More than half, so that two different prices of one second cannot both be signed by honest feeders."""
    assert threshold_of(count) == threshold


@pytest.mark.parametrize("threshold", [1, 2, 3])
async def test_each_signature_is_that_of_the_feeder_whose_bit_is_set(threshold: int) -> None:
    """Ascending, as the state transition reads them; and in turn everybody signs."""
    seen = 0
    for second in range(3):
        signed = await panel().co_sign(price(START + second), ADDRESSES, threshold)
        signers = [index for index in range(8) if signed.signers >> index & 1]
        assert len(signers) == threshold == len(signed.signatures)
        digest = digest_of(SEPARATOR, signed)
        assert [recover(digest, each) for each in signed.signatures] == [ADDRESSES[index] for index in signers]
        seen |= signed.signers
    assert seen == 0b111


async def test_strangers_and_duplicates_do_not_count() -> None:
    """A key outside of the set, and the same key twice."""
    with pytest.raises(TooFewSigners, match="1 of 2"):
        await panel([10, 10, 20]).co_sign(price(), ADDRESSES, 2)


async def test_who_refuses_or_is_silent_is_replaced(autojump_clock: MockClock) -> None:
    """The others are asked, as long as enough are left."""
    own = [OwnKey(dev_key(key)) for key in FEEDERS]
    for second in range(4):
        mixed = Panel(SEPARATOR, [Silent(), own[0], Refusing(), own[2]])
        signed = await mixed.co_sign(price(START + second), ADDRESSES, 2)
        assert signed.signers == 0b101
    with pytest.raises(TooFewSigners, match="1 of 2"):
        await Panel(SEPARATOR, [Silent(), own[0], Refusing()]).co_sign(price(), ADDRESSES, 2)
    assert autojump_clock.rate == 0


@asynccontextmanager
async def feeders(market: Market, *sources: Scripted) -> AsyncIterator[list[str]]:
    """A feeder's process for each source but the first, on loopback, and a node for them all."""
    async with trio.open_nursery() as nursery:

        async def node(task_status: trio.TaskStatus[object]) -> None:
            await run_rpc_server(market.dispatcher, "127.0.0.1", 0, task_status=task_status)

        address = await nursery.start(node)
        urls = [address.http_url]
        for key, source in zip(FEEDERS[1:], sources[1:], strict=True):
            options = FeederOptions(
                address.http_url, SEPARATOR, (dev_key(key),), opinion(source), market.clock, leads=False,
                listen=("127.0.0.1", 0),
            )  # fmt: skip
            bound = await nursery.start(run_feeder, options, lambda _: None)
            urls.append(bound.http_url)
        yield urls
        nursery.cancel_scope.cancel()


async def test_feeders_in_processes_of_their_own_co_sign_what_they_agree_on(mock_clock: MockClock) -> None:
    """A leader with one key gets the other signatures over HTTP; one whose sources differ does not sign."""
    mock_clock.rate = SLOW
    market, mine, other = Market(mock_clock, threshold=2), Scripted(), Scripted()
    async with feeders(market, mine, Scripted(2 * PRICE), other) as (_, *urls):
        signers: list[Signer] = [OwnKey(dev_key(FEEDERS[0])), *map(Peer, urls)]
        leading = Leader(market.venue, Panel(SEPARATOR, signers), opinion(mine), lambda _: None)
        await leading.go_round()
        assert len(market.updates) == 3
        assert {update.signers for update in market.updates} == {0b101}
        other.spot = 3 * PRICE
        mock_clock.jump(1)
        await leading.go_round()
        assert len(market.updates) == 3


async def test_an_endpoint_refuses_what_is_no_unsigned_update(mock_clock: MockClock) -> None:
    """With codes that callers may rely on."""
    mock_clock.rate = SLOW
    market = Market(mock_clock)
    async with feeders(market, Scripted(), Scripted(), Scripted()) as (_, url, _other), connect_http(url) as rpc:
        signed = await panel().co_sign(price(), ADDRESSES, 2)
        whole = encode_transaction(price())
        cancel = encode_transaction(Cancel(1, False, 1, bytes(64)))
        for data in (b"", b"\xff", cancel, encode_transaction(signed), whole + b"\0", whole[:-1]):
            with pytest.raises(RpcError, match="unsigned") as refused:
                await rpc.call("feeder/sign", {"statement": f"0x{data.hex()}"})
            assert refused.value.code == NoStatement.code
        with pytest.raises(RpcError, match="spot") as other:
            await rpc.call("feeder/sign", {"statement": f"0x{encode_transaction(price(spot=1)).hex()}"})
        assert other.value.code == NotSigned.code
        answer = await rpc.call("feeder/sign", {"statement": f"0x{whole.hex()}"})
        digest = digest_of(SEPARATOR, price())
        assert recover(digest, bytes.fromhex(answer["signature"][2:])) == bytes.fromhex(answer["feeder"][2:])
    assert read_statement(f"0x{whole.hex()}") == price()


async def test_a_feeder_signs_for_others_with_one_key_only(autojump_clock: MockClock) -> None:
    """Several at one address would count as one."""
    market = Market(autojump_clock)
    keys = (dev_key(10), dev_key(11))
    options = FeederOptions("http://x", SEPARATOR, keys, opinion(Scripted()), market.clock, listen=("127.0.0.1", 0))
    with pytest.raises(ConfigError, match="exactly one key"):
        await run_feeder(options, lambda _: None)


def test_a_node_s_address_is_one_of_two_kinds() -> None:
    """Anything else is told before anything is tried."""
    with pytest.raises(ConfigError, match="neither"):
        open_rpc("ftp://x")
