// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Rounding of the state transition
/// @dev Twin of `rollup/stf/fixed.py`. Solidity's own division rounds towards zero.
library Fixed {
    /// @notice `numerator / denominator` rounded to −∞, for a positive denominator.
    function divFloor(int256 numerator, int256 denominator) internal pure returns (int256 quotient) {
        // A positive denominator can neither overflow nor divide by zero, and one step beyond a truncated quotient
        // stays in range.
        unchecked {
            quotient = numerator / denominator;
            if (numerator % denominator < 0) --quotient;
        }
    }

    /// @notice `numerator / denominator` rounded to +∞, for a positive denominator.
    function divCeil(int256 numerator, int256 denominator) internal pure returns (int256 quotient) {
        // As above.
        unchecked {
            quotient = numerator / denominator;
            if (numerator % denominator > 0) ++quotient;
        }
    }

    function abs(int256 value) internal pure returns (int256) {
        return value < 0 ? -value : value;
    }

    /// @notice `value` moved to the nearest point of ±`bound`.
    function clamp(int256 value, int256 bound) internal pure returns (int256) {
        if (value > bound) return bound;
        return value < -bound ? -bound : value;
    }
}
