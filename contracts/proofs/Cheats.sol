// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice What the checker offers to a proof beside the EVM.
interface Cheats {
    /// @notice Looks no further at runs in which this does not hold.
    function assume(bool condition) external pure;

    /// @notice Sets the time.
    function warp(uint256 time) external;

    /// @notice Sets the caller of the next call.
    function prank(address caller) external;

    /// @notice Gives an account ether.
    function deal(address account, uint256 amount) external;
}

/// @notice What only a symbolic checker offers.
interface SymbolicCheats {
    /// @notice From here on every storage slot of `account` may hold anything.
    function enableSymbolicStorage(address account) external;
}

Cheats constant CHEATS = Cheats(address(uint160(uint256(keccak256("hevm cheat code")))));
SymbolicCheats constant SYMBOLIC = SymbolicCheats(address(uint160(uint256(keccak256("svm cheat code")))));
