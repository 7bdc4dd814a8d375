"""py-evm, imported safely: import this module before anything of `eth`.

py-evm raises Python's recursion limit to 100,000. Up to Python 3.11 that limit is also all that keeps C code from
overflowing its stack: with it, a JSON body of many opening brackets from the network kills the process with a
segmentation fault. Contracts that call 1,024 deep, as far as the EVM goes, need less than 8,000.
"""

from __future__ import annotations

import sys
from typing import Final

import eth

RECURSION_LIMIT: Final = 10_000
"""Half of what a stack of 8 MiB was measured to bear in C, and above what the deepest EVM call needs."""

sys.setrecursionlimit(RECURSION_LIMIT)

PYEVM_VERSION: Final = str(eth.__version__)
