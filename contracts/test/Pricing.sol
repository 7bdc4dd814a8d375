// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Black76, Deviations, Steps} from "../src/stf/Black76.sol";
import {Slice, Surface} from "../src/stf/Surface.sol";
import {Wad} from "../src/stf/Wad.sol";

/// @title Opens the pricing libraries to tests
contract Pricing {
    function ln(uint256 x) external pure returns (int256) {
        return Wad.ln(x);
    }

    function lnRatio(uint256 numerator, uint256 denominator) external pure returns (int256) {
        return Wad.lnRatio(numerator, denominator);
    }

    function exp(int256 x) external pure returns (uint256) {
        return Wad.exp(x);
    }

    function sqrt(uint256 x) external pure returns (uint256) {
        return Wad.sqrt(x);
    }

    function isAdmissible(Slice calldata svi) external pure returns (bool) {
        return Surface.isAdmissible(svi);
    }

    function volatility(Slice calldata svi, int256 moneyness) external pure returns (uint256) {
        return Surface.volatility(svi, moneyness);
    }

    function rootTime(uint256 time) external pure returns (uint256) {
        return Surface.rootTime(time);
    }

    function shock(uint256 time, uint256 volUp, uint256 volDown) external pure returns (uint256, uint256) {
        return Surface.shock(time, volUp, volDown);
    }

    function makeSteps(uint256 spotStep) external pure returns (uint256[9] memory, int256[9] memory) {
        Steps memory steps = Black76.makeSteps(spotStep);
        return (steps.factors, steps.logs);
    }

    function makeDeviations(uint256 volatility_, uint256 rootTime_, uint256 up, uint256 down)
        external
        pure
        returns (uint256, uint256, uint256)
    {
        Deviations memory spreads = Black76.makeDeviations(volatility_, rootTime_, up, down);
        return (spreads.up, spreads.same, spreads.down);
    }

    function price(bool isCall, uint256 forward, uint256 strike, int256 x, uint256 s) external pure returns (uint256) {
        return Black76.price(isCall, forward, strike, x, s);
    }

    function grid(
        bool isCall,
        uint256 forward,
        uint256 strike,
        int256 x,
        Deviations calldata spreads,
        uint256 spotStep
    ) external pure returns (uint256[23] memory) {
        return Black76.grid(isCall, forward, strike, x, spreads, Black76.makeSteps(spotStep));
    }

    /// @return Gas of one price, without the call.
    function measurePrice(bool isCall, uint256 forward, uint256 strike, int256 x, uint256 s)
        external
        view
        returns (uint256)
    {
        uint256 start = gasleft();
        Black76.price(isCall, forward, strike, x, s);
        return start - gasleft();
    }

    /// @return Gas of one market's grid, without the call and the steps, which all its underlying's markets share.
    function measureGrid(
        bool isCall,
        uint256 forward,
        uint256 strike,
        int256 x,
        Deviations calldata spreads,
        uint256 spotStep
    ) external view returns (uint256) {
        Steps memory steps = Black76.makeSteps(spotStep);
        Deviations memory copied = spreads;
        uint256 start = gasleft();
        Black76.grid(isCall, forward, strike, x, copied, steps);
        return start - gasleft();
    }
}
