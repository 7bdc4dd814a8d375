// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVerifier} from "../interfaces/IVerifier.sol";
import {Found} from "../types/Found.sol";
import {Leaf, LeafWord} from "../types/Leaf.sol";
import {Metering} from "../stf/Meters.sol";
import {LeafHasher} from "./LeafHasher.sol";
import {Reader} from "./Reader.sol";
import {Tree} from "./Tree.sol";

/// @title The leaves that a block touches, and their proof
/// @dev Twin of `rollup/crypto/witness.py`: `n u16 ‖ n × (key u40 ‖ length u16 ‖ value) ‖ masks ‖ siblings`.
library Witness {
    uint256 private constant ENTRY_HEAD = 7;

    /// @dev What the meters of accounts, slots and system leaves admit together.
    uint256 private constant MAX_LEAVES = Metering.ACCOUNTS + Metering.SLOTS + Metering.SYSTEM;
    /// @dev Words of the table, filled up with the highest value, so that a search needs no bounds.
    uint256 private constant TABLE = 256;

    /// @notice Reads the table of leaves.
    /// @return leaves One word per listed leaf, keys strictly ascending, with room for TABLE words.
    /// @return proofAt Calldata offset of the masks.
    function open(bytes calldata witness) internal pure returns (Leaf[] memory leaves, uint256 proofAt) {
        uint256 offset = Reader.offsetOf(witness);
        uint256 end = offset + witness.length;
        if (witness.length < 2) revert IVerifier.MalformedWitness();
        uint256 count = Reader.u16(offset);
        offset += 2;
        // Every block touches the totals, and none more leaves than its meters allow: a longer list must hold untouched
        // ones.
        if (count == 0 || count > MAX_LEAVES) revert IVerifier.MalformedWitness();
        leaves = new Leaf[](TABLE);
        uint256 lowest = 0;
        for (uint256 i = 0; i < count; ++i) {
            uint256 head = Reader.word(offset);
            uint256 key = head >> 216;
            uint256 length = uint16(head >> 200);
            offset += ENTRY_HEAD;
            if (key < lowest) revert IVerifier.UnsortedLeaf(key);
            lowest = key + 1;
            leaves[i] = LeafWord.create(key, offset, length);
            offset += length;
        }
        if (offset > end) revert IVerifier.MalformedWitness();
        proofAt = offset;
        fill(leaves, count);
    }

    /// @dev Fills the table up behind its first `count` words, which then are its length.
    function fill(Leaf[] memory leaves, uint256 count) private pure {
        uint256 size = TABLE * 0x20;
        // Plain: for (uint256 i = count; i < TABLE; ++i) leaves[i] = the highest value; leaves.length = count, which Solidity
        // does not allow in memory. By a word and ever longer copies, 1,000 gas instead of 20,000.
        assembly ("memory-safe") {
            let start := add(leaves, shl(5, add(count, 1)))
            let end := add(leaves, add(size, 0x20))
            mstore(start, not(0))
            for { let filled := 0x20 } lt(add(start, filled), end) { filled := shl(1, filled) } {
                let rest := sub(end, add(start, filled))
                if lt(filled, rest) { rest := filled }
                mcopy(add(start, filled), start, rest)
            }
            mstore(leaves, count)
        }
    }

    /// @notice Where `key` stands in the table, and its leaf; a leaf that is not listed is zero.
    function find(Leaf[] memory leaves, uint256 key) internal pure returns (uint256 position, Leaf leaf) {
        // Plain: for (step = 128; step > 0; step /= 2) if (leaves[position + step - 1] < key) position += step; a binary
        // search without branches in a table of 256 words. In Solidity, with bounds checks, it would cost six times as
        // much, and a block does it thousands of times.
        assembly ("memory-safe") {
            let target := shl(216, key)
            let before := leaves
            before := add(before, shl(12, lt(mload(add(before, 0x1000)), target)))
            before := add(before, shl(11, lt(mload(add(before, 0x800)), target)))
            before := add(before, shl(10, lt(mload(add(before, 0x400)), target)))
            before := add(before, shl(9, lt(mload(add(before, 0x200)), target)))
            before := add(before, shl(8, lt(mload(add(before, 0x100)), target)))
            before := add(before, shl(7, lt(mload(add(before, 0x80)), target)))
            before := add(before, shl(6, lt(mload(add(before, 0x40)), target)))
            before := add(before, shl(5, lt(mload(add(before, 0x20)), target)))
            position := shr(5, sub(before, leaves))
            leaf := mload(add(before, 0x20))
            leaf := mul(leaf, eq(shr(216, leaf), key))
        }
    }

    /// @notice Checks that the block touched every listed leaf, and computes the roots.
    /// @param executed Whether the values of the leaves count afterwards; if not, only the first root means anything.
    function roots(Leaf[] memory leaves, Found memory found, uint256 proofAt, bytes calldata witness, bool executed)
        internal
        pure
        returns (bytes32 rootBefore, bytes32 rootAfter)
    {
        // Bounded: see `Limits`.
        unchecked {
            uint256 count = leaves.length;
            uint256 records = allocate(count);
            for (uint256 i = 0; i < count; ++i) {
                Leaf leaf = leaves[i];
                if (leaf.pointer() == 0) revert IVerifier.UntouchedLeaf(leaf.key());
                bytes32 before = LeafHasher.hashBefore(leaf);
                record(records + i * Tree.RECORD, leaf.key(), before, executed ? LeafHasher.hashAfter(found, leaf) : before);
            }
            uint256 siblings = proofAt + Tree.countParents(records, count);
            return Tree.roots(records, count, proofAt, siblings, Reader.offsetOf(witness) + witness.length);
        }
    }

    /// @dev Room for `count` records, the stop word behind them, and four children.
    function allocate(uint256 count) internal pure returns (uint256 records) {
        bytes memory room = new bytes(count * Tree.RECORD + 0xa0);
        // Plain: the address of the room's first byte, which Solidity does not tell.
        assembly ("memory-safe") {
            records := add(room, 0x20)
        }
    }

    function record(uint256 offset, uint256 key, bytes32 before, bytes32 later) internal pure {
        // Plain: records[i] = Record(key, before, later), as three neighbouring words instead of a struct and a pointer
        // to it.
        assembly ("memory-safe") {
            mstore(offset, key)
            mstore(add(offset, 0x20), before)
            mstore(add(offset, 0x40), later)
        }
    }
}
