"""Derivation: from L1 data alone to blocks, state and verdicts.

    L1 logs ─ source ─► events ─ chain ─► batches of headers, txs, messages ─ replica ─► leaves, tree, roots | Fraud

`source` reads L1 (hostile until checked), `chain` is a pure reducer over its events, `replica` executes with `rollup.stf`.
"""
