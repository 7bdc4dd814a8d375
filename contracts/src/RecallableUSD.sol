// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestUSD} from "./TestUSD.sol";

/// @title Test stablecoin that is taken back, for development networks only
/// @notice Issuers of real stablecoins can destroy what an address holds. Here anyone is the issuer: it shows what a rollup's
/// vault pays when money is missing.
contract RecallableUSD is TestUSD {
    /// @notice Destroys `amount` µUSD of `holder`, whoever asks.
    function recall(address holder, uint256 amount) external {
        _burn(holder, amount);
    }
}
