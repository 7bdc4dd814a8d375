// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVerifier} from "../interfaces/IVerifier.sol";
import {Limits, Sizes} from "../types/Leaves.sol";
import {Leaf} from "../types/Leaf.sol";
import {Keys} from "../types/Keys.sol";
import {Position, Positions} from "../types/Position.sol";
import {Arena} from "./Arena.sol";
import {Fields} from "./Fields.sol";
import {Reader} from "./Reader.sol";

/// @title Leaves from calldata to memory
/// @dev Twin of the `decode` methods in `rollup/types/leaves.py`. Only the length is checked: the bytes are those of a
/// committed state, or the pre-root will not match. Structs are handled by their addresses, so that one table can hold
/// leaves of every kind.
library LeafDecoder {
    uint256 private constant ORACLE_HEAD = 2;
    uint256 private constant ADDRESS = 20;
    /// @dev Where an account keeps its positions, the last of its words.
    uint256 private constant POSITIONS = Sizes.ACCOUNT - 1;

    /// @notice Decodes a leaf into fresh memory; the kind of its key tells the struct that `pointer` leads to.
    function decode(Leaf leaf) internal pure returns (uint256 pointer) {
        uint256 key = leaf.key();
        if (key == Keys.ORACLE_SET) return decodeOracleSet(leaf);
        if (Keys.isAccount(key)) return decodeAccount(leaf);
        (bytes32 fields, uint256 size) = shapeOf(key);
        pointer = Arena.words(size);
        if (leaf.length() != 0) requireEnd(leaf, fill(leaf, fields, pointer));
    }

    /// @notice A zero account with room for all positions.
    function createAccount() internal pure returns (uint256 pointer) {
        // Bounded: see `Limits`.
        unchecked {
            pointer = Arena.words(Sizes.ACCOUNT);
            // An array that is empty, and the words behind it.
            Arena.put(pointer, POSITIONS, Arena.words(1 + Limits.MAX_POSITIONS));
        }
    }

    /// @notice The fields of a leaf that is no account, and how many words its struct has.
    function shapeOf(uint256 key) internal pure returns (bytes32 fields, uint256 size) {
        if (Keys.isSlot(key)) return (Fields.SLOT, Sizes.SLOT);
        if (Keys.isMarket(key)) return (Fields.MARKET, Sizes.MARKET);
        if (Keys.isSeries(key)) return (Fields.SERIES, Sizes.SERIES);
        if (Keys.isUnderlying(key)) return (Fields.UNDERLYING, Sizes.UNDERLYING);
        return (Fields.GLOBALS, Sizes.GLOBALS);
    }

    /// @dev Marks the struct at `pointer` as existing and reads its fields.
    function fill(Leaf leaf, bytes32 fields, uint256 pointer) private pure returns (uint256 end) {
        // Bounded: see `Limits`.
        unchecked {
            Arena.put(pointer, 0, 1);
            return Fields.decode(fields, leaf.offset(), pointer + 0x20);
        }
    }

    function decodeOracleSet(Leaf leaf) private pure returns (uint256 pointer) {
        // Bounded: see `Limits`.
        unchecked {
            uint256 offset = leaf.offset();
            uint256 count = Reader.u8(offset + 1);
            pointer = Arena.words(Sizes.ORACLE_SET);
            Arena.put(pointer, 0, Reader.u8(offset));
            Arena.put(pointer, 1, count);
            Arena.put(pointer, 2, offset + ORACLE_HEAD);
            requireEnd(leaf, offset + ORACLE_HEAD + ADDRESS * count);
        }
    }

    function decodeAccount(Leaf leaf) private pure returns (uint256 pointer) {
        // Bounded: see `Limits`.
        unchecked {
            pointer = createAccount();
            if (leaf.length() == 0) return pointer;
            uint256 offset = fill(leaf, Fields.ACCOUNT, pointer);
            uint256 count = Reader.u8(offset);
            requireEnd(leaf, ++offset + Positions.ENCODED * count);
            if (count > Limits.MAX_POSITIONS) revert IVerifier.MalformedLeaf(leaf.key());
            uint256 positions = Arena.get(pointer, POSITIONS);
            Arena.put(positions, 0, count);
            for (uint256 i = 1; i <= count; ++i) {
                Arena.put(positions, i, Position.unwrap(Positions.decode(Reader.word(offset))));
                offset += Positions.ENCODED;
            }
        }
    }

    /// @dev INVARIANT: a leaf ends where its fields end.
    function requireEnd(Leaf leaf, uint256 end) private pure {
        // Bounded: see `Limits`.
        unchecked {
            if (leaf.offset() + leaf.length() != end) revert IVerifier.MalformedLeaf(leaf.key());
        }
    }
}
