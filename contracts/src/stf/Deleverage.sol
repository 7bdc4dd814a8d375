// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Account, Globals, Limits} from "../types/Leaves.sol";
import {Position} from "../types/Position.sol";
import {Reasons} from "../types/Reasons.sol";
import {Reader} from "../libraries/Reader.sol";
import {Accounts, Context, Party} from "./Context.sol";
import {Fills} from "./Fills.sol";
import {Fixed} from "./Fixed.sol";
import {Health} from "./Health.sol";
import {Holdings} from "./Holdings.sol";
import {Margin} from "./Margin.sol";
import {Settlement} from "./Settlement.sol";

/// @title The last resort for an account that nobody took over
/// @dev Twin of `rollup/stf/deleverage.py`: its positions are closed against opposite ones at mark or, if it is
/// insolvent, at the bankruptcy price, and a debt that is left becomes everybody's.
library Deleverage {
    /// @dev On the wire: mode u8, account u24, counterparty u24, market u16, size u48.
    function close(Context memory ctx, uint256 offset) internal view returns (uint256 reason) {
        // Bounded: see `Limits`.
        unchecked {
            reason = ctx.loadParties(Reader.u24(offset + 2), Reader.u24(offset + 5));
            if (reason != Reasons.NONE) return reason;
            Account memory account = ctx.maker.staged;
            Account memory counterparty = ctx.taker.staged;
            if (!Health.isFlagged(ctx, ctx.maker.account)) return Reasons.NOT_FLAGGED;
            uint256 id = Reader.u16(offset + 8);
            uint256 marketAt;
            (reason, marketAt) = ctx.loadMarket(id);
            if (reason != Reasons.NONE) return reason;
            reason = Fills.settle(ctx);
            if (reason != Reasons.NONE) return reason;
            int256 equity;
            int256 maintenance;
            (reason, equity, maintenance) = requireOpen(ctx, account);
            if (reason != Reasons.NONE) return reason;
            ctx.found.setMarket(marketAt);
            int256 size = Reader.quantity(offset + 10);
            (, int256 held) = Holdings.locate(account, id);
            (, int256 opposite) = Holdings.locate(counterparty, id);
            if (!isClosable(size, held, opposite, ctx.found.market.lot)) return Reasons.DELEVERAGE_SIZE;
            bool solvent = equity >= 0;
            equity += cover(ctx.found.globals, account, equity);
            int256 amount = price(ctx, account.positions, ctx.found.market.mark, held > 0 ? size : -size, equity);
            account.cash += amount;
            counterparty.cash -= amount;
            Holdings.shift(ctx, account, id, marketAt, held > 0 ? -size : size);
            Holdings.shift(ctx, counterparty, id, marketAt, held > 0 ? size : -size);
            if (!Limits.inRange(account.cash) || !Limits.inRange(counterparty.cash)) return Reasons.CASH_RANGE;
            reason = reviewBoth(ctx, solvent, maintenance);
            if (reason != Reasons.NONE) return reason;
            Accounts.copy(ctx.maker.account, account);
            Accounts.copy(ctx.taker.account, counterparty);
        }
    }

    /// @dev On the wire: mode u8, account u24. Everybody bears what the fund cannot.
    function writeOff(Context memory ctx, uint256 offset) internal pure returns (uint256 reason) {
        // Bounded: see `Limits`.
        unchecked {
            Party memory party = ctx.maker;
            reason = ctx.loadParty(party, Reader.u24(offset + 2));
            if (reason != Reasons.NONE) return reason;
            if (party.account.status == Limits.STATUS_SOUND) return Reasons.NOT_FLAGGED;
            reason = Settlement.prepare(ctx, party, false);
            if (reason != Reasons.NONE) return reason;
            Account memory account = party.staged;
            if (account.positions.length != 0 || account.cash >= 0) return Reasons.NOT_LIQUIDATABLE;
            Globals memory globals = ctx.found.globals;
            cover(globals, account, account.cash);
            globals.badDebt -= account.cash;
            if (globals.badDebt >= Limits.AMOUNT) return Reasons.CASH_RANGE;
            account.cash = 0;
            Health.assess(ctx, account, 0, 0);
            Accounts.copy(party.account, account);
        }
    }

    /// @dev Requires that the account is below maintenance and that its auction is over, or that no fund could back it.
    function requireOpen(Context memory ctx, Account memory account) private view returns (uint256, int256, int256) {
        // Bounded: see `Limits`.
        unchecked {
            (uint256 reason, int256 equity, int256 maintenance) = Margin.value(ctx, account);
            if (reason != Reasons.NONE) return (reason, 0, 0);
            if (equity >= maintenance) return (Reasons.NOT_LIQUIDATABLE, 0, 0);
            Globals memory globals = ctx.found.globals;
            bool backed = equity >= 0 || Health.fund(globals) >= -equity;
            if (backed && ctx.timestamp - account.flagged < globals.auction) return (Reasons.AUCTION_OPEN, 0, 0);
            return (Reasons.NONE, equity, maintenance);
        }
    }

    /// @dev Records the health of both. A solvent account must be no riskier than with `maintenance`, its counterparty at
    /// initial margin: no hedge is taken from anybody for an account that can still pay.
    function reviewBoth(Context memory ctx, bool solvent, int256 maintenance) private view returns (uint256 reason) {
        int256 left;
        (reason, left) = Margin.review(ctx, ctx.maker);
        if (reason != Reasons.NONE) return reason;
        if (solvent && left > maintenance) return Reasons.MARGIN;
        ctx.taker.shrinks = false;
        if (solvent) return Margin.secure(ctx, ctx.taker);
        (reason,) = Margin.review(ctx, ctx.taker);
    }

    function isClosable(int256 size, int256 held, int256 opposite, int256 lot) private pure returns (bool) {
        if (size == 0 || size % lot != 0 || (held > 0) == (opposite > 0)) return false;
        return size <= Fixed.abs(held) && size <= Fixed.abs(opposite);
    }

    /// @dev Lets the fund pay what it can of a negative `equity` into the account; returns what it paid.
    function cover(Globals memory globals, Account memory account, int256 equity) private pure returns (int256 paid) {
        // Bounded: see `Limits`.
        unchecked {
            if (equity >= 0) return 0;
            paid = Fixed.min(Health.fund(globals), -equity);
            Health.spend(globals, paid);
            account.cash += paid;
        }
    }

    /// @dev What the account receives for the signed `size`: at mark or, as long as its equity is negative, at the price where
    /// closing everything would leave nothing; rounded in its favour.
    function price(Context memory ctx, Position[] memory positions, int256 mark, int256 size, int256 equity)
        private
        pure
        returns (int256)
    {
        // Bounded: see `Limits`.
        unchecked {
            int256 gross;
            for (uint256 i = 0; i < positions.length; ++i) {
                Position position = Holdings.get(positions, i);
                ctx.found.setMarket(position.pointer());
                gross += Fixed.abs(position.size()) * ctx.found.market.mark;
            }
            if (gross == 0) return 0;
            // Between nothing and twice the mark: nobody pays to give up what he holds.
            int256 missing = Fixed.min(Fixed.positive(-equity) * Limits.PPM, gross);
            int256 share = size > 0 ? gross + missing : gross - missing;
            return Fixed.divCeil(size * mark * share, gross * Limits.PPM);
        }
    }
}
