// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

/// @title Logarithm, exponential and square root of 18-digit fixed point numbers
/// @dev Twin of `rollup/stf/wad.py`; rules in contracts/PRICING.md section 2. A wad counts 10⁻¹⁸, inner results count
/// 2⁻⁹⁶, and `>>` rounds negative numbers down too.
library Wad {
    int256 internal constant ONE = 1e18;
    uint256 internal constant UNSIGNED_ONE = 1e18;
    uint256 private constant UNIT = 1 << 96;
    int256 private constant LN_2 = 0xb17217f7d1cf79abc9e3b398;
    uint256 private constant SQRT_2 = 0x16a09e667f3bcc908b2fb1366;
    /// @dev 2¹⁹² / 10¹⁸.
    int256 private constant PER_WAD = 0x12725dd1d243aba0e75fe645cc4873f9e6;
    /// @dev 2¹⁹² / (10¹⁸ ln 2).
    int256 private constant PER_WAD_LN_2 = 0x1a9cef48e612f364f25e8d7a6bab6551cc;

    /// @notice Natural logarithm of a wad 0 < x < 2¹²⁸, to the nearest unit (± one unit).
    function ln(uint256 x) internal pure returns (int256) {
        return lnOf((x << 128) / UNSIGNED_ONE);
    }

    /// @notice ln(numerator / denominator) of integers in 1 … 2⁴⁸ − 1, to the nearest unit (± one); exactly 0 if equal.
    function lnRatio(uint256 numerator, uint256 denominator) internal pure returns (int256) {
        return lnOf((numerator << 128) / denominator);
    }

    /// @dev ln(ratio / 2¹²⁸): a power of two, and 2 artanh((m − 1) / (m + 1)) of the rest m in [√½, √2).
    function lnOf(uint256 ratio) private pure returns (int256) {
        // 2⁰ ≤ ratio < 2²⁵⁶, so the exponent is in −128 … 128, the mantissa below 2⁹⁷ and z, series below 2⁹⁸.
        unchecked {
            uint256 top = FixedPointMathLib.log2(ratio);
            uint256 mantissa = (ratio << (255 - top)) >> 159;
            int256 exponent = int256(top) - 128;
            int256 z;
            if (mantissa > SQRT_2) {
                ++exponent;
                z = -int256(artanh(((2 * UNIT - mantissa) << 96) / (mantissa + 2 * UNIT)));
            } else {
                z = int256(artanh(((mantissa - UNIT) << 96) / (mantissa + UNIT)));
            }
            return ((exponent * LN_2 + 2 * z) * ONE + (1 << 95)) >> 96;
        }
    }

    /// @dev z + z³/3 + z⁵/5 + … + z²¹/21, for 0 ≤ z < 0.18.
    function artanh(uint256 z) private pure returns (uint256 series) {
        // Each factor is below 2⁹⁷.
        unchecked {
            uint256 square = (z * z) >> 96;
            series = UNIT / 21;
            series = ((series * square) >> 96) + UNIT / 19;
            series = ((series * square) >> 96) + UNIT / 17;
            series = ((series * square) >> 96) + UNIT / 15;
            series = ((series * square) >> 96) + UNIT / 13;
            series = ((series * square) >> 96) + UNIT / 11;
            series = ((series * square) >> 96) + UNIT / 9;
            series = ((series * square) >> 96) + UNIT / 7;
            series = ((series * square) >> 96) + UNIT / 5;
            series = ((series * square) >> 96) + UNIT / 3;
            series = ((series * square) >> 96) + UNIT;
            series = (series * z) >> 96;
        }
    }

    /// @notice eˣ, wad of a wad x ≤ 64 · 10¹⁸; 0 from −42 downwards.
    function exp(int256 x) internal pure returns (uint256) {
        if (x <= -42 * ONE) return 0;
        // |x| < 2⁶⁶ keeps the products below 2²⁰⁰; rest is within ±0.35 and the series within 0.7 … 1.5.
        unchecked {
            int256 power = (x * PER_WAD_LN_2 + (1 << 191)) >> 192;
            int256 rest = ((x * PER_WAD) >> 96) - power * LN_2;
            return uint256(expSeries(rest) * ONE) >> uint256(96 - power);
        }
    }

    /// @dev 1 + x + x²/2! + … + x¹⁴/14!; each coefficient is its predecessor divided by n, rounded down.
    function expSeries(int256 x) private pure returns (int256 series) {
        // Each factor is below 2⁹⁷ in magnitude.
        unchecked {
            series = 0xc9cba54603e4e90;
            series = ((series * x) >> 96) + 0xb092309d43684be5;
            series = ((series * x) >> 96) + 0x8f76c77fc6c4bdaa2;
            series = ((series * x) >> 96) + 0x6b99159fd5138e3f9d;
            series = ((series * x) >> 96) + 0x49f93edde27d71cbbc0;
            series = ((series * x) >> 96) + 0x2e3bc74aad8e671f5583;
            series = ((series * x) >> 96) + 0x1a01a01a01a01a01a01a0;
            series = ((series * x) >> 96) + 0xd00d00d00d00d00d00d00;
            series = ((series * x) >> 96) + 0x5b05b05b05b05b05b05b05;
            series = ((series * x) >> 96) + 0x22222222222222222222222;
            series = ((series * x) >> 96) + 0xaaaaaaaaaaaaaaaaaaaaaaa;
            series = ((series * x) >> 96) + 0x2aaaaaaaaaaaaaaaaaaaaaaa;
            series = ((series * x) >> 96) + 0x800000000000000000000000;
            series = ((series * x) >> 96) + 0x1000000000000000000000000;
            series = ((series * x) >> 96) + 0x1000000000000000000000000;
        }
    }

    /// @notice Square root, wad of a wad 0 ≤ x < 2¹⁹⁰, rounded down.
    function sqrt(uint256 x) internal pure returns (uint256) {
        return FixedPointMathLib.sqrt(x * UNSIGNED_ONE);
    }
}
