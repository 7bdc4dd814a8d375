"""Hashes, signatures, typed data, the state tree and its witnesses: pure functions over bytes."""
