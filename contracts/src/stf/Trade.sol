// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Globals, Limits, Market, Slot, Underlying} from "../types/Leaves.sol";
import {Position, Positions} from "../types/Position.sol";
import {Reasons} from "../types/Reasons.sol";
import {Reader} from "../libraries/Reader.sol";
import {TransactionCodec} from "../libraries/TransactionCodec.sol";
import {Accounts, Context, Party} from "./Context.sol";
import {Fixed} from "./Fixed.sol";
import {Funding} from "./Funding.sol";
import {Holdings} from "./Holdings.sol";
import {Margin} from "./Margin.sol";
import {Orders} from "./Orders.sol";

/// @title A trade: two orders that cross, filled at the maker's price
/// @dev Twin of `rollup/stf/trade.py`; the numbers are the steps of the specification.
library Trade {
    /// @dev What the steps hand on to each other. `bought` is the change of the maker's position.
    struct Terms {
        int256 fill;
        int256 price;
        int256 bought;
        int256 amount;
        int256 fees;
        int256 openInterest;
        bool makerShrinks;
        bool takerShrinks;
        Market market;
        uint256 marketAt;
        uint256 underlyingAt;
    }

    function execute(Context memory ctx, uint256 offset) internal view returns (uint256 reason) {
        Terms memory terms;
        terms.fill = Reader.quantity(offset + 2);
        reason = resolve(ctx, Reader.u8(offset + 1), offset + TransactionCodec.TRADE_HEAD);
        if (reason != Reasons.NONE) return reason;
        reason = cross(ctx, terms);
        if (reason != Reasons.NONE) return reason;
        reason = price(ctx, terms);
        if (reason != Reasons.NONE) return reason;
        reason = settle(ctx);
        if (reason != Reasons.NONE) return reason;
        reason = exchange(ctx, terms);
        if (reason != Reasons.NONE) return reason;
        reason = secure(ctx, ctx.maker, terms.makerShrinks);
        if (reason != Reasons.NONE) return reason;
        reason = secure(ctx, ctx.taker, terms.takerShrinks);
        if (reason != Reasons.NONE) return reason;
        commit(ctx, terms);
    }

    /// @dev Steps 1 to 3: both accounts, both orders.
    function resolve(Context memory ctx, uint256 mode, uint256 makerAt) private view returns (uint256 reason) {
        bool makerFresh = mode & TransactionCodec.MAKER_FRESH != 0;
        uint256 takerAt = makerAt + TransactionCodec.orderLength(makerFresh);
        Party memory maker = ctx.maker;
        Party memory taker = ctx.taker;
        maker.id = Reader.u24(makerAt);
        taker.id = Reader.u24(takerAt);
        if (maker.id == taker.id) return Reasons.SELF_TRADE;
        reason = ctx.loadAccount(maker.id);
        if (reason != Reasons.NONE) return reason;
        maker.account = ctx.found.account;
        reason = ctx.loadAccount(taker.id);
        if (reason != Reasons.NONE) return reason;
        taker.account = ctx.found.account;
        reason = Orders.resolve(ctx, maker, makerAt, makerFresh);
        if (reason != Reasons.NONE) return reason;
        return Orders.resolve(ctx, taker, takerAt, mode & TransactionCodec.TAKER_FRESH != 0);
    }

    /// @dev Steps 4 and 5: the orders meet in one market, on opposite sides, in time.
    function cross(Context memory ctx, Terms memory terms) private pure returns (uint256) {
        Slot memory maker = ctx.maker.order;
        Slot memory taker = ctx.taker.order;
        if (maker.market != taker.market) return Reasons.MARKET_MISMATCH;
        if (Orders.isSell(maker) == Orders.isSell(taker)) return Reasons.SIDE_MISMATCH;
        if (maker.flags & Limits.FLAG_IMMEDIATE != 0) return Reasons.MAKER_IMMEDIATE;
        if (taker.flags & Limits.FLAG_POST_ONLY != 0) return Reasons.TAKER_POST_ONLY;
        if (ctx.timestamp > maker.expiry || ctx.timestamp > taker.expiry) return Reasons.ORDER_EXPIRED;
        terms.price = maker.price;
        terms.bought = Orders.isSell(maker) ? -terms.fill : terms.fill;
        return Reasons.NONE;
    }

    /// @dev Steps 6 to 9: the market allows the price and the quantity.
    function price(Context memory ctx, Terms memory terms) private pure returns (uint256 reason) {
        Slot memory maker = ctx.maker.order;
        Slot memory taker = ctx.taker.order;
        (reason, terms.marketAt) = ctx.loadMarket(maker.market);
        if (reason != Reasons.NONE) return reason;
        Market memory market = ctx.found.market;
        terms.market = market;
        if (market.kind != Limits.KIND_PERP) return Reasons.MARKET_KIND;
        if (terms.price % market.tick != 0) return Reasons.TICK;
        if (terms.fill == 0 || terms.fill % market.lot != 0) return Reasons.LOT;
        if (Orders.isSell(taker) ? terms.price < taker.price : terms.price > taker.price) return Reasons.PRICE_LIMIT;
        if (maker.filled + terms.fill > maker.size || taker.filled + terms.fill > taker.size) return Reasons.OVERFILL;
        (reason, terms.underlyingAt) = ctx.loadUnderlying(market.underlying);
        if (reason != Reasons.NONE) return reason;
        Underlying memory underlying = ctx.found.underlying;
        reason = ctx.requireFresh(underlying);
        if (reason != Reasons.NONE) return reason;
        int256 distance = Fixed.abs(terms.price - underlying.mark);
        return distance * Limits.PPM > market.band * underlying.mark ? Reasons.PRICE_BAND : Reasons.NONE;
    }

    /// @dev Step 10: both pay the funding they owe. From here on only copies change.
    function settle(Context memory ctx) private pure returns (uint256 reason) {
        reason = settleParty(ctx, ctx.maker);
        return reason != Reasons.NONE ? reason : settleParty(ctx, ctx.taker);
    }

    function settleParty(Context memory ctx, Party memory party) private pure returns (uint256 reason) {
        Accounts.copy(party.settled, party.account);
        reason = Funding.settle(ctx, party.settled);
        Accounts.copy(party.staged, party.settled);
    }

    /// @dev Steps 11 to 13: positions, cash, fees and open interest.
    function exchange(Context memory ctx, Terms memory terms) private pure returns (uint256 reason) {
        ctx.found.setUnderlying(terms.underlyingAt);
        (reason, terms.makerShrinks) = hold(ctx, ctx.maker, terms, terms.bought);
        if (reason != Reasons.NONE) return reason;
        (reason, terms.takerShrinks) = hold(ctx, ctx.taker, terms, -terms.bought);
        if (reason != Reasons.NONE) return reason;
        Market memory market = terms.market;
        if (terms.openInterest > 0 && market.openInterest + terms.openInterest > market.maxOpenInterest) {
            return Reasons.OPEN_INTEREST;
        }
        // Exact: lot × tick is a multiple of 10⁶.
        int256 amount = terms.fill * terms.price / Limits.PPM;
        int256 makerFee = Fixed.divCeil(amount * market.makerFee, Limits.PPM);
        int256 takerFee = Fixed.divCeil(amount * market.takerFee, Limits.PPM);
        int256 paid = terms.bought > 0 ? amount : -amount;
        ctx.maker.staged.cash -= paid + makerFee;
        ctx.taker.staged.cash += paid - takerFee;
        terms.fees = makerFee + takerFee;
        if (!Limits.inRange(ctx.maker.staged.cash) || !Limits.inRange(ctx.taker.staged.cash)) return Reasons.CASH_RANGE;
        return ctx.found.globals.fees + terms.fees < Limits.AMOUNT ? Reasons.NONE : Reasons.CASH_RANGE;
    }

    /// @dev Changes one party's position in the traded market by `change`; the underlying is in `ctx.found`.
    function hold(Context memory ctx, Party memory party, Terms memory terms, int256 change)
        private
        pure
        returns (uint256 reason, bool shrinks)
    {
        uint256 market = party.order.market;
        (uint256 place, int256 before) = Holdings.locate(party.staged, market);
        int256 later = before + change;
        shrinks = Holdings.shrinks(before, later);
        if (party.order.flags & Limits.FLAG_REDUCE_ONLY != 0 && !shrinks) return (Reasons.REDUCE_ONLY, shrinks);
        if (Fixed.abs(later) > terms.market.maxPosition && Fixed.abs(later) >= Fixed.abs(before)) {
            return (Reasons.POSITION_LIMIT, shrinks);
        }
        Position position = Positions.create(market, later, ctx.found.underlying.fundingIndex);
        position = position.resolve(terms.marketAt, terms.underlyingAt);
        if (before == 0) {
            if (Holdings.isFull(party.staged)) return (Reasons.POSITIONS_FULL, shrinks);
            Holdings.insert(party.staged, place, position);
        } else if (later == 0) {
            Holdings.remove(party.staged, place);
        } else {
            Holdings.set(party.staged, place, position);
        }
        terms.openInterest += (later > 0 ? later : int256(0)) - (before > 0 ? before : int256(0));
    }

    /// @dev Step 14: initial margin, or a smaller position at no worse a ratio of equity to margin.
    function secure(Context memory ctx, Party memory party, bool shrinks) private pure returns (uint256) {
        (uint256 reason, int256 equity, int256 maintenance) = Margin.value(ctx, party.staged);
        if (reason != Reasons.NONE || equity >= Margin.initial(maintenance)) return reason;
        if (!shrinks) return Reasons.MARGIN;
        int256 equityBefore;
        int256 maintenanceBefore;
        (reason, equityBefore, maintenanceBefore) = Margin.value(ctx, party.settled);
        if (reason != Reasons.NONE) return reason;
        return equity * maintenanceBefore < equityBefore * maintenance ? Reasons.MARGIN : Reasons.NONE;
    }

    /// @dev Step 15.
    function commit(Context memory ctx, Terms memory terms) private pure {
        commitParty(ctx.maker, terms.fill);
        commitParty(ctx.taker, terms.fill);
        terms.market.openInterest += terms.openInterest;
        Globals memory globals = ctx.found.globals;
        globals.fees += terms.fees;
    }

    function commitParty(Party memory party, int256 fill) private pure {
        party.order.filled += fill;
        Orders.copy(party.slot, party.order);
        Accounts.copy(party.account, party.staged);
    }
}
