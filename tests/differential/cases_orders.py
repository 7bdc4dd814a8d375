"""Cases of orders: accounts, nonces, slots, signatures."""
# ruff: noqa: D103 - a case is named after what happens in it, and its reason stands beside it

from __future__ import annotations

from rollup.crypto.signatures import HALF_ORDER
from rollup.types.reasons import Reason
from rollup.types.transactions import OrderRef, Trade
from tests.differential import world as w
from tests.differential.cases import LOT, Txs, buy, case, rest, sell
from tests.differential.world import COIN, DOLLAR, World


@case(Reason.NONE)
def two_fresh_orders(_: World) -> Txs:
    return [Trade(buy(), sell(), LOT)]


@case(Reason.NONE)
def two_references(world: World) -> Txs:
    return [
        Trade(rest(world, buy()), rest(world, sell()), LOT),
        Trade(rest(world, buy()), rest(world, sell()), COIN - LOT),
    ]


@case(Reason.NONE)
def session_signed(_: World) -> Txs:
    return [Trade(buy(), sell(key=w.key_of("session", 1)), LOT)]


@case(Reason.SELF_TRADE)
def trades_with_itself(_: World) -> Txs:
    return [Trade(buy(), sell(0, nonce=2), LOT)]


@case(Reason.SELF_TRADE)
def pays_itself(_: World) -> Txs:
    return [w.transfer(3, 3, DOLLAR, 1)]


@case(Reason.ACCOUNT_UNKNOWN)
def maker_unknown(_: World) -> Txs:
    return [Trade(buy(99), sell(), LOT)]


@case(Reason.ACCOUNT_UNKNOWN)
def taker_unknown(_: World) -> Txs:
    return [Trade(buy(), sell(99), LOT)]


@case(Reason.ACCOUNT_UNKNOWN)
def recipient_unknown(_: World) -> Txs:
    return [w.transfer(0, 99, DOLLAR, 1)]


@case(Reason.ORDER_INVALID)
def without_size(_: World) -> Txs:
    return [Trade(buy(size=0), sell(), LOT)]


@case(Reason.ORDER_INVALID)
def without_price(_: World) -> Txs:
    return [Trade(buy(), sell(price=0), LOT)]


@case(Reason.ORDER_INVALID)
def price_beyond_bounds(_: World) -> Txs:
    return [Trade(buy(price=1 << 47), sell(), LOT)]


@case(Reason.NONCE_FLOOR)
def fresh_below_floor(world: World) -> Txs:
    world.set_account(0, nonce_floor=2)
    return [Trade(buy(nonce=1), sell(), LOT)]


@case(Reason.NONCE_FLOOR)
def reference_below_floor(world: World) -> Txs:
    maker = rest(world, buy(nonce=1))
    world.set_account(0, nonce_floor=2)
    return [Trade(maker, sell(), LOT)]


@case(Reason.NONCE_STALE)
def slot_holds_a_newer_order(world: World) -> Txs:
    rest(world, buy(nonce=8193))
    return [Trade(buy(nonce=1), sell(), LOT)]


@case(Reason.NONE)
def newer_order_resets_slot(world: World) -> Txs:
    rest(world, buy(nonce=1), filled=COIN)
    return [Trade(buy(nonce=8193), sell(), COIN)]


@case(Reason.NONE)
def nonce_zero_in_an_empty_slot(_: World) -> Txs:
    return [Trade(buy(nonce=0), sell(nonce=(1 << 64) - 1), COIN)]


@case(Reason.ORDER_CONFLICT)
def other_terms_same_nonce(world: World) -> Txs:
    rest(world, buy())
    return [Trade(buy(expiry=w.NOW + 7), sell(), LOT)]


@case(Reason.ORDER_CONFLICT)
def cancelled_then_filled(_: World) -> Txs:
    return [w.cancel(0, 1), Trade(buy(), sell(), LOT)]


@case(Reason.ORDER_UNKNOWN)
def reference_to_nothing(_: World) -> Txs:
    return [Trade(OrderRef(0, 77), sell(), LOT)]


@case(Reason.ORDER_UNKNOWN)
def reference_to_cancelled(world: World) -> Txs:
    maker = rest(world, buy())
    return [w.cancel(0, 1), Trade(maker, sell(), LOT)]


@case(Reason.SIGNATURE_MALFORMED)
def high_s(_: World) -> Txs:
    return [Trade(buy(signature=bytes(31) + b"\x01" + (HALF_ORDER + 1).to_bytes(32, "big")), sell(), LOT)]


@case(Reason.SIGNATURE_INVALID)
def signed_by_a_stranger(_: World) -> Txs:
    return [Trade(buy(), sell(key=w.key_of("owner", 5)), LOT)]


@case(Reason.SIGNATURE_INVALID)
def blank_signature_in_a_block(_: World) -> Txs:
    return [Trade(buy(signature=bytes(64)), sell(), LOT)]


@case(Reason.SIGNATURE_INVALID)
def session_signer_withdraws(_: World) -> Txs:
    return [w.withdraw(1, DOLLAR, 1, key=w.key_of("session", 1))]


@case(Reason.SIGNATURE_INVALID)
def session_signer_removed(_: World) -> Txs:
    return [w.set_signer(1, bytes(20), 1), Trade(buy(), sell(key=w.key_of("session", 1)), LOT)]
