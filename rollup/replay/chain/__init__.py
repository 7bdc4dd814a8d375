"""A recorded option chain on the real rollup: listed through L1, priced by its own fit, quoted with its own books.

file ─► fits ─► series and markets (L1 inbox) ─► surfaces (oracle) ─► resting orders ─► takers ─► batches ─► verdicts
"""
