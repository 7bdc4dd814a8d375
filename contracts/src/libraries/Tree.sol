// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVerifier} from "../interfaces/IVerifier.sol";

/// @title Roots of the sparse 4-ary Merkle tree, before and after, in one pass
/// @dev Twin of `rollup/crypto/witness.py`. A *record* is three words in memory: index ‖ hash before ‖ hash after.
/// Records start as the listed leaves, ascending; each level replaces them, in place, by their parents, until only the
/// root is left.
library Tree {
    uint256 internal constant RECORD = 0x60;
    uint256 private constant DEPTH = 20;

    /// @notice The number of distinct parents above ascending `records`, over all levels: one mask byte each.
    /// @dev Neighbours whose keys first differ in base-4 digit p, counted from the lowest, have separate parents on p
    /// levels.
    function countParents(uint256 records, uint256 count) internal pure returns (uint256 parents) {
        parents = DEPTH;
        // Plain: parents += log2(key[i] ^ key[i + 1]) / 2 over the neighbours; Solidity has no log2, and the loop over
        // digits is five times dearer.
        assembly ("memory-safe") {
            let last := add(records, mul(sub(count, 1), RECORD))
            for {} lt(records, last) {} {
                let difference := mload(records)
                records := add(records, RECORD)
                difference := xor(difference, mload(records))
                let bits := shl(5, lt(0xffffffff, difference))
                bits := or(bits, shl(4, lt(0xffff, shr(bits, difference))))
                bits := or(bits, shl(3, lt(0xff, shr(bits, difference))))
                bits := or(bits, shl(2, lt(0xf, shr(bits, difference))))
                bits := or(bits, shl(1, lt(0x3, shr(bits, difference))))
                parents := add(parents, shr(1, bits))
            }
        }
    }

    /// @notice Folds `count` records at `records`, which it overwrites, into the roots.
    /// @param masks Calldata offset of the mask bytes.
    /// @param siblings Calldata offset of the sibling words, which must reach `end` exactly.
    function roots(uint256 records, uint256 count, uint256 masks, uint256 siblings, uint256 end)
        internal
        pure
        returns (bytes32 rootBefore, bytes32 rootAfter)
    {
        bool faulty;
        // Plain: for each level and each parent, children = listed records or the next sibling where the mask says so;
        // parent = keccak(children) or zero. In assembly a parent costs about 350 gas, in plain Solidity about 2,500,
        // and a full block has over 2,000 of them. Memory-safe: it writes only the records, the word behind them, and
        // the four words after that, all past or above the free pointer.
        assembly ("memory-safe") {
            let limit := add(records, mul(count, RECORD))
            let children := add(limit, 0x20)
            for { let level := DEPTH } level { level := sub(level, 1) } {
                let reading := records
                let writing := records
                // No index has this parent, so a group of children ends here too.
                mstore(limit, not(0))
                for {} lt(reading, limit) {} {
                    let parent := shr(2, mload(reading))
                    let mask := byte(0, calldataload(masks))
                    masks := add(masks, 1)
                    faulty := or(faulty, gt(mask, 15))
                    // Reading past the end of calldata clears the four children.
                    calldatacopy(children, calldatasize(), 0x80)
                    if and(mask, 1) {
                        let sibling := calldataload(siblings)
                        faulty := or(faulty, iszero(sibling))
                        mstore(children, sibling)
                        siblings := add(siblings, 0x20)
                    }
                    if and(mask, 2) {
                        let sibling := calldataload(siblings)
                        faulty := or(faulty, iszero(sibling))
                        mstore(add(children, 0x20), sibling)
                        siblings := add(siblings, 0x20)
                    }
                    if and(mask, 4) {
                        let sibling := calldataload(siblings)
                        faulty := or(faulty, iszero(sibling))
                        mstore(add(children, 0x40), sibling)
                        siblings := add(siblings, 0x20)
                    }
                    if and(mask, 8) {
                        let sibling := calldataload(siblings)
                        faulty := or(faulty, iszero(sibling))
                        mstore(add(children, 0x60), sibling)
                        siblings := add(siblings, 0x20)
                    }
                    let first := reading
                    let present := mask
                    let changed := 0
                    for {} 1 {} {
                        let child := and(mload(reading), 3)
                        let hash := mload(add(reading, 0x20))
                        faulty := or(faulty, and(shr(child, mask), 1))
                        mstore(add(children, shl(5, child)), hash)
                        present := or(present, hash)
                        changed := or(changed, xor(hash, mload(add(reading, 0x40))))
                        reading := add(reading, RECORD)
                        if xor(shr(2, mload(reading)), parent) { break }
                    }
                    let before := 0
                    if present { before := keccak256(children, 0x80) }
                    let later := before
                    if changed {
                        // Leaves are never deleted, so a parent that changes is not empty afterwards.
                        for {} lt(first, reading) { first := add(first, RECORD) } {
                            mstore(add(children, shl(5, and(mload(first), 3))), mload(add(first, 0x40)))
                        }
                        later := keccak256(children, 0x80)
                    }
                    mstore(writing, parent)
                    mstore(add(writing, 0x20), before)
                    mstore(add(writing, 0x40), later)
                    writing := add(writing, RECORD)
                }
                limit := writing
            }
            rootBefore := mload(add(records, 0x20))
            rootAfter := mload(add(records, 0x40))
        }
        if (faulty || siblings != end) revert IVerifier.MalformedWitness();
    }
}
