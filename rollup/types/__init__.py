"""Pure values of the rollup: state leaves, transactions, messages, blocks, and their canonical bytes.

Everything here is data: no hashing, no I/O. `contracts/SPEC.md` is the meaning of every byte.
"""
