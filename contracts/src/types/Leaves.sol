// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Position} from "./Position.sol";

// Decoded leaves, twins of `rollup/types/leaves.py`. Amounts, prices, sizes and rates are int256 so that every
// difference is exact; identifiers, nonces and times are uint256. An absent leaf is decoded too, with `exists` false.

struct Globals {
    uint256 inboxIndex;
    bytes32 inboxHash;
    uint256 time;
    int256 fees;
    int256 insurance;
    int256 deposits;
    int256 withdrawals;
    uint256 accounts;
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
    int256 fundingCap;
    int256 spotStep;
    uint256 maxAge;
    int256 maxMove;
    int256 maxBasis;
    // Not part of the leaf: the holdings that the valuation numbered `valuation` has summed up on this underlying.
    uint256 valuation;
    int256 net;
}

struct Market {
    bool exists;
    uint256 kind;
    uint256 underlying;
    uint256 expiry;
    int256 strike;
    int256 tick;
    int256 lot;
    int256 takerFee;
    int256 makerFee;
    int256 band;
    int256 contingency;
    int256 maxPosition;
    int256 maxOpenInterest;
    int256 openInterest;
    int256 fundingPool;
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

/// @title Bounds and flags that leaves and rules share
/// @dev Twin of `rollup/types/limits.py`.
library Limits {
    uint256 internal constant MAX_POSITIONS = 32;
    uint256 internal constant KIND_PERP = 0;

    /// @dev Amounts stay strictly within ±AMOUNT, prices strictly below PRICE.
    int256 internal constant AMOUNT = 1 << 62;
    int256 internal constant PRICE = 1 << 47;
    int256 internal constant PPM = 1e6;

    uint256 internal constant FLAG_SELL = 1;
    uint256 internal constant FLAG_POST_ONLY = 2;
    uint256 internal constant FLAG_REDUCE_ONLY = 4;
    uint256 internal constant FLAG_IMMEDIATE = 8;

    function inRange(int256 amount) internal pure returns (bool) {
        return amount > -AMOUNT && amount < AMOUNT;
    }
}
