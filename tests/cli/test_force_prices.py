"""A sequencer that takes no prices, and a holder who leaves behind prices that came through L1, as users do it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from rollup.batcher.contracts import RollupContract
from rollup.crypto.eip712 import oracle_digest
from rollup.crypto.signatures import sign
from rollup.exit.room import room_of
from rollup.feeder.journal import Journal
from rollup.l1 import dev
from rollup.l1.devkeys import dev_key
from rollup.types.genesis import BTC, ETH
from rollup.types.keys import underlying_key
from rollup.types.leaves import Underlying
from rollup.types.limits import FORCED_AGE
from rollup.types.transactions import OracleUpdate
from tests.cli.test_force import account, lines, run, take
from tests.support.deployed import FEEDER, Site, open_site
from tests.support.poster import PRICE, Poster, start_poster

HOUR = 3_600


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """The contracts on an embedded L1."""
    async with open_site() as opened:
        yield opened


@pytest.fixture
async def poster(site: Site) -> Poster:
    """A sequencer that has traded, and from now on takes messages but no prices of feeders."""
    made = await start_poster(site)
    await made.open(2)
    await made.post(await made.block(made.trade()))
    return made


async def signed(poster: Poster, age: int, spot: int = PRICE, underlying: int = BTC) -> OracleUpdate:
    """A price of a while ago, signed by the feeder."""
    time = await poster.now() - age
    digest = oracle_digest(poster.separator, underlying, time, spot, spot)
    return OracleUpdate(underlying, time, spot, spot, 1, (sign(digest, dev_key(FEEDER)),))


async def pass_time(site: Site, seconds: int) -> None:
    """Until L1's newest block is so much later."""
    await dev.increase_time(site.l1, seconds)
    await dev.mine(site.l1)


def keep(folder: Path, *updates: OracleUpdate) -> str:
    """A feeder's journal."""
    journal = Journal(folder / "journal")
    for update in updates:
        journal.keep(update)
    journal.close()
    return str(folder / "journal")


async def test_a_holder_leaves_behind_prices_that_a_sequencer_left_out(
    site: Site, poster: Poster, tmp_path: Path
) -> None:
    """Told what is wrong, the holder brings the newest price and withdraws; hours later both are done."""
    await pass_time(site, FORCED_AGE + HOUR)
    (planned,) = await lines(site, tmp_path, "force-withdraw", "1000", "--dry-run")
    assert planned["forecast"] == "ORACLE_STALE"
    assert "rollup force prices" in planned["notes"][0]
    down = PRICE * 99 // 100
    wrong = replace(await signed(poster, 60), signatures=(bytes(64),))
    file = keep(
        tmp_path,
        await signed(poster, 7_200),
        await signed(poster, 300, down),
        wrong,
        await signed(poster, 9, underlying=ETH),
    )
    (planned,) = await lines(site, tmp_path, "force", "prices", "--from", file, "--dry-run")
    assert planned["what"].startswith("Bring BTC's price of ")
    assert (planned["status"], planned["forecast"]) == ("planned", "NONE")
    assert len(planned["notes"]) == 1
    planned, forced = await lines(site, tmp_path, "force", "prices", "--from", file, "--yes")
    assert planned["what"].endswith("spot 39,600.00, mark 39,600.00 USD")
    assert forced["status"] == "forced"
    planned, forced = await lines(site, tmp_path, "force-withdraw", "1000", "--yes")
    assert (planned["forecast"], forced["status"]) == ("NONE", "forced")
    await pass_time(site, 6 * HOUR)
    await take(poster)
    (told,) = await lines(site, tmp_path, "force", "status", str(forced["index"]), "--wait", "consumed", key=None)
    assert (told["status"], told["done"], told["paid"]) == ("pending", True, "1000.00")
    assert account(poster).withdrawn == 1_000_000_000
    assert Underlying.decode(poster.leaves[underlying_key(BTC)]).spot == down


async def test_a_price_of_before_comes_first_where_blocks_may_be_dated_back(
    site: Site, poster: Poster, tmp_path: Path
) -> None:
    """With `--lag` no block that L1 admits is older than the first price, and the newest follows it."""
    lag = (await RollupContract(site.l1, site.deployment.rollup).terms()).max_time_lag
    await pass_time(site, lag + HOUR)
    file = keep(tmp_path, await signed(poster, lag + 60), await signed(poster, HOUR), await signed(poster, 60))
    (alone,) = await lines(site, tmp_path, "force", "prices", "--from", file, "--dry-run")
    first, second = await lines(site, tmp_path, "force", "prices", "--from", file, "--lag", "--dry-run")
    assert (first["forecast"], second["forecast"]) == ("NONE", "NONE")
    assert first["what"] != second["what"] == alone["what"]


async def test_old_prices_take_twice_the_margin_and_that_is_said(site: Site, poster: Poster, tmp_path: Path) -> None:
    """`all` leaves it, and what leaves less is refused as foretold."""
    await pass_time(site, HOUR)
    room = room_of(lambda key: poster.leaves.get(key, b""), 0, await poster.now())
    assert (room.stale, room.lost, room.required) == ((1,), (), 2 * room.initial)
    most = f"{room.most / 10**6:.6f}"
    (planned,) = await lines(site, tmp_path, "force-withdraw", most, "--dry-run")
    assert planned["forecast"] == "NONE"
    assert "twice the initial margin" in planned["notes"][0]
    more = f"{(room.most + 1) / 10**6:.6f}"
    (planned,) = await lines(site, tmp_path, "force-withdraw", more, "--dry-run")
    assert planned["forecast"] == "MARGIN"
    every, forced = await lines(site, tmp_path, "force-withdraw", "all", "--spare", "0", "--yes")
    assert (every["forecast"], forced["status"]) == ("NONE", "forced")
    await take(poster)
    assert account(poster).withdrawn == room.most


async def test_nothing_is_sent_where_no_price_would_help(site: Site, poster: Poster, tmp_path: Path) -> None:
    """None is newer; the account holds nothing; the file is none."""
    file = keep(tmp_path, await signed(poster, HOUR * 9))
    done = await run(site, tmp_path, "force", "prices", "--from", file, "--yes")
    assert done.returncode != 0
    assert b"has no price of BTC" in done.stderr
    await poster.open(1)
    await poster.post(await poster.block())
    idle = await run(site, tmp_path, "force", "prices", "--from", file, "--yes", "--account", "2", key=12)
    assert idle.returncode != 0
    assert b"holds no positions" in idle.stderr
    none = await run(site, tmp_path, "force", "prices", "--from", str(tmp_path / "none"), "--yes")
    assert none.returncode != 0
    assert b"journal" in none.stderr
