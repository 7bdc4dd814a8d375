// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Globals, Limits, Market} from "../types/Leaves.sol";
import {Reasons} from "../types/Reasons.sol";
import {Accounts, Changes, Context, Party} from "./Context.sol";
import {Fixed} from "./Fixed.sol";
import {Holdings} from "./Holdings.sol";
import {Margin} from "./Margin.sol";
import {Settlement} from "./Settlement.sol";
import {Sheets} from "./Sheets.sol";

/// @notice What maker and taker exchange in one market; `bought` is the change of the maker's position.
struct Leg {
    uint256 market;
    uint256 marketAt;
    int256 size;
    int256 price;
    int256 bought;
}

/// @title What a trade and a combo have in common
/// @dev Twin of `rollup/stf/fills.py`; the numbers are the steps of Trade in the specification.
library Fills {
    /// @dev No fee on an option exceeds an eighth of its premium, in ppm.
    int256 private constant PREMIUM_SHARE = 125_000;
    int256 private constant FEE_UNIT = 1e12;

    /// @notice Steps 6 and 7: the market is open and has such prices and quantities.
    function admit(Context memory ctx, Leg memory leg) internal pure returns (uint256 reason) {
        (reason, leg.marketAt) = ctx.loadMarket(leg.market);
        if (reason != Reasons.NONE) return reason;
        Market memory market = ctx.found.market;
        if (ctx.timestamp < market.opens) return Reasons.MARKET_CLOSED;
        if (market.kind != Limits.KIND_PERP) {
            reason = ctx.selectSeries(market);
            if (reason != Reasons.NONE) return reason;
            if (ctx.timestamp >= ctx.found.series.expiry) return Reasons.MARKET_EXPIRED;
        }
        if (leg.price % market.tick != 0) return Reasons.TICK;
        return leg.size == 0 || leg.size % market.lot != 0 ? Reasons.LOT : Reasons.NONE;
    }

    /// @notice Step 9: the market has a fresh price, and the leg's is near it.
    function appraise(Context memory ctx, Leg memory leg) internal view returns (uint256 reason) {
        // Bounded: see `Limits`.
        unchecked {
            select(ctx, leg);
            Market memory market = ctx.found.market;
            reason = ctx.selectUnderlying(market);
            if (reason != Reasons.NONE) return reason;
            reason = ctx.requireFresh(market);
            if (reason != Reasons.NONE) return reason;
            reason = Sheets.draw(ctx, market);
            if (reason != Reasons.NONE) return reason;
            int256 base = Limits.isOption(market.kind) ? ctx.found.series.forward : market.mark;
            int256 distance = Fixed.abs(leg.price - market.mark);
            return distance * Limits.PPM > market.band * base ? Reasons.PRICE_BAND : Reasons.NONE;
        }
    }

    /// @notice Step 10: both accounts are settled. From here on only copies of them change.
    function settle(Context memory ctx) internal pure returns (uint256 reason) {
        reason = Settlement.prepare(ctx, ctx.maker, true);
        return reason != Reasons.NONE ? reason : Settlement.prepare(ctx, ctx.taker, true);
    }

    /// @notice Steps 11 and 12: positions, cash, fees and open interest.
    function fill(Context memory ctx, Leg memory leg) internal pure returns (uint256 reason) {
        // Bounded: see `Limits`.
        unchecked {
            select(ctx, leg);
            Market memory market = ctx.found.market;
            Changes.note(ctx, market, leg.marketAt);
            int256 openInterest = market.openInterest;
            reason = hold(ctx, ctx.maker, leg, leg.bought);
            if (reason != Reasons.NONE) return reason;
            reason = hold(ctx, ctx.taker, leg, -leg.bought);
            if (reason != Reasons.NONE) return reason;
            if (market.openInterest > openInterest && market.openInterest > market.maxOpenInterest) {
                return Reasons.OPEN_INTEREST;
            }
            // Exact: lot × tick is a multiple of 10⁶.
            int256 amount = leg.bought * leg.price / Limits.PPM;
            int256 makerFee = feeOf(ctx, market, leg, market.makerFee);
            int256 takerFee = feeOf(ctx, market, leg, market.takerFee);
            ctx.maker.staged.cash -= amount + makerFee;
            ctx.taker.staged.cash += amount - takerFee;
            ctx.found.globals.fees += makerFee + takerFee;
        }
    }

    /// @notice Steps 13 to 15, but for the slots: both can pay, and keep the margin that they need.
    function secure(Context memory ctx) internal view returns (uint256 reason) {
        if (!inRange(ctx)) return Reasons.CASH_RANGE;
        reason = Margin.secure(ctx, ctx.maker);
        if (reason != Reasons.NONE) return reason;
        reason = Margin.secure(ctx, ctx.taker);
        if (reason == Reasons.NONE) commit(ctx);
    }

    /// @notice The end of a sale or a deleveraging of the maker to the taker. If `strict`, the maker's rest must need no more
    /// than `maintenance`, and the taker his initial margin.
    function conclude(Context memory ctx, bool strict, int256 maintenance) internal view returns (uint256 reason) {
        if (!inRange(ctx)) return Reasons.CASH_RANGE;
        ctx.taker.shrinks = false;
        if (strict) reason = Margin.secure(ctx, ctx.taker);
        else (reason,) = Margin.review(ctx, ctx.taker);
        if (reason != Reasons.NONE) return reason;
        int256 left;
        (reason, left) = Margin.review(ctx, ctx.maker);
        if (reason != Reasons.NONE) return reason;
        if (strict && left > maintenance) return Reasons.MARGIN;
        commit(ctx);
    }

    function inRange(Context memory ctx) private pure returns (bool) {
        Globals memory globals = ctx.found.globals;
        if (globals.fees >= Limits.AMOUNT || globals.insurance >= Limits.AMOUNT) return false;
        return Limits.inRange(ctx.maker.staged.cash) && Limits.inRange(ctx.taker.staged.cash);
    }

    function commit(Context memory ctx) private pure {
        Accounts.copy(ctx.maker.account, ctx.maker.staged);
        Accounts.copy(ctx.taker.account, ctx.taker.staged);
    }

    /// @dev The leg's market, and its series if it has one, in `ctx.found`.
    function select(Context memory ctx, Leg memory leg) private pure {
        ctx.found.setMarket(leg.marketAt);
        ctx.found.setSeries(ctx.found.market.seriesAt);
    }

    /// @dev Step 11: changes one party's position in the leg's market by `change`.
    function hold(Context memory ctx, Party memory party, Leg memory leg, int256 change) private pure returns (uint256) {
        // Bounded: see `Limits`.
        unchecked {
            Market memory market = ctx.found.market;
            (uint256 place, int256 before) = Holdings.locate(party.staged, leg.market);
            if (!Holdings.shrinks(before, before + change)) {
                party.shrinks = false;
                if (party.order.flags & Limits.FLAG_REDUCE_ONLY != 0) return Reasons.REDUCE_ONLY;
                ctx.found.setUnderlying(market.underlyingAt);
                if (ctx.timestamp < ctx.found.underlying.haltedUntil) return Reasons.HALTED;
            }
            return Holdings.move(ctx, party.staged, leg.marketAt, leg.market, place, before, change);
        }
    }

    /// @dev µUSD that one side pays at `rate` ppm of the amount, or of the underlying in an option; rounded up.
    function feeOf(Context memory ctx, Market memory market, Leg memory leg, int256 rate) private pure returns (int256) {
        // Bounded: see `Limits`.
        unchecked {
            int256 share = leg.price * rate;
            if (Limits.isOption(market.kind)) {
                share = Fixed.min(ctx.found.series.forward * rate, leg.price * PREMIUM_SHARE);
            }
            return Fixed.divCeil(leg.size * share, FEE_UNIT);
        }
    }
}
