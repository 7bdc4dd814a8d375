"""In CI a skipped test is a failed one: what is not run is not known to work.

Only tests marked `market_data` or `analysis` may skip there: the recorded market data is no part of a checkout, and
reading and proving the contracts has an environment and a target of its own.
"""

from __future__ import annotations

import os

import pytest


def unexpected(report: pytest.TestReport | pytest.CollectReport) -> bool:
    """Whether this report is a skip that CI must not let pass; an expected failure is none."""
    if not os.environ.get("CI") or not report.skipped or hasattr(report, "wasxfail"):
        return False
    return {"market_data", "analysis"}.isdisjoint(getattr(report, "keywords", {}))


def fail_if_unexpected(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn an unexpected skip into a failure that shows the reason of the skip."""
    if unexpected(report):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {reason}"
