// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Account, Limits} from "../types/Leaves.sol";
import {Position} from "../types/Position.sol";

/// @title Positions of an account, ascending by market
/// @dev Twin of `rollup/stf/holdings.py`.
library Holdings {
    /// @notice Where `market` stands, or would stand, and the size held in it (0 if none).
    function locate(Account memory account, uint256 market) internal pure returns (uint256 place, int256 size) {
        Position[] memory positions = account.positions;
        uint256 count = positions.length;
        for (; place < count; ++place) {
            uint256 held = positions[place].market();
            if (held == market) return (place, positions[place].size());
            if (held > market) break;
        }
    }

    function isFull(Account memory account) internal pure returns (bool) {
        return account.positions.length == Limits.MAX_POSITIONS;
    }

    /// @notice Replaces the position at `place`.
    function set(Account memory account, uint256 place, Position position) internal pure {
        account.positions[place] = position;
    }

    /// @notice Makes room at `place` for a position that was not held; the account is not full.
    function insert(Account memory account, uint256 place, Position position) internal pure {
        Position[] memory positions = account.positions;
        uint256 count = positions.length;
        resize(positions, count + 1);
        for (uint256 i = count; i > place; --i) {
            positions[i] = positions[i - 1];
        }
        positions[place] = position;
    }

    function remove(Account memory account, uint256 place) internal pure {
        Position[] memory positions = account.positions;
        uint256 last = positions.length - 1;
        for (uint256 i = place; i < last; ++i) {
            positions[i] = positions[i + 1];
        }
        resize(positions, last);
    }

    /// @notice Whether a holding went strictly towards zero without crossing it.
    function shrinks(int256 before, int256 later) internal pure returns (bool) {
        if (before > 0) return later >= 0 && later < before;
        return before < 0 && later <= 0 && later > before;
    }

    function resize(Position[] memory positions, uint256 count) private pure {
        // Plain: positions.length = count, within the room for MAX_POSITIONS that every account has.
        assembly ("memory-safe") {
            mstore(positions, count)
        }
    }
}
