"""The keys of each role. A field is a key; its metadata says what it means and what it may be.

In the file a role is a table (`[sequencer]`), in the environment a prefix (`PLUMBLINE_SEQUENCER_PORT`). The defaults
make a devnet on one machine; nothing of them is fit for real money.
"""
# ruff: noqa: RUF009 - `setting` is `dataclasses.field` with its metadata spelled out

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from rollup.config.secrets import KeySource
from rollup.config.values import Bounds, Choice

PORT = Bounds(0, 65_535)
SECONDS = Bounds(0.001, 30 * 86_400)
DATA = Path(".plumbline")
DAY = 86_400


def setting(default: Any, meaning: str, rule: Bounds | Choice | None = None) -> Any:
    """A configuration key: its default, its meaning in one line and what bounds it."""
    return field(default=default, metadata={"meaning": meaning, "rule": rule})


class Role:
    """A frozen dataclass whose fields are the keys of the section `SECTION`."""

    __slots__ = ()
    SECTION: ClassVar[str]


@dataclass(frozen=True, slots=True)
class L1Config(Role):
    """The L1 node and the deployment on it."""

    SECTION: ClassVar[str] = "l1"

    url: str = setting("http://127.0.0.1:8545", "HTTP endpoint of an Ethereum node")
    deployment: Path = setting(DATA / "deployment.json", "addresses and genesis, written by `rollup deploy`")
    timeout: float = setting(20.0, "seconds to wait for one answer", SECONDS)
    confirmations: int = setting(0, "blocks on top of one before it is believed", Bounds(0, 10_000))
    export: Path | None = setting(None, "a watcher's export, for a node that has dropped its old logs")


@dataclass(frozen=True, slots=True)
class SequencerConfig(Role):
    """The sequencer: its RPC, its store, its key and its rhythm."""

    SECTION: ClassVar[str] = "sequencer"

    host: str = setting("127.0.0.1", "address to listen on")
    port: int = setting(8600, "port of WebSocket and HTTP; 0 takes a free one", PORT)
    data: Path = setting(DATA / "sequencer", "folder of the LevelDB")
    key: KeySource | None = setting(None, "signs headers and posts batches: file:PATH or dev:N")
    block_seconds: float = setting(0.05, "a block is sealed after this long even if it is not full", SECONDS)
    batch_seconds: float = setting(4.0, "a batch is posted after this long even if it is small", SECONDS)
    batch_bytes: int = setting(60_000, "a batch is posted once it holds this much calldata", Bounds(1_000, 120_000))
    rehearsal_seconds: float = setting(
        60.0, "how often a block is executed by L1's verifier before it is posted; 0: never", Bounds(0, 30 * DAY)
    )
    max_connections: int = setting(1_000, "clients served at once", Bounds(1, 100_000))


@dataclass(frozen=True, slots=True)
class ChallengerConfig(Role):
    """The challenger: what it does about fraud, with which key."""

    SECTION: ClassVar[str] = "challenger"

    data: Path = setting(DATA / "challenger", "folder of the replica, built from L1 alone")
    mode: str = setting("defend", "watch only tells, defend proves fraud on L1", Choice(("watch", "defend")))
    key: KeySource | None = setting(None, "pays for proofs and earns rewards: file:PATH or dev:N")
    poll_seconds: float = setting(1.0, "how often L1 is asked for news", SECONDS)
    audit_ppm: int = setting(
        1_000_000, "share of honest blocks executed in py-evm as well, in ppm", Bounds(0, 1_000_000)
    )
    commit: bool = setting(False, "commit to a verdict on L1 before proving it, so that a copied proof earns nothing")
    commit_blocks: int = setting(5, "L1 blocks after which it proves without the commitment", Bounds(1, 1_000))
    http_host: str = setting("127.0.0.1", "address of the read-only HTTP server")
    http_port: int | None = setting(None, "its port: status, health, metrics, proofs; 0 takes a free one", PORT)


@dataclass(frozen=True, slots=True)
class ClientConfig(Role):
    """What the trading commands talk to, and in whose name."""

    SECTION: ClassVar[str] = "client"

    rpc: str = setting("ws://127.0.0.1:8600/ws", "the sequencer's WebSocket")
    key: KeySource | None = setting(None, "signs orders, cancels and withdrawals: file:PATH or dev:N")
    account: int | None = setting(None, "account number acted for", Bounds(0, 2**24 - 1))
    chain_id: int | None = setting(None, "L1 chain signed for; default: from the deployment file", Bounds(1, 2**64 - 1))
    rollup: str | None = setting(None, "Rollup contract signed for; default: from the deployment file")
    timeout: float = setting(20.0, "seconds to wait for one answer", SECONDS)


@dataclass(frozen=True, slots=True)
class FeederConfig(Role):
    """An oracle feeder: its sources, its keys, and with whom it co-signs."""

    SECTION: ClassVar[str] = "feeder"

    keys: tuple[str, ...] = setting((), "keys of the oracle set in this process: file:PATH or dev:N")
    source: str = setting("walk", "where prices come from", Choice(("walk", "candles", "chain")))
    file: Path | None = setting(None, "CSV of candles or of an option chain, for a source of that name")
    coin: str = setting("BTC", "coin that follows the file of candles")
    walks: tuple[str, ...] = setting(("BTC=60000", "ETH=3000"), "coins that walk at random, with their first prices")
    seed: int = setting(1, "seed of the walks; the same for all who co-sign", Bounds(0, 2**63 - 1))
    speed: float = setting(1.0, "recorded seconds of candles that pass in one", Bounds(0.001, 100_000))
    begin: int | None = setting(None, "Unix second at which the sources begin; the same for all who co-sign", Bounds(0))
    interval: float = setting(1.0, "seconds between two rounds of updates", SECONDS)
    leads: bool = setting(True, "propose updates; otherwise only sign what others propose")
    standby: float = setting(0.0, "lead only while a price is this old, in seconds", Bounds(0, 3_600))
    peers: tuple[str, ...] = setting((), "http://host:port of feeders that co-sign")
    listen: str | None = setting(None, "host:port where other feeders ask for signatures; port 0 takes a free one")
    tolerance: int = setting(5_000, "how far a proposal may be from the own sources, in ppm", Bounds(1, 1_000_000))
    journal: Path | None = setting(None, "file that keeps every update signed, to be brought through L1")


@dataclass(frozen=True, slots=True)
class DeployConfig(Role):
    """What a deployment fixes for ever."""

    SECTION: ClassVar[str] = "deploy"

    key: KeySource | None = setting(None, "pays for the deployment: file:PATH or dev:N")
    sequencer: str | None = setting(None, "posts exclusively while staked and not silent: address or dev:N")
    feeders: tuple[str, ...] = setting(("dev:10", "dev:11", "dev:12"), "oracle feeders: addresses or dev:N")
    threshold: int = setting(2, "how many feeders must sign a price", Bounds(1, 8))
    token: str | None = setting(None, "the stablecoin's address; without it a worthless one is deployed")
    min_stake: int = setting(10**18, "least stake of a poster, in wei", Bounds(2, 2**128 - 1))
    dispute_window: int = setting(7 * DAY, "seconds in which a batch can be proven wrong", Bounds(1, 365 * DAY))
    proposer_timeout: int = setting(DAY, "seconds of silence after which anyone staked may post", Bounds(1, 365 * DAY))
    force_deadline: int = setting(DAY, "seconds an inbox message may wait for its block", Bounds(1, 365 * DAY))
    max_time_ahead: int = setting(60, "seconds a block may be ahead of L1", Bounds(0, DAY))
    max_time_lag: int = setting(DAY, "seconds a block may be behind L1 when posted", Bounds(1, 365 * DAY))
    reward_delay: int = setting(DAY, "seconds a reward waits for a better claim", Bounds(1, 365 * DAY))
    minimum_opening: int = setting(1_000_000, "least µUSD that opens an account", Bounds(1, 2**60))
    force_fee: int = setting(10**14, "wei for a forced transaction on an empty queue", Bounds(0, 10**20))
    force_fee_slope: int = setting(3 * 10**12, "wei that each message in the queue adds to that", Bounds(0, 10**20))
    freeze_grace: int | None = setting(
        None, "seconds past force_deadline until anyone may freeze; else twice proposer_timeout", Bounds(2, 730 * DAY)
    )
    registration_window: int = setting(
        14 * DAY, "seconds after the end in which accounts register for payment", Bounds(1, 365 * DAY)
    )
    instruments: tuple[str, ...] = setting((), "futures and options of the genesis: BTC-20261225-60000-C and the like")
    market_admin: str | None = setting(None, "who lists markets: address or dev:N; without it nobody ever does")
    listing_delay: int = setting(DAY, "seconds from a listing until it opens", Bounds(0, 365 * DAY))


@dataclass(frozen=True, slots=True)
class DevnetConfig(Role):
    """The devnet: everything on one machine, trading by itself."""

    SECTION: ClassVar[str] = "devnet"

    data: Path = setting(DATA / "devnet", "folder of all its data, emptied at each start")
    l1: str | None = setting(None, "URL of an L1 node to use; the embedded L1 if not set")
    l1_port: int = setting(8545, "port of the embedded L1; 0 takes a free one", PORT)
    rpc_port: int = setting(8600, "port of the sequencer; 0 takes a free one", PORT)
    challenger: bool = setting(True, "run a challenger beside the sequencer")
    feeders: int = setting(3, "oracle feeders; two thirds must sign each price", Bounds(1, 8))
    feeder_seconds: float = setting(1.0, "time between two prices", SECONDS)
    makers: int = setting(2, "demo traders that quote around the mark", Bounds(0, 100))
    takers: int = setting(4, "demo traders that cross the spread", Bounds(0, 100))
    series_seconds: int = setting(
        300, "life of the near series of options, listed one after the other", Bounds(60, 86_400)
    )
    listing_delay: int = setting(5, "seconds from a listing until it opens", Bounds(0, 3_600))
    trader_seconds: float = setting(0.5, "mean time between two actions of a trader", SECONDS)
    cashier_seconds: float = setting(15.0, "time between two withdrawals, each claimed once it is final", SECONDS)
    seed: int = setting(1, "seed of prices and traders", Bounds(0, 2**63 - 1))
    candles: Path | None = setting(None, "CSV of candles (.gz allowed) that drives the first underlying")
    dispute_seconds: int = setting(30, "dispute window on L1", Bounds(1, 30 * 86_400))
    seconds: float | None = setting(None, "stop by itself after this long", SECONDS)
