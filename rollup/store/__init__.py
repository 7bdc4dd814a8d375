"""The durable state of one process: leaves, tree nodes, blocks, undo records and the process's own entries.

    StateStore.stage   new leaves → tree → root, in memory        (event loop)
    StoreWriter.commit several blocks → one synced atomic batch   (worker thread)  → acknowledged
    StateStore.rollback / prune / proof_at                        from undo records

One process owns a directory, one writer writes to it, and what `commit` returned from survives `kill -9`.
"""
