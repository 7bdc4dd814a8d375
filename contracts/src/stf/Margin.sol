// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Account, Limits, Market, Series, Underlying} from "../types/Leaves.sol";
import {Position} from "../types/Position.sol";
import {Reasons} from "../types/Reasons.sol";
import {Arena} from "../libraries/Arena.sol";
import {Context, Party} from "./Context.sol";
import {Fixed} from "./Fixed.sol";
import {Health} from "./Health.sol";
import {Holdings} from "./Holdings.sol";
import {Sheets} from "./Sheets.sol";

/// @title Equity and margin of an account
/// @dev Twin of `rollup/stf/margin.py`.
///
/// Where an account holds nothing but perpetuals of an underlying, their profit under a shock is their net size ×
/// (shocked mark − mark). That is monotone in the shock and volatility has no part in it: of the 23 scenarios the worst is
/// always the largest move against the net size, k = −4 for a long and k = +4 for a short, and the scenario without a move
/// keeps the loss from being negative. Only those two are computed then; with anything else beside them every scenario is.
library Margin {
    int256 private constant WORST_MOVE = 4;

    struct Sums {
        uint256 valuation;
        int256 value;
        int256 contingency;
        uint256 underlyings;
        uint256 serieses;
    }

    /// @notice Values a settled account.
    /// @return reason A meter's, if there are too many, or ORACLE_STALE.
    /// @return equity Cash and the mark value of all positions, µUSD, rounded down.
    /// @return maintenance The worst losses of the scenario grid and the contingencies, µUSD, rounded up.
    function value(Context memory ctx, Account memory account)
        internal
        view
        returns (uint256 reason, int256 equity, int256 maintenance)
    {
        // Bounded: see `Limits`.
        unchecked {
            uint256 count = account.positions.length;
            reason = ctx.meters.countRevaluations(count);
            if (reason != Reasons.NONE) return (reason, 0, 0);
            Sums memory sums;
            sums.valuation = ++ctx.valuations;
            for (uint256 i = 0; i < count; ++i) {
                reason = add(ctx, Holdings.get(account.positions, i), sums);
                if (reason != Reasons.NONE) return (reason, 0, 0);
            }
            equity = account.cash + Fixed.divFloor(sums.value, Limits.PPM);
            for (uint256 i = 0; i < sums.underlyings; ++i) {
                ctx.found.setUnderlying(Arena.get(ctx.underlyings, i));
                maintenance += Sheets.ceilPpm(worstLoss(ctx.found.underlying));
                ctx.found.underlying.net = 0;
            }
            if (ctx.outdated != 0) {
                reason = requireOneTime(ctx, account);
                if (reason != Reasons.NONE) return (reason, 0, 0);
            }
            for (uint256 i = 0; i < sums.serieses; ++i) {
                ctx.found.setSeries(Arena.get(ctx.serieses, i));
                Series memory series = ctx.found.series;
                if (series.calls < 0) sums.contingency -= series.calls * series.callRate;
            }
            maintenance += Sheets.ceilPpm(sums.contingency);
        }
    }

    /// @dev Adds one position up: value and contingency as a whole, what it is worth under shocks per underlying.
    function add(Context memory ctx, Position position, Sums memory sums) private view returns (uint256 reason) {
        ctx.found.setMarket(position.pointer());
        Market memory market = ctx.found.market;
        reason = Sheets.draw(ctx, market);
        if (reason != Reasons.NONE) return reason;
        Underlying memory underlying = ctx.found.underlying;
        if (underlying.valuation != sums.valuation) {
            underlying.valuation = sums.valuation;
            underlying.net = 0;
            underlying.curved = false;
            Arena.put(ctx.underlyings, sums.underlyings++, market.underlyingAt);
        }
        // |size| ≤ 2⁶³, marks < 2⁴⁸, rates < 2⁸⁰: 32 such products stay below 2¹⁴⁸.
        unchecked {
            int256 size = position.size();
            sums.value += size * market.mark;
            sums.contingency += size > 0 ? size * market.long : -size * market.short;
            if (market.kind == Limits.KIND_PERP) underlying.net += size;
            else bend(ctx, market, underlying, size, sums);
        }
    }

    /// @dev Adds what is no perpetual to the row of its underlying, and a call to those of its series.
    function bend(Context memory ctx, Market memory market, Underlying memory underlying, int256 size, Sums memory sums)
        private
        pure
    {
        // Bounded: see `Limits`.
        unchecked {
            if (!underlying.curved) {
                underlying.curved = true;
                underlying.row = Sheets.clear(underlying.row);
            }
            if (market.kind == Limits.KIND_FUTURE) {
                Sheets.addLinear(underlying.row, market.mark, underlying.spotStep, size);
                return;
            }
            Sheets.add(underlying.row, market.grid, size);
            if (market.kind != Limits.KIND_CALL) return;
            ctx.found.setSeries(market.seriesAt);
            Series memory series = ctx.found.series;
            if (series.valuation != sums.valuation) {
                series.valuation = sums.valuation;
                series.calls = 0;
                series.callRate = Sheets.ceilPpm(series.forward * underlying.callContingency);
                Arena.put(ctx.serieses, sums.serieses++, market.seriesAt);
            }
            series.calls += size;
        }
    }

    /// @dev Requires that old prices of each underlying are of about the time of its first position's, whose `net` is zero
    /// before and keeps that time. Legs are netted: priced at different times they are no hedge, and no multiple of their
    /// margin bounds what moved in between.
    function requireOneTime(Context memory ctx, Account memory account) private pure returns (uint256) {
        // Bounded: see `Limits`.
        unchecked {
            uint256 count = account.positions.length;
            for (uint256 i = 0; i < count; ++i) {
                ctx.found.setMarket(Holdings.get(account.positions, i).pointer());
                Market memory market = ctx.found.market;
                ctx.found.setUnderlying(market.underlyingAt);
                Underlying memory underlying = ctx.found.underlying;
                int256 time = int256(underlying.time);
                if (market.kind != Limits.KIND_PERP) {
                    ctx.found.setSeries(market.seriesAt);
                    time = int256(ctx.found.series.time);
                }
                if (underlying.net == 0) underlying.net = time;
                if (Fixed.abs(time - underlying.net) > int256(underlying.maxAge)) return Reasons.ORACLE_STALE;
            }
            return Reasons.NONE;
        }
    }

    /// @dev Raw loss under the worst scenario, never negative.
    function worstLoss(Underlying memory underlying) private pure returns (int256) {
        // Bounded: see `Limits`.
        unchecked {
            int256 net = underlying.net;
            int256 mark = underlying.mark;
            if (underlying.curved) {
                if (net != 0) Sheets.addLinear(underlying.row, mark, underlying.spotStep, net);
                return Sheets.worstLoss(underlying.row);
            }
            return net * (mark - Sheets.shock(mark, net > 0 ? -WORST_MOVE : WORST_MOVE, underlying.spotStep));
        }
    }

    /// @notice What an account must have to open or enlarge positions: a quarter more than maintenance, rounded up.
    function initial(int256 maintenance) internal pure returns (int256) {
        // Bounded: see `Limits`.
        unchecked {
            return maintenance + Fixed.divCeil(maintenance, 4);
        }
    }

    /// @notice Requires initial margin, twice if a price was outdated, of the party's staged account, or at least that a transaction which only shrinks its
    /// holdings leaves it at no worse a ratio of equity to margin than it had settled; then records its health.
    function secure(Context memory ctx, Party memory party) internal view returns (uint256) {
        // Bounded: see `Limits`.
        unchecked {
            (uint256 reason, int256 equity, int256 maintenance) = value(ctx, party.staged);
            if (reason != Reasons.NONE) return reason;
            // At an old price twice as much: whoever knows the one since then holds an option for nothing.
            if (equity < initial(maintenance) << ctx.outdated) {
                if (!party.shrinks) return Reasons.MARGIN;
                int256 equityBefore;
                int256 maintenanceBefore;
                (reason, equityBefore, maintenanceBefore) = value(ctx, party.settled);
                if (reason != Reasons.NONE) return reason;
                // Below zero a ratio says nothing: a debt could grow with the margin, as hedges are given away.
                if (Fixed.min(equity, equityBefore) < 0) return Reasons.MARGIN;
                if (equity * maintenanceBefore < equityBefore * maintenance) return Reasons.MARGIN;
            }
            Health.assess(ctx, party.staged, equity, maintenance);
            return Reasons.NONE;
        }
    }

    /// @notice Values the party's staged account and records its health, whatever it is.
    function review(Context memory ctx, Party memory party) internal view returns (uint256 reason, int256 maintenance) {
        int256 equity;
        (reason, equity, maintenance) = value(ctx, party.staged);
        if (reason == Reasons.NONE) Health.assess(ctx, party.staged, equity, maintenance);
    }
}
