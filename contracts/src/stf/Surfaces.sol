// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Limits, Series, Underlying} from "../types/Leaves.sol";
import {Reasons} from "../types/Reasons.sol";
import {Feeders} from "./Feeders.sol";
import {Fixed} from "./Fixed.sol";
import {Slice, Surface} from "./Surface.sol";

/// @notice What an update says of a series, in the order of the wire and of the leaf.
struct Quote {
    uint256 time;
    int256 forward;
    Slice slice;
    int256 confidence;
}

/// @title The forward and volatility of one expiry, and the average at which it settles
/// @dev Twin of `rollup/stf/series.py`. It runs in the pricer, which knows slices.
library Surfaces {
    /// @dev Seconds to expiry for each of which the largest basis is allowed once more.
    uint256 private constant BASIS_PERIOD = 2_592_000;

    /// @notice Requires that `next`, which may be as old as `leeway` at any rate, may follow what `series` holds at `timestamp`,
    /// signatures aside.
    function check(
        uint256 timestamp,
        Underlying calldata underlying,
        Series calldata series,
        Quote calldata next,
        uint256 leeway
    ) internal pure returns (uint256 reason) {
        // Bounded: see `Limits`.
        unchecked {
            if (series.settlement != 0) return Reasons.MARKET_EXPIRED;
            reason = Feeders.requireTime(timestamp, underlying.maxAge, leeway, series.time, next.time);
            if (reason != Reasons.NONE) return reason;
            if (!Surface.isAdmissible(next.slice) || next.confidence > Limits.PPM) return Reasons.SURFACE_INVALID;
            if (!Feeders.isPrice(next.forward) || underlying.time == 0) return Reasons.ORACLE_PRICE;
            uint256 left = series.expiry > next.time ? series.expiry - next.time : 0;
            int256 basis = underlying.maxBasis * int256(1 + left / BASIS_PERIOD);
            if (Feeders.isFar(next.forward, underlying.spot, basis)) return Reasons.ORACLE_PRICE;
            if (series.time == 0) return Reasons.NONE;
            if (Feeders.isMove(next.forward, series.forward, underlying.maxMove, series.time, next.time)) {
                return Reasons.ORACLE_MOVE;
            }
            int256 before = volatilityOf(Slice(series.a, series.b, series.rho, series.m, series.sigma));
            if (Feeders.isMove(volatilityOf(next.slice), before, underlying.maxVolMove, series.time, next.time)) {
                return Reasons.ORACLE_MOVE;
            }
        }
    }

    /// @notice The settlement average after the forward that `series` holds has counted until `next`, and its result with the
    /// first update after expiry. What nobody covered counts at that one's forward if it comes in time, so that nobody chooses the
    /// price by holding it back.
    function average(Underlying calldata underlying, Series calldata series, Quote calldata next)
        internal
        pure
        returns (int256, int256 sum, uint256 covered)
    {
        // Bounded: see `Limits`.
        unchecked {
            uint256 window = underlying.settlementWindow;
            uint256 expiry = series.expiry;
            (sum, covered) = (series.sum, series.covered);
            if (series.time > 0) {
                uint256 start = expiry > window ? expiry - window : 0;
                if (series.time > start) start = series.time;
                uint256 end = series.time + underlying.maxAge;
                if (next.time < end) end = next.time;
                if (expiry < end) end = expiry;
                if (end > start) {
                    sum += series.forward * int256(end - start);
                    covered += end - start;
                }
            }
            if (next.time < expiry) return (0, sum, covered);
            uint256 grace = underlying.maxAge < window ? underlying.maxAge : window;
            bool late = series.time > 0 && next.time > expiry + grace;
            return (settlement(sum, covered, late ? series.forward : next.forward, window), sum, covered);
        }
    }

    /// @notice The average of `covered` seconds of the window that add up to `sum`, and of `last` in all others; at least 1.
    function settlement(int256 sum, uint256 covered, int256 last, uint256 window) internal pure returns (int256 price) {
        // Bounded: see `Limits`.
        unchecked {
            price = Fixed.div(sum + last * int256(window - covered), int256(window));
            if (price == 0) price = 1;
        }
    }

    /// @dev At the money.
    function volatilityOf(Slice memory slice) private pure returns (int256) {
        return int256(Surface.volatility(slice, 0));
    }
}
