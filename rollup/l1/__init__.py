"""L1: one typed client for any Ethereum node, and a node of our own for development.

The client (`client`, `account`, `contract`) stands between the rollup and whatever serves JSON-RPC; `embedded` runs
an Ethereum chain inside this process and `anvil` starts an external one. Nothing above this package speaks JSON-RPC.
"""

import os

# `eth_hash` picks its backend on first use; pysha3 is seven times as fast as what it would find by itself.
os.environ.setdefault("ETH_HASH_BACKEND", "pysha3")
