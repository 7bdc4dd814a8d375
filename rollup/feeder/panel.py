"""Gathering signatures: own keys in this process, and feeders elsewhere that are asked over HTTP.

On a devnet one process holds all keys; in production each feeder holds one, the leader asks the others. What counts is
the address that a signature recovers to, never who sent it: an answer that recovers to nobody of the oracle set, or to
somebody whose signature is there already, is dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Protocol

import structlog
import trio

from rollup.crypto.signatures import recover, sign
from rollup.errors import PlumblineError, SignatureFault
from rollup.feeder.judge import Judge, NotSigned
from rollup.feeder.statements import Statement, digest_of
from rollup.rpc.client import RpcDisconnected, RpcError, RpcUnreachable, connect_http
from rollup.types.transactions import encode_transaction

log = structlog.get_logger(__name__)

PEER_SECONDS: Final = 3.0
"""A peer that has not answered by then is left out: a price must not wait for the slowest."""
THIRDS: Final = 3


class TooFewSigners(PlumblineError):  # noqa: N818 - a state of affairs
    """Fewer feeders signed than the rollup asks for; the next round tries again."""


def threshold_of(feeders: int) -> int:
    """How many feeders must sign where two thirds must, rounded up."""
    return -(-2 * feeders // THIRDS)


class Signer(Protocol):
    """A feeder that can be asked to sign."""

    name: str

    async def sign(self, statement: Statement, digest: bytes) -> bytes:
        """Its signature; raises NotSigned, RpcError, RpcUnreachable or RpcDisconnected."""
        ...


class OwnKey:
    """A key in this process; without a `judge` it signs whatever this process proposes."""

    def __init__(self, key: bytes, judge: Judge | None = None, name: str = "own") -> None:
        self.name = name
        self._key = key
        self._judge = judge

    async def sign(self, statement: Statement, digest: bytes) -> bytes:
        """Sign, if the judge lets it."""
        if self._judge is not None:
            await self._judge.accept(statement)
        return sign(digest, self._key)


class Peer:
    """Another feeder's process, at `http://host:port/`."""

    def __init__(self, url: str) -> None:
        self.name = url
        self._url = url if url.endswith("/") else f"{url}/"

    async def sign(self, statement: Statement, digest: bytes) -> bytes:  # noqa: ARG002 - it makes the digest itself
        """Ask it."""
        async with connect_http(self._url) as rpc:
            answer = await rpc.call("feeder/sign", {"statement": f"0x{encode_transaction(statement).hex()}"})
        try:
            return bytes.fromhex(answer["signature"][2:])
        except (KeyError, TypeError, ValueError) as error:
            raise RpcUnreachable(f"{self._url}: no signature in its answer") from error


class Panel:
    """All feeders that can be asked, in turn, so that everybody's signature is in use."""

    def __init__(self, separator: bytes, signers: Sequence[Signer]) -> None:
        self._separator = separator
        self._signers = signers

    async def co_sign(self, statement: Statement, feeders: Sequence[bytes], threshold: int) -> Statement:
        """The statement with exactly `threshold` signatures of `feeders`; TooFewSigners.

        As many as are needed are asked at first, all the others only if one of these does not sign.
        """
        digest = digest_of(self._separator, statement)
        found: dict[int, bytes] = {}
        first = statement.time % len(self._signers)
        waiting = [*self._signers[first:], *self._signers[:first]]
        while waiting and len(found) < threshold:
            missing = threshold - len(found)
            asked, waiting = (waiting[:missing], waiting[missing:]) if not found else (waiting, [])
            async with trio.open_nursery() as nursery:
                for signer in asked:
                    nursery.start_soon(self._ask, signer, statement, digest, feeders, found)
        if len(found) < threshold:
            raise TooFewSigners(f"{len(found)} of {threshold} feeders sign")
        chosen = sorted(list(found)[:threshold])
        return replace(
            statement, signers=sum(1 << index for index in chosen), signatures=tuple(found[index] for index in chosen)
        )

    async def _ask(
        self, signer: Signer, statement: Statement, digest: bytes, feeders: Sequence[bytes], found: dict[int, bytes]
    ) -> None:
        """Put the signature of one feeder into `found`, under its place in the oracle set."""
        try:
            with trio.fail_after(PEER_SECONDS):
                signature = await signer.sign(statement, digest)
            address = recover(digest, signature)
        except (NotSigned, RpcError, RpcUnreachable, RpcDisconnected, SignatureFault, trio.TooSlowError) as error:
            log.warning("feeder_does_not_sign", feeder=signer.name, error=str(error) or type(error).__name__)
            return
        if address not in feeders:
            log.warning("feeder_unknown", feeder=signer.name, address=f"0x{address.hex()}")
        elif (index := feeders.index(address)) in found:
            log.warning("feeder_twice", feeder=signer.name, address=f"0x{address.hex()}")
        else:
            found[index] = signature
