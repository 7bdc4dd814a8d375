"""Derivation: from L1 data alone to blocks, state and verdicts.

    L1 logs ─ source ─► events ─ chain ─► batches of headers, txs, messages ─ replica ─► leaves, tree, roots | Fraud

`origin` finds the deployment, `source` reads L1 (hostile until checked), `chain` is a pure reducer over its events,
`follower` keeps it on L1's branch, `replica` executes with `rollup.stf`, `pipeline` joins them. `outcomes` keeps what
became of inbox messages.

Where a node has dropped its old logs, a watcher's export stands in for them: `exports` is the file, `portions` and
`vetting` check every item against L1's storage, `export_source` is the source that reads from it.
"""
