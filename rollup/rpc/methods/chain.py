"""The chain behind the exchange: status, blocks, batches, transactions."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from rollup.rpc.dispatch import Dispatcher, NoParams, Params
from rollup.rpc.methods.fields import Hexadecimal, read_hex, show_bytes
from rollup.rpc.methods.shapes import show_block, show_transaction
from rollup.rpc.session import Session
from rollup.sequencer.exchange import Exchange

Number = Annotated[int, msgspec.Meta(ge=0, lt=2**40)]


class NumberParams(Params, frozen=True):
    """Which block or batch."""

    number: Number


class TransactionParams(Params, frozen=True):
    """Which transaction."""

    transaction_id: Hexadecimal


def register_chain(dispatcher: Dispatcher, exchange: Exchange) -> None:
    """public/status, get_block, get_batch, get_transaction."""

    def status(_: Session, __: NoParams) -> dict[str, Any]:
        view = exchange.status()
        return {
            "chain_id": view.chain_id,
            "rollup": show_bytes(view.rollup),
            "inbox": show_bytes(view.inbox),
            "domain": {
                "name": "Plumbline",
                "version": "1",
                "chainId": view.chain_id,
                "verifyingContract": show_bytes(view.rollup),
            },
            "domain_separator": show_bytes(view.separator),
            "sequencer": show_bytes(view.sequencer),
            "head": view.number,
            "state_root": show_bytes(view.root),
            "fork": view.fork,
            "timestamp": view.time,
            "inbox_index": view.inbox_index,
            "posted": view.posted,
            "posted_batch": view.posted_batch,
            "finalised_batch": view.finalised_batch,
            "open_orders": view.open_orders,
            "alarms": list(view.alarms),
            "dishonest": view.fault,
        }

    def block(_: Session, params: NumberParams) -> dict[str, Any]:
        return show_block(exchange.block(params.number))

    def batch(_: Session, params: NumberParams) -> dict[str, Any]:
        found = exchange.batch(params.number)
        return {
            "number": found.index,
            "hash": show_bytes(found.hash),
            "fork": found.fork,
            "poster": show_bytes(found.poster),
            "l1_block": found.l1_block,
            "first_block": found.first_number,
            "last_block": found.last_number,
            "state_root": show_bytes(found.state_root),
            "inbox_index": found.inbox_index,
            "is_final": found.is_final,
        }

    def transaction(_: Session, params: TransactionParams) -> dict[str, Any]:
        return show_transaction(exchange.transaction(read_hex(params.transaction_id, 32, "transaction_id")))

    dispatcher.register("public/status", NoParams, status)
    dispatcher.register("public/get_block", NumberParams, block)
    dispatcher.register("public/get_batch", NumberParams, batch)
    dispatcher.register("public/get_transaction", TransactionParams, transaction)
