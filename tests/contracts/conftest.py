"""A fresh deployment for each test, at the cost of a copied header."""

from __future__ import annotations

import pytest

from tests.support.chain import ALICE, BOB, CAROL, DAVE
from tests.support.world import World, trial_world


@pytest.fixture
def world() -> World:
    """The contracts with a verifier that says what the test chooses."""
    return trial_world((ALICE, BOB, CAROL, DAVE)).fork()


@pytest.fixture
def hostile_world() -> World:
    """The same with a token that misbehaves on demand."""
    return trial_world((ALICE, BOB, CAROL, DAVE), hostile_token=True).fork()
