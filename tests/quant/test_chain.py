"""Reading option chains: typed rows, refusals with their line, forwards, smiles, books in our units."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rollup.errors import ConfigError
from rollup.quant.black76 import YEAR, price
from rollup.quant.chain import Chain, book_volatilities, read_chain, usd_levels
from rollup.quant.quotes import COLUMNS, Level, QuotedGreeks
from rollup.quant.svi import Svi
from rollup.types.instruments import instrument_name
from rollup.types.leaves import Market, MarketKind

NOW_MS = 1_590_103_193_775
EXPIRY_MS = 1_608_883_200_000
FORWARD = 9_262.5
SLICE = Svi(0.5, 0.8, -0.2, 0.0, 0.4)

ROW = {
    "instrument_name": "BTC-25DEC20-7000-C",
    "option_type": "call",
    "expiration_timestamp": str(EXPIRY_MS),
    "strike": "7000.0",
    "timestamp": str(NOW_MS),
    "underlying_price": str(FORWARD),
    "index_price": "9095.83",
    "mark_price": "0.38259515",
    "mark_iv": "91.67",
    "bid_iv": "0.0",
    "ask_iv": "93.13",
    "open_interest": "12.5",
    "greeks": "{'vega': 21.5, 'theta': -4.5, 'rho': 21.5, 'gamma': 5e-05, 'delta': 0.77}",
    "bids": "[[0.3765, 1.0], [0.37, 2.5]]",
    "asks": "[[0.386, 3]]",
}


def write(path: Path, *rows: dict[str, str]) -> Path:
    """A chain file of the rows, each what `ROW` has and the row changes."""
    lines = [";".join(COLUMNS)] + [";".join({**ROW, **row}[column] for column in COLUMNS) for row in rows]
    text = "\n".join(",".join(f'"{field}"' for field in line.split(";")) for line in lines)
    path.write_text(text + "\n")
    return path


def row_of(strike: float, call: bool, **more: str) -> dict[str, str]:
    """A row whose mark, bid and ask follow from `SLICE`, the spread 0.002 coin."""
    volatility = float(SLICE.volatility(np.log(strike / FORWARD)))
    mark = float(price(call, FORWARD, strike, (EXPIRY_MS - NOW_MS) / 1000 / YEAR, volatility)) / FORWARD
    return {
        "instrument_name": f"BTC-25DEC20-{strike:g}-{'C' if call else 'P'}",
        "option_type": "call" if call else "put",
        "strike": str(strike),
        "mark_price": repr(mark),
        "mark_iv": repr(100 * volatility),
        "bids": f"[[{mark - 0.001!r}, 1.0]]",
        "asks": f"[[{mark + 0.001!r}, 1.0]]",
        **more,
    }


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    """One expiry of eleven strikes without noise."""
    return read_chain(
        write(tmp_path / "chain.csv", *(row_of(s, side) for s in range(4_000, 15_000, 1_000) for side in (True, False)))
    )


def test_a_row_becomes_a_typed_quote(tmp_path: Path) -> None:
    """With seconds, fractions, µUSD, and NaN where the venue shows no volatility."""
    (quote,) = read_chain(write(tmp_path / "c.csv", {})).expiries[0].quotes
    assert (quote.symbol, quote.expiry, quote.strike, quote.is_call) == ("BTC", 1_608_883_200, 7_000_000_000, True)
    assert (quote.time, quote.underlying, quote.index, quote.mark) == (NOW_MS / 1000, FORWARD, 9095.83, 0.38259515)
    assert quote.volatility == pytest.approx(0.9167)
    assert np.isnan(quote.bid_volatility)
    assert quote.ask_volatility == pytest.approx(0.9313)
    assert quote.greeks == QuotedGreeks(0.77, 5e-05, 21.5, -4.5)
    assert quote.bids == (Level(0.3765, 1.0), Level(0.37, 2.5))
    assert quote.asks == (Level(0.386, 3.0),)


@pytest.mark.parametrize(("strike", "ours"), [("7000.0", "7000"), ("0.25", "0.25"), ("9125.5", "9125.5")])
def test_a_quote_has_the_name_that_its_market_has(tmp_path: Path, strike: str, ours: str) -> None:
    """One rule of naming, told twice."""
    row = {"strike": strike, "instrument_name": f"BTC-25DEC20-{ours.replace('.', 'd')}-C"}
    (quote,) = read_chain(write(tmp_path / "c.csv", row)).expiries[0].quotes
    market = Market(MarketKind.CALL, 1, 1, quote.strike, *[0] * 11)
    assert quote.name == instrument_name(market, quote.expiry) == f"BTC-20201225-{ours}-C"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"instrument_name": "BTC-PERPETUAL"}, "instrument_name"),
        ({"instrument_name": "BTC-25DEC20-7000-X"}, "instrument_name"),
        ({"instrument_name": "BTC-25DEC20-8000-C"}, "strike"),
        ({"instrument_name": "BTC-24DEC20-7000-C"}, "expiration_timestamp"),
        ({"option_type": "put"}, "option_type"),
        ({"expiration_timestamp": "1e30"}, "expiration_timestamp"),
        ({"strike": "-7000"}, "strike"),
        ({"strike": "many"}, "strike"),
        ({"underlying_price": "0"}, "underlying_price"),
        ({"underlying_price": "nan"}, "underlying_price"),
        ({"mark_price": "-0.1"}, "mark_price"),
        ({"mark_price": ""}, "mark_price"),
        ({"mark_iv": "0.0"}, "mark_iv"),
        ({"greeks": "[]"}, "greeks"),
        ({"greeks": "{'delta': 1}"}, "greeks"),
        ({"greeks": "{'delta'"}, "greeks"),
        ({"bids": "[[0.37, 1.0], [0.38, 1.0]]"}, "bids"),
        ({"asks": "[[0.38, 1.0], [0.37, 1.0]]"}, "asks"),
        ({"asks": "[[0.38]]"}, "asks"),
        ({"asks": "[[0.38, 0]]"}, "asks"),
        ({"asks": "None"}, "asks"),
        ({"asks": "__import__('os')"}, "asks"),
        ({"timestamp": str(EXPIRY_MS)}, "after its expiry"),
    ],
)
def test_a_bad_row_is_named_by_its_line(tmp_path: Path, change: dict[str, str], fault: str) -> None:
    """Nothing of a file with a bad row is used."""
    path = write(tmp_path / "c.csv", row_of(6_000, False), change)
    with pytest.raises(ConfigError, match=f"line 3: .*{fault}"):
        read_chain(path)


def test_an_option_that_comes_twice_is_refused(tmp_path: Path) -> None:
    """And so is a second coin."""
    with pytest.raises(ConfigError, match=r"line 3: BTC-20201225-7000-C twice"):
        read_chain(write(tmp_path / "c.csv", {}, {}))
    with pytest.raises(ConfigError, match="line 3: ETH among options of BTC"):
        read_chain(write(tmp_path / "c.csv", {}, {"instrument_name": "ETH-25DEC20-7000-C"}))


def test_a_file_that_is_no_chain_is_refused(tmp_path: Path) -> None:
    """Absent, empty, of other columns, or not text."""
    path = tmp_path / "c.csv"
    with pytest.raises(ConfigError, match="No such file"):
        read_chain(path)
    with pytest.raises(ConfigError, match="no options"):
        read_chain(write(path))
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ConfigError, match="no column instrument_name"):
        read_chain(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not a whole CSV file"):
        read_chain(path)


def test_parity_gives_the_forward_that_the_column_gives(chain: Chain) -> None:
    """Here both sides of every option are quoted around its value."""
    (expiry,) = chain.expiries
    assert expiry.forward() == FORWARD
    assert expiry.parity_forward() == pytest.approx(FORWARD, rel=1e-9)


def test_parity_trusts_the_tightest_quotes(tmp_path: Path) -> None:
    """A wide market whose middle is far off changes nothing; nothing quoted gives no forward."""
    rows = [row_of(strike, side) for strike in (8_000, 9_000, 10_000) for side in (True, False)]
    wide = row_of(5_000, True, asks="[[0.9, 1.0]]"), row_of(5_000, False)
    path = tmp_path / "c.csv"
    assert read_chain(write(path, *rows, *wide)).expiries[0].parity_forward() == pytest.approx(FORWARD, rel=1e-9)
    with pytest.raises(ConfigError, match="no strike"):
        read_chain(write(path, row_of(8_000, True, bids="[]"), row_of(8_000, False))).expiries[0].parity_forward()


def test_the_smiles_are_those_of_marks_and_of_books(chain: Chain) -> None:
    """All marks; of the books each strike's side out of the money, its middle near the mark's volatility."""
    (expiry,) = chain.expiries
    marks, books = expiry.mark_smile(), expiry.book_smile()
    assert (len(marks.k), len(books.k)) == (22, 11)
    np.testing.assert_allclose(marks.volatility, SLICE.volatility(marks.k))
    np.testing.assert_allclose(books.volatility, SLICE.volatility(books.k), atol=0.002)
    assert books.weight.max() == 1
    assert books.weight.min() < 0.5


def test_an_empty_side_has_no_volatility(tmp_path: Path) -> None:
    """Nor has a bid below the payoff."""
    (expiry,) = read_chain(write(tmp_path / "c.csv", row_of(12_000, True, bids="[]"))).expiries
    low, high = book_volatilities(expiry.quotes[0])
    assert np.isnan(low)
    assert high > 0
    assert len(expiry.book_smile().k) == 0


def test_the_right_slice_prices_the_marks(chain: Chain) -> None:
    """At each row's own forward; at a forward that is off, in-the-money options show it."""
    (expiry,) = chain.expiries
    assert np.abs(expiry.mark_errors(SLICE)).max() < 1e-12
    assert np.abs(expiry.mark_errors(SLICE, FORWARD * 1.01)).max() > 1e-3


def test_books_are_rounded_against_the_maker() -> None:
    """Bids down, asks up; levels that meet are one, dust is left out."""
    levels = (Level(0.02, 1.0), Level(0.01999, 2.0), Level(0.0001, 5.0), Level(0.01, 0.0000001))
    bids = usd_levels(levels, 9_000.0, 5_000_000, 100_000, bids=True)
    assert bids == [(180_000_000, 1_000_000), (175_000_000, 2_000_000)]
    asks = usd_levels((Level(0.01999, 2.0), Level(0.02, 1.05)), 9_000.0, 5_000_000, 100_000, bids=False)
    assert asks == [(180_000_000, 3_000_000)]
