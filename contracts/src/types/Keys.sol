// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Keys of the state tree
/// @dev Twin of `rollup/types/keys.py`. 40 bits: kind (2) ‖ index (38).
library Keys {
    uint256 internal constant GLOBALS = 0;
    uint256 internal constant ORACLE_SET = 1;

    /// @dev The number of slots of an account; the low bits of an order's nonce choose one.
    uint256 internal constant SLOTS = 8192;

    function underlying(uint256 id) internal pure returns (uint256) {
        return 1 << 32 | id;
    }

    function series(uint256 underlyingId, uint256 id) internal pure returns (uint256) {
        return 2 << 32 | underlyingId << 16 | id;
    }

    function market(uint256 id) internal pure returns (uint256) {
        return 3 << 32 | id;
    }

    function account(uint256 id) internal pure returns (uint256) {
        return 1 << 38 | id << 14;
    }

    function slot(uint256 id, uint256 nonce) internal pure returns (uint256) {
        // Bounded: see `Limits`.
        unchecked {
            return 1 << 38 | id << 14 | SLOTS | (nonce & (SLOTS - 1));
        }
    }

    function isSystem(uint256 key) internal pure returns (bool) {
        return key >> 38 == 0;
    }

    function isAccount(uint256 key) internal pure returns (bool) {
        return key >> 38 == 1 && key & SLOTS == 0;
    }

    function isSlot(uint256 key) internal pure returns (bool) {
        return key >> 38 == 1 && key & SLOTS != 0;
    }

    function isMarket(uint256 key) internal pure returns (bool) {
        return key >> 32 == 3;
    }

    function isSeries(uint256 key) internal pure returns (bool) {
        return key >> 32 == 2;
    }

    function isUnderlying(uint256 key) internal pure returns (bool) {
        return key >> 32 == 1;
    }
}
