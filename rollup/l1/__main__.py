"""Run the embedded L1 by itself: `python -m rollup.l1`."""

from __future__ import annotations

import argparse
import signal
from functools import partial

import trio

from rollup.l1.devkeys import dev_address, dev_key
from rollup.l1.embedded import EmbeddedL1Config, run_embedded_l1


def main() -> None:
    """Parse the options and serve until interrupted."""
    options = _parser().parse_args()
    config = EmbeddedL1Config(
        chain_id=options.chain_id,
        block_interval=options.block_interval or None,
        genesis_time=options.genesis_time,
    )
    trio.run(_serve, options.host, options.port, config)
    print("stopped; the chain is gone, it was in memory only")


async def _serve(host: str, port: int, config: EmbeddedL1Config) -> None:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:
            run = partial(run_embedded_l1, host, port, config=config)
            url = await nursery.start(run)
            print(f"embedded L1, chain {config.chain_id}, at {url}")
            print("PUBLIC development accounts, worth nothing anywhere else:")
            for index in range(3):
                print(f"  0x{dev_address(index).hex()}  key 0x{dev_key(index).hex()}", flush=True)
            await anext(signals)
            nursery.cancel_scope.cancel()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m rollup.l1", description="An Ethereum node in memory.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8545, help="port to listen on; 0 takes any free one")
    parser.add_argument("--chain-id", type=int, default=31_337)
    parser.add_argument(
        "--block-interval", type=float, default=1.0, help="seconds between blocks; 0: only with transactions"
    )
    parser.add_argument(
        "--genesis-time", type=int, default=None, help="Unix time at which the chain begins; default: now"
    )
    return parser


if __name__ == "__main__":
    main()
