// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRollup} from "../interfaces/IRollup.sol";
import {IVault} from "../interfaces/IVault.sol";
import {AccountProof} from "../libraries/AccountProof.sol";
import {Custody} from "./Custody.sol";

/// @title Withdrawals
/// @notice Implements `claim` of IVault, where everything is explained.
abstract contract Claims is Custody {
    /// @inheritdoc IVault
    mapping(uint256 account => uint256) public claimed;
    /// @inheritdoc IVault
    uint256 public claimedTotal;

    /// @inheritdoc IVault
    function claim(uint256 batch, bytes calldata witness) external nonReentrant returns (uint256 amount) {
        (uint256 account, address owner, uint256 withdrawn) = _prove(batch, witness);
        uint256 paid = claimed[account];
        // INVARIANT: a withdrawal is paid once; an older state than the last one claimed pays nothing.
        if (withdrawn <= paid) revert NothingToClaim(account, withdrawn, paid);
        amount = withdrawn - paid;
        claimed[account] = withdrawn;
        claimedTotal += amount;
        emit Claimed(account, owner, amount, withdrawn);
        _pay(owner, amount);
    }

    /// @dev Reads an account's leaf and requires that it stands in the state after `batch`, and that that state is final.
    function _prove(uint256 batch, bytes calldata witness)
        private
        view
        returns (uint256 account, address owner, uint256 withdrawn)
    {
        // INVARIANT: money leaves only on a state that nobody can revert.
        if (!IRollup(rollup).isFinal(batch)) revert BatchNotFinal(batch);
        bytes32 root;
        (root, account, owner, withdrawn) = AccountProof.read(witness);
        _requireRoot(batch, root);
    }
}
