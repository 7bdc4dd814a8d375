// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Header} from "../src/types/Header.sol";
import {Found} from "../src/types/Found.sol";
import {Leaf, LeafWord} from "../src/types/Leaf.sol";
import {Eip712} from "../src/libraries/Eip712.sol";
import {LeafDecoder} from "../src/libraries/LeafDecoder.sol";
import {LeafHasher} from "../src/libraries/LeafHasher.sol";
import {Reader} from "../src/libraries/Reader.sol";
import {Signature} from "../src/libraries/Signature.sol";
import {TransactionCodec} from "../src/libraries/TransactionCodec.sol";
import {Tree} from "../src/libraries/Tree.sol";
import {Witness} from "../src/libraries/Witness.sol";
import {Fixed} from "../src/stf/Fixed.sol";

/// @title Opens the verifier's libraries to tests
contract StfLibraries {
    function divFloor(int256 numerator, int256 denominator) external pure returns (int256) {
        return Fixed.divFloor(numerator, denominator);
    }

    function divCeil(int256 numerator, int256 denominator) external pure returns (int256) {
        return Fixed.divCeil(numerator, denominator);
    }

    function clamp(int256 value, int256 bound) external pure returns (int256) {
        return Fixed.clamp(value, bound);
    }

    function hashHeader(Header calldata header) external pure returns (bytes32) {
        return header.hashHeader();
    }

    // Each takes the fields that are signed as they stand on the wire.

    function order(bytes32 separator, bytes calldata fields) external pure returns (bytes32) {
        return Eip712.order(separator, Reader.offsetOf(fields));
    }

    function cancel(bytes32 separator, bytes calldata fields) external pure returns (bytes32) {
        return Eip712.cancel(separator, Reader.offsetOf(fields));
    }

    function withdraw(bytes32 separator, bytes calldata fields) external pure returns (bytes32) {
        return Eip712.withdraw(separator, Reader.offsetOf(fields));
    }

    function transfer(bytes32 separator, bytes calldata fields) external pure returns (bytes32) {
        return Eip712.transfer(separator, Reader.offsetOf(fields));
    }

    function setSigner(bytes32 separator, bytes calldata fields) external pure returns (bytes32) {
        return Eip712.setSigner(separator, Reader.offsetOf(fields));
    }

    function oracle(bytes32 separator, bytes calldata fields) external pure returns (bytes32) {
        return Eip712.oracle(separator, Reader.offsetOf(fields));
    }

    function surface(bytes32 separator, bytes calldata fields) external pure returns (bytes32) {
        return Eip712.surface(separator, Reader.offsetOf(fields));
    }

    function bid(bytes32 separator, bytes calldata fields) external pure returns (bytes32) {
        return Eip712.bid(separator, Reader.offsetOf(fields));
    }

    function consent(
        bytes32 separator,
        bool isMaker,
        uint256 maker,
        uint256 taker,
        bytes calldata legs,
        uint256 nonce,
        uint256 expiry
    ) external pure returns (bytes32) {
        bytes32 hash = Eip712.hashLegs(Reader.offsetOf(legs), legs.length / TransactionCodec.LEG);
        return Eip712.consent(separator, isMaker, maker, taker, hash, nonce, expiry);
    }

    function recover(bytes32 digest, bytes calldata signature) external view returns (uint256, address) {
        return Signature.recover(digest, Reader.offsetOf(signature));
    }

    function transactionLength(bytes calldata data) external pure returns (uint256) {
        uint256 start = Reader.offsetOf(data);
        return TransactionCodec.lengthAt(start, start + data.length);
    }

    /// @return before Hash of the leaf's bytes as they are.
    /// @return later Hash of what decoding and encoding them makes.
    function reencode(uint256 key, bytes calldata value) external pure returns (bytes32 before, bytes32 later) {
        Leaf leaf = LeafWord.create(key, Reader.offsetOf(value), value.length);
        Found memory found;
        before = LeafHasher.hashBefore(leaf);
        later = LeafHasher.hashAfter(found, leaf.touched(LeafDecoder.decode(leaf)));
    }

    /// @notice Roots of a witness whose leaves have the hashes `later` afterwards.
    function roots(bytes calldata witness, bytes32[] calldata later) external pure returns (bytes32, bytes32) {
        (Leaf[] memory leaves, uint256 proofAt) = Witness.open(witness);
        uint256 records = Witness.allocate(leaves.length);
        for (uint256 i = 0; i < leaves.length; ++i) {
            Witness.record(records + i * Tree.RECORD, leaves[i].key(), LeafHasher.hashBefore(leaves[i]), later[i]);
        }
        uint256 siblings = proofAt + Tree.countParents(records, leaves.length);
        return Tree.roots(records, leaves.length, proofAt, siblings, Reader.offsetOf(witness) + witness.length);
    }

    function find(bytes calldata witness, uint256 key) external pure returns (uint256) {
        (Leaf[] memory leaves,) = Witness.open(witness);
        (uint256 position, Leaf leaf) = Witness.find(leaves, key);
        return leaf.isListed() ? position : leaves.length;
    }
}
