"""What a command signs is good for the configured deployment alone, whatever the sequencer says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio

from rollup.cli.app import _one_line, run
from rollup.cli.session import RequestFailed, Signing, WrongDeployment
from rollup.cli.trading import cancel, order, withdraw
from rollup.crypto.eip712 import cancel_digest, domain_separator, order_digest, withdraw_digest
from rollup.crypto.signatures import recover
from rollup.errors import ConfigError
from rollup.l1.deployment import Deployment
from rollup.l1.devkeys import dev_address
from rollup.rpc.dispatch import Dispatcher
from rollup.rpc.server import RpcAddress, run_rpc_server
from rollup.types.transactions import FLAG_IMMEDIATE

OURS = Deployment(
    31_337, b"\x11" * 20, b"\2" * 20, b"\3" * 20, b"\4" * 20, b"\5" * 20, 7, b"\6" * 32, {"BTC-PERP": 1, "ETH-PERP": 2}
)
SEPARATOR = domain_separator(OURS.chain_id, OURS.rollup)
KEY = 5
USD = 1_000_000
Command = Callable[[Signing], Awaitable[None]]


class Anything(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Parameters of any private method."""

    subaccount_id: int
    nonce: int
    signature: str
    instrument_name: str = ""
    direction: str = ""
    signature_expiry_sec: int = 0
    size: int = 0
    price: int = 0
    time_in_force: str = ""
    reduce_only: bool = False
    hard: bool = False
    micro_amount: int = 0


class Named(msgspec.Struct, forbid_unknown_fields=True):
    """Parameters of the public methods."""

    instrument_name: str = ""


@dataclass
class Liar:
    """A sequencer that answers what it is told to, and remembers what was signed for it."""

    answers: dict[str, Any] = field(default_factory=dict)
    signed: list[tuple[str, Anything]] = field(default_factory=list)

    def dispatcher(self) -> Dispatcher:
        """Every method that the trading commands call."""
        made = Dispatcher()
        for name in ("public/status", "public/get_instrument", "public/get_ticker"):
            made.register(name, Named, lambda _session, _params, name=name: self.answers[name])
        for name in ("private/order", "private/cancel", "private/cancel_all", "private/withdraw"):
            made.register(name, Anything, lambda _session, params, name=name: self._take(name, params))
        return made

    def _take(self, name: str, params: Anything) -> dict[str, Any]:
        self.signed.append((name, params))
        return {"order": {"order_status": "open"}, "trades": []}


def honest() -> dict[str, Any]:
    """What a sequencer of our deployment says."""
    return {
        "public/status": {"chain_id": OURS.chain_id, "rollup": f"0x{OURS.rollup.hex()}"},
        "public/get_instrument": {"market": 1, "tick_size": "0.1"},
        "public/get_ticker": {"mark_price": "50000"},
    }


@asynccontextmanager
async def lying(
    monkeypatch: pytest.MonkeyPatch, folder: Path, answers: Mapping[str, Any] | None = None, *, file: bool = True
) -> AsyncIterator[Liar]:
    """Serve a liar, and configure the commands for it and for our deployment."""
    if file:
        OURS.save(folder / "deployment.json")
    liar = Liar(honest() | {f"public/{name}": answer for name, answer in (answers or {}).items()})
    async with trio.open_nursery() as nursery:
        address: RpcAddress = await nursery.start(run_rpc_server, liar.dispatcher(), "127.0.0.1", 0)
        monkeypatch.setenv("PLUMBLINE_CLIENT_RPC", address.ws_url)
        monkeypatch.setenv("PLUMBLINE_CLIENT_KEY", f"dev:{KEY}")
        monkeypatch.setenv("PLUMBLINE_CLIENT_ACCOUNT", "3")
        monkeypatch.setenv("PLUMBLINE_L1_DEPLOYMENT", str(folder / "deployment.json"))
        yield liar
        nursery.cancel_scope.cancel()


async def buy(signing: Signing) -> None:
    """A limit order."""
    await order("buy", "BTC-PERP", "0.01", "40000", signing=signing)


async def buy_at_market(signing: Signing) -> None:
    """An order without a price."""
    await order("buy", "BTC-PERP", "0.01", signing=signing)


COMMANDS: Mapping[str, Command] = {
    "order": buy,
    "market order": buy_at_market,
    "cancel": lambda signing: cancel(9, signing=signing),
    "cancel all": lambda signing: cancel(signing=signing),
    "hard cancel": lambda signing: cancel(9, hard=True, signing=signing),
    "withdraw": lambda signing: withdraw("100", signing=signing),
}
PLAIN = Signing()


def signer_of(name: str, params: Anything) -> bytes:
    """Who signed the request, for our deployment."""
    if name == "private/order":
        flags = FLAG_IMMEDIATE * (params.time_in_force in {"ioc", "fok"})
        terms = (1, flags, params.size, params.price, params.nonce, params.signature_expiry_sec)
        digest = order_digest(SEPARATOR, params.subaccount_id, *terms)
    elif name == "private/withdraw":
        digest = withdraw_digest(SEPARATOR, params.subaccount_id, params.micro_amount, params.nonce)
    else:
        digest = cancel_digest(SEPARATOR, params.subaccount_id, name == "private/cancel_all", params.nonce)
    return recover(digest, bytes.fromhex(params.signature[2:]))


@pytest.mark.parametrize("command", COMMANDS)
async def test_an_honest_sequencer_gets_a_signature_for_the_configured_deployment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    """Each command signs under the domain of the deployment file."""
    async with lying(monkeypatch, tmp_path) as liar:
        await COMMANDS[command](PLAIN)
    ((name, params),) = liar.signed
    assert signer_of(name, params) == dev_address(KEY)
    assert params.subaccount_id == 3


OTHERS = {
    "another chain": {"chain_id": 1, "rollup": f"0x{OURS.rollup.hex()}"},
    "another contract": {"chain_id": OURS.chain_id, "rollup": "0x" + "22" * 20},
    "no address": {"chain_id": OURS.chain_id, "rollup": "\x1b[2J" * 100},
}


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("command", COMMANDS)
async def test_a_sequencer_of_another_deployment_gets_no_signature(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str, other: str
) -> None:
    """The error names both deployments; nothing leaves."""
    async with lying(monkeypatch, tmp_path, {"status": OTHERS[other]}) as liar:
        with pytest.raises(WrongDeployment, match="nothing signed") as caught:
            await COMMANDS[command](PLAIN)
    assert not liar.signed
    assert f"Rollup 0x{OURS.rollup.hex()} on chain 31337" in str(caught.value)


@pytest.mark.parametrize("status", [None, [], {}, {"chain_id": "1", "rollup": 5}, {"chain_id": 31_337}])
async def test_a_status_that_makes_no_sense_gets_no_signature(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, status: object
) -> None:
    """One clear line instead of a crash."""
    async with lying(monkeypatch, tmp_path, {"status": status}) as liar:
        with pytest.raises(RequestFailed, match="makes no sense"):
            await COMMANDS["withdraw"](PLAIN)
    assert not liar.signed


@pytest.mark.parametrize("number", [0, 2, 2**32 - 1])
async def test_another_market_under_the_instrument_s_name_gets_no_signature(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: int
) -> None:
    """What is signed is the market's number, and the deployment file knows it."""
    async with lying(monkeypatch, tmp_path, {"get_instrument": {"market": number, "tick_size": "0.1"}}) as liar:
        with pytest.raises(WrongDeployment, match=f"BTC-PERP is market {number}, .* it is market 1"):
            await COMMANDS["order"](PLAIN)
        with pytest.raises(WrongDeployment, match="it is no market"):
            await order("buy", "XRP-PERP", "1", "1")
    assert not liar.signed


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("get_instrument", {"market": 2**64, "tick_size": "0.1"}),
        ("get_instrument", {"market": -1, "tick_size": "0.1"}),
        ("get_instrument", {"market": "1", "tick_size": "0.1"}),
        ("get_ticker", {"mark_price": 5}),
        ("get_ticker", {}),
    ],
)
async def test_terms_that_make_no_sense_get_no_signature(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, method: str, answer: object
) -> None:
    """Types and ranges of what goes into an order are checked."""
    async with lying(monkeypatch, tmp_path, {method: answer}) as liar:
        with pytest.raises(RequestFailed, match="makes no sense"):
            await COMMANDS["market order"](PLAIN)
    assert not liar.signed


async def test_without_a_deployment_file_nothing_is_signed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The sequencer's word does not take its place."""
    async with lying(monkeypatch, tmp_path, file=False) as liar:
        for command in COMMANDS.values():
            with pytest.raises(ConfigError, match="deployment file"):
                await command(PLAIN)
    assert not liar.signed


async def test_chain_and_contract_may_be_named_without_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By flags, by the environment, or in part by each; flags are stronger."""
    address = f"0x{OURS.rollup.hex()}"
    async with lying(monkeypatch, tmp_path, file=False) as liar:
        await COMMANDS["withdraw"](Signing(chain_id=31_337, rollup=address))
        monkeypatch.setenv("PLUMBLINE_CLIENT_CHAIN_ID", "31337")
        monkeypatch.setenv("PLUMBLINE_CLIENT_ROLLUP", address)
        await COMMANDS["order"](PLAIN)
        assert [signer_of(*each) for each in liar.signed] == [dev_address(KEY)] * 2
        with pytest.raises(WrongDeployment):
            await COMMANDS["withdraw"](Signing(chain_id=1))
        with pytest.raises(ConfigError, match=r"client\.rollup"):
            await COMMANDS["withdraw"](Signing(rollup="0x12"))
    assert len(liar.signed) == 2


async def test_another_file_is_another_domain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`--deployment` is what decides, not what the sequencer serves."""
    other = tmp_path / "other.json"
    replace(OURS, chain_id=5).save(other)
    async with lying(monkeypatch, tmp_path) as liar:
        with pytest.raises(WrongDeployment, match="chain 5"):
            await COMMANDS["withdraw"](Signing(deployment=other))
        liar.answers["public/status"] = {"chain_id": 5, "rollup": f"0x{OURS.rollup.hex().upper()}"}
        await COMMANDS["withdraw"](Signing(deployment=other))
    ((name, params),) = liar.signed
    assert signer_of(name, params) != dev_address(KEY)


@pytest.mark.parametrize(
    "tokens",
    [["cancel", "-1"], ["cancel", str(2**64)], ["order", "buy", "BTC-PERP", "1", "1", "--seconds", str(2**40)]],
)
def test_numbers_that_no_field_holds_are_used_wrongly(tokens: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and one line, before anything is asked."""
    assert run(tokens) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_what_a_sequencer_says_cannot_drive_the_terminal() -> None:
    """Errors repeat its words without control characters."""
    assert _one_line(RequestFailed("a\x1b[2J\nb\u202ec")) == "a?[2J b?c"
