// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CHEATS} from "./Cheats.sol";
import {Setting} from "./Setting.sol";

/// @title Registration: in time it counts, late it takes no more than what is to spare, and each account comes once
contract LateProof is Setting {
    uint256 private constant MOST_EQUITY = type(uint96).max;

    /// @notice In time: the equity is counted in Σ, capped at 96 bits; nothing is paid or fixed.
    function check_register_in_time_counts_the_equity(address owner, uint256 equity, uint256 held) external {
        uint256 sum = prepare(0, held, false);
        CHEATS.assume(owner != address(0));
        (, bool before) = vault.pot();
        register(ACCOUNT, owner, equity, 1, 0);
        (address holder, uint256 entry) = vault.entryOf(ACCOUNT);
        assert(holder == owner && entry > 0 && entry == smaller(equity, MOST_EQUITY));
        assert(vault.registeredEquity() == sum + entry && world.balanceOf(address(vault)) == held);
        (, bool later) = vault.pot();
        assert(before == later);
    }

    /// @notice Late: the account is paid min(equity, spare) at once, which leaves that much less to spare, and Σ stays.
    function check_register_late_takes_from_the_spare(address owner, uint256 equity, uint64 deposited, uint256 held) external {
        uint256 sum = prepare(deposited, held, true);
        CHEATS.assume(owner != address(0) && owner != address(vault));
        (, bool before) = vault.pot();
        uint256 spare = vault.spare();
        world.setBalance(owner, 0);
        register(ACCOUNT, owner, equity, 1 << 60, 0);
        (uint256 pot, bool isFixed) = vault.pot();
        if (!before) spare = excess(pot, sum);
        uint256 amount = world.balanceOf(owner);
        assert(isFixed && amount > 0 && amount == smaller(smaller(equity, MOST_EQUITY), spare));
        assert(vault.spare() == spare - amount && vault.registeredEquity() == sum);
        assert(world.balanceOf(address(vault)) + amount == held);
        (address holder, uint256 entry) = vault.entryOf(ACCOUNT);
        assert(holder == owner && entry == 0);
    }

    /// @notice An account that has registered, in time or late, collected or not, never registers again.
    function check_register_twice_reverts(address owner, uint256 equity, uint256 held, bool late) external {
        prepare(0, held, late);
        (address holder,) = vault.entryOf(ACCOUNT);
        CHEATS.assume(holder != address(0));
        (bool done,) = address(this).call(abi.encodeCall(this.tryRegister, (owner, equity)));
        assert(!done);
    }

    /// @notice An account that is worth nothing takes no part, nor does any before the end state stands.
    function check_register_of_nothing_reverts(address owner, int256 equity, bool settled) external {
        prepare(0, 0, false);
        CHEATS.assume(equity <= 0 || !settled);
        world.setEnd(settled, 0, 1, 0);
        (bool done,) = address(this).call(abi.encodeCall(this.tryRegister, (owner, uint256(equity))));
        assert(!done);
    }

    function tryRegister(address owner, uint256 equity) external {
        registerAny(ACCOUNT, owner, int256(equity), 1 << 60, 0);
    }

    function prepare(uint64 deposited, uint256 held, bool windowOver) private returns (uint256 sum) {
        CHEATS.assume(held < MUCH);
        forgetState();
        end(1, windowOver);
        world.setInbox(deposited, 0, 0, 0);
        world.setBalance(address(vault), held);
        sum = vault.registeredEquity();
        CHEATS.assume(sum < 1 << 120);
    }
}
