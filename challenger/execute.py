"""The verifier's bytecode in py-evm, from where sequencers run it as well: see `rollup.l1.verifier`."""

from __future__ import annotations

from rollup.l1.verdict import GAS_LIMIT, Verdict
from rollup.l1.verifier import (
    Execution,
    Executor,
    PyEvm,
    Verifier,
    VerifierEvm,
    encode_verify,
    header_tuple,
    join_messages,
    verify_function,
)

__all__ = [
    "GAS_LIMIT",
    "Execution",
    "Executor",
    "PyEvm",
    "Verdict",
    "Verifier",
    "VerifierEvm",
    "encode_verify",
    "header_tuple",
    "join_messages",
    "verify_function",
]
