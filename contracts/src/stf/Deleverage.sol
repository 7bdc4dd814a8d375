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
            (reason, equity, maintenance) = Margin.value(ctx, account);
            if (reason != Reasons.NONE) return reason;
            if (equity >= maintenance) return Reasons.NOT_LIQUIDATABLE;
            int256 debt = Fixed.positive(-equity);
            int256 cover = Fixed.min(Health.fund(ctx.found.globals), debt);
            // Its auction is over, or no fund could back it.
            if (cover == debt && ctx.timestamp - account.flagged < ctx.found.globals.auction) return Reasons.AUCTION_OPEN;
            ctx.found.setMarket(marketAt);
            int256 size = Reader.quantity(offset + 10);
            (, int256 held) = Holdings.locate(account, id);
            (, int256 opposite) = Holdings.locate(counterparty, id);
            if (!isClosable(size, held, opposite, ctx.found.market.lot)) return Reasons.DELEVERAGE_SIZE;
            if (held < 0) size = -size;
            int256 amount;
            (amount, cover) = price(ctx, account.positions, size * ctx.found.market.mark, debt - cover, cover);
            Health.spend(ctx.found.globals, cover);
            account.cash += amount + cover;
            counterparty.cash -= amount;
            Holdings.shift(ctx, account, id, marketAt, -size);
            Holdings.shift(ctx, counterparty, id, marketAt, size);
            return Fills.conclude(ctx, debt == 0, maintenance);
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
            int256 cover = Fixed.min(Health.fund(globals), -account.cash);
            Health.spend(globals, cover);
            globals.badDebt -= account.cash + cover;
            if (globals.badDebt >= Limits.AMOUNT) return Reasons.CASH_RANGE;
            account.cash = 0;
            Health.assess(ctx, account, 0, 0);
            Accounts.copy(party.account, account);
        }
    }

    function isClosable(int256 size, int256 held, int256 opposite, int256 lot) private pure returns (bool) {
        if (size == 0 || size % lot != 0 || (held ^ opposite) >= 0) return false;
        return size <= Fixed.abs(held) && size <= Fixed.abs(opposite);
    }

    /// @dev What the account receives for a part of it that is worth `value`, signed: its mark or, if something is `missing`, the
    /// price where closing everything would leave nothing. And what the fund pays of its `cover`: the part's share by value. Both
    /// are rounded in its favour, and nothing if it holds nothing of value.
    function price(Context memory ctx, Position[] memory positions, int256 value, int256 missing, int256 cover)
        private
        pure
        returns (int256, int256)
    {
        // Bounded: see `Limits`.
        unchecked {
            int256 gross;
            for (uint256 i = 0; i < positions.length; ++i) {
                Position position = Holdings.get(positions, i);
                ctx.found.setMarket(position.pointer());
                gross += Fixed.abs(position.size()) * ctx.found.market.mark;
            }
            // Between nothing and twice the mark: nobody pays to give up what he holds.
            missing = Fixed.min(missing * Limits.PPM, gross);
            int256 part = Fixed.abs(value);
            // A division by zero gives zero here.
            return (
                Fixed.divCeil(value * gross + part * missing, gross * Limits.PPM), Fixed.divCeil(part * cover, gross)
            );
        }
    }
}
