// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Steps} from "../stf/Black76.sol";
import {Slice} from "../stf/Surface.sol";
import {Quote} from "../stf/Surfaces.sol";
import {Market, Series, Underlying} from "../types/Leaves.sol";

/// @title Prices of options, exactly as contracts/PRICING.md fixes them
/// @notice Pure functions of their arguments, in a contract of their own because the verifier has no room for them; and the
/// ranges of updates and listings beside them, for the same reason. What several markets share is computed once and handed
/// in: the steps of an underlying, the timing of a series.
interface IPricer {
    /// @notice The nine shocks 0, +1, −1, … +4, −4 of the price in steps of `spotStep` ppm.
    /// @return Their factors in ppm and the logarithms of these, wads
    function makeSteps(uint256 spotStep) external pure returns (Steps memory);

    /// @notice What the time to expiry makes of volatilities.
    /// @param time Seconds to expiry
    /// @param volUp ppm by which volatility rises in a month's scenario
    /// @param volDown ppm by which it falls
    /// @return rootTime √years, a wad
    /// @return up Factor on the volatility in the up scenarios, a wad
    /// @return down Factor on it in the down scenarios, a wad
    function makeTiming(uint256 time, uint256 volUp, uint256 volDown)
        external
        pure
        returns (uint256 rootTime, uint256 up, uint256 down);

    /// @notice Whether an update of a series may stand, signatures aside, and what it makes of the settlement average.
    /// @param timestamp Of the block
    /// @param next What the update says
    /// @param leeway Seconds up to which it may be old, even if that is more than the underlying's max_age
    /// @return reason 0, or why not; then the rest is 0
    /// @return settlement The settlement price if the update ends the series, else 0
    /// @return sum The average's sum after it
    /// @return covered The seconds in it
    function judge(
        uint256 timestamp,
        Underlying calldata underlying,
        Series calldata series,
        Quote calldata next,
        uint256 leeway
    ) external pure returns (uint256 reason, int256 settlement, int256 sum, uint256 covered);

    /// @notice Whether an underlying with these parameters may be listed.
    function admitsUnderlying(Underlying calldata listed) external pure returns (bool);

    /// @notice Whether a market with these terms may be listed, its underlying and series aside.
    function admitsMarket(Market calldata listed) external pure returns (bool);

    /// @notice Prices of an option under margin's 23 scenarios, and its mark once more, µUSD per coin.
    /// @param slice An admissible one
    /// @return packed Two prices a word, the first in the low 128 bits; the mark is the last
    function drawGrid(
        bool isCall,
        uint256 strike,
        uint256 forward,
        Slice calldata slice,
        uint256 rootTime,
        uint256 up,
        uint256 down,
        Steps calldata steps
    ) external pure returns (uint256[12] memory packed);
}
