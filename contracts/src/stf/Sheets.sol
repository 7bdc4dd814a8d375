// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPricer} from "../interfaces/IPricer.sol";
import {IVerifier} from "../interfaces/IVerifier.sol";
import {Limits, Market, Series, Underlying} from "../types/Leaves.sol";
import {Reasons} from "../types/Reasons.sol";
import {Arena} from "../libraries/Arena.sol";
import {Context} from "./Context.sol";
import {Fixed} from "./Fixed.sol";

/// @title A market's prices for margin: its mark, and what it would be worth under each scenario
/// @dev Twin of `rollup/stf/sheets.py`. Drawn at first need and kept in the market until the oracle moves. A *row* is the
/// values under the scenarios, two a word: number 2i in the low half of word i, 2i + 1 in the high one. Halves are added and
/// multiplied together: no sum of 32 positions comes near 128 bits, and a negative low half just borrows from the high
/// one. The last half, number 23, is the value at mark.
library Sheets {
    uint256 internal constant ROW = 0x180;
    /// @dev k + 4 of each scenario, a nibble each, the first one lowest.
    uint256 private constant MOVES = 0x408111777222666333555444;
    int256 private constant STILL = 4;
    uint256 private constant LANES = 24;
    int256 private constant CONFIDENCE_UNIT = 1e12;

    // Sizes of the pricer's answers and questions, in bytes.
    uint256 private constant STEPS = 0x240;
    uint256 private constant TIMING = 0x60;

    /// @notice Sees to the sheet of `market`, whose underlying and series are loaded.
    function draw(Context memory ctx, Market memory market) internal view returns (uint256 reason) {
        // Bounded: see `Limits`.
        unchecked {
            ctx.found.setUnderlying(market.underlyingAt);
            Underlying memory underlying = ctx.found.underlying;
            if (market.kind == Limits.KIND_PERP) {
                if (market.drawnFrom == underlying.updates + 1) return Reasons.NONE;
                market.drawnFrom = underlying.updates + 1;
                market.mark = underlying.mark;
                market.long = ceilPpm(market.mark * market.contingency);
                market.short = market.long;
                return Reasons.NONE;
            }
            ctx.found.setSeries(market.seriesAt);
            Series memory series = ctx.found.series;
            if (market.drawnFrom == series.updates + 1) return Reasons.NONE;
            int256 doubt = series.forward * (Limits.PPM - series.confidence) * underlying.confidenceFactor;
            doubt = Fixed.divCeil(doubt, CONFIDENCE_UNIT);
            int256 rate = doubt + ceilPpm(series.forward * market.contingency);
            if (Limits.isOption(market.kind)) {
                reason = ctx.meters.countPricing();
                if (reason != Reasons.NONE) return reason;
                market.mark = price(ctx, market, series, underlying);
                market.long = doubt;
            } else {
                market.mark = series.forward;
                market.long = rate;
            }
            market.short = rate;
            market.drawnFrom = series.updates + 1;
        }
    }

    /// @notice `value` / 10⁶, rounded up.
    function ceilPpm(int256 value) internal pure returns (int256) {
        return Fixed.divCeil(value, Limits.PPM);
    }

    /// @dev Draws the row of an option into `market.grid` and returns its mark.
    function price(Context memory ctx, Market memory market, Series memory series, Underlying memory underlying)
        private
        view
        returns (int256)
    {
        uint256 question;
        if (underlying.steps == 0) {
            question = begin(IPricer.makeSteps.selector);
            Arena.put(question, 1, uint256(underlying.spotStep));
            underlying.steps = ask(ctx, question, 1, STEPS);
        }
        if (series.timing == 0) {
            question = begin(IPricer.makeTiming.selector);
            Arena.put(question, 1, series.expiry > ctx.timestamp ? series.expiry - ctx.timestamp : 0);
            Arena.put(question, 2, uint256(underlying.volUp));
            Arena.put(question, 3, uint256(underlying.volDown));
            series.timing = ask(ctx, question, 3, TIMING);
        }
        question = begin(IPricer.drawGrid.selector);
        Arena.put(question, 1, market.kind == Limits.KIND_CALL ? 1 : 0);
        Arena.put(question, 2, uint256(market.strike));
        (uint256 timing, uint256 steps) = (series.timing, underlying.steps);
        // Plain: drawGrid's other arguments; those from `forward` to `sigma` stand in the series in their order.
        assembly ("memory-safe") {
            mcopy(add(question, 0x60), add(series, 0x60), 0xc0)
            mcopy(add(question, 0x120), timing, 0x60)
            mcopy(add(question, 0x180), steps, 0x240)
        }
        market.grid = ask(ctx, question, 29, ROW);
        // The high half of the row's last word.
        return int256(Arena.get(market.grid, 11) >> 128);
    }

    /// @notice Begins a question to the pricer: its selector at the end of a word, behind which its arguments belong.
    function begin(bytes4 selector) internal pure returns (uint256 question) {
        question = Arena.free();
        Arena.put(question, 0, uint32(selector));
    }

    /// @notice Asks the pricer the question with `count` words of arguments, and keeps its answer of `size` bytes at `answer`.
    /// @dev It never refuses what the rules admit, so a failure can only be too little gas.
    function ask(Context memory ctx, uint256 question, uint256 count, uint256 size) internal view returns (uint256 answer) {
        bool answered;
        address pricer = ctx.pricer;
        // Plain: an external call to IPricer; but a failure, or an answer by a contract that is not there, must be
        // TooLittleGas and never a price, and 29 arguments are more than the compiler's stack bears. The answer takes the
        // question's place.
        assembly ("memory-safe") {
            answered := staticcall(gas(), pricer, add(question, 0x1c), add(4, shl(5, count)), question, size)
            answered := and(answered, eq(returndatasize(), size))
            answer := question
            mstore(0x40, add(answer, size))
        }
        if (!answered) revert IVerifier.TooLittleGas();
    }

    /// @notice A row of zeros at `row`; allocates it if that is 0.
    function clear(uint256 row) internal pure returns (uint256) {
        // Plain: new uint256[](12) without its length; reading past the end of calldata gives zeros.
        assembly ("memory-safe") {
            if iszero(row) {
                row := mload(0x40)
                mstore(0x40, add(row, ROW))
            }
            calldatacopy(row, calldatasize(), ROW)
        }
        return row;
    }

    /// @notice Adds `size` times an option's `grid` to `row`.
    function add(uint256 row, uint256 grid, int256 size) internal pure {
        // Plain: for each word: row[i] += grid[i] * uint256(size), unchecked; 12 times 60 gas instead of 300.
        assembly ("memory-safe") {
            for { let end := add(row, ROW) } lt(row, end) { row := add(row, 0x20) } {
                mstore(row, add(mload(row), mul(mload(grid), size)))
                grid := add(grid, 0x20)
            }
        }
    }

    /// @notice Adds `size` of what is worth `mark` and moves with the underlying's price to `row`.
    function addLinear(uint256 row, int256 mark, int256 spotStep, int256 size) internal pure {
        uint256 moves = MOVES;
        // Marks are below 2⁴⁷, factors below 2²¹, sizes below 2⁶⁸.
        unchecked {
            for (uint256 i = 0; i < LANES; ++i) {
                int256 shocked = shock(mark, int256(moves & 15) - STILL, spotStep);
                uint256 value = uint256(size * shocked) << (i % 2 * 128);
                moves >>= 4;
                // Plain: row[i / 2] += value.
                assembly ("memory-safe") {
                    let at := add(row, shl(5, shr(1, i)))
                    mstore(at, add(mload(at), value))
                }
            }
        }
    }

    /// @notice `mark` after a move of `k` steps, rounded down; neither is so large that a fifth would not be left.
    function shock(int256 mark, int256 k, int256 spotStep) internal pure returns (int256) {
        // Bounded: see `Limits`.
        unchecked {
            return Fixed.div(mark * (Limits.PPM + k * spotStep), Limits.PPM);
        }
    }

    /// @notice The largest loss against the mark that `row` holds, never negative.
    function worstLoss(uint256 row) internal pure returns (int256 loss) {
        int256 least = type(int256).max;
        int256 marked;
        // Plain: least = the least, marked = the last of the 24 halves; the low half is the word's remainder, taken out
        // before the high one is shifted down.
        assembly ("memory-safe") {
            for { let end := add(row, ROW) } lt(row, end) { row := add(row, 0x20) } {
                let word := mload(row)
                let low := signextend(15, word)
                marked := sar(128, sub(word, low))
                if slt(low, least) { least := low }
                if slt(marked, least) { least := marked }
            }
        }
        return marked - least;
    }
}
