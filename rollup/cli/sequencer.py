"""`rollup sequencer`: the exchange, its blocks and its batches, in one process."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import trio
from cyclopts import Parameter

from rollup.batcher.contracts import RollupContract
from rollup.cli.events import events_of
from rollup.cli.options import DEFAULT, Common, ExportFlag
from rollup.cli.output import Output
from rollup.config import KeySource, L1Config, SequencerConfig
from rollup.crypto.signatures import address_of
from rollup.errors import ConfigError
from rollup.l1.client import L1Client
from rollup.l1.deployment import Deployment
from rollup.rpc.limits import Limits
from rollup.rpc.node import Node, run_node
from rollup.sequencer.faults import FAULTS
from rollup.sequencer.options import SequencerOptions
from rollup.sequencer.takeover import Succession, await_turn
from rollup.sequencer.unit import Unit
from rollup.sequencer.watch import Progress

NEVER = 1 << 40
"""Beyond every time of L1."""


async def serve_sequencer(
    *,
    l1: Annotated[str | None, Parameter(help="HTTP endpoint of an Ethereum node")] = None,
    deployment: Annotated[Path | None, Parameter(help="file written by `rollup deploy`")] = None,
    host: Annotated[str | None, Parameter(help="address to listen on")] = None,
    port: Annotated[int | None, Parameter(help="port of WebSocket and HTTP; 0 takes a free one")] = None,
    data: Annotated[Path | None, Parameter(help="folder of the database")] = None,
    key: Annotated[str | None, Parameter(help="signs headers and posts batches: file:PATH or dev:N")] = None,
    block_seconds: Annotated[float | None, Parameter(help="a block is sealed after this long")] = None,
    batch_seconds: Annotated[float | None, Parameter(help="a batch is posted after this long")] = None,
    confirmations: Annotated[int | None, Parameter(help="L1 blocks on top of one before it is believed")] = None,
    export: ExportFlag = None,
    fault: Annotated[
        str | None, Parameter(help=f"DISHONEST ON PURPOSE, to see challengers at work: {', '.join(FAULTS)}")
    ] = None,
    fault_at: Annotated[int, Parameter(help="first block that may be dishonest")] = 1,
    takeover: Annotated[
        bool, Parameter(negative=(), help="go on for a sequencer that is gone: derive all from L1, stake, post")
    ] = False,
    wait: Annotated[bool, Parameter(negative=(), help="with --takeover: wait until L1 lets this key post")] = False,
    verbose: Annotated[bool, Parameter(negative=(), help="one line per block, trade and batch")] = False,
    common: Common = DEFAULT,
) -> None:
    """Run a sequencer until interrupted. What it acknowledged is on disk; start it again and it goes on from there.

    With --takeover anyone may: once the designated sequencer has been silent for the proposer timeout, or its stake is
    gone. The books begin empty; accounts and positions are those that L1 has.
    """
    settings = common.settings()
    chain = settings.role(L1Config, url=l1, deployment=deployment, confirmations=confirmations, export=export)
    config = settings.role(
        SequencerConfig,
        host=host,
        port=port,
        data=data,
        key=key,
        block_seconds=block_seconds,
        batch_seconds=batch_seconds,
    )
    if config.key is None:
        raise ConfigError("sequencer.key: a sequencer needs a key: --key file:PATH or dev:N")
    if wait and not takeover:
        raise ConfigError("--wait goes with --takeover")
    if fault is not None and fault not in FAULTS:
        raise ConfigError(f"no fault {fault!r}; there are {', '.join(FAULTS)}")
    where = Deployment.load(chain.deployment)
    options = replace(options_of(config, chain, where.rollup, config.key), fault=fault, fault_at=fault_at)
    output = common.output()
    if fault is not None:
        output.note(f"THIS SEQUENCER IS DISHONEST ON PURPOSE: {fault}")
    if takeover:
        async with L1Client(chain.url, timeout=chain.timeout) as client:
            await _take_over(output, RollupContract(client, where.rollup), options.key, wait=wait)
    async with trio.open_nursery() as nursery:
        limits = Limits(connections=config.max_connections)
        start = lambda task_status: run_node(  # noqa: E731 - one use
            options, config.host, config.port, limits=limits, task_status=task_status
        )
        node: Node = await nursery.start(start)
        _announce(output, node, fault)
        if verbose:
            node.sequencer.exchange.listen(lambda unit: _show_unit(output, node, unit))
            node.sequencer.batch_listeners.append(lambda progress: _show_progress(output, progress))


def options_of(config: SequencerConfig, chain: L1Config, rollup: bytes, key: KeySource) -> SequencerOptions:
    """What the configuration says of a sequencer, but for its door."""
    return SequencerOptions(
        data_dir=config.data,
        l1_url=chain.url,
        rollup=rollup,
        key=key.private_key(),
        block_interval=config.block_seconds,
        batch_interval=config.batch_seconds,
        batch_bytes=config.batch_bytes,
        confirmations=chain.confirmations,
        export=chain.export,
        rehearsal_interval=config.rehearsal_seconds or None,
    )


async def _take_over(output: Output, contract: RollupContract, key: bytes, *, wait: bool) -> None:
    """Wait for the turn, and say what taking it will do and cost."""

    def tell(found: Succession) -> None:
        ends = found.freezable_after if found.freezable_after < NEVER else None
        if output.json:
            output.event(
                "turn", "", open=found.is_open, now=found.now, open_since=found.open_since, freezable_after=ends
            )
        output.note(found.turn())
        if ends is not None:
            output.note(f"message {found.waiting} waits; after L1's time {ends} anyone may freeze the chain for it")

    found = await await_turn(contract, address_of(key), wait=wait, tell=tell)
    text = f"takes over after batch {found.batch} (block {found.block}): {found.costs()}"
    output.event(
        "takeover",
        text,
        batch=found.batch,
        block=found.block,
        designated=found.designated,
        open_since=found.open_since,
        stake=found.missing_stake,
        gas_money=found.gas_money,
        balance=found.balance,
    )


def _announce(output: Output, node: Node, fault: str | None) -> None:
    status, address = node.sequencer.exchange.status(), node.address
    text = f"sequencer at {address.http_url} and {address.ws_url}, head {status.number}, fork {status.fork}"
    output.event(
        "listening",
        text,
        http=address.http_url,
        ws=address.ws_url,
        head=status.number,
        state_root=status.root,
        fork=status.fork,
        posted_batch=status.posted_batch,
        inbox_index=status.inbox_index,
        fault=fault,
    )


def _show_unit(output: Output, node: Node, unit: Unit) -> None:
    names = node.sequencer.exchange.catalogue
    for trade in unit.trades:
        name, side = names.by_number(trade.market).name, "sells" if trade.taker_sells else "buys"
        size, price = trade.size / 10**6, trade.price / 10**6
        text = f"trade   {name} account {trade.taker} {side} {size:g} at {price:,.2f} from {trade.maker}"
        fields = {"market": name, "taker": trade.taker, "maker": trade.maker, "size": trade.size, "price": trade.price}
        output.event("trade", text, block=trade.block, **fields)
    for block in unit.blocks:
        header = block.header
        for told in events_of(names, block.receipts):
            output.event(
                told.name, f"{told.word:<8}{told.text}", block=header.number, text=told.text, **told.fields
            )  # fmt: skip
        text = (
            f"block   {header.number} with {len(block.receipts)} transactions, root 0x{header.state_root.hex()[:12]}…"
        )
        output.event("block", text, number=header.number, fork=header.fork, transactions=len(block.receipts))


def _show_progress(output: Output, progress: Progress) -> None:
    text = f"batch   {progress.batch} on L1 up to block {progress.block}, final up to batch {progress.finalised}"
    output.event(
        "l1", text, batch=progress.batch, block=progress.block, finalised=progress.finalised, fork=progress.fork
    )
