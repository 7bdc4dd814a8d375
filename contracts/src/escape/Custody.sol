// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "solady/utils/ReentrancyGuardTransient.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

import {IEscape} from "../interfaces/IEscape.sol";
import {IInbox} from "../interfaces/IInbox.sol";
import {IRollup} from "../interfaces/IRollup.sol";
import {IVault} from "../interfaces/IVault.sol";

/// @title What all ways out of the vault share: whose states count, and how money leaves
/// @dev Money leaves only by `_pay`, after all state is written, and never twice in one call: a token that calls back would find
/// the vault's balance and its books apart.
abstract contract Custody is IVault, ReentrancyGuardTransient {
    /// @inheritdoc IVault
    address public immutable token;
    /// @inheritdoc IVault
    address public immutable rollup;
    IInbox internal immutable _inbox;

    /// @param token_ The stablecoin; must be deployed
    /// @param rollup_ Must be deployed, with an inbox that pays into this vault
    constructor(address token_, address rollup_) {
        // INVARIANT: what the inbox collects is what this pays out.
        if (token_.code.length == 0) revert BadParameter("token");
        if (rollup_.code.length == 0) revert BadParameter("rollup");
        IInbox inbox = IRollup(rollup_).inbox();
        if (inbox.vault() != address(this)) revert BadParameter("vault");
        if (inbox.token() != token_) revert BadParameter("token");
        token = token_;
        rollup = rollup_;
        _inbox = inbox;
    }

    function _pay(address to, uint256 amount) internal {
        SafeTransferLib.safeTransfer(token, to, amount);
    }

    /// @dev The batch after which the end state stands.
    function _requireEnd() internal view returns (uint256 batch) {
        bool settled;
        (settled, batch) = IRollup(rollup).endState();
        // INVARIANT: nobody is paid by an end that could still change.
        if (!settled) revert IEscape.NotEnded();
    }

    /// @dev Requires that `root` is the state root after `batch`.
    function _requireRoot(uint256 batch, bytes32 root) internal view {
        bytes32 expected = IRollup(rollup).stateRootOf(batch);
        // INVARIANT: the leaves are what the state holds.
        if (root != expected) revert WrongRoot(root, expected);
    }

    /// @dev Transient storage is on every chain this is compiled for.
    function _useTransientReentrancyGuardOnlyOnMainnet() internal pure override returns (bool) {
        return false;
    }
}
