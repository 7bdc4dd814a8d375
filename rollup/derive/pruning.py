"""Whether a node refuses because it has dropped what is asked for.

EIP-4444 gives that a code, which geth, reth and nethermind answer with by now. Older versions, erigon, and providers
that put many nodes behind one address say it in words, each in its own; the texts here are those of `eth_getLogs`.
"""

from __future__ import annotations

import re
from typing import Final

from rollup.errors import L1Refused

PRUNED: Final = 4444
"""The code of EIP-4444: pruned history unavailable."""
NO_METHOD: Final = -32_601
"""A method that a node does not offer is "not available" as well, and no export helps there."""

_TEXTS: Final = (
    r"\bprun(ed|ing)\b",  # geth and reth: pruned history unavailable; erigon: not available due to pruning
    r"data before \S+ is not available",  # erigon, of its own numbers of transactions
    r"receipts? (is |are )?(not|un)\s?available",  # nethermind: receipt not available for 'From' block
    r"neither stored nor reproducible",  # nethermind, of receipts it could make anew from old state
    r"failed to get logs for block",  # geth: the header is there, its receipts are not
    r"missing trie node",  # geth, where logs are made anew from old state
    r"histor(y|ical \w+) (is |are )?(not|un)\s?available",
    r"earliest available",
    r"\barchiv(e|al) (node|request|data|access|plan|tier)",  # providers: of nodes or customers without it
)


def says_pruned(refusal: L1Refused) -> bool:
    """Whether the refusal means that the node, or the provider, does not keep what is so old."""
    if refusal.code == NO_METHOD:
        return False
    return refusal.code == PRUNED or any(re.search(text, refusal.reason, re.IGNORECASE) for text in _TEXTS)
