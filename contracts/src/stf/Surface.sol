// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {Fixed} from "./Fixed.sol";
import {Wad} from "./Wad.sol";

/// @dev SVI parameters of one expiry in 10⁻⁹: level, slope, skew, shift, width.
struct Slice {
    int256 a;
    int256 b;
    int256 rho;
    int256 m;
    int256 sigma;
}

/// @title Implied volatility
/// @dev Twin of `rollup/stf/surface.py`; rules in contracts/PRICING.md section 3.
library Surface {
    int256 private constant NANO = 1e9;
    int256 private constant YEAR = 31_536_000;
    int256 private constant MAX_LEVEL = 1 << 47;
    int256 private constant MAX_SLOPE = 100 * NANO;
    int256 private constant MAX_SHIFT = 10 * NANO;
    int256 private constant MAX_WIDTH = 10 * NANO;
    int256 private constant MIN_VARIANCE = Wad.ONE / 10_000;
    int256 private constant MAX_VARIANCE = 25 * Wad.ONE;
    uint256 private constant DAY = 86_400;
    uint256 private constant MONTH = 30 * DAY;
    uint256 private constant PPM = 1e6;

    /// @notice Whether a slice has its parameters in range and a variance that is nowhere negative.
    function isAdmissible(Slice memory svi) internal pure returns (bool) {
        (int256 a, int256 b, int256 rho) = (svi.a, svi.b, svi.rho);
        if (a <= -MAX_LEVEL || a >= MAX_LEVEL || b < 0 || b > MAX_SLOPE || rho <= -NANO || rho >= NANO) return false;
        if (svi.m < -MAX_SHIFT || svi.m > MAX_SHIFT || svi.sigma <= 0 || svi.sigma > MAX_WIDTH) return false;
        if (a >= 0) return true;
        // The parameters in range keep both sides below 2²¹⁵.
        unchecked {
            int256 depth = a * Wad.ONE;
            int256 bend = b * svi.sigma;
            return depth * depth <= bend * bend * (Wad.ONE - rho * rho);
        }
    }

    /// @notice Volatility per √year at the moneyness k = ln(K/F) (wads), kept within 1 % and 500 %, rounded down.
    /// @dev The slice is admissible and |k| ≤ 40.
    function volatility(Slice memory svi, int256 moneyness) internal pure returns (uint256) {
        // The offset is below 2⁶⁶, so its square below 2¹³² and the variance below 2¹⁴⁰. The root is at least the
        // offset's magnitude and |ρ| < 1: what is divided is not negative.
        unchecked {
            int256 offset = moneyness - svi.m * NANO;
            int256 width = svi.sigma * NANO;
            int256 root = int256(FixedPointMathLib.sqrt(uint256(offset * offset + width * width)));
            int256 variance = svi.a * NANO + svi.b * (svi.rho * offset + NANO * root) / Wad.ONE;
            if (variance < MIN_VARIANCE) variance = MIN_VARIANCE;
            if (variance > MAX_VARIANCE) variance = MAX_VARIANCE;
            return FixedPointMathLib.sqrt(uint256(variance * Wad.ONE));
        }
    }

    /// @notice √(years) until expiry as a wad, rounded down, for less than 2⁴⁰ seconds.
    function rootTime(uint256 time) internal pure returns (uint256) {
        // Below 2¹⁶⁰.
        unchecked {
            return FixedPointMathLib.sqrt(time * Wad.UNSIGNED_ONE * Wad.UNSIGNED_ONE / uint256(YEAR));
        }
    }

    /// @notice Factors (wads) on the volatility in margin's up and down scenarios, for shocks in ppm (u32).
    function shock(uint256 time, uint256 volUp, uint256 volDown) internal pure returns (uint256 up, uint256 down) {
        int256 log = Wad.lnRatio(MONTH, time < DAY ? DAY : time);
        // The scale is below 3 and the shocks below 2³².
        unchecked {
            uint256 scale = Wad.exp(log >= 0 ? log * 3 / 10 : Fixed.divFloor(log * 13, 100));
            up = Wad.UNSIGNED_ONE + volUp * scale / PPM;
            uint256 fall = volDown * scale / PPM;
            uint256 least = Wad.UNSIGNED_ONE / 10;
            down = fall > Wad.UNSIGNED_ONE - least ? least : Wad.UNSIGNED_ONE - fall;
        }
    }
}
