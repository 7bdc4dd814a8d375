// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Why a block is invalid, or a forced message did nothing
/// @dev Twin of `rollup/types/reasons.py`. A function of the state transition returns one of these instead of
/// reverting: a revert is a fault of the proof, a reason is a fault of the block.
library Reasons {
    uint256 internal constant NONE = 0;
    uint256 internal constant TIME = 1;
    uint256 internal constant UNDECODABLE = 2;
    uint256 internal constant METER_TRANSACTIONS = 3;
    uint256 internal constant METER_BYTES = 4;
    uint256 internal constant METER_ACCOUNTS = 5;
    uint256 internal constant METER_SLOTS = 6;
    uint256 internal constant METER_SYSTEM = 7;
    uint256 internal constant METER_LEAF_BYTES = 8;
    uint256 internal constant METER_RECOVERIES = 9;
    uint256 internal constant METER_REVALUATIONS = 10;
    uint256 internal constant METER_PRICINGS = 11;

    uint256 internal constant ACCOUNT_UNKNOWN = 16;
    uint256 internal constant MARKET_UNKNOWN = 17;
    uint256 internal constant UNDERLYING_UNKNOWN = 18;
    uint256 internal constant SELF_TRADE = 19;
    uint256 internal constant ORDER_INVALID = 20;
    uint256 internal constant ORDER_UNKNOWN = 21;
    uint256 internal constant ORDER_CONFLICT = 22;
    uint256 internal constant ORDER_EXPIRED = 23;
    uint256 internal constant NONCE_FLOOR = 24;
    uint256 internal constant NONCE_STALE = 25;
    uint256 internal constant SIGNATURE_MALFORMED = 26;
    uint256 internal constant SIGNATURE_INVALID = 27;
    uint256 internal constant MARKET_MISMATCH = 28;
    uint256 internal constant SIDE_MISMATCH = 29;
    uint256 internal constant MAKER_IMMEDIATE = 30;
    uint256 internal constant TAKER_POST_ONLY = 31;
    uint256 internal constant MARKET_CLOSED = 32;
    uint256 internal constant TICK = 33;
    uint256 internal constant LOT = 34;
    uint256 internal constant PRICE_LIMIT = 35;
    uint256 internal constant OVERFILL = 36;
    uint256 internal constant PRICE_BAND = 37;
    uint256 internal constant REDUCE_ONLY = 38;
    uint256 internal constant POSITION_LIMIT = 39;
    uint256 internal constant POSITIONS_FULL = 40;
    uint256 internal constant OPEN_INTEREST = 41;
    uint256 internal constant CASH_RANGE = 42;
    uint256 internal constant MARGIN = 43;
    uint256 internal constant AMOUNT = 44;
    uint256 internal constant ORACLE_STALE = 45;
    uint256 internal constant ORACLE_TIME = 46;
    uint256 internal constant ORACLE_PRICE = 47;
    uint256 internal constant ORACLE_MOVE = 48;
    uint256 internal constant ORACLE_SIGNERS = 49;
    uint256 internal constant MARKET_EXPIRED = 51;
    uint256 internal constant HALTED = 52;
    uint256 internal constant SERIES_UNKNOWN = 53;
    uint256 internal constant SURFACE_INVALID = 54;
    uint256 internal constant NOTHING_TO_SETTLE = 55;
    uint256 internal constant NOT_LIQUIDATABLE = 56;
    uint256 internal constant FLAGGED = 57;
    uint256 internal constant NOT_FLAGGED = 58;
    uint256 internal constant AUCTION_OPEN = 59;
    uint256 internal constant INSURANCE = 60;
    uint256 internal constant INSOLVENCY = 61;
    uint256 internal constant DELEVERAGE_SIZE = 62;
    uint256 internal constant COMBO_LEGS = 63;
    uint256 internal constant LISTED = 64;
    uint256 internal constant LISTING_INVALID = 65;

    /// @notice Whether `reason` says that a block does more work than one proof may hold.
    function isMeter(uint256 reason) internal pure returns (bool) {
        return reason >= METER_TRANSACTIONS && reason <= METER_PRICINGS;
    }
}
