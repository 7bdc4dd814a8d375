// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title One holding of an account, in one word
/// @dev The high 144 bits are the leaf's own encoding; the rest remembers where this execution holds the market:
///
///     255      239       175               111        31        0
///     | market | size i64 | funding index i64 | 0 (80) | market → |
///
/// A word instead of a struct lets an account be copied with one `mcopy` and written with one `mstore` per position.
type Position is uint256;

using Positions for Position global;

library Positions {
    uint256 internal constant ENCODED = 18;
    uint256 private constant POINTER = type(uint32).max;

    function create(uint256 marketId, int256 amount, int256 index) internal pure returns (Position) {
        return Position.wrap(marketId << 240 | uint256(uint64(int64(amount))) << 176 | uint256(uint64(int64(index))) << 112);
    }

    /// @dev Takes the encoded position out of a word that starts with it.
    function decode(uint256 word) internal pure returns (Position) {
        return Position.wrap(word >> 112 << 112);
    }

    function market(Position position) internal pure returns (uint256) {
        return Position.unwrap(position) >> 240;
    }

    function size(Position position) internal pure returns (int256) {
        return int64(uint64(Position.unwrap(position) >> 176));
    }

    function fundingIndex(Position position) internal pure returns (int256) {
        return int64(uint64(Position.unwrap(position) >> 112));
    }

    /// @dev Remembers where the market stands in memory (pointers stay far below 2³²).
    function resolve(Position position, uint256 marketAt) internal pure returns (Position) {
        return Position.wrap(Position.unwrap(position) & ~POINTER | marketAt);
    }

    /// @dev Where the market stands, or 0 if nobody has looked yet.
    function pointer(Position position) internal pure returns (uint256) {
        return Position.unwrap(position) & POINTER;
    }
}
