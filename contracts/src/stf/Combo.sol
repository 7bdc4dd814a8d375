// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Limits} from "../types/Leaves.sol";
import {Reasons} from "../types/Reasons.sol";
import {Eip712} from "../libraries/Eip712.sol";
import {Reader} from "../libraries/Reader.sol";
import {TransactionCodec} from "../libraries/TransactionCodec.sol";
import {Authorise} from "./Authorise.sol";
import {Context, Party} from "./Context.sol";
import {Fills, Leg} from "./Fills.sol";
import {Orders} from "./Orders.sol";

/// @title A combo: up to four legs between two parties, all or none
/// @dev Twin of `rollup/stf/combo.py`. On the wire: maker u24, taker u24, number of legs u8, the legs (market u16, flags u8,
/// size u48, price u48), then nonce u64, expiry u40 and signature of the maker's quote, and of the taker's acceptance.
library Combo {
    function execute(Context memory ctx, uint256 offset) internal view returns (uint256 reason) {
        // Bounded: see `Limits`.
        unchecked {
            reason = ctx.loadParties(Reader.u24(offset + 1), Reader.u24(offset + 4));
            if (reason != Reasons.NONE) return reason;
            Leg[] memory legs = decode(offset);
            uint256 makerAt = offset + TransactionCodec.COMBO_HEAD + TransactionCodec.LEG * legs.length;
            reason = agree(ctx, legs, makerAt, Eip712.hashLegs(offset + TransactionCodec.COMBO_HEAD, legs.length));
            if (reason != Reasons.NONE) return reason;
            for (uint256 i = 0; i < legs.length; ++i) {
                Leg memory leg = legs[i];
                if (leg.size == 0 || leg.price == 0 || leg.price >= Limits.PRICE) return Reasons.ORDER_INVALID;
                reason = Fills.admit(ctx, leg);
                if (reason != Reasons.NONE) return reason;
                reason = Fills.appraise(ctx, leg);
                if (reason != Reasons.NONE) return reason;
            }
            reason = Fills.settle(ctx);
            if (reason != Reasons.NONE) return reason;
            (ctx.maker.shrinks, ctx.taker.shrinks) = (true, true);
            for (uint256 i = 0; i < legs.length; ++i) {
                reason = Fills.fill(ctx, legs[i]);
                if (reason != Reasons.NONE) return reason;
            }
            reason = Fills.secure(ctx);
            if (reason != Reasons.NONE) return reason;
            commit(ctx.maker);
            commit(ctx.taker);
        }
    }

    function decode(uint256 offset) private pure returns (Leg[] memory legs) {
        // Bounded: see `Limits`.
        unchecked {
            legs = new Leg[](Reader.u8(offset + 7));
            offset += TransactionCodec.COMBO_HEAD;
            for (uint256 i = 0; i < legs.length; ++i) {
                Leg memory leg = legs[i];
                leg.market = Reader.u16(offset);
                leg.size = Reader.quantity(offset + 3);
                leg.price = Reader.quantity(offset + 9);
                leg.bought = Reader.u8(offset + 2) & Limits.FLAG_SELL != 0 ? -leg.size : leg.size;
                offset += TransactionCodec.LEG;
            }
        }
    }

    /// @dev Both consents stand behind each other at `makerAt`: each market at most once, neither too late, neither used.
    function agree(Context memory ctx, Leg[] memory legs, uint256 makerAt, bytes32 digest)
        private
        view
        returns (uint256 reason)
    {
        // Bounded: see `Limits`.
        unchecked {
            uint256 takerAt = makerAt + TransactionCodec.CONSENT;
            for (uint256 i = 1; i < legs.length; ++i) {
                if (legs[i].market <= legs[i - 1].market) return Reasons.COMBO_LEGS;
            }
            if (ctx.timestamp > Reader.u40(makerAt + 8) || ctx.timestamp > Reader.u40(takerAt + 8)) {
                return Reasons.ORDER_EXPIRED;
            }
            reason = Orders.consume(ctx, ctx.maker, Reader.u64(makerAt));
            if (reason != Reasons.NONE) return reason;
            reason = Orders.consume(ctx, ctx.taker, Reader.u64(takerAt));
            if (reason != Reasons.NONE) return reason;
            reason = authorise(ctx, ctx.maker, makerAt, digest, true);
            return reason != Reasons.NONE ? reason : authorise(ctx, ctx.taker, takerAt, digest, false);
        }
    }

    function authorise(Context memory ctx, Party memory party, uint256 offset, bytes32 legs, bool isMaker)
        private
        view
        returns (uint256)
    {
        // Bounded: see `Limits`.
        unchecked {
            bytes32 digest = Eip712.consent(
                ctx.separator, isMaker, ctx.maker.id, ctx.taker.id, legs, party.order.nonce, Reader.u40(offset + 8)
            );
            return Authorise.check(ctx, party.account, digest, offset + 13, true);
        }
    }

    function commit(Party memory party) private pure {
        Orders.close(party.slot, party.order.nonce);
    }
}
