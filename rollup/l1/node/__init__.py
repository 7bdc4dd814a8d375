"""The embedded L1 node: py-evm under Prague rules, with a pool, a miner and a JSON-RPC server of our own.

State lives in memory and is gone when the process ends.
"""
