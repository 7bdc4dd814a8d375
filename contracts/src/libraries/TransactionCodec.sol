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

    // Lengths before the parts that vary.
    uint256 internal constant TRADE_HEAD = 8;
    uint256 internal constant ORACLE_HEAD = 21;
    uint256 internal constant CANCEL_LENGTH = 13 + Signature.LENGTH;
    uint256 internal constant WITHDRAW_LENGTH = 20 + Signature.LENGTH;
    uint256 internal constant TRANSFER_LENGTH = 23 + Signature.LENGTH;
    uint256 internal constant SET_SIGNER_LENGTH = 32 + Signature.LENGTH;

    uint256 internal constant FRESH_ORDER = 31 + Signature.LENGTH;
    uint256 internal constant REFERENCE = 5;
    uint256 internal constant MAKER_FRESH = 1;
    uint256 internal constant TAKER_FRESH = 2;
    uint256 private constant MAX_MODE = 3;
    uint256 private constant MAX_FLAGS = 15;

    /// @notice Length of the transaction at `offset`; 0 if the bytes up to `end` do not begin with one.
    function lengthAt(uint256 offset, uint256 end) internal pure returns (uint256 length) {
        if (offset >= end) return 0;
        uint256 kind = Reader.u8(offset);
        if (kind == TRADE) length = TRADE_HEAD + ordersLength(Reader.u8(offset + 1));
        else if (kind == CANCEL) length = CANCEL_LENGTH;
        else if (kind == WITHDRAW) length = WITHDRAW_LENGTH;
        else if (kind == TRANSFER) length = TRANSFER_LENGTH;
        else if (kind == SET_SIGNER) length = SET_SIGNER_LENGTH;
        else if (kind == ORACLE_UPDATE) length = ORACLE_HEAD + Signature.LENGTH * countBits(Reader.u8(offset + 20));
        // Fields beyond `end` may be anything, but then the length is too large as well.
        if (length > end - offset) return 0;
        if (kind == TRADE && !isTrade(offset)) return 0;
        if (kind == CANCEL && Reader.u8(offset + 4) > 1) return 0;
    }

    function ordersLength(uint256 mode) private pure returns (uint256) {
        return orderLength(mode & MAKER_FRESH != 0) + orderLength(mode & TAKER_FRESH != 0);
    }

    function orderLength(bool fresh) internal pure returns (uint256) {
        return fresh ? FRESH_ORDER : REFERENCE;
    }

    /// @dev Whether no undefined bits are set in a trade that is long enough.
    function isTrade(uint256 offset) private pure returns (bool) {
        uint256 mode = Reader.u8(offset + 1);
        bool makerFresh = mode & MAKER_FRESH != 0;
        uint256 maker = offset + TRADE_HEAD;
        return mode <= MAX_MODE && isOrder(maker, makerFresh)
            && isOrder(maker + orderLength(makerFresh), mode & TAKER_FRESH != 0);
    }

    function isOrder(uint256 offset, bool fresh) private pure returns (bool) {
        return fresh ? Reader.u8(offset + 5) <= MAX_FLAGS : Reader.u16(offset + 3) < Keys.SLOTS;
    }

    function countBits(uint256 bitmap) internal pure returns (uint256 bits) {
        for (; bitmap != 0; bitmap &= bitmap - 1) ++bits;
    }
}
