"""What deployment fixes, and what it refuses."""

from __future__ import annotations

import pytest

from rollup.crypto.eip712 import domain_separator
from rollup.crypto.keccak import keccak
from rollup.l1.artifacts import load_artifact
from rollup.l1.deployment import created_address
from tests.support.chain import ALICE, CHAIN_ID, reverts
from tests.support.world import (
    GENESIS_LEAVES,
    GENESIS_ROOT,
    MINIMUM_OPENING,
    PROPOSER_TIMEOUT,
    World,
    config,
    inbox_arguments,
)


def test_genesis_batch_is_final(world: World) -> None:
    """Batch 0 holds the genesis root and cannot be disputed."""
    root, state_root, batch_hash, poster, posted_at, number, blocks, time, index, fork = world.rollup.call("batches", 0)
    assert (root, state_root, poster, number, blocks, index, fork) == (bytes(32), GENESIS_ROOT, bytes(20), 0, 0, 0, 0)
    assert posted_at == time
    assert batch_hash == keccak(bytes(32 + 5 + 4 + 32) + GENESIS_ROOT + bytes(5))
    assert world.rollup.call("isFinal", 0)
    assert world.rollup.call("batchCount") == 1


def test_domain_separator_is_of_this_chain_and_contract(world: World) -> None:
    """Signatures bind to the L1 chain and the Rollup's address."""
    assert world.rollup.call("domainSeparator") == domain_separator(CHAIN_ID, world.rollup.address)


def test_contracts_know_each_other(world: World) -> None:
    """The circle of addresses closes."""
    rollup, inbox, vault = world.rollup.address, world.inbox.address, world.vault.address
    assert world.rollup.call("inbox") == inbox
    assert world.rollup.call("config")[9] == world.verifier.address
    assert (world.inbox.call("rollup"), world.inbox.call("vault")) == (rollup, vault)
    assert (world.vault.call("rollup"), world.vault.call("token")) == (rollup, world.token.address)


def test_genesis_event_holds_leaves(world: World) -> None:
    """The genesis state is on L1 whole."""
    chain = world.chain
    rollup = load_artifact("Rollup")
    data = world.rollup.abi.encode_deployment(
        rollup.bytecode,
        (config(world.inbox.address, world.verifier.address, chain.now), GENESIS_LEAVES, GENESIS_ROOT),
    )
    address = created_address(ALICE, chain.nonce(ALICE))
    outcome = chain.transact(ALICE, None, data)
    event = world.rollup.abi.decode_log(outcome.logs[0])
    assert event is not None
    assert outcome.logs[0].address == address
    assert event.values == {"leaves": GENESIS_LEAVES, "root": GENESIS_ROOT}


@pytest.mark.parametrize(
    ("field", "value", "name"),
    [
        ("sequencer", bytes(20), b"sequencer"),
        ("min_stake", 1, b"minStake"),
        ("dispute_window", 0, b"disputeWindow"),
        ("force_deadline", 0, b"forceDeadline"),
        ("freeze_grace", PROPOSER_TIMEOUT, b"freezeGrace"),
        ("inbox", bytes(20), b"inbox"),
        ("verifier", b"\x01" * 20, b"verifier"),
        ("genesis_timestamp", 1 << 39, b"genesisTimestamp"),
    ],
)
def test_rollup_that_cannot_work_is_refused(world: World, field: str, value: object, name: bytes) -> None:
    """A configuration that nobody could post to, dispute or finalise is not deployed."""
    settings = config(world.inbox.address, world.verifier.address, world.chain.now, **{field: value})
    with reverts("BadConfig", name.ljust(32, b"\0")):
        world.chain.deploy(load_artifact("Rollup"), settings, b"", GENESIS_ROOT)


def test_inbox_refuses_contracts_that_do_not_match(world: World) -> None:
    """An inbox that its rollup does not name, or without a token, vault or minimum, is not deployed."""
    token, vault, rollup = world.token.address, world.vault.address, world.rollup.address
    inbox = load_artifact("Inbox")
    foreign = b"\x01" * 20
    for arguments, name in [
        ((foreign, vault, rollup, MINIMUM_OPENING, 0, 0, ALICE, 1), b"token"),
        ((token, bytes(20), rollup, MINIMUM_OPENING, 0, 0, ALICE, 1), b"vault"),
        ((token, vault, foreign, MINIMUM_OPENING, 0, 0, ALICE, 1), b"rollup"),
        ((token, vault, rollup, MINIMUM_OPENING, 0, 0, ALICE, 1), b"rollup"),
    ]:
        with reverts("BadParameter", name.ljust(32, b"\0")):
            world.chain.deploy(inbox, *arguments)


def test_inbox_refuses_terms_out_of_range(world: World) -> None:
    """A free opening would give account numbers away, a huge fee would overflow, a listing after years help nobody."""
    chain = world.chain
    address = created_address(ALICE, chain.nonce(ALICE) + 1)
    settings = config(address, world.verifier.address, chain.now)
    rollup = chain.deploy(load_artifact("Rollup"), settings, b"", GENESIS_ROOT)
    for minimum, fee, slope, delay, name in [
        (0, 0, 0, 0, b"minimumOpening"),
        ((1 << 60) + 1, 0, 0, 0, b"minimumOpening"),
        (1, 1 << 128, 0, 0, b"baseFee"),
        (1, 0, 1 << 128, 0, b"feeSlope"),
        (1, 0, 0, 365 * 86_400 + 1, b"listingDelay"),
    ]:
        places = (world.token.address, b"\x01" * 20, rollup.address)
        with reverts("BadParameter", name.ljust(32, b"\0")):
            chain.deploy(load_artifact("Inbox"), *places, minimum, fee, slope, ALICE, delay)


def test_vault_refuses_contracts_that_do_not_match(world: World) -> None:
    """A vault that the inbox does not pay into, or in another token, is not deployed."""
    token, rollup, appraiser = world.token.address, world.rollup.address, world.appraiser.address
    for arguments, name in [
        ((b"\x01" * 20, rollup, appraiser, 1), b"token"),
        ((token, b"\x01" * 20, appraiser, 1), b"rollup"),
        ((token, rollup, appraiser, 1), b"vault"),
    ]:
        with reverts("BadParameter", name.ljust(32, b"\0")):
            world.chain.deploy(load_artifact("Vault"), *arguments)


def test_vault_that_could_not_pay_after_the_end_is_refused(world: World) -> None:
    """Without somebody to value accounts, or time to register, nobody could escape."""
    chain = world.chain
    ahead = [created_address(ALICE, chain.nonce(ALICE) + step) for step in range(3)]
    rollup = chain.deploy(
        load_artifact("Rollup"), config(ahead[1], world.verifier.address, chain.now), b"", GENESIS_ROOT
    )
    chain.deploy(load_artifact("Inbox"), *inbox_arguments(world.token.address, ahead[2], rollup.address))
    for appraiser, window, name in [
        (b"\x01" * 20, 1, b"appraiser"),
        (world.appraiser.address, 0, b"registrationWindow"),
    ]:
        with reverts("BadParameter", name.ljust(32, b"\0")):
            chain.deploy(load_artifact("Vault"), world.token.address, rollup.address, appraiser, window)
    vault = chain.deploy(load_artifact("Vault"), world.token.address, rollup.address, world.appraiser.address, 1)
    assert vault.address == ahead[2]
