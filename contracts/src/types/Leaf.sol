// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title One listed leaf of a witness, in one word
/// @dev     255   215              183      167        31       0
///         | key | calldata offset | length | 0 (136) | decoded → |
///
/// `offset` and `length` are where its value before the block stands in calldata. The pointer is zero until the block
/// touches the leaf.
type Leaf is uint256;

using LeafWord for Leaf global;

library LeafWord {
    function create(uint256 key_, uint256 offset_, uint256 length_) internal pure returns (Leaf) {
        return Leaf.wrap(key_ << 216 | offset_ << 184 | length_ << 168);
    }

    /// @dev Zero stands for no leaf: a listed one has an offset.
    function isListed(Leaf leaf) internal pure returns (bool) {
        return Leaf.unwrap(leaf) != 0;
    }

    function key(Leaf leaf) internal pure returns (uint256) {
        return Leaf.unwrap(leaf) >> 216;
    }

    function offset(Leaf leaf) internal pure returns (uint256) {
        return uint32(Leaf.unwrap(leaf) >> 184);
    }

    function length(Leaf leaf) internal pure returns (uint256) {
        return uint16(Leaf.unwrap(leaf) >> 168);
    }

    function pointer(Leaf leaf) internal pure returns (uint256) {
        return uint32(Leaf.unwrap(leaf));
    }

    function touched(Leaf leaf, uint256 decoded) internal pure returns (Leaf) {
        return Leaf.wrap(Leaf.unwrap(leaf) | decoded);
    }
}
