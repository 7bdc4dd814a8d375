"""Why the state transition refuses something, in a sentence for whoever asked for it."""

from __future__ import annotations

from typing import Final

from rollup.types.reasons import Reason

_METER: Final = "it is more work than a block may hold"

SENTENCES: Final = {
    Reason.NONE: "it was done",
    Reason.TIME: "its block was earlier than the one before",
    Reason.UNDECODABLE: "its bytes are no transaction",
    Reason.METER_TRANSACTIONS: _METER,
    Reason.METER_BYTES: _METER,
    Reason.METER_ACCOUNTS: _METER,
    Reason.METER_SLOTS: _METER,
    Reason.METER_SYSTEM: _METER,
    Reason.METER_LEAF_BYTES: _METER,
    Reason.METER_RECOVERIES: _METER,
    Reason.METER_REVALUATIONS: _METER,
    Reason.METER_PRICINGS: _METER,
    Reason.ACCOUNT_UNKNOWN: "there is no such account",
    Reason.MARKET_UNKNOWN: "there is no such market",
    Reason.UNDERLYING_UNKNOWN: "there is no such coin",
    Reason.SELF_TRADE: "both sides are the same account",
    Reason.ORDER_INVALID: "an order's size or price is out of range",
    Reason.ORDER_UNKNOWN: "an order that it refers to does not stand, or was cancelled",
    Reason.ORDER_CONFLICT: "an order of the same nonce stands with other terms, or was cancelled",
    Reason.ORDER_EXPIRED: "an order had expired",
    Reason.NONCE_FLOOR: "its nonce was cancelled together with all below",
    Reason.NONCE_STALE: "something of the same or a later nonce was executed before it",
    Reason.SIGNATURE_MALFORMED: "a signature is not in the accepted form",
    Reason.SIGNATURE_INVALID: "it was not signed, or not sent on L1, by who may do this for the account",
    Reason.MARKET_MISMATCH: "the two orders are for different markets",
    Reason.SIDE_MISMATCH: "both orders are on one side",
    Reason.MAKER_IMMEDIATE: "the maker's order may only take",
    Reason.TAKER_POST_ONLY: "the taker's order may only rest",
    Reason.MARKET_CLOSED: "the market was not open yet",
    Reason.TICK: "the price is not a multiple of the market's tick",
    Reason.LOT: "the amount is not a multiple of the market's lot",
    Reason.PRICE_LIMIT: "the price is beyond a limit",
    Reason.OVERFILL: "it is more than what is left of an order",
    Reason.PRICE_BAND: "the price is too far from the mark",
    Reason.REDUCE_ONLY: "a reduce-only order would have enlarged or turned a position",
    Reason.POSITION_LIMIT: "the position would have exceeded the market's limit",
    Reason.POSITIONS_FULL: "the account holds as many positions as it can",
    Reason.OPEN_INTEREST: "the market's open interest would have exceeded its limit",
    Reason.CASH_RANGE: "a sum of money would have left its range, or all accounts together are not worth as much",
    Reason.MARGIN: "the account would have been left with less than its initial margin",
    Reason.AMOUNT: "the amount is zero or out of range",
    Reason.ORACLE_STALE: "a price of what the account holds or trades is too old; `rollup force prices` brings another",
    Reason.ORACLE_TIME: "a price is not newer than the last, or from the future",
    Reason.ORACLE_PRICE: "a price is out of range",
    Reason.ORACLE_MOVE: "a price moved further than it may",
    Reason.ORACLE_SIGNERS: "too few of the feeders signed a price",
    Reason.MARKET_EXPIRED: "the market has expired",
    Reason.HALTED: "trading was halted after a jump of the price, but for closing positions",
    Reason.SERIES_UNKNOWN: "there is no such expiry",
    Reason.SURFACE_INVALID: "the volatilities are not admissible",
    Reason.NOTHING_TO_SETTLE: "the account holds nothing that has expired",
    Reason.NOT_LIQUIDATABLE: "the account cannot be liquidated",
    Reason.FLAGGED: "the account is flagged already",
    Reason.NOT_FLAGGED: "the account is not flagged",
    Reason.AUCTION_OPEN: "the auction of the account is still open",
    Reason.INSURANCE: "the insurance fund does not hold enough",
    Reason.INSOLVENCY: "withdrawals that are not forced wait while an account is known to be worth less than nothing",
    Reason.DELEVERAGE_SIZE: "the size fits no two opposite positions",
    Reason.COMBO_LEGS: "the legs are not in order",
    Reason.LISTED: "it is listed already",
    Reason.LISTING_INVALID: "its terms are impossible",
}
"""A sentence for each reason, without capital and full stop."""


def sentence(reason: Reason) -> str:
    """Why, in words."""
    return SENTENCES[reason]
