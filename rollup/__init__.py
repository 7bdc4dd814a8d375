"""Plumbline: an optimistic rollup for crypto derivatives."""
