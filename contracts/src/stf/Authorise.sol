// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Account} from "../types/Leaves.sol";
import {Reasons} from "../types/Reasons.sol";
import {Signature} from "../libraries/Signature.sol";
import {Context} from "./Context.sol";

/// @title Who may act for an account
/// @dev Twin of `rollup/stf/authorise.py`.
library Authorise {
    /// @notice Requires that `digest` is signed for `account` by the 64 bytes at `offset`.
    /// @param session Whether the account's session signer will do, or only its owner.
    function check(Context memory ctx, Account memory account, bytes32 digest, uint256 offset, bool session)
        internal
        view
        returns (uint256 reason)
    {
        address signer;
        if (ctx.forced && Signature.isBlank(offset)) {
            signer = ctx.sender;
        } else {
            reason = ctx.meters.countRecovery();
            if (reason != Reasons.NONE) return reason;
            (reason, signer) = Signature.recover(digest, offset);
            if (reason != Reasons.NONE) return reason;
        }
        if (signer == account.owner) return Reasons.NONE;
        if (session && account.signer != address(0) && signer == account.signer) return Reasons.NONE;
        return Reasons.SIGNATURE_INVALID;
    }
}
