// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Account, Limits, Market} from "../types/Leaves.sol";
import {Position, Positions} from "../types/Position.sol";
import {Reasons} from "../types/Reasons.sol";
import {Changes, Context} from "./Context.sol";
import {Fixed} from "./Fixed.sol";

/// @title Positions of an account, ascending by market
/// @dev Twin of `rollup/stf/holdings.py`.
library Holdings {
    /// @notice Where `market` stands, or would stand, and the size held in it (0 if none).
    function locate(Account memory account, uint256 market) internal pure returns (uint256 place, int256 size) {
        // Bounded: see `Limits`.
        unchecked {
            Position[] memory positions = account.positions;
            uint256 count = positions.length;
            for (; place < count; ++place) {
                Position position = get(positions, place);
                if (position.market() == market) return (place, position.size());
                if (position.market() > market) break;
            }
        }
    }

    /// @notice Changes the size `before` that a settled account holds at `place` by `change`, and the market's open interest
    /// with it. The caller has noted the market, which must be loaded with its underlying.
    function move(
        Context memory ctx,
        Account memory account,
        uint256 marketAt,
        uint256 id,
        uint256 place,
        int256 before,
        int256 change
    ) internal pure returns (uint256) {
        // Bounded: see `Limits`.
        unchecked {
            ctx.found.setMarket(marketAt);
            Market memory market = ctx.found.market;
            int256 later = before + change;
            if (Fixed.abs(later) > market.maxPosition && Fixed.abs(later) >= Fixed.abs(before)) return Reasons.POSITION_LIMIT;
            Position[] memory positions = account.positions;
            if (before == 0) {
                if (positions.length == Limits.MAX_POSITIONS) return Reasons.POSITIONS_FULL;
                insert(positions, place);
            }
            if (later == 0) {
                remove(positions, place);
            } else {
                ctx.found.setUnderlying(market.underlyingAt);
                int256 index = market.kind == Limits.KIND_PERP ? ctx.found.underlying.fundingIndex : int256(0);
                set(positions, place, Positions.create(id, later, index).resolve(marketAt));
            }
            market.openInterest += Fixed.positive(later) - Fixed.positive(before);
            return Reasons.NONE;
        }
    }

    /// @notice As `move`, wherever the position stands, and noting the market.
    function shift(Context memory ctx, Account memory account, uint256 id, uint256 marketAt, int256 change)
        internal
        pure
        returns (uint256)
    {
        ctx.found.setMarket(marketAt);
        Changes.note(ctx, ctx.found.market, marketAt);
        (uint256 place, int256 before) = locate(account, id);
        return move(ctx, account, marketAt, id, place, before, change);
    }

    /// @dev Makes room at `place`; the array is not full.
    function insert(Position[] memory positions, uint256 place) private pure {
        // Bounded: see `Limits`.
        unchecked {
            uint256 count = positions.length;
            resize(positions, count + 1);
            for (uint256 i = count; i > place; --i) {
                set(positions, i, get(positions, i - 1));
            }
        }
    }

    function remove(Position[] memory positions, uint256 place) private pure {
        // Bounded: see `Limits`.
        unchecked {
            uint256 last = positions.length - 1;
            for (uint256 i = place; i < last; ++i) {
                set(positions, i, get(positions, i + 1));
            }
            resize(positions, last);
        }
    }

    /// @notice Whether a holding went strictly towards zero without crossing it.
    function shrinks(int256 before, int256 later) internal pure returns (bool) {
        if (before > 0) return later >= 0 && later < before;
        return before < 0 && later <= 0 && later > before;
    }

    // Plain, in these: positions[i], without the check that i < length; the callers count on and up to it.

    function get(Position[] memory positions, uint256 i) internal pure returns (Position position) {
        assembly ("memory-safe") {
            position := mload(add(positions, shl(5, add(i, 1))))
        }
    }

    function set(Position[] memory positions, uint256 i, Position position) internal pure {
        assembly ("memory-safe") {
            mstore(add(positions, shl(5, add(i, 1))), position)
        }
    }

    function resize(Position[] memory positions, uint256 count) internal pure {
        // Plain: positions.length = count, within the room for MAX_POSITIONS that every account has.
        assembly ("memory-safe") {
            mstore(positions, count)
        }
    }
}
