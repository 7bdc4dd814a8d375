"""Settings of the whole test suite: skips are held to account in CI."""

from __future__ import annotations

from collections.abc import Generator

import pytest
import structlog

from tests.support import skips
from tests.support.l1 import alice, bob, embedded, embedded_url, l1, l1_url

__all__ = ["alice", "bob", "embedded", "embedded_url", "l1", "l1_url"]


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
