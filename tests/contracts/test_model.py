"""The three contracts together against an independent model of them, in random stories that all end well."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.contracts.model.machine import Machine

STORIES = int(os.environ.get("PLUMBLINE_STORIES", "150"))
"""How many stories are told: some for each change, thousands in a long run."""

Machine.TestCase.settings = settings(
    max_examples=STORIES, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
)
TestContracts = pytest.mark.slow(Machine.TestCase)
