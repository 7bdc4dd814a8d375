// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Account, Limits, Market, Series, Underlying} from "../types/Leaves.sol";
import {Position, Positions} from "../types/Position.sol";
import {Reasons} from "../types/Reasons.sol";
import {Reader} from "../libraries/Reader.sol";
import {Accounts, Changes, Context, Party} from "./Context.sol";
import {Fixed} from "./Fixed.sol";
import {Funding} from "./Funding.sol";
import {Health} from "./Health.sol";
import {Holdings} from "./Holdings.sol";
import {Surfaces} from "./Surfaces.sol";

/// @title What an account is owed or owes on its positions before anything else happens to it
/// @dev Twin of `rollup/stf/settlement.py`: funding of perpetuals, the value of what has expired or was
/// abandoned.
library Settlement {
    /// @notice Settles copies of the party's account: `settled`, and `staged` to go on with.
    /// An abandoned series is stale for who deals `withAnother`, since it may be priced again.
    function prepare(Context memory ctx, Party memory party, bool withAnother) internal pure returns (uint256 reason) {
        Accounts.copy(party.settled, party.account);
        reason = settle(ctx, party.settled, party.account.positions, withAnother);
        Accounts.copy(party.staged, party.settled);
    }

    /// @notice On the wire: account u24. Pays out what has ended, whoever asks.
    function execute(Context memory ctx, uint256 offset) internal pure returns (uint256 reason) {
        // Bounded: see `Limits`.
        unchecked {
            Party memory party = ctx.maker;
            reason = ctx.loadParty(party, Reader.u24(offset + 1));
            if (reason != Reasons.NONE) return reason;
            reason = prepare(ctx, party, false);
            if (reason != Reasons.NONE) return reason;
            uint256 left = party.staged.positions.length;
            if (left == party.account.positions.length) return Reasons.NOTHING_TO_SETTLE;
            if (left == 0) Health.assess(ctx, party.staged, party.staged.cash, 0);
            Accounts.copy(party.account, party.staged);
        }
    }

    /// @dev Each position's market must have a fresh price, or one that was abandoned, or have ended: then the position is paid
    /// out and removed. Markets and series change at once. `before` are the positions that `account` was copied from: they
    /// learn where their markets stand, so that it need not be found again if the transaction fails.
    function settle(Context memory ctx, Account memory account, Position[] memory before, bool withAnother)
        private
        pure
        returns (uint256 reason)
    {
        Position[] memory positions = account.positions;
        uint256 count = positions.length;
        uint256 kept;
        for (uint256 i = 0; i < count; ++i) {
            Position position = Holdings.get(positions, i);
            if (position.pointer() == 0) {
                (reason, position) = find(ctx, position);
                if (reason != Reasons.NONE) return reason;
                Holdings.set(before, i, position);
            }
            reason = select(ctx, position);
            if (reason != Reasons.NONE) return reason;
            Market memory market = ctx.found.market;
            int256 paid;
            bool ended;
            (reason, paid, ended) = appraise(ctx, market, position, withAnother);
            if (reason != Reasons.NONE) return reason;
            if (paid != 0 || ended) {
                // 32 amounts below 2¹²⁸.
                unchecked {
                    account.cash += paid;
                }
                reason = draw(ctx, market, position, paid, ended);
                if (reason != Reasons.NONE) return reason;
            }
            if (ended) continue;
            if (market.kind == Limits.KIND_PERP) position = renew(ctx, position);
            Holdings.set(positions, kept++, position);
        }
        Holdings.resize(positions, kept);
        return Limits.inRange(account.cash) ? Reasons.NONE : Reasons.CASH_RANGE;
    }

    /// @dev The position, with the place of its market.
    function find(Context memory ctx, Position position) private pure returns (uint256, Position) {
        (uint256 reason, uint256 pointer) = ctx.loadMarket(position.market());
        return (reason, reason == Reasons.NONE ? position.resolve(pointer) : position);
    }

    /// @dev Leaves the market, underlying and series of `position` in `ctx.found`.
    function select(Context memory ctx, Position position) private pure returns (uint256 reason) {
        ctx.found.setMarket(position.pointer());
        reason = ctx.selectUnderlying(ctx.found.market);
        if (reason != Reasons.NONE || ctx.found.market.kind == Limits.KIND_PERP) return reason;
        return ctx.selectSeries(ctx.found.market);
    }

    /// @dev What the account is paid now, and whether that is the end of the position.
    function appraise(Context memory ctx, Market memory market, Position position, bool withAnother)
        private
        pure
        returns (uint256 reason, int256 paid, bool ended)
    {
        // Bounded: see `Limits`.
        unchecked {
            int256 size = position.size();
            Underlying memory underlying = ctx.found.underlying;
            int256 value;
            if (market.kind == Limits.KIND_PERP) {
                if (ctx.isOld(underlying, underlying.time, true)) return (Reasons.ORACLE_STALE, 0, false);
                paid = -Funding.due(size, underlying.fundingIndex, position.fundingIndex());
                if (!ctx.isAbandoned(underlying.time)) return (Reasons.NONE, paid, false);
                // The pool takes part in the funding before it pays out.
                if (!Limits.inRange(market.pool - paid)) return (Reasons.CASH_RANGE, 0, false);
                value = underlying.mark;
            } else {
                Series memory series = ctx.found.series;
                if (series.settlement == 0) {
                    if (ctx.timestamp < series.expiry + Limits.CLOSING) {
                        bool stale = ctx.isOld(underlying, series.time, !withAnother);
                        return (stale ? Reasons.ORACLE_STALE : Reasons.NONE, 0, false);
                    }
                    Changes.noteSeries(ctx, market.seriesAt);
                    series.settlement = closing(underlying, series);
                }
                value = payoff(market, series.settlement);
            }
            return (Reasons.NONE, paid + Fixed.divFloor(size * value, Limits.PPM), true);
        }
    }

    /// @notice Where `series` ends if no update has ended it: what was not covered counts at its last forward.
    function closing(Underlying memory underlying, Series memory series) internal pure returns (int256) {
        return Surfaces.settlement(series.sum, series.covered, series.forward, underlying.settlementWindow);
    }

    /// @notice µUSD per coin when `market` expires at `settlement`.
    function payoff(Market memory market, int256 settlement) internal pure returns (int256 value) {
        // Bounded: see `Limits`.
        unchecked {
            if (market.kind == Limits.KIND_FUTURE) return settlement;
            value = market.kind == Limits.KIND_CALL ? settlement - market.strike : market.strike - settlement;
            return Fixed.positive(value);
        }
    }

    /// @dev Takes `paid` out of the market's pool and, if that was its end, the position out of the open interest.
    function draw(Context memory ctx, Market memory market, Position position, int256 paid, bool ended)
        private
        pure
        returns (uint256)
    {
        // Bounded: see `Limits`.
        unchecked {
            Changes.note(ctx, market, position.pointer());
            int256 pool = market.pool - paid;
            if (!Limits.inRange(pool)) return Reasons.CASH_RANGE;
            market.pool = pool;
            if (ended) market.openInterest -= Fixed.positive(position.size());
            return Reasons.NONE;
        }
    }

    function renew(Context memory ctx, Position position) private pure returns (Position) {
        return Positions.create(position.market(), position.size(), ctx.found.underlying.fundingIndex).resolve(
            position.pointer()
        );
    }
}
