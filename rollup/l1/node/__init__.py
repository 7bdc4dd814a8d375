"""The embedded L1 node: py-evm under Prague rules, with a pool, a miner and a JSON-RPC server of our own.

State lives in memory and is gone when the process ends.
"""

import rollup.l1.pyevm  # noqa: F401 - before any module here imports `eth`
