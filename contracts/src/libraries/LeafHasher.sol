// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Found} from "../types/Found.sol";
import {Keys} from "../types/Keys.sol";
import {Leaf} from "../types/Leaf.sol";
import {Position, Positions} from "../types/Position.sol";
import {Arena} from "./Arena.sol";
import {Fields} from "./Fields.sol";
import {LeafDecoder} from "./LeafDecoder.sol";
import {Reader} from "./Reader.sol";

/// @title Hashes of leaves, before and after the block
/// @dev Twin of the `encode` methods in `rollup/types/leaves.py`.
library LeafHasher {
    /// @notice Hash of the value before the block; zero if the leaf was absent.
    function hashBefore(Leaf leaf) internal pure returns (bytes32) {
        return leaf.length() == 0 ? bytes32(0) : Reader.hash(leaf.offset(), leaf.length());
    }

    /// @notice Hash of the value that a touched leaf has now; zero if it is absent.
    /// @dev The oracle set is never written.
    function hashAfter(Found memory found, Leaf leaf) internal pure returns (bytes32) {
        // Bounded: see `Limits`.
        unchecked {
            uint256 key = leaf.key();
            uint256 pointer = leaf.pointer();
            if (key == Keys.ORACLE_SET) return hashBefore(leaf);
            // `exists` is the first word of each struct.
            if (Arena.get(pointer, 0) == 0) return bytes32(0);
            bool isAccount = Keys.isAccount(key);
            bytes32 fields = Fields.ACCOUNT;
            if (!isAccount) (fields,) = LeafDecoder.shapeOf(key);
            // Never handed out: the encoding is only hashed.
            uint256 start = Arena.free();
            uint256 end = Fields.encode(fields, pointer + 0x20, start);
            if (isAccount) {
                found.setAccount(pointer);
                end = encodePositions(found.account.positions, end);
            }
            return Arena.hash(start, end);
        }
    }

    /// @dev Writes their number and the positions to free memory at `offset`.
    function encodePositions(Position[] memory positions, uint256 offset) private pure returns (uint256 end) {
        uint256 size = Positions.ENCODED;
        // Plain: bytes.concat(bytes1(count), positions[0][:18], positions[1][:18], …). Each word is written whole and the
        // next one covers what follows its first 18 bytes; 32 nested concatenations would cost some 20,000 gas.
        assembly ("memory-safe") {
            mstore8(offset, mload(positions))
            end := add(offset, 1)
            let limit := add(add(positions, 0x20), shl(5, mload(positions)))
            for { let at := add(positions, 0x20) } lt(at, limit) { at := add(at, 0x20) } {
                mstore(end, mload(at))
                end := add(end, size)
            }
        }
    }
}
