"""`challenger prove`: derive once, and prove the first fraud if there is one."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from challenger.target import ConfirmationsFlag, DeploymentFlag, KeyFlag, L1Flag, RollupFlag, find_target
from rollup.cli.options import DEFAULT, Common, ExportFlag
from rollup.config import ChallengerConfig
from rollup.derive.ahead import Ahead
from rollup.derive.follower import Follower
from rollup.derive.fraud import Fraud
from rollup.derive.origin import Origin
from rollup.derive.pipeline import Pipeline
from rollup.derive.replica import Replica
from rollup.derive.source import L1Source
from rollup.derive.vetting import open_source
from rollup.errors import ConfigError
from rollup.l1.account import L1Account
from rollup.l1.artifacts import load_artifact
from rollup.l1.client import L1Client
from rollup.l1.contract import Contract
from rollup.store.identity import ChainIdentity
from rollup.store.state import StateStore


async def prove(
    *,
    l1: L1Flag = None,
    rollup: RollupFlag = None,
    deployment: DeploymentFlag = None,
    key: KeyFlag = None,
    dry_run: Annotated[bool, Parameter(negative=(), help="let py-evm judge, and send nothing: takes no key")] = False,
    confirmations: ConfirmationsFlag = None,
    export: ExportFlag = None,
    common: Common = DEFAULT,
) -> None:
    """Derive the rollup from L1 in memory; if a block is wrong, have py-evm confirm it and revert it on L1.

    Exit code 0 also if there is nothing to prove. The reward is claimed by `challenger watch` with the same key.
    """
    settings, output = common.settings(), common.output()
    chain, address = find_target(settings, l1, rollup, deployment, confirmations, export)
    config = settings.role(ChallengerConfig, key=key)
    if config.key is None and not dry_run:
        raise ConfigError("challenger.key: a proof takes a key (--key file:PATH or dev:N); or only a --dry-run")
    async with L1Client(chain.url, timeout=chain.timeout) as client:
        source = await open_source(client, address, chain.export)
        origin, replica = source.origin, await derive_once(source, chain.confirmations)
        fraud = replica.fraud
        if fraud is None:
            found: dict[str, Any] = {"batches": replica.batch, "blocks": replica.store.committed}
            output.result({"result": "nothing to prove", **found, "state_root": replica.store.root})
            return
        account = None if dry_run or config.key is None else L1Account(client, config.key.private_key())
        output.note(f"FRAUD: {fraud}")
        output.result(fraud.describe() | await prove_fraud(client, origin, fraud, account))


async def derive_once(source: L1Source, confirmations: int) -> Replica:
    """A replica in memory, up to the confirmed head or the first fraud."""
    origin = source.origin
    store = StateStore.in_memory(ChainIdentity(origin.chain_id, origin.rollup))
    with Ahead(origin.separator) as ahead:
        replica = Replica(store, origin, ahead=ahead)
        await Pipeline(Follower(source, confirmations=confirmations), replica).advance()
    return replica


async def prove_fraud(l1: L1Client, origin: Origin, fraud: Fraud, account: L1Account | None) -> dict[str, Any]:
    """Judge a fraud in py-evm and, with an account, revert it; `TwinsDisagree` or `ProofFault` if py-evm does not."""
    from challenger.prove import prepare_proof, send_proof  # noqa: PLC0415 - py-evm takes a second
    from challenger.service import verifier_code  # noqa: PLC0415
    from challenger.worker import open_worker  # noqa: PLC0415

    rollup = Contract(l1, origin.rollup, load_artifact("Rollup"))
    async with open_worker(await verifier_code(l1, origin)) as worker:
        proof = await prepare_proof(rollup, worker, origin.separator, fraud)
    judged = {"verifier_gas": proof.verdict.gas_used, "calldata_bytes": len(proof.calldata)}
    if account is None:
        return {"result": "fraud confirmed, nothing sent", **judged, "calldata": proof.calldata}
    reversion = await send_proof(rollup, account, proof)
    if reversion is None:
        return {"result": "reverted by somebody else", **judged}
    return {
        "result": "reverted",
        **judged,
        "transaction": reversion.transaction,
        "gas": reversion.gas_used,
        "fork": reversion.fork,
    }
