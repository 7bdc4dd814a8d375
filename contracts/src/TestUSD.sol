// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "solady/tokens/ERC20.sol";

/// @title Test stablecoin, for development networks only
/// @notice Anyone mints any amount, so it is worth nothing. One unit is 10⁻⁶ USD, as with the real stablecoins.
contract TestUSD is ERC20 {
    /// @inheritdoc ERC20
    function name() public pure override returns (string memory) {
        return "Test USD (devnet only)";
    }

    /// @inheritdoc ERC20
    function symbol() public pure override returns (string memory) {
        return "tUSD";
    }

    /// @inheritdoc ERC20
    function decimals() public pure override returns (uint8) {
        return 6;
    }

    /// @notice Creates `amount` µUSD for `to`, whoever asks.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}
