// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Binary keccak Merkle tree over the block hashes of a batch
/// @notice Leaves are padded with zeros to a power of two; the root of one leaf is the leaf. A node hashes 64 bytes and a
/// block header 147, so no node passes for a block.
library BinaryMerkle {
    /// @notice A position outside the tree, or a path that is not as long as the tree is deep.
    error PathMismatch(uint256 position, uint256 count, uint256 pathLength);

    /// @notice Root of the first `count` entries of `hashes`, which are overwritten. The array must have room up to the
    /// next power of two, zeros beyond `count`.
    function rootOf(bytes32[] memory hashes, uint256 count) internal pure returns (bytes32) {
        uint256 width = 1;
        while (width < count) width *= 2;
        while (width > 1) {
            width /= 2;
            for (uint256 i = 0; i < width; ++i) {
                hashes[i] = keccak256(abi.encode(hashes[2 * i], hashes[2 * i + 1]));
            }
        }
        return hashes[0];
    }

    /// @notice Root of a tree of `count` leaves that holds `leaf` at `position`, by its siblings from the bottom up.
    function foldPath(bytes32 leaf, uint256 position, uint256 count, bytes32[] calldata path)
        internal
        pure
        returns (bytes32 node)
    {
        uint256 depth = 0;
        while ((uint256(1) << depth) < count) ++depth;
        // INVARIANT: a leaf stands at exactly one position, and padding is never a block.
        if (position >= count || path.length != depth) revert PathMismatch(position, count, path.length);
        node = leaf;
        for (uint256 i = 0; i < depth; ++i) {
            bool isRight = (position >> i) & 1 == 1;
            node = isRight ? keccak256(abi.encode(path[i], node)) : keccak256(abi.encode(node, path[i]));
        }
    }
}
