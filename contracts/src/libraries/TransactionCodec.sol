// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Keys} from "../types/Keys.sol";
import {Reader} from "./Reader.sol";
import {Signature} from "./Signature.sol";

/// @title Where a transaction ends, and whether its bytes are one at all
/// @dev Twin of `rollup/types/transactions.py`. A transaction is checked whole here; what executes it then reads its
/// fields in place.
library TransactionCodec {
    uint256 internal constant TRADE = 1;
    uint256 internal constant CANCEL = 2;
    uint256 internal constant WITHDRAW = 3;
    uint256 internal constant TRANSFER = 4;
    uint256 internal constant SET_SIGNER = 5;
    uint256 internal constant ORACLE_UPDATE = 6;
    uint256 internal constant SETTLE = 7;
    uint256 internal constant LIQUIDATE = 8;
    uint256 internal constant DELEVERAGE = 9;
    uint256 internal constant COMBO_TRADE = 10;
    uint256 internal constant SURFACE_UPDATE = 11;

    /// @dev Length by type, before the parts that vary: one byte each, that of type 0 first.
    bytes32 private constant LENGTHS = hex"00084d54576015040510a231";
    uint256 internal constant TRADE_HEAD = 8;
    uint256 internal constant ORACLE_HEAD = 21;
    uint256 internal constant SURFACE_HEAD = 49;
    uint256 internal constant COMBO_HEAD = 8;
    // In mode 1 of these types.
    uint256 private constant BID_LENGTH = 33 + Signature.LENGTH;
    uint256 private constant WRITE_OFF_LENGTH = 5;

    uint256 internal constant FRESH_ORDER = 31 + Signature.LENGTH;
    uint256 internal constant REFERENCE = 5;
    uint256 internal constant MAKER_FRESH = 1;
    uint256 internal constant TAKER_FRESH = 2;
    uint256 private constant MAX_MODE = 3;
    uint256 private constant MAX_FLAGS = 15;

    uint256 internal constant LEG = 15;
    /// @dev What one party adds to a combo: nonce, expiry, signature.
    uint256 internal constant CONSENT = 13 + Signature.LENGTH;
    uint256 private constant MAX_LEGS = 4;

    /// @notice Length of the transaction at `offset`; 0 if the bytes up to `end` do not begin with one.
    function lengthAt(uint256 offset, uint256 end) internal pure returns (uint256 length) {
        // Bounded: see `Limits`.
        unchecked {
            if (offset >= end) return 0;
            uint256 kind = Reader.u8(offset);
            if (kind > SURFACE_UPDATE) return 0;
            length = uint8(LENGTHS[kind]);
            // What most kinds say first: a mode, or a flag. Fields beyond `end` may be anything, but then the length is too large
            // as well.
            uint256 mode = Reader.u8(offset + 1);
            if (kind == TRADE) length += ordersLength(mode);
            else if (isFeed(kind)) length += Signature.LENGTH * countBits(Reader.u8(offset + length - 1));
            else if (kind == COMBO_TRADE) length += LEG * Reader.u8(offset + 7);
            else if (kind == LIQUIDATE && mode != 0) length = BID_LENGTH;
            else if (kind == DELEVERAGE && mode != 0) length = WRITE_OFF_LENGTH;
            if (length > end - offset || !isDefined(kind, mode, offset)) return 0;
        }
    }

    /// @dev Whether no undefined modes or flags are set in a transaction that is long enough.
    function isDefined(uint256 kind, uint256 mode, uint256 offset) private pure returns (bool) {
        // Bounded: see `Limits`.
        unchecked {
            if (kind == TRADE) return isTrade(mode, offset);
            if (kind == CANCEL) return Reader.u8(offset + 4) <= 1;
            if (kind == LIQUIDATE || kind == DELEVERAGE) return mode <= 1;
            return kind != COMBO_TRADE || isCombo(offset);
        }
    }

    /// @notice Whether only the feeders' signatures, never L1, can carry such a transaction.
    function isFeed(uint256 kind) internal pure returns (bool) {
        return kind == ORACLE_UPDATE || kind == SURFACE_UPDATE;
    }

    function ordersLength(uint256 mode) private pure returns (uint256) {
        // Bounded: see `Limits`.
        unchecked {
            return orderLength(mode & MAKER_FRESH != 0) + orderLength(mode & TAKER_FRESH != 0);
        }
    }

    function orderLength(bool fresh) internal pure returns (uint256) {
        return fresh ? FRESH_ORDER : REFERENCE;
    }

    function isTrade(uint256 mode, uint256 offset) private pure returns (bool) {
        // Bounded: see `Limits`.
        unchecked {
            bool makerFresh = mode & MAKER_FRESH != 0;
            uint256 maker = offset + TRADE_HEAD;
            return mode <= MAX_MODE && isOrder(maker, makerFresh)
                && isOrder(maker + orderLength(makerFresh), mode & TAKER_FRESH != 0);
        }
    }

    function isOrder(uint256 offset, bool fresh) private pure returns (bool) {
        // Bounded: see `Limits`.
        unchecked {
            return fresh ? Reader.u8(offset + 5) <= MAX_FLAGS : Reader.u16(offset + 3) < Keys.SLOTS;
        }
    }

    /// @dev Whether there are 1 … 4 legs, without undefined bits.
    function isCombo(uint256 offset) private pure returns (bool) {
        // Bounded: see `Limits`.
        unchecked {
            uint256 legs = Reader.u8(offset + 7);
            if (legs == 0 || legs > MAX_LEGS) return false;
            for (uint256 i = 0; i < legs; ++i) {
                if (Reader.u8(offset + COMBO_HEAD + LEG * i + 2) > 1) return false;
            }
            return true;
        }
    }

    function countBits(uint256 bitmap) internal pure returns (uint256 bits) {
        // Bounded: see `Limits`.
        unchecked {
            for (; bitmap != 0; bitmap &= bitmap - 1) ++bits;
        }
    }
}
