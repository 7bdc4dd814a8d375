"""Bounds of consensus: block meters (SPEC section 5) and numeric ranges (section 1)."""

from __future__ import annotations

from typing import Final

# Block meters. Together they keep every fraud proof within one L1 transaction.
MAX_TRANSACTIONS: Final = 32
MAX_BYTES: Final = 8_192
MAX_ACCOUNTS: Final = 36
MAX_SLOTS: Final = 36
MAX_SYSTEM: Final = 80
MAX_LEAF_BYTES: Final = 98_304
MAX_RECOVERIES: Final = 96
MAX_REVALUATIONS: Final = 1_536
MAX_PRICINGS: Final = 80

# What the way of a leaf up the tree counts for in the meter of leaf bytes: about what siblings can add to a witness.
WAY_OF_ACCOUNT: Final = 1_000
WAY_OF_SLOT: Final = 560
WAY_OF_SERIES: Final = 1_280
WAY_OF_OTHERS: Final = 480

# Numeric ranges; a bound is exclusive, a maximum is inclusive.
CASH_BOUND: Final = 1 << 62
"""Cash, fees, withdrawals and market pools stay strictly within ±CASH_BOUND (µUSD)."""
INDEX_BOUND: Final = 1 << 62
"""Funding indices saturate at ±INDEX_BOUND (nUSD per coin)."""
PRICE_BOUND: Final = 1 << 47
"""Accepted prices are 1 … PRICE_BOUND - 1 (µUSD per coin)."""
DEPOSITS_BOUND: Final = 1 << 60
"""The Inbox contract admits at most this much in deposits, ever (µUSD)."""
MAX_POSITION_LIMIT: Final = 1 << 62
"""A market's max_position and max_open_interest are at most this (µcoin)."""
MAX_POSITIONS: Final = 32
MAX_FEEDERS: Final = 8
MAX_SPOT_STEP: Final = 200_000
"""Four steps down leave at least a fifth of the price (ppm)."""
SLOT_COUNT: Final = 8_192
"""Order slots of an account; a nonce's low 13 bits choose one."""
MAX_ACCOUNT: Final = (1 << 24) - 1
INSURANCE_FUND: Final = MAX_ACCOUNT
"""As the receiver of a transfer: the insurance fund."""
MAX_LEGS: Final = 4
"""Legs of a combo."""
MAX_BATCH_BLOCKS: Final = 256
MAX_FORCED_MESSAGE: Final = 512
"""The Inbox contract admits no longer forced message (bytes, whole message)."""

# What silence, dust and the clock can take from nobody.
WIND_UP: Final = 14 * 86_400
"""A price that is older (s) is abandoned: nobody waits for a newer one any more."""
FORCED_AGE: Final = 4 * 86_400
"""What leaves by a forced message may rely on a price that is no older (s), at twice the initial margin."""
CLOSING: Final = 86_400
"""Seconds after its expiry when a series closes at its last forward, if no update has settled it."""
MAX_PERIOD: Final = 86_400
"""An underlying's max_age, halt_window, halt_period and settlement_window are at most this (s)."""
SPENT_AFTER: Final = 2
"""A liquidation flag is spent after so many lengths of the auction."""
MIN_FRACTION: Final = 100_000
"""A bid takes at least this of a portfolio (ppm), or all that may be sold: crumbs would strip hedges."""
GAIN_SHARE: Final = 10
"""For what is worth less than nothing a liquidator gains at most a tenth of its maintenance margin."""

MILLION: Final = 1_000_000
FUNDING_PERIOD: Final = 28_800
"""Seconds over which the premium is paid once (8 h)."""
