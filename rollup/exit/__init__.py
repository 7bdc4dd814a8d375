"""The way out: what a user needs to leave with L1 alone, without a sequencer, an operator or a data folder.

situation   what L1 says is possible now
estate      what accounts are worth in the end state, and how that is proven to L1
plan        the steps that get the money out, each with its reason and its cost
leaving     walks through the plan, and makes it anew after every step, so that nothing is done twice
"""
