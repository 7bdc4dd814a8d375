"""A market replayed: recorded candles drive the oracle, simulated accounts trade on a real sequencer, L1 checks it all.

    candles ─ tape ─► feed ──────────────┐
                 └──► strategies ─ agents ├─► simulation ─► exchange (sequencer) ─ batcher ─► L1 ─► verification
    seed ─ population, keys ─────────────┘

`tape`, `strategies` and `population` are pure functions of candles and seed; everything that is signed, matched,
stored, posted and proven is done by the real parts. Floats are allowed here: what leaves for the rollup is whole units.
"""
