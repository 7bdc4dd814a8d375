"""The challenger: derives the rollup from L1 alone, replays it, and proves what is wrong."""
