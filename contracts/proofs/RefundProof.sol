// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CHEATS} from "./Cheats.sol";
import {Setting} from "./Setting.sol";

/// @title A deposit that the end state has not taken in goes back once
contract RefundProof is Setting {
    uint256 private constant INDEX = 7;

    /// @notice The amount in the message goes to the owner in it or, of a deposit, to the account's; it is counted, and noted.
    function check_refund_pays_the_deposit(bool opens, address owner, uint64 amount, uint40 consumed, uint256 held) external {
        CHEATS.assume(owner != address(vault));
        bytes memory message = prepare(opens, owner, amount, consumed, held);
        uint256 total = vault.refundedTotal();
        bool before = vault.refunded(INDEX);
        world.setBalance(owner, 0);
        uint256 paid = vault.refund(INDEX, message);
        assert(!before && paid == amount && consumed <= INDEX);
        assert(world.balanceOf(owner) == amount && world.balanceOf(address(vault)) + amount == held);
        assert(vault.refunded(INDEX) && vault.refundedTotal() == total + amount);
    }

    /// @notice It goes back once.
    function check_refund_twice_reverts(bool opens, address owner, uint64 amount, uint256 held) external {
        bytes memory message = prepare(opens, owner, amount, 0, held);
        vault.refund(INDEX, message);
        (bool done,) = address(vault).call(abi.encodeCall(vault.refund, (INDEX, message)));
        assert(!done);
    }

    /// @notice Whatever was deposited too late can be had back, if the vault holds it.
    function check_refund_of_what_is_due_succeeds(bool opens, address owner, uint64 amount, uint40 consumed, uint256 held) external {
        bytes memory message = prepare(opens, owner, amount, consumed, held);
        CHEATS.assume(!vault.refunded(INDEX) && consumed <= INDEX && amount <= held);
        (bool done,) = address(vault).call(abi.encodeCall(vault.refund, (INDEX, message)));
        assert(done);
    }

    /// @notice A refund leaves what is shared out as it is.
    function check_refund_leaves_the_pot(address owner, uint64 amount, uint64 deposits, uint64 deposited, uint256 held) external {
        CHEATS.assume(owner != address(vault) && deposits > 0);
        bytes memory message = prepare(true, owner, amount, 0, held);
        world.setInbox(deposited, INDEX, 0, keccak256(abi.encode(bytes32(0), keccak256(message))));
        register(ACCOUNT, owner, 1, deposits, 0);
        // What was deposited in all is what the state took in, what was given back and what can still be.
        CHEATS.assume(deposits + vault.refundedTotal() + amount <= deposited);
        (uint256 pot,) = vault.pot();
        vault.refund(INDEX, message);
        (uint256 later,) = vault.pot();
        assert(pot == later);
    }

    function prepare(bool opens, address owner, uint64 amount, uint40 consumed, uint256 held)
        private
        returns (bytes memory message)
    {
        CHEATS.assume(held < MUCH);
        forgetState();
        end(1, false);
        world.setEnd(true, 0, 1, consumed);
        world.setBalance(address(vault), held);
        if (!opens) world.setOwner(ACCOUNT, owner);
        message = opens
            ? abi.encodePacked(uint8(1), uint24(ACCOUNT), owner, amount)
            : abi.encodePacked(uint8(2), uint24(ACCOUNT), amount);
        world.setInbox(type(uint64).max, INDEX, 0, keccak256(abi.encode(bytes32(0), keccak256(message))));
    }
}
