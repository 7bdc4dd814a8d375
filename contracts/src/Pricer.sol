// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPricer} from "./interfaces/IPricer.sol";
import {Market, Series, Underlying} from "./types/Leaves.sol";
import {Reasons} from "./types/Reasons.sol";
import {Black76, Deviations, Steps} from "./stf/Black76.sol";
import {Ranges} from "./stf/Ranges.sol";
import {Slice, Surface} from "./stf/Surface.sol";
import {Quote, Surfaces} from "./stf/Surfaces.sol";
import {Wad} from "./stf/Wad.sol";

/// @title The option pricing of the state transition as stateless calls
/// @notice Implements IPricer, where everything is explained.
contract Pricer is IPricer {
    uint256 private constant SCENARIOS = 23;

    /// @inheritdoc IPricer
    function makeSteps(uint256 spotStep) external pure returns (Steps memory) {
        return Black76.makeSteps(spotStep);
    }

    /// @inheritdoc IPricer
    function makeTiming(uint256 time, uint256 volUp, uint256 volDown)
        external
        pure
        returns (uint256 rootTime, uint256 up, uint256 down)
    {
        (up, down) = Surface.shock(time, volUp, volDown);
        return (Surface.rootTime(time), up, down);
    }

    /// @inheritdoc IPricer
    function judge(
        uint256 timestamp,
        Underlying calldata underlying,
        Series calldata series,
        Quote calldata next,
        uint256 leeway
    ) external pure returns (uint256 reason, int256 settlement, int256 sum, uint256 covered) {
        reason = Surfaces.check(timestamp, underlying, series, next, leeway);
        if (reason == Reasons.NONE) (settlement, sum, covered) = Surfaces.average(underlying, series, next);
    }

    /// @inheritdoc IPricer
    function admitsUnderlying(Underlying calldata listed) external pure returns (bool) {
        return Ranges.isPossible(listed);
    }

    /// @inheritdoc IPricer
    function admitsMarket(Market calldata listed) external pure returns (bool) {
        return Ranges.isPossible(listed);
    }

    /// @inheritdoc IPricer
    function drawGrid(
        bool isCall,
        uint256 strike,
        uint256 forward,
        Slice calldata slice,
        uint256 rootTime,
        uint256 up,
        uint256 down,
        Steps calldata steps
    ) external pure returns (uint256[12] memory) {
        int256 x = Wad.lnRatio(forward, strike);
        Deviations memory spreads = Black76.makeDeviations(Surface.volatility(slice, -x), rootTime, up, down);
        uint256[SCENARIOS] memory prices = Black76.grid(isCall, forward, strike, x, spreads, steps);
        // Room for the mark behind them: whatever was allocated there is not needed any more.
        // Plain: packed[i] = prices[2 * i] | prices[2 * i + 1] << 128, the last high half being prices[1], which is the price
        // without a shock: the mark. In place and handed over as it stands; the compiler's copies of both arrays are 3,000 gas.
        assembly ("memory-safe") {
            let mark := mload(add(prices, 0x20))
            mstore(add(prices, mul(0x20, SCENARIOS)), mark)
            let to := prices
            let end := add(prices, mul(0x20, add(SCENARIOS, 1)))
            for { let from := prices } lt(from, end) { from := add(from, 0x40) } {
                mstore(to, or(mload(from), shl(128, mload(add(from, 0x20)))))
                to := add(to, 0x20)
            }
            return(prices, 0x180)
        }
    }
}
