// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVerifier} from "../interfaces/IVerifier.sol";
import {Found} from "../types/Found.sol";
import {Leaf, LeafWord} from "../types/Leaf.sol";
import {LeafHasher} from "./LeafHasher.sol";
import {Reader} from "./Reader.sol";
import {Tree} from "./Tree.sol";

/// @title The leaves that a block touches, and their proof
/// @dev Twin of `rollup/crypto/witness.py`: `n u16 ‖ n × (key u40 ‖ length u16 ‖ value) ‖ masks ‖ siblings`.
library Witness {
    uint256 private constant ENTRY_HEAD = 7;

    /// @notice Reads the table of leaves.
    /// @return leaves One word per listed leaf, keys strictly ascending.
    /// @return proofAt Calldata offset of the masks.
    function open(bytes calldata witness) internal pure returns (Leaf[] memory leaves, uint256 proofAt) {
        uint256 offset = Reader.offsetOf(witness);
        uint256 end = offset + witness.length;
        if (witness.length < 2) revert IVerifier.MalformedWitness();
        uint256 count = Reader.u16(offset);
        offset += 2;
        // Each leaf takes its head at least, so this bounds the table by the witness.
        if (count * ENTRY_HEAD > end - offset) revert IVerifier.MalformedWitness();
        leaves = new Leaf[](count);
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
    }

    /// @notice Where `key` stands in the table; `leaves.length` if it is not listed.
    function find(Leaf[] memory leaves, uint256 key) internal pure returns (uint256 position) {
        // Plain: a binary search for the first leaf with leaf.key() >= key. Without Solidity's bounds checks a step costs 60 gas instead of 150.
        assembly ("memory-safe") {
            let count := mload(leaves)
            let high := count
            for {} lt(position, high) {} {
                let middle := shr(1, add(position, high))
                switch lt(shr(216, mload(add(add(leaves, 0x20), shl(5, middle)))), key)
                case 1 { position := add(middle, 1) }
                default { high := middle }
            }
            // At `count` this reads the word behind the table, which the next comparison ignores.
            if xor(shr(216, mload(add(add(leaves, 0x20), shl(5, position)))), key) { position := count }
        }
    }

    /// @notice Checks that the block touched every listed leaf, and computes the roots.
    /// @param executed Whether the values of the leaves count afterwards; if not, only the first root means anything.
    function roots(Leaf[] memory leaves, Found memory found, uint256 proofAt, bytes calldata witness, bool executed)
        internal
        pure
        returns (bytes32 rootBefore, bytes32 rootAfter)
    {
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

    /// @dev Room for `count` records, the stop word behind them, and four children.
    function allocate(uint256 count) internal pure returns (uint256 records) {
        bytes memory room = new bytes(count * Tree.RECORD + 0xa0);
        // Plain: the address of the room's first byte, which Solidity does not tell.
        assembly ("memory-safe") {
            records := add(room, 0x20)
        }
    }

    function record(uint256 offset, uint256 key, bytes32 before, bytes32 later) internal pure {
        // Plain: records[i] = Record(key, before, later), as three neighbouring words instead of a struct and a pointer to it.
        assembly ("memory-safe") {
            mstore(offset, key)
            mstore(add(offset, 0x20), before)
            mstore(add(offset, 0x40), later)
        }
    }
}
