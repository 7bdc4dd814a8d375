// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Black76, Deviations, Steps} from "../src/stf/Black76.sol";
import {Slice, Surface} from "../src/stf/Surface.sol";
import {Wad} from "../src/stf/Wad.sol";

/// @title Opens the pricing libraries to tests
contract PricingLibraries {
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

    function makeSteps(uint256 spotStep) external pure returns (uint256[18] memory) {
        return Black76.makeSteps(spotStep).words;
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

    // Gas is measured without the call; results are returned lest they be optimized away.

    /// @return Gas of one price.
    function measurePrice(bool isCall, uint256 forward, uint256 strike, int256 x, uint256 s)
        external
        view
        returns (uint256, uint256)
    {
        uint256 start = gasleft();
        uint256 found = Black76.price(isCall, forward, strike, x, s);
        return (start - gasleft(), found);
    }

    /// @return Gas of one market's 23 prices.
    function measureGrid(
        bool isCall,
        uint256 forward,
        uint256 strike,
        int256 x,
        Deviations calldata spreads,
        uint256 spotStep
    ) external view returns (uint256, uint256[23] memory) {
        Steps memory steps = Black76.makeSteps(spotStep);
        Deviations memory copied = spreads;
        uint256 start = gasleft();
        uint256[23] memory found = Black76.grid(isCall, forward, strike, x, copied, steps);
        return (start - gasleft(), found);
    }

    /// @return Gas of what a market needs before it is priced: ln(F/K), the volatility there, and the deviations.
    function measureMarket(uint256 forward, uint256 strike, Slice calldata svi, uint256 root, uint256 up, uint256 down)
        external
        view
        returns (uint256, int256, uint256)
    {
        Slice memory copied = svi;
        uint256 start = gasleft();
        int256 x = Wad.lnRatio(forward, strike);
        Deviations memory spreads = Black76.makeDeviations(Surface.volatility(copied, -x), root, up, down);
        return (start - gasleft(), x, spreads.same);
    }

    /// @return Gas of what an expiry needs: √τ and the shocks of the volatility.
    function measureExpiry(uint256 time, uint256 volUp, uint256 volDown)
        external
        view
        returns (uint256, uint256, uint256)
    {
        uint256 start = gasleft();
        uint256 root = Surface.rootTime(time);
        (uint256 up, uint256 down) = Surface.shock(time, volUp, volDown);
        return (start - gasleft(), root, up ^ down);
    }

    /// @return Gas of what an underlying needs: the shocks of its price.
    function measureSteps(uint256 spotStep) external view returns (uint256, uint256) {
        uint256 start = gasleft();
        Steps memory steps = Black76.makeSteps(spotStep);
        return (start - gasleft(), steps.words[17]);
    }
}
