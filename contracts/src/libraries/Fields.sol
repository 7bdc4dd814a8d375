// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Records of fixed-width fields, read and written by a table of widths
/// @dev A table is one byte per field, the first one highest: its width in bytes (1 … 32), plus SIGNED where it is two's
/// complement; a zero byte ends it. In memory each field is one word. Spelling the fields out in Solidity is some 40 gas a
/// field cheaper, but the verifier's records alone would then take 5 kB of its 24 kB of code.
library Fields {
    bytes32 internal constant GLOBALS = hex"0520050808080803080304";
    bytes32 internal constant UNDERLYING = hex"06060588050605050404040404040404040404040404";
    bytes32 internal constant SERIES = hex"050506860684860604060c04";
    bytes32 internal constant MARKET = hex"010202060506060404040408080888";
    bytes32 internal constant ACCOUNT = hex"1414880808080105";
    bytes32 internal constant SLOT = hex"08020106060506";

    /// @notice How many fields a table has.
    function count(bytes32 table) internal pure returns (uint256 fields) {
        // Bounded: see `Limits`.
        unchecked {
            for (; table != 0; table <<= 8) ++fields;
        }
    }

    /// @notice Reads the fields at calldata offset `offset` into the words at `to`.
    /// @return end Where the record ends.
    function decode(bytes32 table, uint256 offset, uint256 to) internal pure returns (uint256 end) {
        // Plain: for each byte of table: to[i] = int or uint of so many bytes of msg.data; Solidity cannot write to a
        // struct by number.
        assembly ("memory-safe") {
            for {} table { table := shl(8, table) } {
                let field := byte(0, table)
                let width := and(field, 0x3f)
                let value := shr(sub(256, shl(3, width)), calldataload(offset))
                if gt(field, 0x7f) { value := signextend(sub(width, 1), value) }
                mstore(to, value)
                to := add(to, 0x20)
                offset := add(offset, width)
            }
            end := offset
        }
    }

    /// @notice Writes the words at `from` as fields to the memory at `to`, and up to 31 bytes of rubbish behind them.
    /// @dev Narrowing loses nothing: the rules of the state transition keep every field in its range.
    /// @return end Where the record ends.
    function encode(bytes32 table, uint256 from, uint256 to) internal pure returns (uint256 end) {
        // Plain: the inverse of decode.
        assembly ("memory-safe") {
            for {} table { table := shl(8, table) } {
                let width := and(byte(0, table), 0x3f)
                mstore(to, shl(sub(256, shl(3, width)), mload(from)))
                from := add(from, 0x20)
                to := add(to, width)
            }
            end := to
        }
    }
}
