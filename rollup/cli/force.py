"""`rollup force …`: transactions through L1's inbox, when no sequencer takes them, and what became of them."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Annotated, Final, Literal

from cyclopts import App, Parameter
from cyclopts.validators import Number

from rollup.cli.addresses import read_address
from rollup.cli.amounts import read_micro, read_usd, show_usd
from rollup.cli.force_prices import force_prices
from rollup.cli.force_withdraw import force_withdraw
from rollup.cli.forced import await_outcome, send_payload, tell_outcome
from rollup.cli.forcing import FORCING, SENDING, Forcing, Patience, Sending, Waiting, open_force
from rollup.cli.options import DEFAULT, Common
from rollup.cli.output import show
from rollup.cli.session import SIGNING, Signing
from rollup.cli.signed_order import describe_order, read_side
from rollup.cli.wallet import SLOT_BITS, Wallet
from rollup.config import ClientConfig, L1Config
from rollup.errors import ConfigError
from rollup.exit.amounts import show_time
from rollup.exit.outcome import outcome_of, outcomes_about
from rollup.exit.payloads import (
    account_of,
    next_owner_nonce,
    sign_cancel,
    sign_set_signer,
    sign_transfer,
    trade_payload,
)
from rollup.l1.deployment import Deployment
from rollup.types.transactions import FreshOrder

DAY: Final = 86_400
Nonce = Annotated[
    int | None, Parameter(help="default: the next after the state's on L1", validator=Number(gte=0, lt=2**64))
]

force = App(name="force", help="Send a transaction through L1's inbox, and tell what became of it.")
force.command(force_withdraw, name="withdraw", help="Withdraw from an account (as `rollup force-withdraw`).")
force.command(force_prices, name="prices")


@force.command
async def cancel(
    nonce: Annotated[int, Parameter(help="nonce of the order", validator=Number(gte=0, lt=2**64))],
    *,
    forcing: Forcing = FORCING,
    sending: Sending = SENDING,
    common: Common = DEFAULT,
) -> int:
    """Cancel an order in a block; the owner's key or the session signer's. After that no fill of it is valid."""
    async with open_force(forcing, common) as way:
        number = way.require_account()
        payload = sign_cancel(way.separator, number, nonce, way.signing_key(number, session=True))
        return await send_payload(way, f"Cancel order {nonce} of account {number}", payload, sending, [])


@force.command
async def cancel_all(
    *, nonce: Nonce = None, forcing: Forcing = FORCING, sending: Sending = SENDING, common: Common = DEFAULT
) -> int:
    """Cancel every order that was signed so far: all with a nonce below --nonce, by default the present second's."""
    async with open_force(forcing, common) as way:
        number = way.require_account()
        key = way.signing_key(number, session=True)
        floor = account_of(way.mirror, number).nonce_floor
        chosen = max(floor + 1, int(time.time() + 1) << SLOT_BITS) if nonce is None else nonce
        payload = sign_cancel(way.separator, number, chosen, key, every=True)
        what = f"Cancel every order of account {number} with a nonce below {chosen}"
        return await send_payload(way, what, payload, sending, [])


@force.command
async def set_signer(
    signer: Annotated[str, Parameter(help="address of the key that may trade for the account, or `none`")],
    *,
    nonce: Nonce = None,
    forcing: Forcing = FORCING,
    sending: Sending = SENDING,
    common: Common = DEFAULT,
) -> int:
    """Appoint a session signer, or none; the owner's key."""
    address = bytes(20) if signer == "none" else read_address(signer, "signer")
    async with open_force(forcing, common) as way:
        number = way.require_account()
        key = way.signing_key(number)
        chosen = next_owner_nonce(way.mirror, number) if nonce is None else nonce
        payload = sign_set_signer(way.separator, number, address, chosen, key)
        who = "nobody but its owner" if signer == "none" else show(address)
        return await send_payload(way, f"Let {who} trade for account {number}", payload, sending, [])


@force.command
async def transfer(
    amount: Annotated[str, Parameter(help="USD, up to six decimals")],
    to: Annotated[int, Parameter(help="account that receives it", validator=Number(gte=0, lt=2**24))],
    *,
    nonce: Nonce = None,
    forcing: Forcing = FORCING,
    sending: Sending = SENDING,
    common: Common = DEFAULT,
) -> int:
    """Move cash to another account; the owner's key."""
    micro = read_usd(amount)
    async with open_force(forcing, common) as way:
        number = way.require_account()
        key = way.signing_key(number)
        chosen = next_owner_nonce(way.mirror, number) if nonce is None else nonce
        payload = sign_transfer(way.separator, number, to, micro, chosen, key)
        what = f"Move {show_usd(micro)} USD from account {number} to account {to}"
        return await send_payload(way, what, payload, sending, [])


@force.command
async def trade(
    maker: Annotated[str, Parameter(help="file by `rollup force order`, or ACCOUNT:NONCE of an order on L2")],
    taker: Annotated[str, Parameter(help="the same of the other side")],
    amount: Annotated[str, Parameter(help="coins that change hands, at the maker's price")],
    *,
    forcing: Forcing = FORCING,
    sending: Sending = SENDING,
    common: Common = DEFAULT,
) -> int:
    """Trade with somebody one has found elsewhere: two signed orders, executed without a sequencer's matching."""
    fill = read_micro(amount, "amount")
    payload = trade_payload(read_side(maker, "maker"), read_side(taker, "taker"), fill)
    async with open_force(forcing, common) as way:
        return await send_payload(way, f"Trade {amount} coins between two orders", payload, sending, [])


@force.command
async def raw(
    payload: Annotated[str, Parameter(help="the transaction, 0x and hexadecimal digits (SPEC section 4)")],
    *,
    forcing: Forcing = FORCING,
    sending: Sending = SENDING,
    common: Common = DEFAULT,
) -> int:
    """Force the bytes of any transaction."""
    if re.fullmatch(r"0x([0-9a-fA-F]{2})+", payload) is None:
        raise ConfigError("payload: 0x and an even number of hexadecimal digits")
    async with open_force(forcing, common) as way:
        data = bytes.fromhex(payload[2:])
        return await send_payload(way, f"Force {len(data)} bytes of a transaction", data, sending, [])


@force.command
async def status(
    index: Annotated[int | None, Parameter(help="number of the message in L1's inbox", validator=Number(gte=0))] = None,
    *,
    mine: Annotated[bool, Parameter(negative=(), help="all messages about the account, or forced by the key")] = False,
    wait: Waiting = None,
    patience: Patience = None,
    forcing: Forcing = FORCING,
    common: Common = DEFAULT,
) -> int:
    """Tell what became of a message: waiting, executed, final; done, or refused and why. From L1 alone."""
    if (index is None) != mine:
        raise ConfigError("which message? its INDEX, or --mine")
    async with open_force(forcing, common, acting=False) as way:
        if index is not None and wait is not None:
            return await await_outcome(way, index, Sending(wait=wait, patience=patience))
        if index is not None:
            tell_outcome(way.output, await outcome_of(way.mirror, index))
            return 0
        found = await outcomes_about(way.mirror, way.number, way.sender if way.payer or way.wallet else None)
        if way.output.json:
            for outcome in found:
                tell_outcome(way.output, outcome)
            return 0
        rows = [(each.index, each.what, show_time(each.sent_at), each.tell()) for each in found]
        way.output.table(("message", "what", "sent", "outcome"), rows)
        return 0


@force.command
def order(
    side: Annotated[Literal["buy", "sell"], Parameter(help="buy or sell")],
    market: Annotated[str, Parameter(help="number of the market, or its name if the deployment file has it")],
    amount: Annotated[str, Parameter(help="coins")],
    price: Annotated[str, Parameter(help="limit in USD")],
    *,
    seconds: Annotated[int, Parameter(help="how long it may be filled", validator=Number(gte=0, lt=2**32))] = 7 * DAY,
    account: Annotated[int | None, Parameter(help="account that trades; default: the configured one")] = None,
    key: Annotated[str | None, Parameter(help="signs: file:PATH or dev:N")] = None,
    signing: Signing = SIGNING,
    common: Common = DEFAULT,
) -> None:
    """Sign an order for `rollup force trade` and print it, to be given to the other side. Sends nothing."""
    settings = common.settings()
    config = settings.role(ClientConfig, key=key, account=account, chain_id=signing.chain_id, rollup=signing.rollup)
    if config.key is None or config.account is None:
        raise ConfigError("client: an order needs --key, which signs it, and --account")
    place: Path = settings.role(L1Config, deployment=signing.deployment).deployment
    known = None if market.isdigit() and config.chain_id and config.rollup else Deployment.load(place)
    rollup = read_address(config.rollup, "client.rollup") if config.rollup else known and known.rollup
    chain_id = config.chain_id or (known and known.chain_id)
    assert rollup, "one of the two is there"
    assert chain_id, "one of the two is there"
    wallet = Wallet(config.key.private_key(), chain_id, rollup)
    signed: FreshOrder = wallet.order(
        config.account,
        _market(market, known),
        sell=side == "sell",
        size=read_micro(amount, "amount"),
        price=read_micro(price, "price"),
        life=seconds,
    )
    common.output().result(describe_order(signed))


def _market(text: str, known: Deployment | None) -> int:
    if text.isdigit() and int(text) < 1 << 16:
        return int(text)
    if known is None or text not in known.markets:
        raise ConfigError(f"market: {text[:60]!r} is no number of a market, and the deployment file does not name it")
    return known.markets[text]
