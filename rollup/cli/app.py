"""The frame of the command line: the list of commands, errors as one line, exit codes.

Exit codes: 0 done, 1 failed, 2 used wrongly (flags or configuration), 130 interrupted before it was done.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Final

from cyclopts import App, CycloptsError

from rollup.errors import ConfigError, L1Error, PlumblineError, Rejected

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2
INTERRUPTED: Final = 130

COMMANDS: Final = (
    ("Networks", "devnet", "rollup.cli.devnet:devnet", "Run everything on one machine, trading by itself."),
    ("Networks", "demo", "rollup.cli.demo:demo", "Show the whole loop, fraud included, each step verified on L1."),
    ("Networks", "l1", "rollup.cli.l1:serve_l1", "Run the embedded L1, an Ethereum node in memory."),
    ("Networks", "sequencer", "rollup.cli.sequencer:serve_sequencer", "Run a sequencer: exchange, blocks, batches."),
    ("Networks", "feeder", "rollup.cli.feeder:serve_feeder", "Run an oracle feeder: prices, forwards, volatilities."),
    ("Networks", "actors", "rollup.cli.devnet:actors", "Run a devnet's oracle feeders and demo traders."),
    ("Networks", "liquidator", "rollup.cli.liquidator:liquidator", "Bid in liquidation auctions when that pays."),
    ("Trust", "verify", "rollup.cli.verify:verify", "Rebuild the whole state from L1 alone and check every root."),
    (
        "Trust",
        "replay",
        "rollup.cli.replay:replay",
        "Replay recorded candles with simulated traders, and check it all.",
    ),
    ("Trust", "bench", "rollup.cli.bench:bench", "Measure how fast everything is on this machine."),
    ("Setup", "deploy", "rollup.cli.deploy:deploy", "Deploy the contracts and write their addresses to a file."),
    ("Setup", "list", "rollup.cli.list_markets:list_markets", "Show what is listed; announce coins, series, markets."),
    ("Setup", "config", "rollup.cli.settings:show_config", "Show the configuration and where each value comes from."),
    ("Money", "deposit", "rollup.cli.deposit:deposit", "Move money from L1 into an account."),
    ("Money", "withdraw", "rollup.cli.trading:withdraw", "Withdraw money from an account, to be claimed on L1."),
    ("Money", "claim", "rollup.cli.claim:claim", "Collect on L1 what was withdrawn, from L1 alone."),
    ("Leaving", "rescue", "rollup.cli.rescue:rescue", "Look at the chain, tell the ways out, and walk through them."),
    ("Leaving", "force-withdraw", "rollup.cli.force_withdraw:force_withdraw", "Withdraw through L1, whoever minds."),
    ("Leaving", "force", "rollup.cli.force:force", "Send a transaction through L1, and tell what became of it."),
    ("Leaving", "freeze", "rollup.cli.freeze:freeze", "End a chain that has left a message waiting for too long."),
    ("Leaving", "escape", "rollup.cli.escape:escape", "Get money out of a frozen chain, from L1 alone."),
    ("Trading", "order", "rollup.cli.trading:order", "Place an order."),
    ("Trading", "cancel", "rollup.cli.trading:cancel", "Take an order off the book, or all of them."),
    ("Trading", "account", "rollup.cli.looking:account", "Show an account: cash, margin, positions, open orders."),
    ("Trading", "book", "rollup.cli.looking:book", "Show an order book."),
    ("Trading", "greeks", "rollup.cli.greeks:greeks", "Show volatilities and Greeks of markets or of an account."),
    ("Trading", "block", "rollup.cli.looking:block", "Show a block."),
    ("Trading", "batch", "rollup.cli.looking:batch", "Show a batch on L1."),
)
"""Group, name, where it is, what it does. The last must not need the module, which is imported only when used."""

SERVICES: Final = frozenset({"l1", "sequencer", "feeder", "liquidator", "devnet", "actors"})
"""Commands that end by being interrupted, which is therefore no failure."""


@dataclass(frozen=True, slots=True)
class Program:
    """A console script on this frame: `commands` and `services` as the two lists above."""

    name: str
    help: str
    commands: tuple[tuple[str, str, str, str], ...]
    services: frozenset[str]


ROLLUP: Final = Program(
    "rollup",
    "Plumbline: an optimistic rollup for crypto derivatives, provable in one L1 transaction.",
    COMMANDS,
    SERVICES,
)


def make_app(program: Program = ROLLUP) -> App:
    """The root command with all its commands."""
    app = App(
        name=program.name,
        help=program.help,
        version=_version,
        backend="trio",
        suppress_keyboard_interrupt=False,
        result_action="return_value",
    )
    for group, name, path, meaning in program.commands:
        app.command(path, name=name, help=meaning, group=group)
    return app


def main() -> None:
    """Entry point of the console script."""
    sys.exit(run(sys.argv[1:]))


def run(tokens: Sequence[str], app: App | None = None, program: Program = ROLLUP) -> int:
    """Run one command and return its exit code. Errors raised on purpose become one line on standard error."""
    _listen()
    try:
        result = (app or make_app(program))(tokens, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        return _complain(program, tokens, error, USAGE)
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else FAILED
    except BaseException as error:
        known = deliberate(error)
        if known is None:
            raise
        if isinstance(known, KeyboardInterrupt) and set(tokens[:1]) & program.services:
            return OK
        return _complain(program, tokens, known, USAGE if isinstance(known, ConfigError) else FAILED)
    return result if isinstance(result, int) else OK


def deliberate(error: BaseException) -> BaseException | None:
    """The error raised on purpose within `error`, or an interruption; None if anything else is in it: a bug.

    Nurseries wrap what happens in them in groups, and everything in a group may have failed for one reason.
    """
    leaves = list(_leaves(error))
    bugs = [leaf for leaf in leaves if not isinstance(leaf, PlumblineError | KeyboardInterrupt)]
    if bugs:
        return None
    interruptions = (leaf for leaf in leaves if isinstance(leaf, KeyboardInterrupt))
    return next(interruptions, leaves[0])


def describe(error: BaseException) -> dict[str, object]:
    """The error for machines: its kind, its text and what else is known of it."""
    described: dict[str, object] = {"type": type(error).__name__, "message": _one_line(error)}
    if isinstance(error, Rejected):
        described |= {"code": error.code, "data": error.data}
    if isinstance(error, L1Error):
        described["retryable"] = error.retryable
    return described


def _complain(program: Program, tokens: Sequence[str], error: BaseException, code: int) -> int:
    if isinstance(error, KeyboardInterrupt):
        print(f"{program.name}: interrupted", file=sys.stderr)
        return INTERRUPTED
    print(f"{program.name}: {_one_line(error)}", file=sys.stderr)
    if "--json" in tokens:
        from rollup.cli.output import encode  # noqa: PLC0415 - not worth its time on the way to `--help`

        print(encode({"ok": False, "error": describe(error)}), flush=True)
    return code


def _one_line(error: BaseException) -> str:
    """What is said may come from a node or a sequencer: nothing in it must drive the terminal."""
    text = " ".join(str(error).split()) or type(error).__name__
    return "".join(c if c.isprintable() else "?" for c in text)


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


def _listen() -> None:
    """Services stop on SIGTERM as on SIGINT, in good order; in the background of a shell script, too.

    Such a script has its background jobs ignore SIGINT. SIGTERM is delivered as one, so it must not be ignored.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    signal.raise_signal(signal.SIGINT)


def _version() -> str:
    from importlib.metadata import version  # noqa: PLC0415 - only for --version

    return version("plumbline")
