// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Reasons} from "../types/Reasons.sol";
import {Keys} from "../types/Keys.sol";

/// @dev How much work the block has done. The limits are what bounds the gas and size of its proof.
struct Meters {
    uint256 transactions;
    uint256 bytes_;
    uint256 accounts;
    uint256 slots;
    uint256 system;
    uint256 leafBytes;
    uint256 recoveries;
    uint256 revaluations;
    uint256 pricings;
}

using Metering for Meters global;

/// @title Counters that are raised before the work they count
/// @dev Twin of `rollup/stf/meters.py`. Each function returns a reason and changes nothing if the limit would be
/// exceeded.
library Metering {
    uint256 internal constant TRANSACTIONS = 32;
    uint256 internal constant BYTES = 8192;
    uint256 internal constant ACCOUNTS = 36;
    uint256 internal constant SLOTS = 36;
    uint256 internal constant SYSTEM = 80;
    uint256 internal constant LEAF_BYTES = 98304;
    // What a leaf's way up the tree adds to them.
    uint256 private constant WAY_OF_ACCOUNT = 1000;
    uint256 private constant WAY_OF_SLOT = 560;
    uint256 private constant WAY_OF_SERIES = 1280;
    uint256 private constant WAY_OF_OTHERS = 480;
    uint256 internal constant RECOVERIES = 96;
    uint256 internal constant REVALUATIONS = 1536;
    uint256 internal constant PRICINGS = 80;

    function countTransaction(Meters memory meters) internal pure returns (uint256) {
        // Bounded: see `Limits`.
        unchecked {
            if (meters.transactions == TRANSACTIONS) return Reasons.METER_TRANSACTIONS;
            meters.transactions += 1;
            return Reasons.NONE;
        }
    }

    function countBytes(Meters memory meters, uint256 length) internal pure returns (uint256) {
        // Bounded: see `Limits`.
        unchecked {
            uint256 raised = meters.bytes_ + length;
            if (raised > BYTES) return Reasons.METER_BYTES;
            meters.bytes_ = raised;
            return Reasons.NONE;
        }
    }

    /// @dev The first read of `key` in the block.
    function countLeaf(Meters memory meters, uint256 key) internal pure returns (uint256) {
        // Bounded: see `Limits`.
        unchecked {
            if (Keys.isSystem(key)) {
                if (meters.system == SYSTEM) return Reasons.METER_SYSTEM;
                meters.system += 1;
            } else if (Keys.isSlot(key)) {
                if (meters.slots == SLOTS) return Reasons.METER_SLOTS;
                meters.slots += 1;
            } else {
                if (meters.accounts == ACCOUNTS) return Reasons.METER_ACCOUNTS;
                meters.accounts += 1;
            }
            return Reasons.NONE;
        }
    }

    /// @dev What the leaf at `key` adds to a proof, roughly: its value of `length` bytes and its way up the tree.
    function countLeafBytes(Meters memory meters, uint256 key, uint256 length) internal pure returns (uint256) {
        // Bounded: see `Limits`.
        unchecked {
            uint256 way = Keys.isSeries(key) ? WAY_OF_SERIES : WAY_OF_OTHERS;
            if (!Keys.isSystem(key)) way = Keys.isSlot(key) ? WAY_OF_SLOT : WAY_OF_ACCOUNT;
            uint256 raised = meters.leafBytes + length + way;
            if (raised > LEAF_BYTES) return Reasons.METER_LEAF_BYTES;
            meters.leafBytes = raised;
            return Reasons.NONE;
        }
    }

    function countRecovery(Meters memory meters) internal pure returns (uint256) {
        // Bounded: see `Limits`.
        unchecked {
            if (meters.recoveries == RECOVERIES) return Reasons.METER_RECOVERIES;
            meters.recoveries += 1;
            return Reasons.NONE;
        }
    }

    function countRevaluations(Meters memory meters, uint256 positions) internal pure returns (uint256) {
        // Bounded: see `Limits`.
        unchecked {
            uint256 raised = meters.revaluations + positions;
            if (raised > REVALUATIONS) return Reasons.METER_REVALUATIONS;
            meters.revaluations = raised;
            return Reasons.NONE;
        }
    }

    function countPricing(Meters memory meters) internal pure returns (uint256) {
        // Bounded: see `Limits`.
        unchecked {
            if (meters.pricings == PRICINGS) return Reasons.METER_PRICINGS;
            meters.pricings += 1;
            return Reasons.NONE;
        }
    }
}
