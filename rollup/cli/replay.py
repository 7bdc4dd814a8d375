"""`rollup replay`: a recorded market, simulated traders, the real rollup, and at the end the verdict."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from rollup.cli.display import Display, open_folder
from rollup.cli.options import DEFAULT, Common
from rollup.errors import ConfigError
from rollup.types.limits import MILLION

ALL: Final = "all"
ACCOUNTS: Final = 400
TAKERS: Final = 12
MARGINED: Final = 120
"""Accounts by default: of a replay of candles, of a chain's takers, of a replay with leverage."""
MINUTES: Final = "1440"
ROUNDS: Final = 12


async def replay(
    *,
    candles: Annotated[Path | None, Parameter(help="CSV of one-minute candles (.gz allowed)")] = None,
    chain: Annotated[Path | None, Parameter(help="CSV of a recorded option chain, instead of candles")] = None,
    leverage: Annotated[
        bool, Parameter(negative=(), help="accounts at the limit of their margin, and liquidation at work")
    ] = False,
    accounts: Annotated[int | None, Parameter(help="simulated accounts: 400; 120 with leverage; 12 on a chain")] = None,
    minutes: Annotated[str | None, Parameter(help="how many candles to replay, or `all`; default: 1440")] = None,
    start: Annotated[
        str | None, Parameter(name="--from", help="time to begin at (ISO 8601); default: before the deepest fall")
    ] = None,
    orders: Annotated[float, Parameter(help="orders per candle, or per round on a chain, about")] = 40.0,
    rounds: Annotated[int | None, Parameter(help="rounds of trades against a chain's books; default: 12")] = None,
    expiries: Annotated[int | None, Parameter(help="only so many expiries of a chain")] = None,
    strikes: Annotated[int | None, Parameter(help="only so many strikes an expiry, nearest to the money")] = None,
    audit: Annotated[float | None, Parameter(help="share of blocks to execute in py-evm: 1 of a chain, else 0")] = None,
    seed: Annotated[int, Parameter(help="seed of traders and their luck")] = 1,
    l1: Annotated[str | None, Parameter(help="URL of a development node; default: an embedded L1")] = None,
    data: Annotated[Path | None, Parameter(help="new folder for database and logs; default: nothing is kept")] = None,
    common: Common = DEFAULT,
) -> None:
    """Replay a recorded market with simulated traders, check every promise, and rebuild the state from L1 alone.

    Of candles, the oracle says the closes and accounts trade through the real order book and state transition; with
    --leverage they are liquidated too, and every flag is checked. Of an option chain, everything is listed through L1,
    fitted slices are posted, the recorded books rest as signed orders and are traded against, and marks and Greeks are
    compared with the recorded ones. Exit code 0 only if money and open interest add up to the unit and L1 alone gives
    the same state root.
    """
    import structlog  # noqa: PLC0415 - not worth its time on the way to `--help`

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    if (candles is None) == (chain is None):
        raise ConfigError("a replay is of --candles or of a --chain")
    _refuse_idle(candles is None, {"--leverage": leverage or None, "--minutes": minutes, "--from": start}, "--candles")
    _refuse_idle(candles is not None, {"--rounds": rounds, "--expiries": expiries, "--strikes": strikes}, "--chain")
    turns = ROUNDS if rounds is None else rounds
    usual = TAKERS if candles is None else MARGINED if leverage else ACCOUNTS
    count = usual if accounts is None else accounts
    if not 2 <= count <= 100_000 or not 0 < orders <= 100_000 or not 0 <= seed < 1 << 63 or not 0 <= turns <= 10_000:
        raise ConfigError(
            "accounts (2 to 100000), orders (up to 100000), rounds (up to 10000) or seed (63 bits) out of range"
        )
    share = read_share((candles is None) * 1.0 if audit is None else audit)
    ticks, since = read_count(MINUTES if minutes is None else minutes), None if start is None else read_time(start)
    with open_folder(data) as folder:
        if candles is None:
            assert chain is not None, "one of the two is given"
            from rollup.quant.chain import read_chain  # noqa: PLC0415 - as above, and what follows
            from rollup.replay.chain.run import run_chain_replay  # noqa: PLC0415
            from rollup.replay.chain.settings import ChainSettings, cut_chain  # noqa: PLC0415
            from rollup.replay.chain.words import tell  # noqa: PLC0415

            cut = cut_chain(read_chain(chain), expiries, strikes)
            shown = ChainSettings(cut, folder, turns, round(orders), count, seed, share, l1)
            with Display(common.output(), tell) as display:
                display.step("summary", await run_chain_replay(shown, display))
            return
        from rollup.feeder.candles import read_candles  # noqa: PLC0415
        from rollup.replay.crash.run import run_leveraged_replay  # noqa: PLC0415
        from rollup.replay.crash.words import tell as tell_leveraged  # noqa: PLC0415
        from rollup.replay.run import run_replay  # noqa: PLC0415
        from rollup.replay.settings import ReplaySettings  # noqa: PLC0415
        from rollup.replay.tape import Tape, read_stretch  # noqa: PLC0415
        from rollup.replay.words import tell as tell_candles  # noqa: PLC0415

        recorded = list(read_candles(candles))
        stretch = read_stretch(recorded, ticks, since)
        settings = ReplaySettings(Tape(recorded), stretch, count, orders, seed, folder, l1, share)
        run, words = (run_leveraged_replay, tell_leveraged) if leverage else (run_replay, tell_candles)
        with Display(common.output(), words) as display:
            display.step("summary", await run(settings, display))


def _refuse_idle(idle: bool, flags: Mapping[str, object], due: str) -> None:
    """A flag that would change nothing is a misunderstanding: say so before minutes have passed."""
    given = [name for name, value in flags.items() if value is not None]
    if idle and given:
        raise ConfigError(f"{given[0]}: only with {due}")


def read_share(share: float) -> int:
    """A share from 0 to 1 as parts per million; `ConfigError` otherwise."""
    if not 0 <= share <= 1:
        raise ConfigError(f"audit: a share from 0 to 1, not {share:g}")
    return round(share * MILLION)


def read_count(text: str) -> int | None:
    """A number of candles, None for all of them; `ConfigError` otherwise."""
    if text == ALL:
        return None
    if not text.isascii() or not text.isdecimal() or not 0 < int(text) < 10**9:
        raise ConfigError(f"minutes: a positive number or `all`, not {text!r}")
    return int(text)


def read_time(text: str) -> int:
    """Unix seconds of an ISO 8601 time, UTC unless it says otherwise; `ConfigError` if it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"--from: no ISO 8601 time: {text!r}") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
