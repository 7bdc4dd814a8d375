// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Big-endian fields of calldata at an absolute offset
/// @dev Bounds are checked once per record by the caller. Reading a `bytes calldata` element by element would check
/// each byte and cost about ten times as much.
library Reader {
    function word(uint256 offset) internal pure returns (uint256 value) {
        // Plain: uint256(bytes32(msg.data[at:at + 32])), zero beyond the end.
        assembly ("memory-safe") {
            value := calldataload(offset)
        }
    }

    function offsetOf(bytes calldata data) internal pure returns (uint256 offset) {
        // No plain form: Solidity hides where a calldata slice begins.
        assembly ("memory-safe") {
            offset := data.offset
        }
    }

    /// @dev Hash of `length` bytes at `offset`.
    function hash(uint256 offset, uint256 length) internal pure returns (bytes32 digest) {
        // Plain: keccak256(msg.data[at:at + length]), without keeping the copy in memory.
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, offset, length)
            digest := keccak256(free, length)
        }
    }

    function u8(uint256 offset) internal pure returns (uint256) {
        return word(offset) >> 248;
    }

    function u16(uint256 offset) internal pure returns (uint256) {
        return word(offset) >> 240;
    }

    function u24(uint256 offset) internal pure returns (uint256) {
        return word(offset) >> 232;
    }

    function u32(uint256 offset) internal pure returns (uint256) {
        return word(offset) >> 224;
    }

    function u40(uint256 offset) internal pure returns (uint256) {
        return word(offset) >> 216;
    }

    function u64(uint256 offset) internal pure returns (uint256) {
        return word(offset) >> 192;
    }

    function addr(uint256 offset) internal pure returns (address) {
        return address(uint160(word(offset) >> 96));
    }

    /// @dev u32 as a signed number: a rate.
    function rate(uint256 offset) internal pure returns (int256) {
        return int256(u32(offset));
    }

    /// @dev u48 as a signed number: a price or a size.
    function quantity(uint256 offset) internal pure returns (int256) {
        return int256(word(offset) >> 208);
    }

    /// @dev u64 as a signed number: an amount or a total.
    function amount(uint256 offset) internal pure returns (int256) {
        return int256(u64(offset));
    }

    function i64(uint256 offset) internal pure returns (int256) {
        return int64(uint64(u64(offset)));
    }
}
