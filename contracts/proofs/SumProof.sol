// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CHEATS} from "./Cheats.sol";
import {Setting} from "./Setting.sol";

/// @title From the first registration to the last payment: nobody gets more than is there
/// @dev Whole runs, of amounts below 2⁸, where the other proofs show single steps of all amounts.
contract SumProof is Setting {
    /// @notice Three accounts in time get no more than there is together, none more than it is worth, and all of it if it suffices.
    function check_three_shares_stay_within_the_pot(uint8 a, uint8 b, uint8 c, uint8 held) external {
        CHEATS.assume(a > 0 && b > 0 && c > 0);
        open(held);
        register(1, address(0xa), a, 1, 0);
        register(2, address(0xb), b, 1, 0);
        register(3, address(0xc), c, 1, 0);
        CHEATS.warp(2 + WINDOW);
        collect(2);
        collect(3);
        collect(1);
        (uint256 first, uint256 second, uint256 third) =
            (world.balanceOf(address(0xa)), world.balanceOf(address(0xb)), world.balanceOf(address(0xc)));
        assert(first <= a && second <= b && third <= c && first + second + third <= held);
        assert(held < uint256(a) + b + c || (first == a && second == b && third == c));
        // What is lost by rounding is below 1 µUSD for each.
        assert(held >= uint256(a) + b + c || first + second + third + 3 > held);
    }

    /// @notice Whoever comes late gets only what those in time leave, before or after they are paid.
    function check_late_one_takes_nothing_from_those_in_time(uint8 a, uint8 b, uint8 c, uint8 held, bool early) external {
        CHEATS.assume(a > 0 && b > 0 && c > 0);
        open(held);
        register(1, address(0xa), a, 1, 0);
        register(2, address(0xb), b, 1, 0);
        CHEATS.warp(2 + WINDOW);
        if (early) tryLate(c);
        collect(1);
        collect(2);
        if (!early) tryLate(c);
        uint256 sum = uint256(a) + b;
        assert(world.balanceOf(address(0xc)) == (held > sum ? smaller(c, held - sum) : 0));
        assert(held < sum || (world.balanceOf(address(0xa)) == a && world.balanceOf(address(0xb)) == b));
    }

    /// @dev Reached only by `tryLate`.
    function registerLate(uint256 equity) external {
        register(3, address(0xc), equity, 1, 0);
    }

    function open(uint256 held) private {
        world.setEnd(true, 0, 1, 0);
        CHEATS.warp(1);
        world.setBalance(address(vault), held);
    }

    /// @dev A share below 1 µUSD is refused.
    function collect(uint256 account) private {
        (bool done,) = address(vault).call(abi.encodeCall(vault.collect, (account)));
        done;
    }

    function tryLate(uint256 equity) private {
        (bool done,) = address(this).call(abi.encodeCall(this.registerLate, (equity)));
        done;
    }
}
