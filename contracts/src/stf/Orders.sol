// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Limits, Slot} from "../types/Leaves.sol";
import {Reasons} from "../types/Reasons.sol";
import {Eip712} from "../libraries/Eip712.sol";
import {Reader} from "../libraries/Reader.sol";
import {Authorise} from "./Authorise.sol";
import {Context, Party} from "./Context.sol";

/// @title From an order on the wire to its terms and how much of it is filled
/// @dev Twin of `rollup/stf/orders.py`. On the wire: account u24, then either market u16, flags u8, size u48, price
/// u48, nonce u64, expiry u40, signature; or the slot u16 of an order that is already in the state.
library Orders {
    /// @notice Resolves the order at `offset` into `party.order`; `party.slot` is where it lives.
    function resolve(Context memory ctx, Party memory party, uint256 offset, bool fresh) internal view returns (uint256) {
        // Bounded: see `Limits`.
        unchecked {
            return fresh ? admit(ctx, party, offset) : refer(ctx, party, Reader.u16(offset + 3));
        }
    }

    function admit(Context memory ctx, Party memory party, uint256 offset) private view returns (uint256 reason) {
        // Bounded: see `Limits`.
        unchecked {
            Slot memory order = party.order;
            decode(order, offset);
            if (order.size == 0 || order.price == 0 || order.price >= Limits.PRICE) return Reasons.ORDER_INVALID;
            if (order.nonce < party.account.nonceFloor) return Reasons.NONCE_FLOOR;
            reason = ctx.touchSlot(party.id, order.nonce);
            if (reason != Reasons.NONE) return reason;
            Slot memory slot = ctx.found.slot;
            party.slot = slot;
            if (slot.exists) {
                if (slot.nonce > order.nonce) return Reasons.NONCE_STALE;
                if (slot.nonce == order.nonce) {
                    if (!haveSameTerms(slot, order)) return Reasons.ORDER_CONFLICT;
                    order.filled = slot.filled;
                }
            }
            bytes32 digest = Eip712.order(ctx.separator, offset);
            return Authorise.check(ctx, party.account, digest, offset + 31, true);
        }
    }

    function refer(Context memory ctx, Party memory party, uint256 slotNumber) private pure returns (uint256 reason) {
        reason = ctx.touchSlot(party.id, slotNumber);
        if (reason != Reasons.NONE) return reason;
        Slot memory slot = ctx.found.slot;
        if (!slot.exists || slot.size == 0) return Reasons.ORDER_UNKNOWN;
        if (slot.nonce < party.account.nonceFloor) return Reasons.NONCE_FLOOR;
        party.slot = slot;
        copy(party.order, slot);
    }

    /// @dev The terms of a fresh order, nothing filled yet.
    function decode(Slot memory order, uint256 offset) private pure {
        // Bounded: see `Limits`.
        unchecked {
            order.exists = true;
            order.market = Reader.u16(offset + 3);
            order.flags = Reader.u8(offset + 5);
            order.size = Reader.quantity(offset + 6);
            order.price = Reader.quantity(offset + 12);
            order.nonce = Reader.u64(offset + 18);
            order.expiry = Reader.u40(offset + 26);
            order.filled = 0;
        }
    }

    function haveSameTerms(Slot memory a, Slot memory b) private pure returns (bool) {
        return a.market == b.market && a.flags == b.flags && a.size == b.size && a.price == b.price
            && a.expiry == b.expiry;
    }

    function copy(Slot memory to, Slot memory from) internal pure {
        // Plain: field by field; eight words, 400 gas.
        assembly ("memory-safe") {
            mcopy(to, from, 0x100)
        }
    }

    /// @notice Requires that `nonce` is good for one use; `close` uses it up. Twin of `rollup/stf/nonces.py`.
    function consume(Context memory ctx, Party memory party, uint256 nonce) internal pure returns (uint256 reason) {
        reason = ctx.touchSlot(party.id, nonce);
        if (reason != Reasons.NONE) return reason;
        Slot memory slot = ctx.found.slot;
        if (nonce < party.account.nonceFloor) return Reasons.NONCE_FLOOR;
        if (slot.exists && slot.nonce >= nonce) return Reasons.NONCE_STALE;
        party.slot = slot;
        party.order.nonce = nonce;
        party.order.flags = 0;
    }

    /// @notice Leaves nothing but the nonce in `slot`.
    function close(Slot memory slot, uint256 nonce) internal pure {
        slot.exists = true;
        slot.nonce = nonce;
        slot.market = 0;
        slot.flags = 0;
        slot.size = 0;
        slot.price = 0;
        slot.expiry = 0;
        slot.filled = 0;
    }

    function isSell(Slot memory order) internal pure returns (bool) {
        return order.flags & Limits.FLAG_SELL != 0;
    }
}
