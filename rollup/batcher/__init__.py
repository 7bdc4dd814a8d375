"""The batcher: posts stored blocks to L1, follows each posting to its end, and makes batches final."""
