"""Why a block, a transaction or an inbox message is refused: the numbers both twins report (SPEC section 8)."""

from __future__ import annotations

from enum import IntEnum


class Reason(IntEnum):
    """A verdict of the state transition; NONE is success. Values are consensus and never reused."""

    NONE = 0
    TIME = 1
    UNDECODABLE = 2
    METER_TRANSACTIONS = 3
    METER_BYTES = 4
    METER_ACCOUNTS = 5
    METER_SLOTS = 6
    METER_SYSTEM = 7
    METER_LEAF_BYTES = 8
    METER_RECOVERIES = 9
    METER_REVALUATIONS = 10
    METER_PRICINGS = 11
    ACCOUNT_UNKNOWN = 16
    MARKET_UNKNOWN = 17
    UNDERLYING_UNKNOWN = 18
    SELF_TRADE = 19
    ORDER_INVALID = 20
    ORDER_UNKNOWN = 21
    ORDER_CONFLICT = 22
    ORDER_EXPIRED = 23
    NONCE_FLOOR = 24
    NONCE_STALE = 25
    SIGNATURE_MALFORMED = 26
    SIGNATURE_INVALID = 27
    MARKET_MISMATCH = 28
    SIDE_MISMATCH = 29
    MAKER_IMMEDIATE = 30
    TAKER_POST_ONLY = 31
    MARKET_CLOSED = 32
    TICK = 33
    LOT = 34
    PRICE_LIMIT = 35
    OVERFILL = 36
    PRICE_BAND = 37
    REDUCE_ONLY = 38
    POSITION_LIMIT = 39
    POSITIONS_FULL = 40
    OPEN_INTEREST = 41
    CASH_RANGE = 42
    MARGIN = 43
    AMOUNT = 44
    ORACLE_STALE = 45
    ORACLE_TIME = 46
    ORACLE_PRICE = 47
    ORACLE_MOVE = 48
    ORACLE_SIGNERS = 49
    MARKET_EXPIRED = 51
    HALTED = 52
    SERIES_UNKNOWN = 53
    SURFACE_INVALID = 54
    NOTHING_TO_SETTLE = 55
    NOT_LIQUIDATABLE = 56
    FLAGGED = 57
    NOT_FLAGGED = 58
    AUCTION_OPEN = 59
    INSURANCE = 60
    INSOLVENCY = 61
    DELEVERAGE_SIZE = 62
    COMBO_LEGS = 63
    LISTED = 64
    LISTING_INVALID = 65

    @property
    def is_meter(self) -> bool:
        """True for the reasons that say a block is full; only these also invalidate inside a forced message."""
        return Reason.METER_TRANSACTIONS <= self <= Reason.METER_PRICINGS
