"""A whole sequencer behind its RPC, in a thread of its own: synchronous tests, Hypothesis too, attack one server."""

from __future__ import annotations

import queue
import tempfile
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import trio

from rollup.l1.devkeys import dev_key
from rollup.rpc.client import RpcError, connect_http
from rollup.rpc.node import Node, run_node
from rollup.sequencer.options import SequencerOptions
from tests.rpc.requests import MAKER_KEY, MARK, RESTING, TAKER_KEY, TRADED, USD, Signer
from tests.rpc.wire import Wire, post
from tests.support.deployed import SEQUENCER, Site, open_site
from tests.support.trader import open_accounts

T = TypeVar("T")
PATIENCE = 180.0
INSTRUMENTS = ("BTC-PERP", "ETH-PERP")
_MOVING = ("subaccount_value", "maintenance_margin", "initial_margin")
"""What changes with time by itself: funding accrues."""


@dataclass(frozen=True, slots=True)
class Served:
    """A serving node with two accounts, a price, a trade and an order on each side of the book."""

    node: Node
    signer: Signer
    token: trio.lowlevel.TrioToken

    def run(self, work: Callable[..., Awaitable[T]], *arguments: Any) -> T:
        """Run a coroutine function in the server's loop; it talks to the server over a socket like anybody."""
        return trio.from_thread.run(work, *arguments, trio_token=self.token)

    async def connect(self) -> Wire:
        """A fresh connection."""
        address = self.node.address
        return Wire(await trio.open_tcp_stream(address.host, address.port))

    async def call(self, method: str, params: dict[str, Any] | None = None) -> Any:
        """One well-behaved call on a connection of its own."""
        async with connect_http(self.node.address.http_url) as rpc:
            return await rpc.call(method, params)

    async def ask(self, body: bytes, path: str = "/") -> tuple[int, Any]:
        """POST a body on a connection of its own: status and answer."""
        wire = await self.connect()
        try:
            with trio.fail_after(PATIENCE):
                status, _, answer = await wire.http(post(body, path))
        finally:
            await wire.stream.aclose()
        return status, answer

    async def picture(self) -> dict[str, Any]:
        """Everything that a request could change."""
        async with connect_http(self.node.address.http_url) as rpc:
            status = await rpc.call("public/status")
            names = ("state_root", "head", "inbox_index", "open_orders", "posted", "fork", "alarms", "dishonest")
            picture = {name: status[name] for name in names}
            for name in INSTRUMENTS:
                book = await rpc.call("public/get_orderbook", {"instrument_name": name})
                picture[name] = (book["bids"], book["asks"])
            for account in self.signer.accounts:
                found = await rpc.call("private/get_subaccount", {"subaccount_id": account})
                picture[str(account)] = {key: value for key, value in found.items() if key not in _MOVING}
            picture["trades"] = (await rpc.call("public/get_trade_history"))["trades"]
        return picture

    @contextmanager
    def unharmed(self) -> Iterator[None]:
        """What the block does must leave state, books and server as they were."""
        statistics = self.node.dispatcher.statistics
        before, failed = self.run(self.picture), statistics.failed
        yield
        assert self.run(self.picture) == before
        assert statistics.failed == failed, "a handler raised what is no refusal"


async def prepare(served: Served) -> Served:
    """Trade once, and leave an order on each side of the book."""
    signer = served.signer
    maker, taker = signer.accounts
    with trio.fail_after(PATIENCE):
        while True:
            try:
                await served.call("private/get_subaccount", {"subaccount_id": taker})
            except RpcError:
                await trio.sleep(0.02)
            else:
                break
    await served.call("oracle/update", signer.price(age=2))
    await served.call("private/order", signer.order(maker, MAKER_KEY, nonce=TRADED, sell=True, size=200_000))
    await served.call("private/order", signer.order(taker, TAKER_KEY, nonce=TRADED, size=200_000, immediate=True))
    high, low = MARK + 100 * USD, MARK - 100 * USD
    await served.call("private/order", signer.order(maker, MAKER_KEY, nonce=RESTING, sell=True, price=high))
    bid = await served.call("private/order", signer.order(taker, TAKER_KEY, nonce=RESTING, price=low))
    out = await served.call("private/withdraw", signer.withdraw(maker, MAKER_KEY, nonce=5))
    known = replace(signer, order_id=bid["order"]["order_id"], transaction_id=out["transaction_id"])
    return replace(served, signer=known)


async def is_posted(served: Served) -> bool:
    """Whether every block is on L1."""
    status = await served.call("public/status")
    return bool(status["posted"] >= status["head"])


async def serve(
    site: Site, folder: Path, post_batches: bool, ready: Callable[[Served], None], stop: trio.Event
) -> None:
    """Run a node on the site until told to stop."""
    accounts = await open_accounts(site, [MAKER_KEY, TAKER_KEY], 100_000 * USD)
    options = SequencerOptions(
        data_dir=folder,
        l1_url=site.url,
        rollup=site.deployment.rollup,
        key=dev_key(SEQUENCER),
        confirmations=0,
        poll_interval=0.05,
        post_batches=post_batches,
        batch_interval=0.1,
    )
    async with trio.open_nursery() as nursery:
        node: Node = await nursery.start(run_node, options, "127.0.0.1", 0)
        signer = Signer(site.deployment.chain_id, site.deployment.rollup, (accounts[0], accounts[1]))
        served = Served(node, signer, trio.lowlevel.current_trio_token())
        served = await prepare(served)
        while post_batches and not await is_posted(served):  # noqa: ASYNC110 - what is awaited is on L1
            await trio.sleep(0.02)
        ready(served)
        await stop.wait()
        nursery.cancel_scope.cancel()


@contextmanager
def serving(*, post_batches: bool = False) -> Iterator[Served]:
    """A served sequencer for the time of the block."""
    begun: queue.SimpleQueue[Served | BaseException] = queue.SimpleQueue()
    stops: list[trio.Event] = []

    async def live(folder: Path) -> None:
        stops.append(trio.Event())
        async with open_site(dated=True, patient=True) as site:
            await serve(site, folder, post_batches, begun.put, stops[0])

    def work(folder: Path) -> None:
        try:
            trio.run(live, folder)
        except BaseException as error:  # noqa: BLE001 - the test's thread raises it
            begun.put(error)

    with tempfile.TemporaryDirectory() as folder:
        thread = threading.Thread(target=work, args=(Path(folder),))
        thread.start()
        served = begun.get()
        if isinstance(served, BaseException):
            thread.join()
            raise served
        try:
            yield served
        finally:
            trio.from_thread.run_sync(stops[0].set, trio_token=served.token)
            thread.join()
        if not begun.empty():
            raise AssertionError("the server died") from begun.get()  # type: ignore[misc] # nothing but errors is left
