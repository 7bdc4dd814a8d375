// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAppraiser} from "../interfaces/IAppraiser.sol";
import {Black76} from "../stf/Black76.sol";
import {Context} from "../stf/Context.sol";
import {Fixed} from "../stf/Fixed.sol";
import {Funding} from "../stf/Funding.sol";
import {Settlement} from "../stf/Settlement.sol";
import {Slice, Surface} from "../stf/Surface.sol";
import {Wad} from "../stf/Wad.sol";
import {Account, Limits, Market, Series, Underlying} from "../types/Leaves.sol";
import {Position} from "../types/Position.sol";
import {Reasons} from "../types/Reasons.sol";

/// @title Equity of an account in a state that nobody goes on with
/// @dev What `Settlement` and `Margin` find at the time in `ctx`, but that no price is too old, no sum out of range, what has
/// expired ends without waiting, and of an option's grid only the mark is drawn.
library Equity {
    /// @notice Equity in µUSD, rounded down. Touches the market, the underlying and the series of every position.
    function value(Context memory ctx, Account memory account) internal pure returns (int256) {
        // Bounded: see `Limits`; 32 amounts below 2¹²⁸.
        unchecked {
            int256 cash = account.cash;
            int256 raw;
            uint256 count = account.positions.length;
            for (uint256 i = 0; i < count; ++i) {
                (int256 paid, int256 worth) = appraise(ctx, account.positions[i]);
                cash += paid;
                raw += worth;
            }
            return cash + Fixed.divFloor(raw, Limits.PPM);
        }
    }

    /// @dev What a position pays at once (µUSD), and what it is worth then (10⁻¹² USD).
    function appraise(Context memory ctx, Position position) private pure returns (int256 paid, int256 worth) {
        // Bounded: see `Limits`.
        unchecked {
            (uint256 reason,) = ctx.loadMarket(position.market());
            demand(reason);
            Market memory market = ctx.found.market;
            demand(ctx.selectUnderlying(market));
            int256 size = position.size();
            Underlying memory underlying = ctx.found.underlying;
            if (market.kind == Limits.KIND_PERP) {
                paid = -Funding.due(size, underlying.fundingIndex, position.fundingIndex());
                return (paid, size * underlying.mark);
            }
            demand(ctx.selectSeries(market));
            Series memory series = ctx.found.series;
            if (series.settlement == 0 && series.expiry <= ctx.timestamp) {
                series.settlement = Settlement.closing(underlying, series);
            }
            if (series.settlement != 0) {
                return (Fixed.divFloor(size * Settlement.payoff(market, series.settlement), Limits.PPM), 0);
            }
            return (0, size * (market.kind == Limits.KIND_FUTURE ? series.forward : price(market, series, ctx.timestamp)));
        }
    }

    /// @dev The mark of an option, µUSD per coin: what the pricer's grid gives for the scenario that shocks nothing.
    function price(Market memory market, Series memory series, uint256 time) private pure returns (int256) {
        // Bounded: see `Limits`; 500 % over 2⁴⁰ s is below 2⁷² wads.
        unchecked {
            (uint256 forward, uint256 strike) = (uint256(series.forward), uint256(market.strike));
            int256 x = Wad.lnRatio(forward, strike);
            Slice memory slice = Slice(series.a, series.b, series.rho, series.m, series.sigma);
            uint256 left = series.expiry > time ? series.expiry - time : 0;
            uint256 deviation = Surface.volatility(slice, -x) * Surface.rootTime(left) / Wad.UNSIGNED_ONE;
            return int256(Black76.price(market.kind == Limits.KIND_CALL, forward, strike, x, deviation));
        }
    }

    /// @dev No meter is short and no leaf absent for an account that a block could bring about.
    function demand(uint256 reason) private pure {
        if (reason != Reasons.NONE) revert IAppraiser.Inconsistent(reason);
    }
}
