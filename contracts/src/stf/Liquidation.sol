// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Account, Globals, Limits, Market} from "../types/Leaves.sol";
import {Position} from "../types/Position.sol";
import {Reasons} from "../types/Reasons.sol";
import {Arena} from "../libraries/Arena.sol";
import {Eip712} from "../libraries/Eip712.sol";
import {Reader} from "../libraries/Reader.sol";
import {Authorise} from "./Authorise.sol";
import {Accounts, Context, Party} from "./Context.sol";
import {Fills} from "./Fills.sol";
import {Fixed} from "./Fixed.sol";
import {Health} from "./Health.sol";
import {Holdings} from "./Holdings.sol";
import {Margin} from "./Margin.sol";
import {Orders} from "./Orders.sol";
import {Settlement} from "./Settlement.sol";

/// @title What becomes of an account that is below its maintenance margin
/// @dev Twin of `rollup/stf/liquidation.py`: its flag, which anybody may raise or clear, and the auction of slices of all it
/// holds. In a bid the maker is the account, the taker the liquidator.
library Liquidation {
    int256 private constant DUES = 5;
    /// @dev Of the maintenance margin, what is given at most for taking over what is worth less than nothing.
    int256 private constant GAIN = 10;
    /// @dev ppm that a bid must take, unless less is needed: crumbs, rounded up to whole lots, would strip hedges.
    int256 private constant LEAST = 100_000;

    struct Auction {
        int256 fraction;
        // µUSD: of the whole account.
        int256 maintenance;
        // µUSD: what all slices are worth, what the liquidator pays, what the account gets.
        int256 price;
        int256 paid;
        int256 received;
    }

    /// @dev On the wire: mode u8, account u24.
    function flag(Context memory ctx, uint256 offset) internal view returns (uint256 reason) {
        // Bounded: see `Limits`.
        unchecked {
            Party memory party = ctx.maker;
            reason = ctx.loadParty(party, Reader.u24(offset + 2));
            if (reason != Reasons.NONE) return reason;
            reason = Settlement.prepare(ctx, party, false);
            if (reason != Reasons.NONE) return reason;
            (reason,) = Margin.review(ctx, party);
            if (reason != Reasons.NONE) return reason;
            uint256 status = party.account.status;
            if (party.staged.status == status) {
                if (status == Limits.STATUS_SOUND) return Reasons.NOT_LIQUIDATABLE;
                if (!Health.isSpent(ctx, party.account)) return Reasons.FLAGGED;
                // The auction begins anew.
                party.staged.flagged = ctx.timestamp;
            }
            Accounts.copy(party.account, party.staged);
        }
    }

    /// @dev On the wire: mode u8, account u24, liquidator u24, fraction u32, limit i64, nonce u64, expiry u40, signature.
    function bid(Context memory ctx, uint256 offset) internal view returns (uint256 reason) {
        // Bounded: see `Limits`.
        unchecked {
            reason = ctx.loadParties(Reader.u24(offset + 2), Reader.u24(offset + 5));
            if (reason != Reasons.NONE) return reason;
            Party memory party = ctx.maker;
            Party memory liquidator = ctx.taker;
            reason = consent(ctx, liquidator, offset);
            if (reason != Reasons.NONE) return reason;
            if (!Health.isFlagged(ctx, party.account)) return Reasons.NOT_FLAGGED;
            if (party.account.positions.length == 0) return Reasons.NOT_LIQUIDATABLE;
            reason = Fills.settle(ctx);
            if (reason != Reasons.NONE) return reason;
            if (party.staged.positions.length == 0) return Reasons.NOT_LIQUIDATABLE;
            Auction memory auction;
            auction.fraction = Reader.rate(offset + 8);
            reason = appraise(ctx, auction);
            if (reason != Reasons.NONE) return reason;
            if (auction.paid > Reader.i64(offset + 12)) return Reasons.PRICE_LIMIT;
            reason = hand(ctx);
            if (reason != Reasons.NONE) return reason;
            party.staged.cash += auction.received;
            liquidator.staged.cash -= auction.paid;
            // The rest must not be riskier than the whole.
            reason = Fills.conclude(ctx, true, auction.maintenance);
            if (reason == Reasons.NONE) Orders.close(liquidator.slot, liquidator.order.nonce);
        }
    }

    /// @dev The liquidator's terms are in time, in range, unused and signed.
    function consent(Context memory ctx, Party memory liquidator, uint256 offset) private view returns (uint256 reason) {
        // Bounded: see `Limits`.
        unchecked {
            if (ctx.timestamp > Reader.u40(offset + 28)) return Reasons.ORDER_EXPIRED;
            int256 fraction = Reader.rate(offset + 8);
            if (fraction == 0 || fraction > Limits.PPM) return Reasons.AMOUNT;
            reason = Orders.consume(ctx, liquidator, Reader.u64(offset + 20));
            if (reason != Reasons.NONE) return reason;
            bytes32 digest = Eip712.bid(ctx.separator, offset + 2);
            return Authorise.check(ctx, liquidator.account, digest, offset + 33, true);
        }
    }

    /// @dev How much of the account is sold and at what price: dearer than its mark for nobody, and cheaper by the second.
    /// The insurance fund takes its dues, or pays what is missing.
    function appraise(Context memory ctx, Auction memory auction) private view returns (uint256) {
        // Bounded: see `Limits`.
        unchecked {
            Account memory account = ctx.maker.staged;
            (uint256 reason, int256 equity, int256 maintenance) = Margin.value(ctx, account);
            if (reason != Reasons.NONE) return reason;
            if (equity >= maintenance) return Reasons.NOT_LIQUIDATABLE;
            Globals memory globals = ctx.found.globals;
            int256 elapsed = int256(ctx.timestamp - account.flagged);
            int256 length = int256(globals.auction);
            int256 discount = (equity < 0 ? maintenance : equity) * Fixed.min(elapsed, length);
            discount = Fixed.div(discount, equity < 0 ? GAIN * length : length);
            int256 need = Limits.PPM;
            if (equity >= 0) {
                int256 target = Margin.initial(maintenance);
                need = Fixed.min(need, Fixed.divCeil(need * (target - equity), target - discount));
            }
            if (auction.fraction < Fixed.min(need, LEAST)) return Reasons.AMOUNT;
            auction.fraction = Fixed.min(auction.fraction, need);
            auction.maintenance = maintenance;
            slice(ctx, auction);
            discount = Fixed.div(discount * auction.fraction, Limits.PPM);
            if (equity >= 0) {
                int256 dues = Fixed.div(discount, DUES);
                auction.received = auction.price - discount;
                auction.paid = auction.received + dues;
                globals.insurance += dues;
                return Reasons.NONE;
            }
            int256 cover = Fixed.divCeil(-equity * auction.fraction, Limits.PPM);
            if (discount + cover > Health.fund(globals)) return Reasons.INSURANCE;
            auction.paid = auction.price - discount;
            auction.received = auction.price + cover;
            Health.spend(globals, discount + cover);
            return Reasons.NONE;
        }
    }

    /// @dev Cuts the slice of each position, whole lots, and adds up what they are worth at mark, rounded up.
    function slice(Context memory ctx, Auction memory auction) private pure {
        // Bounded: see `Limits`.
        unchecked {
            Position[] memory positions = ctx.maker.staged.positions;
            int256 raw;
            for (uint256 i = 0; i < positions.length; ++i) {
                Position position = Holdings.get(positions, i);
                ctx.found.setMarket(position.pointer());
                Market memory market = ctx.found.market;
                int256 size = position.size();
                int256 cut = Fixed.abs(size);
                int256 lots = Fixed.divCeil(cut * auction.fraction, Limits.PPM * market.lot);
                cut = Fixed.min(cut, lots * market.lot);
                if (size < 0) cut = -cut;
                Arena.put(ctx.slices, i, uint256(cut));
                raw += cut * market.mark;
            }
            auction.price = Fixed.divCeil(raw, Limits.PPM);
        }
    }

    /// @dev Hands the slices of the account's positions over to the liquidator.
    function hand(Context memory ctx) private pure returns (uint256 reason) {
        // Bounded: see `Limits`.
        unchecked {
            Position[] memory positions = ctx.maker.settled.positions;
            // Moving a position is as much work as valuing it.
            reason = ctx.meters.countRevaluations(positions.length);
            if (reason != Reasons.NONE) return reason;
            for (uint256 i = 0; i < positions.length; ++i) {
                Position position = Holdings.get(positions, i);
                (uint256 id, uint256 marketAt) = (position.market(), position.pointer());
                int256 cut = int256(Arena.get(ctx.slices, i));
                reason = Holdings.shift(ctx, ctx.taker.staged, id, marketAt, cut);
                if (reason != Reasons.NONE) return reason;
                Holdings.shift(ctx, ctx.maker.staged, id, marketAt, -cut);
            }
        }
    }
}
