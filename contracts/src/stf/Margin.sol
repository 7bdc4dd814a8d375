// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Account, Limits, Underlying} from "../types/Leaves.sol";
import {Position} from "../types/Position.sol";
import {Reasons} from "../types/Reasons.sol";
import {Context} from "./Context.sol";
import {Fixed} from "./Fixed.sol";
import {Funding} from "./Funding.sol";

/// @title Equity and margin of an account
/// @dev Twin of `rollup/stf/margin.py`.
///
/// Every holding here is linear, so an underlying's profit under a shock is its net size × (shocked mark − mark). That
/// is monotone in the shock and volatility has no part in it: of the 23 scenarios the worst is always the largest move
/// against the net size, k = −4 for a long and k = +4 for a short, and the scenario without a move keeps the loss from
/// being negative. Only those two are computed.
library Margin {
    int256 private constant RAW_UNIT = 1e6;
    int256 private constant CONTINGENCY_UNIT = 1e12;
    int256 private constant WORST_MOVE = 4;

    struct Sums {
        int256 value;
        int256 contingency;
        uint256 underlyings;
    }

    /// @notice Values a settled account.
    /// @return reason A meter's, if there are too many.
    /// @return equity Cash and the mark value of all positions, µUSD, rounded down.
    /// @return maintenance The worst loss of the scenario grid and the contingencies, µUSD, rounded up.
    function value(Context memory ctx, Account memory account)
        internal
        pure
        returns (uint256 reason, int256 equity, int256 maintenance)
    {
        reason = ctx.meters.countRevaluations(account.positions.length);
        if (reason != Reasons.NONE) return (reason, 0, 0);
        Sums memory sums = sum(ctx, account.positions);
        equity = account.cash + Fixed.divFloor(sums.value, RAW_UNIT);
        maintenance = Fixed.divCeil(sums.contingency, CONTINGENCY_UNIT);
        for (uint256 i = 0; i < sums.underlyings; ++i) {
            ctx.found.setUnderlying(ctx.valued[i]);
            maintenance += Fixed.divCeil(worstLoss(ctx.found.underlying), RAW_UNIT);
        }
    }

    /// @dev Adds the positions up: their value and contingency as a whole, their net size per underlying.
    function sum(Context memory ctx, Position[] memory positions) private pure returns (Sums memory sums) {
        uint256 valuation = ++ctx.valuations;
        uint256 count = positions.length;
        for (uint256 i = 0; i < count; ++i) {
            Position position = positions[i];
            ctx.found.setMarket(position.marketPointer());
            ctx.found.setUnderlying(position.underlyingPointer());
            Underlying memory underlying = ctx.found.underlying;
            if (underlying.valuation != valuation) {
                underlying.valuation = valuation;
                underlying.net = 0;
                ctx.valued[sums.underlyings++] = position.underlyingPointer();
            }
            // |size| ≤ 2⁶³, mark < 2⁴⁸, contingency < 2³²: 32 such products stay below 2¹⁴⁸.
            unchecked {
                int256 size = position.size();
                underlying.net += size;
                int256 raw = size * underlying.mark;
                sums.value += raw;
                sums.contingency += Fixed.abs(raw) * ctx.found.market.contingency;
            }
        }
    }

    /// @dev Raw loss of the net size under the largest move against it, never negative.
    function worstLoss(Underlying memory underlying) private pure returns (int256) {
        int256 move = underlying.net > 0 ? -WORST_MOVE : WORST_MOVE;
        int256 mark = underlying.mark;
        int256 shocked = Fixed.divFloor(mark * (Limits.PPM + move * underlying.spotStep), Limits.PPM);
        return underlying.net * (mark - shocked);
    }

    /// @notice What an account must have to open or enlarge positions: a quarter more than maintenance, rounded up.
    function initial(int256 maintenance) internal pure returns (int256) {
        return maintenance + Fixed.divCeil(maintenance, 4);
    }

    /// @notice Requires initial margin of a settled account.
    function requireInitial(Context memory ctx, Account memory account) internal pure returns (uint256) {
        (uint256 reason, int256 equity, int256 maintenance) = value(ctx, account);
        if (reason != Reasons.NONE) return reason;
        return equity < initial(maintenance) ? Reasons.MARGIN : Reasons.NONE;
    }
}
