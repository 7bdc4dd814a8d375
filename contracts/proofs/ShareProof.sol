// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CHEATS} from "./Cheats.sol";
import {Setting} from "./Setting.sol";

/// @title Who registered in time gets the share, once
/// @dev That the shares together stay within the pot, however many they are, follows from one such step by `shares.smt2`.
contract ShareProof is Setting {
    /// @notice Fewer than 2²⁴ accounts, each of an equity below 2⁹⁶.
    uint256 internal constant MOST = 1 << 120;

    /// @notice `collect` pays equity × pot div Σ, or the whole equity if the pot suffices for Σ, to the owner, and forgets the claim.
    function check_collect_pays_the_share(uint40 settledAt, uint64 deposited, uint256 held, uint256 other) external {
        (address owner, uint256 equity, uint256 pot, uint256 sum) = prepare(settledAt, deposited, held, true);
        CHEATS.assume(owner != address(vault) && other != ACCOUNT);
        (address holder, uint256 others) = vault.entryOf(other);
        world.setBalance(owner, 0);
        uint256 amount = vault.collect(ACCOUNT);
        unchecked {
            assert(amount == (pot < sum ? equity * pot / sum : equity));
        }
        assert(amount > 0 && world.balanceOf(owner) == amount && world.balanceOf(address(vault)) + amount == held);
        (address later, uint256 left) = vault.entryOf(ACCOUNT);
        assert(later == owner && left == 0);
        (later, left) = vault.entryOf(other);
        assert(later == holder && left == others);
    }

    /// @notice Payment fixes what is shared and by how much, and changes neither.
    function check_collect_fixes_the_pot(uint40 settledAt, uint64 deposited, uint256 held) external {
        (address owner,, uint256 pot, uint256 sum) = prepare(settledAt, deposited, held, true);
        CHEATS.assume(owner != address(vault));
        (, bool before) = vault.pot();
        uint256 spare = before ? vault.spare() : excess(pot, sum);
        vault.collect(ACCOUNT);
        (uint256 later, bool isFixed) = vault.pot();
        assert(isFixed && later == pot && vault.registeredEquity() == sum && vault.spare() == spare);
    }

    /// @notice Nobody is paid before the window is over.
    function check_collect_waits_for_the_window(uint40 settledAt, uint64 deposited, uint256 held) external {
        prepare(settledAt, deposited, held, false);
        (bool done,) = address(vault).call(abi.encodeCall(vault.collect, (ACCOUNT)));
        assert(!done);
    }

    /// @notice Nobody is paid twice.
    function check_collect_twice_reverts(uint40 settledAt, uint64 deposited, uint256 held) external {
        prepare(settledAt, deposited, held, true);
        vault.collect(ACCOUNT);
        (bool done,) = address(vault).call(abi.encodeCall(vault.collect, (ACCOUNT)));
        assert(!done);
    }

    /// @notice Where the pot suffices, whoever registered is paid, in full.
    function check_collect_from_enough_succeeds(uint40 settledAt, uint64 deposited, uint256 held) external {
        (, uint256 equity, uint256 pot, uint256 sum) = prepare(settledAt, deposited, held, true);
        CHEATS.assume(pot >= sum && equity > 0 && equity <= held);
        (bool done, bytes memory answer) = address(vault).call(abi.encodeCall(vault.collect, (ACCOUNT)));
        assert(done && abi.decode(answer, (uint256)) == equity);
    }

    /// @notice No sum of equities that can come about makes a share overflow.
    function check_collect_from_too_little_succeeds(uint40 settledAt, uint64 deposited, uint256 held) external {
        (, uint256 equity, uint256 pot, uint256 sum) = prepare(settledAt, deposited, held, true);
        CHEATS.assume(pot < sum);
        uint256 share;
        unchecked {
            share = equity * pot / sum;
        }
        CHEATS.assume(share > 0 && share <= held);
        (bool done,) = address(vault).call(abi.encodeCall(vault.collect, (ACCOUNT)));
        assert(done);
    }

    function prepare(uint40 settledAt, uint64 deposited, uint256 held, bool windowOver)
        private
        returns (address owner, uint256 equity, uint256 pot, uint256 sum)
    {
        CHEATS.assume(held < MUCH);
        forgetState();
        end(settledAt, windowOver);
        world.setInbox(deposited, 0, 0, 0);
        world.setBalance(address(vault), held);
        (owner, equity) = vault.entryOf(ACCOUNT);
        (pot,) = vault.pot();
        sum = vault.registeredEquity();
        CHEATS.assume(sum < MOST && equity <= sum);
    }
}
