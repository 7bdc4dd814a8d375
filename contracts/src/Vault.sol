// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

import {IRollup} from "./interfaces/IRollup.sol";
import {IVault} from "./interfaces/IVault.sol";
import {AccountProof} from "./libraries/AccountProof.sol";

/// @title Vault
/// @notice Implements IVault, where everything is explained.
/// @dev The emergency exit (DESIGN section 6) belongs here as a second way out: it will prove the same leaf against the end state by `_prove` and
/// settle it into `claimed`, so that no money leaves twice.
contract Vault is IVault {
    /// @inheritdoc IVault
    address public immutable token;
    /// @inheritdoc IVault
    address public immutable rollup;

    /// @inheritdoc IVault
    mapping(uint256 account => uint256) public claimed;

    /// @param token_ The stablecoin; must be deployed
    /// @param rollup_ Must be deployed, with an inbox that pays into this vault
    constructor(address token_, address rollup_) {
        // INVARIANT: what the inbox collects is what this pays out.
        if (token_.code.length == 0) revert BadParameter("token");
        if (rollup_.code.length == 0) revert BadParameter("rollup");
        if (IRollup(rollup_).inbox().vault() != address(this)) revert BadParameter("vault");
        if (IRollup(rollup_).inbox().token() != token_) revert BadParameter("token");
        token = token_;
        rollup = rollup_;
    }

    /// @inheritdoc IVault
    function claim(uint256 batch, bytes calldata witness) external returns (uint256 amount) {
        (uint256 account, address owner, uint256 withdrawn) = _prove(batch, witness);
        uint256 paid = claimed[account];
        // INVARIANT: a withdrawal is paid once; an older state than the last one claimed pays nothing.
        if (withdrawn <= paid) revert NothingToClaim(account, withdrawn, paid);
        amount = withdrawn - paid;
        claimed[account] = withdrawn;
        emit Claimed(account, owner, amount, withdrawn);
        SafeTransferLib.safeTransfer(token, owner, amount);
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
        bytes32 expected = IRollup(rollup).stateRootOf(batch);
        // INVARIANT: the leaf is what the state holds.
        if (root != expected) revert WrongRoot(root, expected);
    }
}
