"""Defend mode: every fraud that replay finds is proven on L1, until L1 has reverted it."""

from __future__ import annotations

from typing import Any, Protocol

import structlog
import trio

from challenger.commitment import Commitments
from challenger.prove import Proof, Reversion, TwinsDisagree, prepare_proof, send_proof, still_stands
from challenger.rewards import Bounties
from challenger.status import Status
from challenger.worker import EvmWorker
from rollup.derive.fraud import Fraud
from rollup.errors import ProofFault
from rollup.l1.account import L1Account
from rollup.l1.contract import Contract

log = structlog.get_logger()


class Listener(Protocol):
    """Hears what happens, one line of text with its fields."""

    def __call__(self, name: str, text: str, /, **fields: Any) -> None:
        """Take one event."""


class Defender:
    """Prepares proofs, sends them and collects the rewards."""

    def __init__(
        self,
        rollup: Contract,
        account: L1Account,
        worker: EvmWorker,
        separator: bytes,
        bounties: Bounties,
        status: Status,
        listener: Listener,
        commitments: Commitments | None = None,
    ) -> None:
        self._rollup = rollup
        self._account = account
        self._worker = worker
        self._separator = separator
        self._bounties = bounties
        self._status = status
        self._listener = listener
        self._commitments = commitments
        self.removed: Fraud | None = None
        """The last fraud that this challenger reverted itself."""
        self._judged: tuple[Fraud, Proof | str] | None = None

    async def act(self, fraud: Fraud | None, *, finalised: int) -> None:
        """Prove `fraud` if there is one, then claim what is due. Raises `L1Error`; the next round tries again."""
        if fraud is not None and fraud.batch.index <= finalised:
            self._status.alarm = f"batch {fraud.batch.index} is wrong and final: it is too late to prove it"
        elif fraud is not None and await still_stands(self._rollup, fraud):
            await self._prove(fraud)
        if self._commitments is not None:
            await self._reveal(self._commitments, fraud)
        async for reward in self._bounties.claim_due():
            ether = reward.amount / 10**18
            self._listener("reward_claimed", f"reward of {ether:g} ether claimed", wei=reward.amount)

    async def _prove(self, fraud: Fraud) -> None:
        proof = await self._prepare(fraud)
        if isinstance(proof, str):
            self._status.alarm = proof
            return
        started = trio.current_time()
        self._bounties.expect(fraud.batch.poster)
        if self._commitments is not None:
            block = await self._commitments.make(proof)
            if block is not None:
                self._listener("committed", f"committed to the verdict in L1 block {block}", l1_block=block)
        reversion = await send_proof(self._rollup, self._account, proof)
        if reversion is not None:
            self.removed = fraud
            self._report(reversion, trio.current_time() - started)

    async def _reveal(self, commitments: Commitments, fraud: Fraud | None) -> None:
        """Take over, or make sure of, the bounties on what was committed to and is proven now."""
        standing = fraud if fraud is not None and await still_stands(self._rollup, fraud) else None
        async for revealed in commitments.reveal_due(standing):
            self._listener("revealed", "revealed: the bounty is ours from the commitment on", poster=revealed.poster)

    async def _prepare(self, fraud: Fraud) -> Proof | str:
        """The proof, or why there is none; made once for each fraud."""
        if self._judged is None or self._judged[0] is not fraud:
            judgement: Proof | str
            try:
                judgement = await prepare_proof(self._rollup, self._worker, self._separator, fraud)
            except (TwinsDisagree, ProofFault) as error:
                log.critical("no proof of a fraud; the twins must be looked at", error=str(error))
                judgement = f"fraud without a proof: {error}"
            self._judged = (fraud, judgement)
        return self._judged[1]

    def _report(self, reversion: Reversion, seconds: float) -> None:
        fields = {
            "batch": reversion.batch,
            "position": reversion.position,
            "reason": reversion.reason,
            "transaction": f"0x{reversion.transaction.hex()}",
            "gas": reversion.gas_used,
            "calldata_bytes": reversion.calldata_bytes,
            "fork": reversion.fork,
            "seconds": round(seconds, 3),
        }
        self._status.proofs.append(fields)
        text = f"batch {reversion.batch} reverted in one transaction of {reversion.gas_used:,} gas"
        self._listener("fraud_reverted", text, **fields)
