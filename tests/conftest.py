"""Settings of the whole test suite: skips are held to account in CI, second tries are told, properties have time."""

from __future__ import annotations

from collections.abc import Generator

import pytest
import structlog
from hypothesis import HealthCheck, settings

from tests.support import reruns, skips
from tests.support.l1 import alice, bob, embedded, embedded_url, l1, l1_url

__all__ = ["alice", "bob", "embedded", "embedded_url", "l1", "l1_url"]

# How long an example takes says something of the machine alone.
settings.register_profile("patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(autouse=True)
def _logging() -> Generator[None]:
    """Commands that a test runs within the process set up logging; the next test finds it as it is by default."""
    yield
    structlog.reset_defaults()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """See `skips`."""
    report = yield
    skips.fail_if_unexpected(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A module that skips itself as a whole (`importorskip`) counts as well."""
    report = yield
    skips.fail_if_unexpected(report)
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """See `reruns`."""
    reruns.allow_one(items)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """See `reruns`."""
    reruns.tell(terminalreporter)
