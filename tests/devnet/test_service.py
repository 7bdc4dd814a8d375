"""What surrounds the devnet's processes: its lines, its candles."""

from __future__ import annotations

from pathlib import Path

from rollup.config import DevnetConfig
from rollup.devnet.actors import SURFACE_SECONDS, Cast, Surfaces, source_settings
from rollup.devnet.lines import LINES, Narrator, line_of
from rollup.devnet.processes import Event
from rollup.devnet.roles import Site
from rollup.devnet.service import actors_role
from rollup.feeder.rounds import Update
from rollup.feeder.sources import FIRST_PRICES
from rollup.feeder.statements import Subject, price_statement, surface_statement
from rollup.quant.sources import Prices
from rollup.quant.surfaces import SmileShape, Surface
from rollup.quant.svi import WireSvi
from rollup.types.limits import MILLION


def cast(candles: Path | None) -> Cast:
    """A small one."""
    return Cast(1, 1, 3, 1.0, 1.0, 1.0, 60, 1, candles)


def test_progress_of_l1_is_told_as_batches_and_finality_once_each() -> None:
    """A report that brings nothing new is silent; after a reversion the number that comes again is told again."""
    narrator = Narrator()

    def told(batch: int, finalised: int) -> list[tuple[str, int]]:
        report: Event = {"event": "l1", "batch": batch, "block": 10 * batch, "finalised": finalised, "fork": 0}
        return [(event["event"], event["batch"]) for event in narrator.events(report)]

    assert told(1, 0) == [("batch", 1)]
    assert told(1, 0) == []
    assert told(2, 1) == [("batch", 2), ("final", 1)]
    assert told(1, 1) == []
    assert told(2, 1) == [("batch", 2)]


def test_what_has_no_line_is_not_told() -> None:
    """Announcements of the roles are the devnet's own business."""
    assert list(Narrator().events({"event": "listening", "http": "http://127.0.0.1:1"})) == []


def test_every_event_has_a_line_that_begins_with_its_word() -> None:
    """With fields as the roles send them."""
    fields: Event = {
        "market": "BTC-PERP", "size": 1_500_000, "price": 40_000 * MILLION, "taker": 1, "maker": 2, "number": 7,
        "transactions": 3, "batch": 4, "block": 9, "account": 5, "amount": 1_234_500_000, "gas": 123_456, "first": 1,
        "last": 9, "reason": "MARGIN", "wei": 5 * 10**17, "coin": "BTC", "series": 3, "forward": 40_000 * MILLION,
        "volatility": 0.612, "what": "1 series, 6 markets", "opens": 1_700_000_000, "expiry": 1_700_000_300,
        "text": "account 5 is insolvent",
    }  # fmt: skip
    for name, (word, _) in LINES.items():
        line = line_of({"event": name, **fields})
        assert line.startswith(word)
        assert "\n" not in line
    assert line_of({"event": "trade", **fields}) == "trade     BTC-PERP  1.5 at 40,000.00  taker 1, maker 2"
    assert line_of({"event": "flag", **fields}) == "flag      account 5 is insolvent"


def test_candles_drive_the_first_coin_only(tmp_path: Path) -> None:
    """The others walk at random."""
    recorded, walking = source_settings(cast(tmp_path / "candles.csv")), source_settings(cast(None))
    assert (recorded.kind, recorded.file, recorded.coin) == ("candles", tmp_path / "candles.csv", "BTC")
    assert (walking.kind, walking.seed, walking.walks) == ("walk", 1, FIRST_PRICES)


def test_surfaces_are_told_now_and_then_and_each_series_for_itself() -> None:
    """They change every second."""
    told: list[tuple[int, int]] = []
    surfaces = Surfaces(lambda _name, _text, /, **fields: told.append((fields["series"], fields["forward"])))
    flat = Surface(40_000 * MILLION, WireSvi.of(SmileShape().slice(0.5, 0.1)))
    for time in range(1_000, 1_000 + 2 * SURFACE_SECONDS):
        for series in (1, 2):
            surfaces.hear(Update(surface_statement(Subject(1, series), time, flat), 1))
        surfaces.hear(Update(price_statement(1, time, Prices(5, 5)), 1))
    assert told == [(1, flat.forward), (2, flat.forward)] * 2


def test_the_actors_get_every_setting_of_the_devnet(tmp_path: Path) -> None:
    """By flags, so that the user's own environment changes nothing."""
    config = DevnetConfig(candles=tmp_path / "c.csv", makers=9, seed=77)
    arguments = actors_role(config, Site(tmp_path, "http://127.0.0.1:1", tmp_path / "d.json"), "ws://x").arguments
    for flag, value in (
        ("--makers", "9"),
        ("--seed", "77"),
        ("--candles", str(tmp_path / "c.csv")),
        ("--rpc", "ws://x"),
    ):
        assert arguments[arguments.index(flag) + 1] == value
