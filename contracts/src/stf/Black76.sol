// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Wad} from "./Wad.sol";

/// @dev The nine shocks of an underlying's price in the order 0, +1, −1, … +4, −4: each its factor in ppm, then the factor's
/// logarithm (wad).
struct Steps {
    uint256[18] words;
}

/// @dev Total standard deviations σ√τ (wads) with the volatility shocked up, as it is, and shocked down.
struct Deviations {
    uint256 up;
    uint256 same;
    uint256 down;
}

/// @title Black-76 prices of European options on a forward
/// @dev Twin of `rollup/stf/black76.py`, which derives the formula; rules in contracts/PRICING.md section 4. The
/// polynomials are evaluated without shifts, each coefficient scaled to its power.
library Black76 {
    uint256 private constant PPM = 1e6;
    uint256 private constant TAIL = 8 << 32;
    uint256 private constant FRACTION = (1 << 32) - 1;
    uint256 private constant HALF_LOG2_E = 0xb8aa3b295c17f0bbbe87fed0;
    uint256 private constant SHARES = 108;
    uint256 private constant ONE = 1 << SHARES;
    uint256 private constant SCENARIOS = 23;
    uint256 private constant STEPS = 9;
    uint256 private constant STEP_BYTES = 64;
    /// @dev So many shocks come with all three volatilities, the others with the one shocked up.
    uint256 private constant FULL_STEPS = 7;

    /// @notice The nine shocks for a step in ppm, at most 200 000.
    function makeSteps(uint256 spotStep) internal pure returns (Steps memory steps) {
        // Four steps leave at least a fifth.
        unchecked {
            steps.words[0] = PPM;
            for (uint256 i = 1; i < STEPS; ++i) {
                uint256 move = (i + 1) / 2 * spotStep;
                uint256 factor = i % 2 == 1 ? PPM + move : PPM - move;
                steps.words[2 * i] = factor;
                steps.words[2 * i + 1] = uint256(Wad.lnRatio(factor, PPM));
            }
        }
    }

    /// @notice σ√τ under the three volatilities; all wads, each product rounded down.
    function makeDeviations(uint256 volatility, uint256 rootTime, uint256 up, uint256 down)
        internal
        pure
        returns (Deviations memory spreads)
    {
        // 500 % over 2⁴⁰ s is below 2⁷² and the factors below 2⁷⁷.
        unchecked {
            uint256 same = volatility * rootTime / Wad.UNSIGNED_ONE;
            spreads.up = same * up / Wad.UNSIGNED_ONE;
            spreads.same = same;
            spreads.down = same * down / Wad.UNSIGNED_ONE;
        }
    }

    /// @notice µUSD per coin of an option, the one out of the money rounded down.
    /// @param forward Price F of the future, 0 … 2⁴⁸ − 1 µUSD.
    /// @param strike K, 1 … 2⁴⁸ − 1 µUSD.
    /// @param x ln(F/K), a wad within ±40.
    /// @param s σ√τ, a wad below 2⁹⁶.
    function price(bool isCall, uint256 forward, uint256 strike, int256 x, uint256 s) internal pure returns (uint256) {
        // Prices are below 2⁴⁸, shares at most 2¹⁰⁸, |x| below 2⁶⁶.
        unchecked {
            uint256 least = lesser(forward, strike);
            return (isCall ? forward : strike) - least + (least * share(scale(x), s) >> SHARES);
        }
    }

    /// @notice Prices under margin's 23 scenarios: seven shocks with each volatility, then ±4 with the volatility up.
    function grid(
        bool isCall,
        uint256 forward,
        uint256 strike,
        int256 x,
        Deviations memory spreads,
        Steps memory steps
    ) internal pure returns (uint256[SCENARIOS] memory prices) {
        (uint256 up, uint256 same, uint256 down) = (spreads.up, spreads.same, spreads.down);
        (uint256 price_, uint256 step) = locate(prices, steps);
        // As in `price`; a factor is below 2²¹.
        unchecked {
            uint256 full = step + FULL_STEPS * STEP_BYTES;
            uint256 end = step + STEPS * STEP_BYTES;
            for (; step < end; step += STEP_BYTES) {
                uint256 shocked = forward * load(step) / PPM;
                uint256 least = lesser(shocked, strike);
                uint256 gain = (isCall ? shocked : strike) - least;
                uint256 scaled = scale(x + int256(load(step + 32)));
                price_ = put(price_, gain + (least * share(scaled, up) >> SHARES));
                if (step >= full) continue;
                price_ = put(price_, gain + (least * share(scaled, same) >> SHARES));
                price_ = put(price_, gain + (least * share(scaled, down) >> SHARES));
            }
        }
    }

    /// @dev Where the words of both stand in memory. Walking by `load` and `put` does what `words[i]` and
    /// `prices[j] = …` would, without 41 bound checks: 1,100 gas a grid.
    function locate(uint256[SCENARIOS] memory prices, Steps memory steps)
        private
        pure
        returns (uint256 price_, uint256 step)
    {
        uint256[18] memory words = steps.words;
        assembly ("memory-safe") {
            price_ := prices
            step := words
        }
    }

    function load(uint256 pointer) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(pointer)
        }
    }

    /// @return Where the next word goes.
    function put(uint256 pointer, uint256 word) private pure returns (uint256) {
        assembly ("memory-safe") {
            mstore(pointer, word)
        }
        unchecked {
            return pointer + 32;
        }
    }

    /// @dev The smaller of two prices.
    function lesser(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }

    /// @dev |x| · 2³².
    function scale(int256 x) private pure returns (uint256) {
        unchecked {
            int256 sign = x >> 255;
            return uint256((x ^ sign) - sign) << 32;
        }
    }

    /// @dev The share u of min(F, K) that the option out of the money is worth, in 2⁻¹⁰⁸, without a branch for the side.
    /// @param scaled |ln(F/K)| · 2³², a wad; the quotient h is 0 for s = 0, and so is u.
    function share(uint256 scaled, uint256 s) private pure returns (uint256) {
        // Past the tail nothing is multiplied. Before it h and half are below 2³⁶, and the polynomials end within 256
        // bits (PRICING.md).
        unchecked {
            uint256 h = quotient(scaled, s);
            uint256 half = (s << 31) / Wad.UNSIGNED_ONE;
            int256 distance = int256(h) - int256(half);
            int256 sign = distance >> 255; // −1 where h < s/2, else 0
            uint256 y = uint256((distance ^ sign) - sign);
            uint256 u = uint256(sign) & ONE;
            if (y >= TAIL) return u;
            int256 near = (int256(mills(y)) ^ ~sign) - ~sign;
            return u - density(y) * (uint256(near) + mills(h + half));
        }
    }

    /// @dev φ(y) in 2⁻⁶⁴ for y in 2⁻³², y < 8.
    function density(uint256 y) private pure returns (uint256) {
        unchecked {
            uint256 w = (y * y * HALF_LOG2_E) >> 128;
            uint256 f = w & FRACTION;
            uint256 r = 0x3d82b5886c4d3 - f * 0x47fa;
            r = 0x22b5432a0ec1f6fc71608a - f * r;
            r = 0xfb653e6b0829914a17fcfc119d0a71 - f * r;
            r = 0x0005ab24329600d893e98620cfd189ae1378f8e417 - f * r;
            r = 0x1888bd46c98a4caae4b626be7ab32d41dde04eef9b7c79ba - f * r;
            r = 0x46ca63a87576419e686d1b00d21da5ff4ea8ba70c40ffd2660238da4 - f * r;
            r = 0x662114cf50d942343f2cf1402eae38bfd3829f30512706d8c0471b4802639d2e - f * r;
            return r >> (192 + (w >> 32));
        }
    }

    /// @dev The Mills ratio N(−y)/φ(y) in 2⁻⁴⁴, rounded down, for y in 2⁻³², y ≤ 12.2.
    function mills(uint256 y) private pure returns (uint256) {
        unchecked {
            uint256 p = 0xffffc75fb9f2d262967 * y + 0xda8b1e73b16970e924a2b78a883f;
            p = p * y + 0x5656255b799a382403128aa515e439ebe00b1;
            p = p * y + 0x1379345dbe05f1863109d7fccc03b393d51af676c1c3ae;
            p = p * y + 0x2865132dbbd46160a770c494361e34d084b5c205c6a74db2511949;
            p = p * y + 0x28fa6c03ced551bbec069021fc9f2d5ad956ee099d323c7e6bc60c2e8203f8;
            uint256 q = y + 0xda8a50bf8;
            q = q * y + 0x575776400beec4639c;
            q = q * y + 0x14527210efc43ec56455eb7caaf;
            q = q * y + 0x2db87a647d250e4bfc4def8d92d65813090;
            q = q * y + 0x3a5164df504e9b755a16b6d70d8452c701eb00b0755;
            q = q * y + 0x20b2254c618aa7d9fda914bc0cbfc1292d1507ac3b559b0a638;
            return quotient(p, q);
        }
    }

    /// @dev `b == 0 ? 0 : a / b`, which is what the opcode does. The compiler's check for zero, and what it keeps from
    /// being inlined, would cost 186 gas a price.
    function quotient(uint256 a, uint256 b) private pure returns (uint256 c) {
        assembly ("memory-safe") {
            c := div(a, b)
        }
    }
}
