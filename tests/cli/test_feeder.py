"""`rollup deploy`, `rollup list` and `rollup feeder` as users run them: two feeders' processes, one of them leading."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from rollup.cli.feeder import check_keys, make_options
from rollup.config import FeederConfig, L1Config
from rollup.errors import ConfigError
from rollup.l1.deployment import Deployment
from rollup.l1.devkeys import dev_address, dev_key
from tests.support.deployed import FEEDER, open_site
from tests.support.programs import running_program

PATIENCE = 180.0
DAY = (datetime.now(UTC) + timedelta(days=9)).strftime("%Y%m%d")
LATER = (datetime.now(UTC) + timedelta(days=16)).strftime("%Y%m%d")
DEPLOYMENT = Deployment(31_337, b"\1" * 20, b"\2" * 20, b"\3" * 20, b"\4" * 20, b"\5" * 20, 1, b"\6" * 32, {})


@pytest.mark.slow
def test_feeders_of_two_processes_price_what_was_deployed_and_listed(tmp_path: Path) -> None:
    """Signatures of both are needed for every price; a market that is listed later gets its surface by itself."""
    file = str(tmp_path / "deployment.json")
    with running_program(["l1", "--port", "0"], tmp_path) as l1:
        url = l1.wait_for(lambda event: event["event"] == "listening", PATIENCE)["url"]
        deploy = ["deploy", "--l1", url, "--out", file, "--key", "dev:0", "--sequencer", "dev:1", "--threshold", "2"]
        deploy += ["--feeders", "dev:10,dev:11", "--market-admin", "dev:3", "--listing-delay", "1"]
        with running_program([*deploy, "--instruments", f"BTC-{DAY},BTC-{DAY}-60000-C"], tmp_path) as deploying:
            assert deploying.wait(PATIENCE) == 0, deploying.said()
        assert set(Deployment.load(Path(file)).markets) == {"BTC-PERP", "ETH-PERP", f"BTC-{DAY}", f"BTC-{DAY}-60000-C"}
        serve = ["sequencer", "--l1", url, "--deployment", file, "--port", "0", "--key", "dev:1", "--data", "s"]
        with running_program([*serve, "--confirmations", "0"], tmp_path) as sequencer:
            rpc = sequencer.wait_for(lambda event: event["event"] == "listening", PATIENCE)["ws"]
            feed = ["feeder", "--rpc", rpc, "--deployment", file, "--begin", str(int(time.time())), "--seed", "7"]
            with running_program(
                [*feed, "--key", "dev:11", "--no-leads", "--listen", "127.0.0.1:0"], tmp_path
            ) as follower:
                peer = follower.wait_for(lambda event: event["event"] == "feeding", PATIENCE)["url"]
                with running_program([*feed, "--key", "dev:10", "--peers", peer], tmp_path) as leader:
                    leader.wait_for(lambda event: event["event"] == "price" and event["coin"] == "ETH", PATIENCE)
                    leader.wait_for(lambda event: event["event"] == "surface" and event["series"] == 1, PATIENCE)
                    config = tmp_path / "list.toml"
                    config.write_text(f'[l1]\nurl = "{url}"\ndeployment = "{file}"\n')
                    names = [f"BTC-{LATER}-60000-P", "--key", "dev:3", "--config", str(config)]
                    with running_program(["list", *names], tmp_path) as listing:
                        assert listing.wait(PATIENCE) == 0, listing.said()
                    assert [event["item"] for event in listing.events] == ["series", "market"]
                    leader.wait_for(lambda event: event["event"] == "surface" and event["series"] == 2, PATIENCE)
                    leader.send(2)
                    assert leader.wait(PATIENCE) == 0, leader.said()
        assert f"BTC-{LATER}-60000-P" in Deployment.load(Path(file)).markets


async def test_a_key_outside_the_oracle_set_is_refused_where_l1_shows_it_and_else_only_warned_of() -> None:
    """Before anything is signed in vain; L1 is not needed for prices."""
    outsider, feeder = dev_key(FEEDER + 1), dev_key(FEEDER)
    async with open_site() as site:
        chain, rollup = L1Config(url=site.url), site.deployment.rollup
        await check_keys([feeder], chain, rollup)
        with pytest.raises(ConfigError, match=f"(?i)0x{dev_address(FEEDER + 1).hex()} is not in the oracle set"):
            await check_keys([feeder, outsider], chain, rollup)
        with capture_logs() as said:
            await check_keys([outsider], chain, b"\1" * 20)
    with capture_logs() as later:
        await check_keys([outsider], chain, rollup)
    assert [each["event"] for each in (*said, *later)] == ["oracle_set_unknown"] * 2


def test_a_feeder_without_a_key_or_with_a_bad_address_is_refused() -> None:
    """By name of the setting."""
    with pytest.raises(ConfigError, match=r"feeder\.keys"):
        make_options(FeederConfig(), "ws://x", DEPLOYMENT)
    with pytest.raises(ConfigError, match=r"feeder\.keys"):
        make_options(FeederConfig(keys=("0x" + "11" * 32,)), "ws://x", DEPLOYMENT)
    for listen in ("8080", ":8080", "host:", "host:99999"):
        with pytest.raises(ConfigError, match=r"feeder\.listen"):
            make_options(FeederConfig(keys=("dev:10",), listen=listen), "ws://x", DEPLOYMENT)


def test_a_feeder_s_settings_arrive() -> None:
    """Sources, keys, and how it co-signs."""
    config = FeederConfig(keys=("dev:10", "dev:11"), walks=("SOL=150",), begin=5, peers=("http://y",), tolerance=9)
    options = make_options(config, "ws://x", DEPLOYMENT)
    assert (options.opinion.coins, len(options.keys), options.peers, options.tolerance) == (
        frozenset({3}),
        2,
        ("http://y",),
        9,
    )
    assert options.opinion.prices(3, 5).spot == 150 * 10**6
