// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Limits, Slot} from "../types/Leaves.sol";
import {Reasons} from "../types/Reasons.sol";
import {Reader} from "../libraries/Reader.sol";
import {TransactionCodec} from "../libraries/TransactionCodec.sol";
import {Context, Party} from "./Context.sol";
import {Fills, Leg} from "./Fills.sol";
import {Orders} from "./Orders.sol";

/// @title A trade: two orders that cross, filled at the maker's price
/// @dev Twin of `rollup/stf/trade.py`; the numbers are the steps of the specification.
library Trade {
    function execute(Context memory ctx, uint256 offset) internal view returns (uint256 reason) {
        // Bounded: see `Limits`.
        unchecked {
            Leg memory leg;
            leg.size = Reader.quantity(offset + 2);
            reason = resolve(ctx, Reader.u8(offset + 1), offset + TransactionCodec.TRADE_HEAD);
            if (reason != Reasons.NONE) return reason;
            reason = cross(ctx, leg);
            if (reason != Reasons.NONE) return reason;
            reason = Fills.admit(ctx, leg);
            if (reason != Reasons.NONE) return reason;
            reason = fit(ctx, leg);
            if (reason != Reasons.NONE) return reason;
            reason = Fills.appraise(ctx, leg);
            if (reason != Reasons.NONE) return reason;
            reason = Fills.settle(ctx);
            if (reason != Reasons.NONE) return reason;
            (ctx.maker.shrinks, ctx.taker.shrinks) = (true, true);
            reason = Fills.fill(ctx, leg);
            if (reason != Reasons.NONE) return reason;
            reason = Fills.secure(ctx);
            if (reason != Reasons.NONE) return reason;
            commit(ctx.maker, leg.size);
            commit(ctx.taker, leg.size);
        }
    }

    /// @dev Steps 1 to 3: both accounts, both orders.
    function resolve(Context memory ctx, uint256 mode, uint256 makerAt) private view returns (uint256 reason) {
        // Bounded: see `Limits`.
        unchecked {
            bool makerFresh = mode & TransactionCodec.MAKER_FRESH != 0;
            uint256 takerAt = makerAt + TransactionCodec.orderLength(makerFresh);
            reason = ctx.loadParties(Reader.u24(makerAt), Reader.u24(takerAt));
            if (reason != Reasons.NONE) return reason;
            reason = Orders.resolve(ctx, ctx.maker, makerAt, makerFresh);
            if (reason != Reasons.NONE) return reason;
            return Orders.resolve(ctx, ctx.taker, takerAt, mode & TransactionCodec.TAKER_FRESH != 0);
        }
    }

    /// @dev Steps 4 and 5: the orders meet in one market, on opposite sides, in time.
    function cross(Context memory ctx, Leg memory leg) private pure returns (uint256) {
        // Bounded: see `Limits`.
        unchecked {
            Slot memory maker = ctx.maker.order;
            Slot memory taker = ctx.taker.order;
            if (maker.market != taker.market) return Reasons.MARKET_MISMATCH;
            if (Orders.isSell(maker) == Orders.isSell(taker)) return Reasons.SIDE_MISMATCH;
            if (maker.flags & Limits.FLAG_IMMEDIATE != 0) return Reasons.MAKER_IMMEDIATE;
            if (taker.flags & Limits.FLAG_POST_ONLY != 0) return Reasons.TAKER_POST_ONLY;
            if (ctx.timestamp > maker.expiry || ctx.timestamp > taker.expiry) return Reasons.ORDER_EXPIRED;
            leg.market = maker.market;
            leg.price = maker.price;
            leg.bought = Orders.isSell(maker) ? -leg.size : leg.size;
            return Reasons.NONE;
        }
    }

    /// @dev Steps 7 and 8: the taker accepts the price, and neither order is filled beyond its size.
    function fit(Context memory ctx, Leg memory leg) private pure returns (uint256) {
        // Bounded: see `Limits`.
        unchecked {
            Slot memory maker = ctx.maker.order;
            Slot memory taker = ctx.taker.order;
            if (Orders.isSell(taker) ? leg.price < taker.price : leg.price > taker.price) return Reasons.PRICE_LIMIT;
            bool overfilled = maker.filled + leg.size > maker.size || taker.filled + leg.size > taker.size;
            return overfilled ? Reasons.OVERFILL : Reasons.NONE;
        }
    }

    /// @dev Step 15.
    function commit(Party memory party, int256 fill) private pure {
        // Bounded: see `Limits`.
        unchecked {
            party.order.filled += fill;
            Orders.copy(party.slot, party.order);
        }
    }
}
