// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Limits, OracleSet} from "../types/Leaves.sol";
import {Reasons} from "../types/Reasons.sol";
import {Reader} from "../libraries/Reader.sol";
import {Signature} from "../libraries/Signature.sol";
import {TransactionCodec} from "../libraries/TransactionCodec.sol";
import {Context} from "./Context.sol";

/// @title What every update of the oracle must pass
/// @dev Twin of `rollup/stf/feeders.py`: newer than the last, not too old, no wild move, signed by k of n.
library Feeders {
    uint256 private constant ADDRESS = 20;
    /// @dev Seconds for which the largest single move is allowed once more.
    uint256 private constant MOVE_PERIOD = 60;

    /// @dev `leeway`: how old a price may be beyond `maxAge`.
    function requireTime(uint256 timestamp, uint256 maxAge, uint256 leeway, uint256 since, uint256 time)
        internal
        pure
        returns (uint256)
    {
        // Bounded: see `Limits`.
        unchecked {
            if (time <= since || time > timestamp) return Reasons.ORACLE_TIME;
            uint256 age = timestamp - time;
            return age > maxAge && age > leeway ? Reasons.ORACLE_STALE : Reasons.NONE;
        }
    }

    function isPrice(int256 price) internal pure returns (bool) {
        return price > 0 && price < Limits.PRICE;
    }

    /// @notice Whether `value` is further than `bound` ppm from `base`.
    function isFar(int256 value, int256 base, int256 bound) internal pure returns (bool) {
        // Bounded: see `Limits`.
        unchecked {
            int256 distance = value < base ? base - value : value - base;
            return distance * Limits.PPM > bound * base;
        }
    }

    /// @notice Whether `value` is further from `base` than `bound` ppm for every minute begun after `since`.
    function isMove(int256 value, int256 base, int256 bound, uint256 since, uint256 time) internal pure returns (bool) {
        // Bounded: see `Limits`.
        unchecked {
            return isFar(value, base, bound * int256(1 + (time - since) / MOVE_PERIOD));
        }
    }

    /// @dev `bitmapAt` leads to the bitmap; the signatures follow it, one per set bit.
    function requireSigners(Context memory ctx, OracleSet memory oracles, bytes32 digest, uint256 bitmapAt)
        internal
        view
        returns (uint256 reason)
    {
        // Bounded: see `Limits`.
        unchecked {
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
}
