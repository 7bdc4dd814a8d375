"""The other end of co-signing: a feeder's HTTP endpoint, where a leader shows what it proposes and gets a signature.

    POST /feeder/sign {"statement": "0x…"} → {"feeder": "0x…", "signature": "0x…"}

`statement` are the bytes of an update without signatures, as on the wire. It listens on loopback unless told
otherwise; what protects a feeder is what it checks, not who asks: a signature for a true price harms nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import msgspec
import structlog

from rollup.crypto.signatures import address_of, sign
from rollup.errors import Rejected, Undecodable
from rollup.feeder.judge import Judge, NotSigned
from rollup.feeder.statements import Statement, digest_of
from rollup.feeder.venue import VenueSilent
from rollup.rpc.client import RpcDisconnected, RpcError, RpcUnreachable
from rollup.rpc.dispatch import Dispatcher, Params
from rollup.rpc.session import Session
from rollup.types.prices import OracleUpdate, SurfaceUpdate
from rollup.types.transactions import decode_transaction

log = structlog.get_logger(__name__)


class NoStatement(Rejected):
    """What came is no update without signatures."""

    code: ClassVar[int] = 14_000


class SignParams(Params, frozen=True):
    """The bytes of an unsigned update."""

    statement: Annotated[str, msgspec.Meta(max_length=400)]


@dataclass(frozen=True, slots=True)
class Follower:
    """A key that signs what its judge accepts."""

    key: bytes
    separator: bytes
    judge: Judge

    async def sign(self, statement: Statement) -> bytes:
        """The signature; NotSigned, also if the feeder's own node cannot be asked for the state."""
        try:
            await self.judge.accept(statement)
        except NotSigned as refusal:
            log.warning("not_signed", underlying=statement.underlying, time=statement.time, reason=str(refusal))
            raise
        except (RpcError, RpcUnreachable, RpcDisconnected, VenueSilent) as error:
            raise NotSigned(f"cannot look at the state: {error}") from error
        return sign(digest_of(self.separator, statement), self.key)


def register_follower(dispatcher: Dispatcher, follower: Follower) -> None:
    """feeder/sign."""
    address = f"0x{address_of(follower.key).hex()}"

    async def answer(_: Session, params: SignParams) -> dict[str, str]:
        signature = await follower.sign(read_statement(params.statement))
        return {"feeder": address, "signature": f"0x{signature.hex()}"}

    dispatcher.register("feeder/sign", SignParams, answer)


def read_statement(text: str) -> Statement:
    """The unsigned update; NoStatement."""
    try:
        data = bytes.fromhex(text.removeprefix("0x"))
        statement, end = decode_transaction(data, 0)
    except (ValueError, Undecodable) as error:
        raise NoStatement("the bytes of an unsigned OracleUpdate or SurfaceUpdate are wanted") from error
    if not isinstance(statement, OracleUpdate | SurfaceUpdate) or statement.signers or end != len(data):
        raise NoStatement("the bytes of an unsigned OracleUpdate or SurfaceUpdate are wanted")
    return statement
