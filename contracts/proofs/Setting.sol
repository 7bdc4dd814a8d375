// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Vault} from "../src/Vault.sol";
import {IAppraiser} from "../src/interfaces/IAppraiser.sol";
import {AccountProof} from "../src/libraries/AccountProof.sol";
import {CHEATS, SYMBOLIC} from "./Cheats.sol";
import {World} from "./World.sol";

/// @title The vault as it is deployed, in any state whatever
abstract contract Setting {
    uint256 internal constant WINDOW = 7 days;
    /// @dev Only a number: the vault keeps what it knows of accounts apart by it.
    uint256 internal constant ACCOUNT = 5;
    /// @dev Above every sum of deposits (2⁶⁰), and as much again many times as a gift.
    uint256 internal constant MUCH = 1 << 64;

    World internal world;
    Vault internal vault;

    function setUp() public {
        world = new World();
        vault = new Vault(address(world), address(world), address(world), uint40(WINDOW));
    }

    /// @dev Root above an account's leaf.
    function rootOf(bytes calldata witness) external pure returns (bytes32 root) {
        (root,,,) = AccountProof.read(witness);
    }

    /// @dev From here on the vault's storage may hold anything.
    function forgetState() internal {
        SYMBOLIC.enableSymbolicStorage(address(vault));
        CHEATS.assume(vault.claimedTotal() < MUCH);
        CHEATS.assume(vault.refundedTotal() < MUCH);
    }

    /// @dev The witness of ACCOUNT's leaf as the only one in a state.
    function leafOf(address owner, uint64 withdrawn) internal pure returns (bytes memory) {
        bytes memory leaf = abi.encodePacked(owner, bytes20(0), uint64(0), withdrawn, bytes23(0));
        return abi.encodePacked(uint16(1), uint40((1 << 38) | (ACCOUNT << 14)), uint16(79), leaf, bytes20(0));
    }

    /// @dev Ends the chain at `time` and passes it by, or the whole window.
    function end(uint40 settledAt, bool windowOver) internal {
        CHEATS.assume(settledAt > 0 && settledAt < 1 << 39);
        world.setEnd(true, 0, settledAt, 0);
        CHEATS.warp(windowOver ? settledAt + WINDOW + 1 : settledAt + WINDOW);
    }

    /// @dev Registers an account worth `equity` in an end state with these totals.
    function register(uint256 account, address owner, uint256 equity, uint64 deposits, uint64 withdrawals) internal {
        CHEATS.assume(equity <= uint256(type(int256).max));
        registerAny(account, owner, int256(equity), deposits, withdrawals);
    }

    /// @dev As `register`, with equities below zero.
    function registerAny(uint256 account, address owner, int256 equity, uint64 deposits, uint64 withdrawals) internal {
        world.setAppraisal(IAppraiser.Appraisal(world.root(), account, owner, equity, deposits, withdrawals));
        vault.register("");
    }

    function larger(uint256 a, uint256 b) internal pure returns (uint256) {
        return a > b ? a : b;
    }

    function smaller(uint256 a, uint256 b) internal pure returns (uint256) {
        return a < b ? a : b;
    }

    /// @dev a − b, but not below zero.
    function excess(uint256 a, uint256 b) internal pure returns (uint256) {
        return a > b ? a - b : 0;
    }
}
