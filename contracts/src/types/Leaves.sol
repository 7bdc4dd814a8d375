// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Position} from "./Position.sol";

// Decoded leaves, twins of `rollup/types/leaves.py`. Amounts, prices, sizes and rates are int256 so that every
// difference is exact; identifiers, nonces and times are uint256. An absent leaf is decoded too, with `exists` false.
//
// `libraries/Fields.sol` fills these structs by their layouts: `exists` first, then the fields in the order of the leaf.
// What follows them is not part of the leaf but remembered while a block is executed.

struct Globals {
    bool exists;
    uint256 inboxIndex;
    bytes32 inboxHash;
    uint256 time;
    int256 fees;
    int256 insurance;
    int256 deposits;
    int256 withdrawals;
    uint256 accounts;
    int256 badDebt;
    uint256 insolvent;
    uint256 auction;
}

/// @dev Never written by a block, so the feeders stay in calldata at `feedersAt`, 20 bytes each.
struct OracleSet {
    uint256 threshold;
    uint256 count;
    uint256 feedersAt;
}

struct Underlying {
    bool exists;
    int256 spot;
    int256 mark;
    uint256 time;
    int256 fundingIndex;
    uint256 fundingTime;
    int256 anchorSpot;
    uint256 anchorTime;
    uint256 haltedUntil;
    int256 fundingCap;
    int256 spotStep;
    uint256 maxAge;
    int256 maxMove;
    int256 maxBasis;
    int256 volUp;
    int256 volDown;
    int256 callContingency;
    int256 confidenceFactor;
    int256 maxVolMove;
    int256 haltMove;
    uint256 haltWindow;
    uint256 haltPeriod;
    uint256 settlementWindow;
    // How many prices the block has committed; sheets drawn before the last one are void.
    uint256 updates;
    // The valuation that these sums belong to: net size of its perpetuals and, if it holds anything else here, the
    // values under every scenario at `row`.
    uint256 valuation;
    int256 net;
    bool curved;
    uint256 row;
    // Where the pricer's steps stand, once an option needed them.
    uint256 steps;
}

struct Series {
    bool exists;
    uint256 expiry;
    uint256 time;
    int256 forward;
    int256 a;
    int256 b;
    int256 rho;
    int256 m;
    int256 sigma;
    int256 confidence;
    int256 settlement;
    int256 sum;
    uint256 covered;
    // As above; `calls` is the net size of a valuation's calls.
    uint256 updates;
    uint256 valuation;
    int256 calls;
    int256 callRate;
    // Where the pricer's timing stands, once an option needed it.
    uint256 timing;
}

struct Market {
    bool exists;
    uint256 kind;
    uint256 underlying;
    uint256 series;
    int256 strike;
    uint256 opens;
    int256 tick;
    int256 lot;
    int256 takerFee;
    int256 makerFee;
    int256 band;
    int256 contingency;
    int256 maxPosition;
    int256 maxOpenInterest;
    int256 openInterest;
    int256 pool;
    // Where its underlying and its series stand, once they are loaded.
    uint256 underlyingAt;
    uint256 seriesAt;
    // The last transaction that changed it.
    uint256 changedBy;
    // Its sheet: one more than the updates it is drawn from, mark, contingency of longs and of shorts, µUSD per coin,
    // and where the shocked prices of an option stand.
    uint256 drawnFrom;
    int256 mark;
    int256 long;
    int256 short;
    uint256 grid;
}

/// @dev `positions` has room for MAX_POSITIONS behind its length.
struct Account {
    bool exists;
    address owner;
    address signer;
    int256 cash;
    int256 withdrawn;
    uint256 ownerNonce;
    uint256 nonceFloor;
    uint256 status;
    uint256 flagged;
    Position[] positions;
}

struct Slot {
    bool exists;
    uint256 nonce;
    uint256 market;
    uint256 flags;
    int256 size;
    int256 price;
    uint256 expiry;
    int256 filled;
}

/// @title Words of each struct above, which `libraries/Arena.sol` must know
library Sizes {
    uint256 internal constant GLOBALS = 12;
    uint256 internal constant ORACLE_SET = 3;
    uint256 internal constant UNDERLYING = 29;
    uint256 internal constant SERIES = 18;
    uint256 internal constant MARKET = 24;
    uint256 internal constant ACCOUNT = 10;
    uint256 internal constant SLOT = 8;
}

/// @title Bounds and flags that leaves and rules share
/// @dev Twin of `rollup/types/limits.py`.
///
/// Why arithmetic on fields is unchecked everywhere: none is wider than 96 bits, the rules keep amounts within ±2⁶², sizes and
/// open interest within ±2⁶³, prices below 2⁴⁸ and rates below 2³², and nothing multiplies more than a size, two prices, the sum
/// of 32 products of a size and a price (below 2¹¹⁵), and a million: below 2²³⁰. Offsets are bounded by calldata. On leaves of
/// a state that is not the committed one the results may be nonsense, and so is the proof: the root shows it.
library Limits {
    uint256 internal constant MAX_POSITIONS = 32;

    uint256 internal constant KIND_PERP = 0;
    uint256 internal constant KIND_FUTURE = 1;
    uint256 internal constant KIND_CALL = 2;
    uint256 internal constant KIND_PUT = 3;

    /// @dev Amounts stay strictly within ±AMOUNT, prices strictly below PRICE.
    int256 internal constant AMOUNT = 1 << 62;
    int256 internal constant PRICE = 1 << 47;
    int256 internal constant PPM = 1e6;

    uint256 internal constant FLAG_SELL = 1;
    uint256 internal constant FLAG_POST_ONLY = 2;
    uint256 internal constant FLAG_REDUCE_ONLY = 4;
    uint256 internal constant FLAG_IMMEDIATE = 8;

    uint256 internal constant STATUS_SOUND = 0;
    uint256 internal constant STATUS_SHORT = 1;
    uint256 internal constant STATUS_INSOLVENT = 2;

    /// @dev Seconds after which a price is abandoned: those who hold what it prices need not wait for a fresh one any more.
    uint256 internal constant WIND_UP = 1_209_600;
    /// @dev Seconds of age up to which a price serves what leaves by a forced message.
    uint256 internal constant FORCED_AGE = 345_600;
    /// @dev Seconds after its expiry at which a series ends without an update.
    uint256 internal constant CLOSING = 86_400;

    /// @dev No account has this number: cash transferred to it goes to the insurance fund.
    uint256 internal constant INSURANCE_FUND = type(uint24).max;

    function inRange(int256 amount) internal pure returns (bool) {
        // Bounded: see `Limits`.
        unchecked {
            return amount > -AMOUNT && amount < AMOUNT;
        }
    }

    function isOption(uint256 kind) internal pure returns (bool) {
        return kind >= KIND_CALL;
    }
}
