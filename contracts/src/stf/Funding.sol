// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Limits, Underlying} from "../types/Leaves.sol";
import {Fixed} from "./Fixed.sol";

/// @title Funding of perpetuals: the index of an underlying, and what accounts owe by it
/// @dev Twin of `rollup/stf/funding.py`. The index is in nUSD per coin; longs pay when it rises.
library Funding {
    /// @dev Eight hours in seconds: the time over which a premium is paid in full.
    int256 private constant PERIOD = 28_800;
    int256 private constant NANO_PER_MICRO = 1000;
    int256 private constant INDEX_UNIT = 1e9;

    /// @notice Moves the funding index of `underlying` on to `timestamp`, at the premium it has had since; but a premium
    /// counts no longer than its price stays fresh.
    function accrue(Underlying memory underlying, uint256 timestamp) internal pure {
        // Bounded: see `Limits`.
        unchecked {
            if (!underlying.exists) return;
            if (underlying.time > 0) {
                int256 until = Fixed.min(int256(timestamp), int256(underlying.time + underlying.maxAge));
                int256 elapsed = Fixed.positive(until - int256(underlying.fundingTime));
                int256 cap = Fixed.divFloor(underlying.spot * underlying.fundingCap, Limits.PPM);
                int256 premium = Fixed.clamp(underlying.mark - underlying.spot, cap);
                int256 step = Fixed.divFloor(premium * NANO_PER_MICRO * elapsed, PERIOD);
                underlying.fundingIndex = Fixed.clamp(underlying.fundingIndex + step, Limits.AMOUNT);
            }
            underlying.fundingTime = timestamp;
        }
    }

    /// @notice What a holding of `size` owes for the index's way from `since` to `index`, rounded against the account.
    function due(int256 size, int256 index, int256 since) internal pure returns (int256) {
        // 64-bit factors.
        unchecked {
            return Fixed.divCeil(size * (index - since), INDEX_UNIT);
        }
    }
}
