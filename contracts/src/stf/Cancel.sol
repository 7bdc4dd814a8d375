// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Account, Slot} from "../types/Leaves.sol";
import {Reasons} from "../types/Reasons.sol";
import {Eip712} from "../libraries/Eip712.sol";
import {Reader} from "../libraries/Reader.sol";
import {Authorise} from "./Authorise.sol";
import {Context} from "./Context.sol";
import {Orders} from "./Orders.sol";

/// @title A hard cancel: of one order, or of all below a nonce
/// @dev Twin of `rollup/stf/cancel.py`. On the wire: account u24, all u8, nonce u64, signature.
library Cancel {
    function execute(Context memory ctx, uint256 offset) internal view returns (uint256 reason) {
        // Bounded: see `Limits`.
        unchecked {
            uint256 id = Reader.u24(offset + 1);
            uint256 all = Reader.u8(offset + 4);
            uint256 nonce = Reader.u64(offset + 5);
            reason = ctx.loadAccount(id);
            if (reason != Reasons.NONE) return reason;
            Account memory account = ctx.found.account;
            if (all == 0) {
                reason = requireOpen(ctx, id, nonce);
                if (reason != Reasons.NONE) return reason;
            } else if (nonce <= account.nonceFloor) {
                return Reasons.NONCE_STALE;
            }
            bytes32 digest = Eip712.cancel(ctx.separator, offset + 1);
            reason = Authorise.check(ctx, account, digest, offset + 13, true);
            if (reason != Reasons.NONE) return reason;
            if (all == 0) Orders.close(ctx.found.slot, nonce);
            else account.nonceFloor = nonce;
        }
    }

    /// @dev Requires that the slot holds nothing newer than `nonce`, nor this nonce already cancelled.
    function requireOpen(Context memory ctx, uint256 id, uint256 nonce) private pure returns (uint256 reason) {
        reason = ctx.touchSlot(id, nonce);
        if (reason != Reasons.NONE) return reason;
        Slot memory slot = ctx.found.slot;
        if (!slot.exists) return Reasons.NONE;
        if (slot.nonce > nonce || (slot.nonce == nonce && slot.size == 0)) return Reasons.NONCE_STALE;
    }
}
