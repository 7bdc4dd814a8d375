// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CHEATS} from "./Cheats.sol";
import {Setting} from "./Setting.sol";

/// @title From the first registration to the last payment: nobody gets more than is there
contract SumProof is Setting {
    /// @notice Two accounts in time share what there is, neither more than it is worth, both in full if it suffices.
    function check_two_shares_stay_within_the_pot(uint96 a, uint96 b, uint64 held) external {
        CHEATS.assume(a > 0 && b > 0);
        open(held);
        register(1, address(0xa), a, 1, 0);
        register(2, address(0xb), b, 1, 0);
        CHEATS.warp(2 + WINDOW);
        collect(1);
        collect(2);
        requireSound(a, b, held);
    }

    /// @notice Three of them, and in the other order.
    function check_three_shares_stay_within_the_pot(uint96 a, uint96 b, uint96 c, uint64 held) external {
        CHEATS.assume(a > 0 && b > 0 && c > 0);
        open(held);
        register(1, address(0xa), a, 1, 0);
        register(2, address(0xb), b, 1, 0);
        register(3, address(0xc), c, 1, 0);
        CHEATS.warp(2 + WINDOW);
        collect(3);
        collect(2);
        collect(1);
        uint256 third = world.balanceOf(address(0xc));
        assert(third <= c);
        assert(world.balanceOf(address(0xa)) + world.balanceOf(address(0xb)) + third <= held);
    }

    /// @notice Two in time and two too late: who came in time is paid in full or nobody else is paid at all.
    function check_late_ones_take_nothing_from_those_in_time(uint96 a, uint96 b, uint96 c, uint96 d, uint64 held) external {
        CHEATS.assume(a > 0 && b > 0 && c > 0 && d > 0);
        open(held);
        register(1, address(0xa), a, 1, 0);
        register(2, address(0xb), b, 1, 0);
        CHEATS.warp(2 + WINDOW);
        tryLate(3, address(0xc), c);
        collect(1);
        tryLate(4, address(0xd), d);
        collect(2);
        uint256 late = world.balanceOf(address(0xc)) + world.balanceOf(address(0xd));
        uint256 sum = uint256(a) + b;
        assert(late <= excess(held, sum));
        if (held >= sum) assert(world.balanceOf(address(0xa)) == a && world.balanceOf(address(0xb)) == b);
    }

    function open(uint64 held) private {
        world.setEnd(true, 0, 1, 0);
        CHEATS.warp(1);
        world.setBalance(address(vault), held);
    }

    /// @dev A share below 1 µUSD is refused.
    function collect(uint256 account) private {
        (bool done,) = address(vault).call(abi.encodeCall(vault.collect, (account)));
        done;
    }

    function tryLate(uint256 account, address owner, uint96 equity) private {
        try this.registerLate(account, owner, equity) {} catch {}
    }

    function registerLate(uint256 account, address owner, uint96 equity) external {
        register(account, owner, equity, 1, 0);
    }

    function requireSound(uint256 a, uint256 b, uint256 held) private view {
        (uint256 first, uint256 second) = (world.balanceOf(address(0xa)), world.balanceOf(address(0xb)));
        assert(first <= a && second <= b);
        assert(first + second <= held);
        if (held >= a + b) assert(first == a && second == b);
    }
}
