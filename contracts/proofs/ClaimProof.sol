// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CHEATS} from "./Cheats.sol";
import {Setting} from "./Setting.sol";

/// @title Withdrawals are paid once, in full, and touch nobody else's money
contract ClaimProof is Setting {
    /// @notice A claim pays what is withdrawn and was not paid before, to the owner in the leaf, and counts it.
    function check_claim_pays_withdrawn_less_claimed(address owner, uint64 withdrawn, uint256 other, uint256 held) external {
        CHEATS.assume(owner != address(vault) && other != ACCOUNT);
        (uint256 before, uint256 total, uint256 others) = prepare(owner, withdrawn, other, held);
        world.setBalance(owner, 0);
        uint256 amount = vault.claim(0, leafOf(owner, withdrawn));
        assert(amount > 0 && amount + before == withdrawn);
        assert(world.balanceOf(owner) == amount && world.balanceOf(address(vault)) + amount == held);
        assert(vault.claimed(ACCOUNT) == withdrawn && vault.claimedTotal() == total + amount);
        assert(vault.claimed(other) == others);
    }

    /// @notice Whatever is due can be claimed, if the vault holds it.
    function check_claim_of_what_is_due_succeeds(address owner, uint64 withdrawn, uint256 held) external {
        (uint256 before,,) = prepare(owner, withdrawn, 0, held);
        CHEATS.assume(before < withdrawn && withdrawn - before <= held);
        (bool done,) = address(vault).call(abi.encodeCall(vault.claim, (0, leafOf(owner, withdrawn))));
        assert(done);
    }

    /// @notice Nothing is paid on a state that can still change, or on a leaf that is not in it.
    function check_claim_needs_a_final_state(address owner, uint64 withdrawn, uint256 held, bool standsFinal, bytes32 root)
        external
    {
        prepare(owner, withdrawn, 0, held);
        bool right = standsFinal && root == world.root();
        world.setRoot(standsFinal, root);
        (bool done,) = address(vault).call(abi.encodeCall(vault.claim, (0, leafOf(owner, withdrawn))));
        assert(!done || right);
    }

    /// @notice Two claims, on an earlier state and on a later one, pay together what the later one says.
    function check_claims_in_order_pay_the_later_total(address owner, uint64 first, uint64 second, uint256 held) external {
        CHEATS.assume(owner != address(vault));
        (uint256 before,,) = prepare(owner, first, 0, held);
        uint256 amount = vault.claim(0, leafOf(owner, first));
        world.setRoot(true, this.rootOf(leafOf(owner, second)));
        uint256 more = vault.claim(0, leafOf(owner, second));
        assert(before + amount + more == second);
        assert(world.balanceOf(address(vault)) + amount + more == held);
    }

    /// @notice After a claim, one on the same state or on an earlier one pays nothing.
    function check_claim_again_reverts(address owner, uint64 first, uint64 second, uint256 held) external {
        CHEATS.assume(second <= first);
        prepare(owner, first, 0, held);
        vault.claim(0, leafOf(owner, first));
        world.setRoot(true, this.rootOf(leafOf(owner, second)));
        (bool done,) = address(vault).call(abi.encodeCall(vault.claim, (0, leafOf(owner, second))));
        assert(!done);
    }

    /// @notice A claim leaves what is shared out as it is, before and after it is fixed.
    function check_claim_leaves_the_pot(address owner, uint64 withdrawn, uint64 all, uint64 deposits, uint256 held)
        external
    {
        CHEATS.assume(owner != address(vault) && deposits > 0);
        (uint256 before, uint256 total,) = prepare(owner, withdrawn, 0, held);
        end(1, false);
        register(ACCOUNT, owner, 1, deposits, all);
        // The state's total is the sum over its accounts, each of which has claimed no more than its own.
        CHEATS.assume(before < withdrawn && total + (withdrawn - before) <= all);
        (uint256 pot,) = vault.pot();
        vault.claim(0, leafOf(owner, withdrawn));
        (uint256 later,) = vault.pot();
        assert(pot == later);
    }

    function prepare(address owner, uint64 withdrawn, uint256 other, uint256 held)
        private
        returns (uint256 before, uint256 total, uint256 others)
    {
        CHEATS.assume(held < MUCH);
        forgetState();
        world.setRoot(true, this.rootOf(leafOf(owner, withdrawn)));
        world.setBalance(address(vault), held);
        return (vault.claimed(ACCOUNT), vault.claimedTotal(), vault.claimed(other));
    }
}
