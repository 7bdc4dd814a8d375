"""Deploying the contracts, and the file that tells everybody where they are.

Rollup, Inbox and Vault must know each other from birth, since nothing about them can be changed later. A contract's
address follows from its creator and nonce, so the three are predicted and their creations sent in this order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final, Self

import msgspec

from rollup.crypto.keccak import keccak
from rollup.crypto.tree import MemoryNodes, Tree
from rollup.errors import ConfigError, L1Error
from rollup.l1.account import L1Account
from rollup.l1.artifacts import load_artifact
from rollup.l1.contract import Contract, deploy
from rollup.l1.encoding import read_data, to_data
from rollup.types.genesis import Genesis, encode_leaves
from rollup.types.instruments import Instruments, expiries_of
from rollup.types.keys import KeyKind, index_of, kind_of
from rollup.types.leaves import Market
from rollup.types.limits import FORCED_AGE, MAX_FORCED_MESSAGE

DAY: Final = 86_400
SIGNING_TIME: Final = 6 * 3_600
"""Seconds that may pass from the signing of a price until it stands in L1's inbox (SPEC section 7)."""
LONGEST_WAIT: Final = FORCED_AGE - SIGNING_TIME
"""Whatever waits in the inbox must be taken, or the chain be frozen, within this (s): then its prices still serve.

So, too, with blocks that are dated back as far as L1 lets them, for which prices must be as much older.
"""
MAX_THRESHOLD: Final = (MAX_FORCED_MESSAGE - 21 - 49) // 64
"""So many signatures of a series' slice fit a forced message (SPEC section 4)."""
NOBODY: Final = bytes(20)


@dataclass(frozen=True, slots=True)
class DeploymentPlan:
    """What a deployment fixes for ever. Stakes and fees in wei, times in seconds, `minimum_opening` in µUSD.

    `sequencer` posts exclusively while it is staked and not silent. `token` is the stablecoin; None deploys one that is
    worth nothing. `market_admin` lists markets, which open `listing_delay` later; None: nobody ever does. A forced
    transaction costs `force_fee`, and `force_fee_slope` for each message in the queue. A chain that leaves a message
    behind for `force_deadline` + `freeze_grace` can be frozen; the grace must be longer than `proposer_timeout` and
    is twice that if None. Accounts are registered for payment within `registration_window` after the end. What is meant
    for others must pass `check`.
    """

    sequencer: bytes
    genesis: Genesis
    token: bytes | None = None
    min_stake: int = 10**18
    dispute_window: int = 7 * DAY
    proposer_timeout: int = DAY
    force_deadline: int = DAY
    max_time_ahead: int = 60
    max_time_lag: int = DAY
    reward_delay: int = DAY
    minimum_opening: int = 1_000_000
    force_fee: int = 10**14
    market_admin: bytes | None = None
    listing_delay: int = DAY
    force_fee_slope: int = 3 * 10**12
    freeze_grace: int | None = None
    registration_window: int = 14 * DAY

    @property
    def grace(self) -> int:
        """`freeze_grace`, or what stands for it (s)."""
        return 2 * self.proposer_timeout if self.freeze_grace is None else self.freeze_grace

    def check(self) -> None:
        """`ConfigError` if prices could not be brought through L1, or not in time: then somebody could be locked in."""
        wait = self.force_deadline + max(self.grace, self.max_time_lag)
        if wait > LONGEST_WAIT:
            raise ConfigError(
                f"force_deadline, with freeze_grace or max_time_lag, is {wait:,} s, and at most {LONGEST_WAIT:,} may "
                "be: what is forced with prices must be taken before these are too old"
            )
        if self.genesis.threshold > MAX_THRESHOLD:
            raise ConfigError(
                f"threshold {self.genesis.threshold}: at most {MAX_THRESHOLD} signatures fit a forced slice"
            )


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where the contracts stand. `block` is the L1 block of the Rollup's creation: nothing before it matters.

    `markets` gives the number of each instrument of the genesis: what is signed is the number, so a wallet must not
    take it from a sequencer. Files of before it was written have none.
    """

    chain_id: int
    rollup: bytes
    inbox: bytes
    vault: bytes
    verifier: bytes
    token: bytes
    block: int
    genesis_root: bytes
    markets: Mapping[str, int] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write the file whole or not at all; `ConfigError` if that cannot be."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        plain = {name: to_data(value) if isinstance(value, bytes) else value for name, value in values.items()}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(f".{path.name}.new")
            draft.write_bytes(msgspec.json.format(msgspec.json.encode(plain)) + b"\n")
            draft.replace(path)
        except OSError as error:
            raise ConfigError(f"deployment file {path}: {error.strerror}") from error

    @staticmethod
    def check_place(path: Path) -> None:
        """`ConfigError` unless a file can be saved there; to be asked before contracts are paid for."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=path.parent):
                pass
        except OSError as error:
            raise ConfigError(f"deployment file {path}: {error.strerror}") from error

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the file; `ConfigError` says what is wrong with it."""
        try:
            content = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        except OSError as error:
            raise ConfigError(f"deployment file {path}: {error.strerror} (`rollup deploy` writes it)") from error
        except msgspec.DecodeError as error:
            raise ConfigError(f"deployment file {path}: {error}") from error
        content.setdefault("markets", {})
        try:
            return cls(**{item.name: _field(item.name, content[item.name]) for item in fields(cls)})
        except (KeyError, ValueError) as error:  # what msgspec finds wrong is a ValueError
            raise ConfigError(f"deployment file {path}: {error!r}") from error


async def deploy_contracts(
    account: L1Account, plan: DeploymentPlan, progress: Callable[[str, bytes, int], None] = lambda *_: None
) -> Deployment:
    """Deploy everything with `account`, which must send nothing else meanwhile, and return where it stands.

    `progress` hears each contract's name, address and gas. `ConfigError` for a genesis that cannot be, `L1Error` if the
    node fails or a constructor refuses.
    """
    leaves = plan.genesis.leaves()
    root = Tree(MemoryNodes()).update(leaves)

    async def create(name: str, *arguments: Any, expected: bytes | None = None) -> Contract:
        contract, receipt = await deploy(account, load_artifact(name), *arguments)
        if expected not in (None, contract.address):
            raise L1Error(f"{name} is not where it was predicted: the key sent something else", retryable=False)
        progress(name, contract.address, receipt.gas_used)
        blocks[name] = receipt.block_number
        return contract

    blocks: dict[str, int] = {}
    token = plan.token or (await create("TestUSD")).address
    verifier = (await create("Verifier", load_artifact("Pricer").bytecode)).address
    appraiser = (await create("Appraiser")).address
    nonce = await account.client.get_nonce(account.address, "pending")
    rollup, inbox, vault = (created_address(account.address, nonce + ahead) for ahead in range(3))
    await create("Rollup", _config(plan, inbox, verifier), encode_leaves(leaves), root, expected=rollup)
    admin = plan.market_admin or NOBODY
    terms = (plan.minimum_opening, plan.force_fee, plan.force_fee_slope, admin, plan.listing_delay)
    await create("Inbox", token, vault, rollup, *terms, expected=inbox)
    await create("Vault", token, rollup, appraiser, plan.registration_window, expected=vault)
    chain_id = await account.client.chain_id()
    return Deployment(chain_id, rollup, inbox, vault, verifier, token, blocks["Rollup"], root, market_numbers(leaves))


def market_numbers(leaves: Mapping[int, bytes]) -> dict[str, int]:
    """Number of each instrument among the leaves of a genesis, by name."""
    markets = {index_of(key): Market.decode(leaf) for key, leaf in leaves.items() if kind_of(key) is KeyKind.MARKET}
    return dict(Instruments.of(markets, expiries_of(leaves)).markets)


def created_address(creator: bytes, nonce: int) -> bytes:
    """Address of the contract that `creator` creates with this nonce: keccak(rlp([creator, nonce])), last 20 bytes."""
    number = nonce.to_bytes((nonce.bit_length() + 7) // 8, "big")
    encoded = number if len(number) == 1 and number[0] < 0x80 else bytes([0x80 + len(number)]) + number
    payload = b"\x94" + creator + encoded
    return keccak(bytes([0xC0 + len(payload)]) + payload)[12:]


def _config(plan: DeploymentPlan, inbox: bytes, verifier: bytes) -> tuple[Any, ...]:
    """The Solidity struct `Config`."""
    return (
        plan.sequencer,
        plan.min_stake,
        plan.dispute_window,
        plan.proposer_timeout,
        plan.force_deadline,
        plan.max_time_ahead,
        plan.max_time_lag,
        plan.reward_delay,
        inbox,
        verifier,
        plan.genesis.time,
        plan.grace,
    )


def _field(name: str, value: Any) -> Any:
    if name in {"chain_id", "block"}:
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise ValueError(f"{name} is no number")
        return value
    if name == "markets":
        return msgspec.convert(value, dict[str, int])
    return read_data(value, length=32 if name == "genesis_root" else 20)
