// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Account, Globals, Market, Slot, Underlying} from "../types/Leaves.sol";
import {Found} from "../types/Found.sol";
import {Keys} from "../types/Keys.sol";
import {Leaf} from "../types/Leaf.sol";
import {Position, Positions} from "../types/Position.sol";
import {Reader} from "./Reader.sol";

/// @title Hashes of leaves, before and after the block
/// @dev Twin of the `encode` methods in `rollup/types/leaves.py`. The narrowing casts lose nothing: the rules of the
/// state transition keep every field in its range.
library LeafHasher {
    /// @notice Hash of the value before the block; zero if the leaf was absent.
    function hashBefore(Leaf leaf) internal pure returns (bytes32) {
        return leaf.length() == 0 ? bytes32(0) : Reader.hash(leaf.offset(), leaf.length());
    }

    /// @notice Hash of the value that a touched leaf has now; zero if it is absent.
    /// @dev The oracle set is never written.
    function hashAfter(Found memory found, Leaf leaf) internal pure returns (bytes32) {
        uint256 key = leaf.key();
        uint256 pointer = leaf.pointer();
        if (Keys.isSlot(key)) {
            found.setSlot(pointer);
            return hashSlot(found.slot);
        }
        if (!Keys.isSystem(key)) {
            found.setAccount(pointer);
            return hashAccount(found.account);
        }
        if (Keys.isMarket(key)) {
            found.setMarket(pointer);
            return hashMarket(found.market);
        }
        if (Keys.isUnderlying(key)) {
            found.setUnderlying(pointer);
            return hashUnderlying(found.underlying);
        }
        if (key != Keys.GLOBALS) return hashBefore(leaf);
        found.setGlobals(pointer);
        return hashGlobals(found.globals);
    }

    function hashGlobals(Globals memory globals) private pure returns (bytes32) {
        return keccak256(
            abi.encodePacked(
                uint40(globals.inboxIndex),
                globals.inboxHash,
                uint40(globals.time),
                int64(globals.fees),
                int64(globals.insurance),
                int64(globals.deposits),
                int64(globals.withdrawals),
                uint24(globals.accounts)
            )
        );
    }

    function hashUnderlying(Underlying memory underlying) private pure returns (bytes32) {
        if (!underlying.exists) return bytes32(0);
        return keccak256(
            abi.encodePacked(
                int48(underlying.spot),
                int48(underlying.mark),
                uint40(underlying.time),
                int64(underlying.fundingIndex),
                uint40(underlying.fundingTime),
                int32(underlying.fundingCap),
                int32(underlying.spotStep),
                uint32(underlying.maxAge),
                int32(underlying.maxMove),
                int32(underlying.maxBasis)
            )
        );
    }

    function hashMarket(Market memory market) private pure returns (bytes32) {
        if (!market.exists) return bytes32(0);
        return keccak256(
            abi.encodePacked(
                abi.encodePacked(
                    uint8(market.kind),
                    uint16(market.underlying),
                    uint40(market.expiry),
                    int48(market.strike),
                    int48(market.tick),
                    int48(market.lot)
                ),
                int32(market.takerFee),
                int32(market.makerFee),
                int32(market.band),
                int32(market.contingency),
                int64(market.maxPosition),
                int64(market.maxOpenInterest),
                int64(market.openInterest),
                int64(market.fundingPool)
            )
        );
    }

    function hashSlot(Slot memory slot) private pure returns (bytes32) {
        if (!slot.exists) return bytes32(0);
        return keccak256(
            abi.encodePacked(
                uint64(slot.nonce),
                uint16(slot.market),
                uint8(slot.flags),
                int48(slot.size),
                int48(slot.price),
                uint40(slot.expiry),
                int48(slot.filled)
            )
        );
    }

    function hashAccount(Account memory account) private pure returns (bytes32 digest) {
        if (!account.exists) return bytes32(0);
        Position[] memory positions = account.positions;
        bytes memory head = abi.encodePacked(
            account.owner,
            account.signer,
            int64(account.cash),
            int64(account.withdrawn),
            uint64(account.ownerNonce),
            uint64(account.nonceFloor),
            uint8(positions.length)
        );
        uint256 size = Positions.ENCODED;
        // Plain: keccak256(bytes.concat(head, positions[0][:18], positions[1][:18], …)). Each word is written whole and
        // the next one covers what follows its first 18 bytes, in the free memory behind `head`; 32 nested
        // concatenations would cost some 20,000 gas.
        assembly ("memory-safe") {
            let start := add(head, 0x20)
            let end := add(start, mload(head))
            let limit := add(add(positions, 0x20), mul(mload(positions), 0x20))
            for { let offset := add(positions, 0x20) } lt(offset, limit) { offset := add(offset, 0x20) } {
                mstore(end, mload(offset))
                end := add(end, size)
            }
            digest := keccak256(start, sub(end, start))
        }
    }
}
