// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CHEATS} from "./Cheats.sol";
import {Setting} from "./Setting.sol";

/// @title From the first registration to the last payment: who comes late takes nothing from who came in time
/// @dev A whole run, of amounts below 2⁸, where the other proofs show single steps of all amounts.
contract SumProof is Setting {
    /// @notice Whoever comes late gets only what the one in time leaves, who is paid in full although it collects last.
    function check_late_one_takes_nothing_from_the_one_in_time(uint8 a, uint8 b, uint8 held) external {
        open(held);
        register(1, address(0xa), a, 1, 0);
        CHEATS.warp(2 + WINDOW);
        register(2, address(0xb), b, 1, 0);
        uint256 first = vault.collect(1);
        assert(first == a && held > a);
        assert(world.balanceOf(address(0xb)) == smaller(b, held - a));
    }

    function open(uint256 held) private {
        world.setEnd(true, 0, 1, 0);
        CHEATS.warp(1);
        world.setBalance(address(vault), held);
    }
}
