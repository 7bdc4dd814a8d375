"""The parts of the client that need no node: encodings, retries, keys, artifacts, prices."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from rollup.errors import ConfigError, L1Error
from rollup.l1.artifacts import artifacts_directory, load_artifact, parse_artifact
from rollup.l1.devkeys import dev_address, dev_key
from rollup.l1.encoding import read_data, read_quantity, to_data, to_quantity
from rollup.l1.limits import floor_gas
from rollup.l1.retry import RetryPolicy, retry
from rollup.l1.values import Fees

ARTIFACT = {"contractName": "A", "abi": [], "bytecode": "0x00", "deployedBytecode": "0x"}


@given(st.integers(min_value=0, max_value=2**256 - 1))
def test_a_quantity_survives_the_way_there_and_back(value: int) -> None:
    """All 256-bit integers encode and decode."""
    assert read_quantity(to_quantity(value)) == value
    if value:
        with pytest.raises(ValueError, match="bits"):
            read_quantity(to_quantity(value), bits=value.bit_length() - 1)


@given(st.binary(max_size=100))
def test_bytes_survive_the_way_there_and_back(value: bytes) -> None:
    """All byte strings encode and decode, and only at their length."""
    assert read_data(to_data(value), length=len(value)) == value
    with pytest.raises(ValueError, match="bytes where"):
        read_data(to_data(value), length=len(value) + 1)


@given(st.one_of(st.text(), st.integers(), st.none(), st.lists(st.text()), st.floats()))
def test_reading_anything_else_raises_value_errors_only(value: object) -> None:
    """No input reaches deeper than the readers."""
    for read in (read_quantity, read_data):
        try:
            read(value)
        except ValueError:
            continue
        assert isinstance(value, str)
        assert value.startswith("0x")


def test_a_negative_quantity_is_not_encoded() -> None:
    """A wire format without signs must not lose one silently."""
    with pytest.raises(ValueError, match="negative"):
        to_quantity(-1)


async def test_pauses_between_attempts_double_up_to_a_limit(autojump_clock: trio.testing.MockClock) -> None:
    """1 + 2 + 4 + 4 seconds between five attempts, then the last error."""
    attempts: list[float] = []

    async def fail() -> None:
        attempts.append(trio.current_time())
        raise L1Error("busy", retryable=True)

    with pytest.raises(L1Error):
        await retry(fail, RetryPolicy(attempts=5, first_pause=1.0, longest_pause=4.0))
    assert attempts == pytest.approx([0, 1, 3, 7, 11])
    assert autojump_clock.rate == 0


async def test_a_final_error_is_not_tried_again() -> None:
    """Trying again what cannot succeed only hides it."""
    attempts: list[None] = []

    async def fail() -> None:
        attempts.append(None)
        raise L1Error("no", retryable=False)

    with pytest.raises(L1Error):
        await retry(fail, RetryPolicy())
    assert len(attempts) == 1


def test_the_development_accounts_are_the_well_known_ones() -> None:
    """The first and the last key and address that anvil and hardhat print."""
    assert dev_key(0).hex() == "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"  # PUBLIC
    assert dev_address(0).hex() == "f39fd6e51aad88f6f4ce6ab8827279cfffb92266"
    assert dev_key(9).hex() == "2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6"  # PUBLIC
    assert dev_address(9).hex() == "a0ee7a142d267c1f36714e4a8f75612f20a79720"


def test_the_floor_counts_four_tokens_per_nonzero_byte() -> None:
    """EIP-7623's own formula."""
    assert floor_gas(b"") == 21_000
    assert floor_gas(b"\0\0\1") == 21_000 + 10 * (2 + 4)


@given(st.integers(0, 2**64), st.integers(0, 2**64), st.integers(0, 200))
def test_raised_fees_are_never_short_of_the_percentage(max_fee: int, tip: int, percent: int) -> None:
    """Rounding down would be refused as underpriced."""
    raised = Fees(max_fee, tip).raised(percent)
    assert raised.max_fee * 100 >= max_fee * (100 + percent)
    assert raised.max_priority_fee * 100 >= tip * (100 + percent)
    assert raised.max_fee * 100 < max_fee * (100 + percent) + 100


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", *(msgspec.json.encode(ARTIFACT | {key: None}) for key in ARTIFACT if key != "contractName")],
)
def test_a_malformed_artifact_is_a_configuration_error(content: bytes) -> None:
    """The error names the file."""
    with pytest.raises(ConfigError, match=r"X\.json"):
        parse_artifact(content, "X.json")


def test_artifacts_are_found_where_the_environment_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation may keep them anywhere; an absent contract is named."""
    monkeypatch.setenv("PLUMBLINE_ARTIFACTS", str(tmp_path))
    assert artifacts_directory() == tmp_path
    (tmp_path / "Odd.json").write_bytes(msgspec.json.encode(ARTIFACT))
    assert load_artifact("Odd").bytecode == b"\0"
    with pytest.raises(ConfigError, match="Absent"):
        load_artifact("Absent")


def test_a_machine_without_artifacts_is_told_where_they_were_sought(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every place is in the message."""
    monkeypatch.setenv("PLUMBLINE_ARTIFACTS", str(tmp_path / "none"))
    monkeypatch.setattr(Path, "is_dir", lambda _: False)
    with pytest.raises(ConfigError, match=r"none of .*share/plumbline"):
        artifacts_directory()
