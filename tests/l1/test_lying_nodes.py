"""The client against nodes that are broken, behind broken proxies, or lie: a typed error, never a wrong value."""

from __future__ import annotations

import gzip
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from rollup.errors import L1Error, L1LimitExceeded, L1Refused, L1Reverted
from rollup.l1.account import L1Account
from rollup.l1.client import L1Client
from rollup.l1.devkeys import dev_key
from rollup.l1.retry import RetryPolicy
from rollup.l1.values import Fees
from tests.support.liar import Request, Respond, error, http, result, serve_liar

ONCE = RetryPolicy(attempts=1)
HASH = "0x" + "ab" * 32
ADDRESS = "0x" + "cd" * 20
BLOCK: dict[str, Any] = {
    "number": "0x5",
    "hash": HASH,
    "parentHash": HASH,
    "timestamp": "0x1",
    "baseFeePerGas": "0x1",
    "gasUsed": "0x0",
    "gasLimit": "0x1",
    "transactions": [],
}
LOG: dict[str, Any] = {
    "address": ADDRESS,
    "topics": [HASH],
    "data": "0x",
    "blockNumber": "0x5",
    "blockHash": HASH,
    "transactionHash": HASH,
    "transactionIndex": "0x0",
    "logIndex": "0x0",
}


async def ask(respond: Respond, question: Callable[[L1Client], Awaitable[Any]], **options: Any) -> Any:
    """Put one question to a lying node, without retries."""
    async with serve_liar(respond) as url, L1Client(url, retry_policy=ONCE, **options) as client:
        return await question(client)


async def failure(
    respond: Respond, question: Callable[[L1Client], Awaitable[Any]], *, linger: bool = False, **options: Any
) -> L1Error:
    """The error that a question to a lying node ends with."""
    async with serve_liar(respond, linger=linger) as url, L1Client(url, retry_policy=ONCE, **options) as client:
        with pytest.raises(L1Error) as caught:
            await question(client)
    return caught.value


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"not HTTP at all\r\n\r\n",
        http(b""),
        http(b"<html>gateway</html>"),
        http(b"[]"),
        http(b'"text"'),
        http(b"{}"),
        http(b'{"jsonrpc":"2.0","id":1'),
        http(b"\xff\xfe"),
        http(b"[" * 100_000),
        http(b'{"jsonrpc":"2.0","id":1,"result":"0x1"}', headers="Content-Encoding: gzip\r\n"),
        http(gzip.compress(b'{"jsonrpc":"2.0","id":1,"result":"0x1"}')),
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{",
    ],
)
async def test_garbage_is_an_error_of_the_node(answer: bytes) -> None:
    """Whatever comes instead of a JSON-RPC answer raises L1Error and nothing else."""
    assert type(await failure(lambda _: answer, L1Client.chain_id)) is L1Error


@pytest.mark.parametrize("wrong", [{"id": 77}, {"id": "1"}, {"id": None}, {"id": True}, {"jsonrpc": "1.0"}])
async def test_an_answer_to_another_request_is_not_used(wrong: dict[str, Any]) -> None:
    """Identifier and version must match; trying again may help."""

    def respond(request: Request) -> bytes:
        reply = {"jsonrpc": "2.0", "id": request["id"], "result": "0x1"} | wrong
        return result(request | {"id": reply["id"]}, "0x1") if "id" in wrong else _encoded(reply)

    assert (await failure(respond, L1Client.chain_id)).retryable


@pytest.mark.parametrize(
    "value", [None, 1, "1", "0x", "0xzz", "0x-1", "0x1 ", "0x" + "f" * 17, "0x" + "f" * 65, [], {}]
)
async def test_a_malformed_quantity_is_refused(value: Any) -> None:
    """A chain id is 1 to 64 bits of hexadecimal."""
    assert not (await failure(lambda r: result(r, value), L1Client.chain_id)).retryable


@pytest.mark.parametrize("value", [None, 5, "0x0", "ab", "0xzz", "0x 1", "0xÄÖ", ["0x"]])
async def test_malformed_bytes_are_refused(value: Any) -> None:
    """Code is an even number of hexadecimal digits."""
    assert not (await failure(lambda r: result(r, value), lambda c: c.get_code(b"\1" * 20))).retryable


@pytest.mark.parametrize("field", sorted(BLOCK))
@pytest.mark.parametrize("value", [None, "0x", "nonsense", -1, {"a": 1}])
async def test_a_block_with_any_field_wrong_is_refused(field: str, value: Any) -> None:
    """Each field is checked."""
    await failure(lambda r: result(r, BLOCK | {field: value}), lambda c: c.get_block(5))


async def test_another_block_than_asked_for_is_refused() -> None:
    """Number and hash of the answer must be the ones asked for."""
    block = await ask(lambda r: result(r, BLOCK), lambda c: c.get_block(5))
    assert block.number == 5
    assert (await failure(lambda r: result(r, BLOCK), lambda c: c.get_block(6))).retryable
    assert (await failure(lambda r: result(r, BLOCK), lambda c: c.get_block(b"\1" * 32))).retryable
    with_hashes = BLOCK | {"transactions": [HASH]}
    await failure(lambda r: result(r, with_hashes), lambda c: c.get_block(5, full=True))


@pytest.mark.parametrize(
    "logs",
    [
        {},
        [LOG | {"blockNumber": "0x6"}],
        [LOG | {"address": "0x" + "01" * 20}],
        [LOG | {"topics": ["0x" + "01" * 32]}],
        [LOG | {"topics": []}],
        [LOG | {"topics": [HASH] * 5}],
        [LOG | {"topics": "0x"}],
        [LOG, LOG],
        [LOG | {"logIndex": "0x1"}, LOG],
        [LOG | {"transactionHash": "0x01"}],
    ],
)
async def test_logs_that_were_not_asked_for_are_refused(logs: Any) -> None:
    """Logs of other blocks, addresses or topics, repeated or out of order, never reach the caller."""
    address, topic = bytes.fromhex(ADDRESS[2:]), bytes.fromhex(HASH[2:])
    await failure(lambda r: result(r, logs), lambda c: c.get_logs(address, [topic], from_block=5, to_block=5))


async def test_other_transactions_and_receipts_than_asked_for_are_refused() -> None:
    """The hash of the answer must be the one asked for."""
    receipt = {
        "transactionHash": HASH,
        "transactionIndex": "0x0",
        "blockHash": HASH,
        "blockNumber": "0x1",
        "from": ADDRESS,
        "to": None,
        "status": "0x1",
        "gasUsed": "0x1",
        "effectiveGasPrice": "0x1",
        "logs": [LOG],
    }
    found = await ask(lambda r: result(r, receipt), lambda c: c.get_receipt(bytes.fromhex(HASH[2:])))
    assert found.success
    await failure(lambda r: result(r, receipt), lambda c: c.get_receipt(b"\1" * 32))
    await failure(lambda r: result(r, receipt | {"status": "0x2"}), lambda c: c.get_receipt(bytes.fromhex(HASH[2:])))
    foreign = receipt | {"logs": [LOG | {"transactionHash": "0x" + "01" * 32}]}
    await failure(lambda r: result(r, foreign), lambda c: c.get_receipt(bytes.fromhex(HASH[2:])))


async def test_an_answer_without_end_is_cut_off() -> None:
    """No more than the allowed number of bytes is ever held."""
    caught = await failure(lambda r: result(r, "0x" + "00" * 10_000), L1Client.chain_id, max_answer_bytes=1_000)
    assert isinstance(caught, L1LimitExceeded)


async def test_a_silent_node_is_given_up_after_the_timeout() -> None:
    """A timeout is worth trying again."""
    caught = await failure(lambda _: None, L1Client.chain_id, timeout=0.05)
    assert caught.retryable
    assert "no answer" in str(caught)


async def test_execution_is_given_a_time_of_its_own() -> None:
    """A call may take long where reading a number may not."""
    caught = await failure(lambda _: None, lambda c: c.call(b"\1" * 20, b""), timeout=600, execution_timeout=0.05)
    assert caught.retryable
    assert "eth_call: no answer within 0.05 s" in str(caught)


async def test_a_node_that_stops_in_the_middle_is_given_up_after_the_timeout() -> None:
    """The timeout bounds the whole answer, not its beginning."""
    beginning = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"
    caught = await failure(lambda _: beginning, L1Client.chain_id, timeout=0.05, linger=True)
    assert "no answer" in str(caught)


async def test_a_node_that_is_not_there_is_retryable() -> None:
    """A refused connection may be a node that restarts."""
    async with serve_liar(lambda _: b"") as url:
        pass
    async with L1Client(url, retry_policy=ONCE) as client:
        with pytest.raises(L1Error) as caught:
            await client.chain_id()
    assert caught.value.retryable


@pytest.mark.parametrize("url", ["", "ftp://x", "http://", "localhost:8545", "http://:80", "file:///x"])
def test_what_is_no_http_url_is_refused(url: str) -> None:
    """A typing error in the configuration is found at once."""
    with pytest.raises(L1Error):
        L1Client(url)


@pytest.mark.parametrize(("status", "retryable"), [(429, True), (502, True), (503, True), (401, False), (404, False)])
async def test_an_http_error_says_whether_to_try_again(status: int, retryable: bool) -> None:
    """An overloaded proxy may recover, a refusal will not."""
    caught = await failure(lambda _: http(b"sorry", status=status), L1Client.chain_id)
    assert caught.retryable is retryable


async def test_a_passing_fault_is_survived() -> None:
    """Reads are tried again while that can help."""
    answers = [http(b"busy", status=503), b"", http(b"busy", status=429)]

    def respond(request: Request) -> bytes:
        return answers.pop() if answers else result(request, "0x7")

    policy = RetryPolicy(attempts=4, first_pause=0.001)
    async with serve_liar(respond) as url, L1Client(url, retry_policy=policy) as client:
        assert await client.chain_id() == 7


@pytest.mark.parametrize(("code", "message"), [(None, "x"), ("3", "x"), (1, None), (True, "x")])
async def test_a_malformed_error_is_an_error_of_the_node(code: Any, message: Any) -> None:
    """Even errors are checked."""
    assert type(await failure(lambda r: error(r, code, message), L1Client.chain_id)) is L1Error


@pytest.mark.parametrize(
    "data", ["0x08c379a0", "0x4e487b71" + "00" * 31, "0x", {"data": "0xdeadbeef"}, "Reverted 0x01"]
)
async def test_revert_data_that_fits_no_error_stays_raw(data: Any) -> None:
    """Cut-off or unknown revert data is shown as it is, wherever the node puts it."""
    caught = await failure(lambda r: error(r, 3, "reverted", data), lambda c: c.call(b"\1" * 20, b""))
    assert isinstance(caught, L1Reverted)
    assert (caught.name, caught.arguments) == ("", ())


@pytest.mark.parametrize("limit", [1, 3, 100])
async def test_a_refused_range_of_logs_is_split(limit: int) -> None:
    """Ranges are halved until the node answers; every block is asked for exactly once."""
    asked: list[int] = []

    def respond(request: Request) -> bytes:
        first, last = (int(request["params"][0][key], 16) for key in ("fromBlock", "toBlock"))
        if last - first + 1 > limit:
            return error(request, -32000, f"block range exceeds {limit}")
        asked.extend(range(first, last + 1))
        return result(request, [LOG | {"blockNumber": hex(n)} for n in range(first, last + 1)])

    logs = await ask(respond, lambda c: c.get_logs([], from_block=10, to_block=40), max_log_range=20)
    assert asked == list(range(10, 41))
    assert [log.block_number for log in logs] == asked


async def test_a_block_of_logs_that_cannot_be_split_is_an_error() -> None:
    """Splitting ends at one block."""
    refuse: Respond = lambda r: error(r, -32005, "query returned more than 10000 results")  # noqa: E731 - a value
    assert isinstance(await failure(refuse, lambda c: c.get_logs([], from_block=0, to_block=9)), L1Refused)


async def test_another_refusal_of_logs_is_not_answered_by_splitting() -> None:
    """Only words that ask for less lead to smaller ranges."""
    requests: list[Request] = []

    def respond(request: Request) -> bytes:
        requests.append(request)
        return error(request, -32602, "invalid address")

    await failure(respond, lambda c: c.get_logs([], from_block=0, to_block=9))
    assert len(requests) == 1


async def test_a_node_that_returns_a_wrong_transaction_hash_is_caught() -> None:
    """We know the hash of what we sign."""

    async def send(client: L1Client) -> None:
        await L1Account(client, dev_key(0)).send(b"\1" * 20, gas=21_000, fees=Fees(1, 1), nonce=0)

    answers = {"eth_chainId": "0x1", "eth_sendRawTransaction": HASH}
    assert "another transaction" in str(await failure(lambda r: result(r, answers[r["method"]]), send))


@pytest.mark.parametrize(
    "history",
    [
        {"oldestBlock": "0x1", "baseFeePerGas": ["0x1"], "gasUsedRatio": [0.5]},
        {"oldestBlock": "0x1", "baseFeePerGas": ["0x1", "0x1"], "gasUsedRatio": [1.5]},
        {"oldestBlock": "0x1", "baseFeePerGas": ["0x1", "0x1"], "gasUsedRatio": ["x"]},
        {"oldestBlock": "0x1", "baseFeePerGas": ["0x1", 1], "gasUsedRatio": [0.5]},
        {"oldestBlock": "0x1", "baseFeePerGas": ["0x1", "0x1"], "gasUsedRatio": [0.5], "reward": [["x"]]},
        {"oldestBlock": "0x1", "baseFeePerGas": ["0x1", "0x1"], "gasUsedRatio": [0.5], "reward": [3]},
    ],
)
async def test_a_fee_history_that_does_not_add_up_is_refused(history: dict[str, Any]) -> None:
    """Prices steer what we pay, so they are checked like everything else."""
    await failure(lambda r: result(r, history), lambda c: c.fee_history(1))


def _encoded(reply: dict[str, Any]) -> bytes:
    return http(msgspec.json.encode(reply))
