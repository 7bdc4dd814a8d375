"""`rollup force …` and `rollup force-withdraw` as a user runs them: an L1 node, an address, a key, an empty folder."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio

from challenger.export import write_export
from rollup.l1 import dev
from rollup.l1.devkeys import dev_address
from rollup.types.keys import account_key
from rollup.types.leaves import Account
from rollup.types.limits import FORCED_AGE
from tests.cli.test_verify import address, environment
from tests.support.deployed import CHALLENGER, DISPUTE_WINDOW, SEQUENCER, Site, open_site
from tests.support.poster import CASH, FILL, FIRST_OWNER, PRICE, Poster, start_poster
from tests.support.programs import running_program
from tests.support.wallet import create_wallet, through_wallet

OWNER = FIRST_OWNER
PATIENCE = 180.0


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """The contracts on an embedded L1."""
    async with open_site() as opened:
        yield opened


@pytest.fixture
async def poster(site: Site) -> Poster:
    """A posted chain with two accounts."""
    honest = await start_poster(site)
    await honest.open(2)
    await honest.post(await honest.block())
    return honest


async def run(site: Site, folder: Path, *words: str, key: int | None = OWNER) -> subprocess.CompletedProcess[bytes]:
    """Run `rollup` in an empty folder, without a terminal, for account 0 unless the words say otherwise."""
    where = ["--l1", site.url, "--rollup", address(site)]
    where += [] if key is None else ["--key", f"dev:{key}"]
    where += [] if "--account" in words else ["--account", "0"]
    return await trio.run_process(
        [sys.executable, "-m", "rollup", *words, *where],
        cwd=folder, env=environment(), stdin=subprocess.DEVNULL, capture_stdout=True, capture_stderr=True, check=False,
    )  # fmt: skip


async def lines(site: Site, folder: Path, *words: str, key: int | None = OWNER, code: int = 0) -> list[dict[str, Any]]:
    """What it answered to machines, an object per line."""
    done = await run(site, folder, *words, "--json", key=key)
    assert done.returncode == code, done.stderr.decode() + done.stdout.decode()
    return [msgspec.json.decode(line) for line in done.stdout.splitlines()]


async def take(poster: Poster, *, priced: bool = False) -> None:
    """Have the poster take everything that waits on L1; `priced` if it needs a price, which has grown old meanwhile."""
    inbox = poster.site.contract("Inbox")
    newest = await poster.site.l1.block_number()
    shown = await inbox.events("MessageAdded", from_block=0, to_block=newest)
    poster.messages = [event.values["message"] for event in shown]
    before = [await poster.block(*poster.prices(await poster.now()), take=0)] if priced else []
    await poster.post(*before, await poster.block())


def account(poster: Poster, number: int = 0) -> Account:
    """An account in the poster's state."""
    return Account.decode(poster.leaves[account_key(number)])


async def test_a_withdrawal_is_explained_sent_and_followed(site: Site, poster: Poster, tmp_path: Path) -> None:
    """Planned with its cost, forced, waiting, done; nothing is left in the folder."""
    planned, forced = await lines(site, tmp_path, "force-withdraw", "12.5", "--yes")
    assert (planned["status"], planned["what"]) == ("planned", "Withdraw 12.50 USD from account 0")
    assert (planned["forecast"], planned["notes"], planned["queue"]) == ("NONE", [], 0)
    assert (
        planned["cost_wei"]
        == planned["fee_wei"] + planned["gas"] * (planned["cost_wei"] - planned["fee_wei"]) // planned["gas"]
    )
    assert forced["status"] == "forced"
    assert forced["fee_wei"] == planned["fee_wei"]
    assert forced["due"] == forced["sent_at"] + DISPUTE_WINDOW
    assert forced["cost_wei"] < planned["needed_wei"] < planned["balance_wei"]
    number = str(forced["index"])
    (waiting,) = await lines(site, tmp_path, "force", "status", number, key=None)
    assert (waiting["status"], waiting["what"], waiting["overdue"]) == ("waiting", "Withdraw", False)
    await take(poster)
    (pending,) = await lines(site, tmp_path, "force", "status", number, "--wait", "consumed", key=None)
    assert (pending["status"], pending["done"]) == ("pending", True)
    assert (pending["paid"], pending["micro_paid"]) == ("12.50", 12_500_000)
    assert account(poster).withdrawn == 12_500_000
    mine = await lines(site, tmp_path, "force", "status", "--mine")
    assert [(each["what"], each["status"]) for each in mine] == [("Open", "pending"), ("Withdraw", "pending")]
    assert [*await trio.Path(tmp_path).iterdir()] == []


async def test_waiting_follows_a_message_until_it_is_final(site: Site, poster: Poster, tmp_path: Path) -> None:
    """One line for each stage that it reaches."""
    told: list[list[dict[str, Any]]] = []

    async def command() -> None:
        told.append(await lines(site, tmp_path, "force-withdraw", "7", "--yes", "--wait", "final"))

    async def chain() -> None:
        inbox, before = site.contract("Inbox"), len(poster.messages)
        while await inbox.call("count") == before:  # noqa: ASYNC110 - another process sends it
            await trio.sleep(0.1)
        await take(poster)
        await trio.sleep(2)
        await dev.increase_time(site.l1, DISPUTE_WINDOW + 1)
        await site.contract("Rollup").transact(site.account(CHALLENGER), "finalise", 2)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(command)
        nursery.start_soon(chain)
    stages = [line["status"] for line in told[0]]
    assert (stages[:2], stages[-1]) == (["planned", "forced"], "final")
    assert told[0][-1]["done"]


async def test_a_refusal_is_told_and_fails_the_command(site: Site, poster: Poster, tmp_path: Path) -> None:
    """The forecast says it beforehand, the outcome afterwards, in words."""
    planned, forced = await lines(site, tmp_path, "force-withdraw", "200000", "--yes")
    assert planned["forecast"] == "MARGIN"
    assert "only 100,000.00 USD can leave" in planned["notes"][0]
    await take(poster)
    number = str(forced["index"])
    refused = (await lines(site, tmp_path, "force", "status", number, "--wait", "consumed", key=None, code=1))[-1]
    assert (refused["done"], refused["reason"]) == (False, "MARGIN")
    people = await run(site, tmp_path, "force", "status", number, key=None)
    assert "refused in block 2: the account would have been left with less" in people.stdout.decode()


async def test_all_is_everything_without_positions_and_keeps_the_margin_with_them(
    site: Site, poster: Poster, tmp_path: Path
) -> None:
    """What it leaves is the initial margin and a half more, unless told otherwise; and that succeeds."""
    (planned,) = await lines(site, tmp_path, "force-withdraw", "all", "--dry-run")
    assert planned["what"] == f"Withdraw {CASH // 10**6:,}.00 USD from account 0"
    await poster.post(await poster.block(poster.trade()))
    (most,) = await lines(site, tmp_path, "force-withdraw", "all", "--spare", "0", "--dry-run")
    (some,) = await lines(site, tmp_path, "force-withdraw", "all", "--dry-run")
    assert (most["forecast"], some["forecast"]) == ("NONE", "NONE")
    exact, kept = (float(line["what"].split()[1].replace(",", "")) for line in (most, some))
    needed = 2 * (exact - kept)
    assert 0.05 * PRICE * FILL / 10**12 < needed < 0.5 * PRICE * FILL / 10**12
    assert f"{(exact - kept):,.2f}"[:5] in some["notes"][0]
    over = f"{exact + 0.000001:.6f}"
    (refused,) = await lines(site, tmp_path, "force-withdraw", over, "--dry-run")
    assert refused["forecast"] == "MARGIN"


async def test_stale_prices_are_warned_of(site: Site, poster: Poster, tmp_path: Path) -> None:
    """And the remedy is named."""
    await poster.post(await poster.block(poster.trade()))
    await dev.increase_time(site.l1, 3_600)
    await dev.mine(site.l1)
    (planned,) = await lines(site, tmp_path, "force-withdraw", "5", "--dry-run")
    assert planned["forecast"] == "NONE"
    assert "market 1 are no longer fresh" in planned["notes"][0]
    assert "rollup force prices" in planned["notes"][0]
    await dev.increase_time(site.l1, FORCED_AGE)
    await dev.mine(site.l1)
    (planned,) = await lines(site, tmp_path, "force-withdraw", "5", "--dry-run")
    assert planned["forecast"] == "ORACLE_STALE"
    assert "market 1 are too old" in planned["notes"][0]
    assert "rollup rescue" in planned["notes"][0]


async def test_everything_else_can_be_forced(site: Site, poster: Poster, tmp_path: Path) -> None:
    """Cancel, cancel-all, set-signer, transfer, trade, raw; each does what it says."""
    await poster.post(await poster.block(poster.trade()))
    signer = "0x" + dev_address(3).hex()
    await lines(site, tmp_path, "force", "set-signer", signer, "--yes")
    await lines(site, tmp_path, "force", "transfer", "5", "1", "--yes")
    await take(poster)
    assert account(poster).signer == dev_address(3)
    orders = []
    for side, number, key in (("sell", 0, 3), ("buy", 1, OWNER + 1)):
        words = ["force", "order", side, "1", "0.05", str(PRICE // 10**6), "--chain-id", str(site.deployment.chain_id)]
        command = [*words, "--rollup", address(site), "--account", str(number), "--key", f"dev:{key}", "--json"]
        done = await trio.run_process(
            [sys.executable, "-m", "rollup", *command], cwd=tmp_path, env=environment(), capture_stdout=True
        )
        orders.append(tmp_path / side)
        await trio.Path(orders[-1]).write_bytes(done.stdout)
    held = account(poster, 1).positions[0].size
    await poster.post(await poster.block(poster.price(await poster.now())))  # commands take a while
    told = await lines(site, tmp_path, "force", "trade", *map(str, orders), "0.05", "--yes", key=CHALLENGER)
    assert told[0]["forecast"] == "NONE"
    await take(poster, priced=True)
    assert account(poster, 1).positions[0].size == held + 50_000
    sold = msgspec.json.decode(orders[0].read_bytes())["nonce"]
    await lines(site, tmp_path, "force", "cancel", str(sold), "--yes", key=3)
    raw = await lines(site, tmp_path, "force", "raw", "0x07000000", "--yes")
    await lines(site, tmp_path, "force", "cancel-all", "--yes")
    await take(poster, priced=True)
    assert account(poster).nonce_floor > sold
    done = await run(site, tmp_path, "force", "status", str(raw[1]["index"]))
    assert "the account holds nothing that has expired (NOTHING_TO_SETTLE)" in done.stdout.decode()
    (trade,) = await lines(site, tmp_path, "force", "status", str(told[1]["index"]))
    assert (trade["what"], trade["done"], trade["accounts"]) == ("Trade", True, [0, 1])


async def test_a_contract_wallet_is_told_what_to_call(site: Site, poster: Poster, tmp_path: Path) -> None:
    """It calls that, and is the sender."""
    payer, inbox = site.account(SEQUENCER), site.contract("Inbox")
    wallet = await create_wallet(payer)
    number = await inbox.call("accountCount")
    await inbox.transact(payer, "open", wallet, 1_000_000_000)
    await take(poster)
    words = ("force-withdraw", "all", "--account", str(number), "--wallet", "0x" + wallet.hex())
    planned, call = await lines(site, tmp_path, *words, key=None)
    assert (planned["forecast"], call["status"], call["to"]) == ("NONE", "to_call", "0x" + inbox.address.hex())
    await through_wallet(payer, wallet, inbox.address, bytes.fromhex(call["data"][2:]), call["value"])
    await take(poster)
    assert account(poster, number).withdrawn == 1_000_000_000


async def test_somebody_else_may_pay(site: Site, poster: Poster, tmp_path: Path) -> None:
    """The owner signs then."""
    await lines(site, tmp_path, "force-withdraw", "3", "--yes", "--payer", f"dev:{CHALLENGER}")
    await take(poster)
    assert account(poster).withdrawn == 3_000_000


@pytest.mark.parametrize(
    ("words", "key", "code", "said"),
    [
        (("force-withdraw", "5"), OWNER, 2, "--yes sends without asking"),
        (("force-withdraw", "5", "--yes"), CHALLENGER, 1, "account 0 belongs to 0x"),
        (("force-withdraw", "5", "--yes", "--account", "77"), OWNER, 1, "there is no account 77"),
        (("force-withdraw", "nothing", "--yes"), OWNER, 2, "a positive number"),
        (("force-withdraw", "5", "--yes"), None, 2, "no key to act with"),
        (("force", "cancel", "7", "--yes"), CHALLENGER, 1, "account 0 belongs to 0x"),
        (("force", "raw", "0x0", "--yes"), OWNER, 2, "hexadecimal"),
        (("force", "raw", "0x0c", "--yes"), OWNER, 1, "cannot be forced"),
        (("force", "raw", "0x" + "03" * 492, "--yes"), OWNER, 1, "1 … 491 bytes"),
        (("force", "trade", "nowhere", "0:5", "1", "--yes"), OWNER, 2, "maker: nowhere"),
        (("force", "status"), OWNER, 2, "which message"),
        (("force", "status", "2000"), OWNER, 1, "no number 2000"),
    ],
)
async def test_what_cannot_be_done_is_an_error_in_one_line(
    site: Site, poster: Poster, tmp_path: Path, words: tuple[str, ...], key: int | None, code: int, said: str
) -> None:
    """And nothing was sent."""
    done = await run(site, tmp_path, *words, key=key)
    assert done.returncode == code, done.stderr
    assert said in done.stderr.decode().splitlines()[-1]
    assert await site.contract("Inbox").call("count") == len(poster.messages)


async def test_an_empty_wallet_is_refused_politely(site: Site, poster: Poster, tmp_path: Path) -> None:
    """What it would take is said."""
    del poster
    (tmp_path / "key").write_text("77" * 32)
    (tmp_path / "key").chmod(0o600)
    done = await run(site, tmp_path, "force-withdraw", "5", "--yes", "--payer", "file:key")
    assert done.returncode == 1
    assert "holds 0.00 ETH, and forcing takes up to 0.0" in done.stderr.decode()


async def test_an_export_is_taken_where_logs_are_gone(site: Site, poster: Poster, tmp_path: Path) -> None:
    """By every command that rebuilds the state; a wrong one is refused by name."""
    await write_export(site.l1, site.deployment.rollup, tmp_path / "export")
    (planned,) = await lines(site, tmp_path, "force-withdraw", "all", "--dry-run", "--export", "export")
    assert planned["forecast"] == "NONE"
    data = bytearray((tmp_path / "export").read_bytes())
    data[-45] ^= 1
    (tmp_path / "lie").write_bytes(data)
    done = await run(site, tmp_path, "force-withdraw", "all", "--dry-run", "--export", "lie")
    assert done.returncode == 1
    assert "the export is refused at " in done.stderr.decode()
    assert poster.messages


async def test_a_command_that_is_repeated_withdraws_once(site: Site, poster: Poster, tmp_path: Path) -> None:
    """Unless it is told to do it again."""
    _, forced = await lines(site, tmp_path, "force-withdraw", "3", "--yes")
    for amount in ("3", "all"):
        done = await run(site, tmp_path, "force-withdraw", amount, "--yes")
        assert done.returncode == 1
        assert f"message {forced['index']} waits already" in done.stderr.decode()
    await lines(site, tmp_path, "force-withdraw", "4", "--yes")
    await lines(site, tmp_path, "force-withdraw", "3", "--yes", "--again")
    await take(poster)
    assert account(poster).withdrawn == 10_000_000


@pytest.mark.parametrize("sent_again", [True, False])
async def test_waiting_follows_a_message_through_a_reorganisation_of_l1(
    site: Site, poster: Poster, tmp_path: Path, sent_again: bool
) -> None:
    """It may come back under another number, or not at all."""
    snapshot, first = await dev.take_snapshot(site.l1), len(poster.messages)
    where = ["--l1", site.url, "--rollup", address(site), "--key", f"dev:{OWNER}", "--account", "0"]
    with running_program(["force-withdraw", "7", "--yes", "--wait", "consumed", *where], tmp_path) as command:
        await trio.to_thread.run_sync(command.wait_for, is_forced, PATIENCE)
        inbox = site.contract("Inbox")
        (event,) = (await inbox.events("MessageAdded", from_block=0, to_block=await site.l1.block_number()))[first:]
        await dev.revert_to(site.l1, snapshot)
        await inbox.transact(site.account(SEQUENCER), "deposit", 1, 5)
        await dev.mine(site.l1, 5)
        if sent_again:
            payload = event.values["message"][21:]
            await inbox.transact(site.account(OWNER), "force", payload, value=10**16)
            await take(poster)
        code = await trio.to_thread.run_sync(command.wait, PATIENCE)
        answer = command.events[-1]
        if sent_again:
            assert code == 0, command.said()
            assert (answer["index"], answer["done"]) == (first + 1, True)
        else:
            assert code == 1, command.said()
            assert answer["error"]["type"] == "MessageGone"


def is_forced(answer: dict[str, Any]) -> bool:
    """Whether the message is on L1, and the command knows it."""
    return bool(answer["status"] == "forced")
