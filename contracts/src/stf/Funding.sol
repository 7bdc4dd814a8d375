// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Account, Limits, Market, Underlying} from "../types/Leaves.sol";
import {Position} from "../types/Position.sol";
import {Reasons} from "../types/Reasons.sol";
import {Context} from "./Context.sol";
import {Fixed} from "./Fixed.sol";

/// @title Funding of perpetuals: the index of an underlying, and what accounts owe by it
/// @dev Twin of `rollup/stf/funding.py`. The index is in nUSD per coin; longs pay when it rises.
library Funding {
    /// @dev Eight hours in seconds: the time over which a premium is paid in full.
    int256 private constant PERIOD = 28_800;
    int256 private constant NANO_PER_MICRO = 1000;
    int256 private constant INDEX_UNIT = 1e9;

    /// @notice Moves the funding index of `underlying` on to `timestamp`, at the premium it has had since.
    function accrue(Underlying memory underlying, uint256 timestamp) internal pure {
        if (!underlying.exists) return;
        if (underlying.time > 0) {
            int256 elapsed = int256(timestamp) - int256(underlying.fundingTime);
            int256 cap = Fixed.divFloor(underlying.spot * underlying.fundingCap, Limits.PPM);
            int256 premium = Fixed.clamp(underlying.mark - underlying.spot, cap);
            int256 step = Fixed.divFloor(premium * NANO_PER_MICRO * elapsed, PERIOD);
            underlying.fundingIndex = Fixed.clamp(underlying.fundingIndex + step, Limits.AMOUNT);
        }
        underlying.fundingTime = timestamp;
    }

    /// @notice Pays the funding that `account`, a staged copy, owes on each position; every market it holds must have a
    /// fresh price.
    /// @dev Payments round against the account. The markets' pools change at once; `undo` takes them back.
    function settle(Context memory ctx, Account memory account) internal pure returns (uint256 reason) {
        Position[] memory positions = account.positions;
        uint256 count = positions.length;
        int256 cash = account.cash;
        for (uint256 i = 0; i < count; ++i) {
            Position position = positions[i];
            (reason, position) = select(ctx, position);
            if (reason != Reasons.NONE) return reason;
            Underlying memory underlying = ctx.found.underlying;
            reason = ctx.requireFresh(underlying);
            if (reason != Reasons.NONE) return reason;
            Market memory market = ctx.found.market;
            if (market.kind == Limits.KIND_PERP) {
                int256 size = position.size();
                int256 index = underlying.fundingIndex;
                // 64-bit factors; 32 products of them stay far below 256 bits.
                unchecked {
                    int256 payment = Fixed.divCeil(size * (index - position.fundingIndex()), INDEX_UNIT);
                    cash -= payment;
                    reason = pay(ctx, market, position.marketPointer(), payment);
                    if (reason != Reasons.NONE) return reason;
                }
                position = position.update(size, index);
            }
            positions[i] = position;
        }
        account.cash = cash;
        return Limits.inRange(cash) ? Reasons.NONE : Reasons.CASH_RANGE;
    }

    /// @dev Leaves the market and underlying of `position` in `ctx.found`; the first time it also remembers their
    /// places in the position.
    function select(Context memory ctx, Position position) private pure returns (uint256 reason, Position resolved) {
        if (position.isResolved()) {
            ctx.found.setMarket(position.marketPointer());
            ctx.found.setUnderlying(position.underlyingPointer());
            return (Reasons.NONE, position);
        }
        uint256 marketAt;
        uint256 underlyingAt;
        (reason, marketAt) = ctx.loadMarket(position.market());
        if (reason != Reasons.NONE) return (reason, position);
        (reason, underlyingAt) = ctx.loadUnderlying(ctx.found.market.underlying);
        resolved = position.resolve(marketAt, underlyingAt);
    }

    /// @dev Notes the pool as it was, so that a forced transaction which fails later can take the payment back.
    function pay(Context memory ctx, Market memory market, uint256 marketAt, int256 payment)
        private
        pure
        returns (uint256)
    {
        if (payment == 0) return Reasons.NONE;
        int256 pool = market.fundingPool;
        uint256 noted = ctx.poolCount;
        ctx.pools[2 * noted] = marketAt;
        ctx.pools[2 * noted + 1] = uint256(pool);
        ctx.poolCount = noted + 1;
        pool += payment;
        if (!Limits.inRange(pool)) return Reasons.CASH_RANGE;
        market.fundingPool = pool;
        return Reasons.NONE;
    }

    /// @notice Forgets what the last transaction noted: its payments stand.
    function keep(Context memory ctx) internal pure {
        ctx.poolCount = 0;
    }

    /// @notice Takes back every payment of the transaction at work.
    function undo(Context memory ctx) internal pure {
        // Backwards, because one market may be noted once for each party.
        for (uint256 i = ctx.poolCount; i > 0; --i) {
            ctx.found.setMarket(ctx.pools[2 * i - 2]);
            ctx.found.market.fundingPool = int256(ctx.pools[2 * i - 1]);
        }
        ctx.poolCount = 0;
    }
}
