"""Every method of the node; a test holds the list complete."""

from __future__ import annotations

from typing import Final

from tests.rpc.entry import Entry
from tests.rpc.table_money import MONEY
from tests.rpc.table_orders import ORDERS
from tests.rpc.table_public import PUBLIC
from tests.rpc.table_risk import RISK

ENTRIES: Final[tuple[Entry, ...]] = (*PUBLIC, *ORDERS, *MONEY, *RISK)
