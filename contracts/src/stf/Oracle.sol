// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Limits, OracleSet, Underlying} from "../types/Leaves.sol";
import {Reasons} from "../types/Reasons.sol";
import {Eip712} from "../libraries/Eip712.sol";
import {Reader} from "../libraries/Reader.sol";
import {Signature} from "../libraries/Signature.sol";
import {TransactionCodec} from "../libraries/TransactionCodec.sol";
import {Context} from "./Context.sol";
import {Fixed} from "./Fixed.sol";

/// @title A price that k of n feeders have signed
/// @dev Twin of `rollup/stf/oracle.py`. On the wire: underlying u16, time u40, spot u48, mark u48, bitmap of signers
/// u8, signatures.
library Oracle {
    uint256 private constant ADDRESS = 20;

    /// @dev Seconds for which the largest single move is allowed once more.
    uint256 private constant MOVE_PERIOD = 60;

    function execute(Context memory ctx, uint256 offset) internal view returns (uint256 reason) {
        uint256 id = Reader.u16(offset + 1);
        uint256 time = Reader.u40(offset + 3);
        int256 spot = Reader.quantity(offset + 8);
        int256 mark = Reader.quantity(offset + 14);
        reason = ctx.loadOracles();
        if (reason != Reasons.NONE) return reason;
        (reason,) = ctx.loadUnderlying(id);
        if (reason != Reasons.NONE) return reason;
        Underlying memory underlying = ctx.found.underlying;
        reason = requireTime(underlying, time, ctx.timestamp);
        if (reason != Reasons.NONE) return reason;
        reason = requirePrices(underlying, time, spot, mark);
        if (reason != Reasons.NONE) return reason;
        bytes32 digest = Eip712.oracle(ctx.separator, id, time, spot, mark);
        reason = requireSigners(ctx, ctx.found.oracles, digest, offset + 20);
        if (reason != Reasons.NONE) return reason;
        underlying.spot = spot;
        underlying.mark = mark;
        underlying.time = time;
    }

    function requireTime(Underlying memory underlying, uint256 time, uint256 timestamp) private pure returns (uint256) {
        if (time <= underlying.time || time > timestamp) return Reasons.ORACLE_TIME;
        return timestamp - time > underlying.maxAge ? Reasons.ORACLE_STALE : Reasons.NONE;
    }

    function requirePrices(Underlying memory underlying, uint256 time, int256 spot, int256 mark)
        private
        pure
        returns (uint256)
    {
        if (spot == 0 || spot >= Limits.PRICE || mark == 0 || mark >= Limits.PRICE) return Reasons.ORACLE_PRICE;
        if (Fixed.abs(mark - spot) * Limits.PPM > underlying.maxBasis * spot) return Reasons.ORACLE_PRICE;
        if (underlying.time > 0) {
            int256 moves = int256(1 + (time - underlying.time) / MOVE_PERIOD);
            int256 move = Fixed.abs(spot - underlying.spot) * Limits.PPM;
            if (move > underlying.maxMove * moves * underlying.spot) return Reasons.ORACLE_MOVE;
        }
        return Reasons.NONE;
    }

    /// @dev `bitmapAt` leads to the bitmap; the signatures follow it, one per set bit.
    function requireSigners(Context memory ctx, OracleSet memory oracles, bytes32 digest, uint256 bitmapAt)
        private
        view
        returns (uint256 reason)
    {
        uint256 bitmap = Reader.u8(bitmapAt);
        if (bitmap >> oracles.count != 0) return Reasons.ORACLE_SIGNERS;
        if (TransactionCodec.countBits(bitmap) < oracles.threshold) return Reasons.ORACLE_SIGNERS;
        uint256 offset = bitmapAt + 1;
        for (uint256 i = 0; i < oracles.count; ++i) {
            if (bitmap >> i & 1 == 0) continue;
            reason = ctx.meters.countRecovery();
            if (reason != Reasons.NONE) return reason;
            address signer;
            (reason, signer) = Signature.recover(digest, offset);
            if (reason != Reasons.NONE) return reason;
            if (signer != Reader.addr(oracles.feedersAt + ADDRESS * i)) return Reasons.SIGNATURE_INVALID;
            offset += Signature.LENGTH;
        }
    }
}
