// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Account, Globals, Market, OracleSet, Series, Slot, Underlying} from "./Leaves.sol";

/// @notice The leaf of each kind that was looked up last.
/// @dev Loaders return a reason, and leave what they found here. A function that returned the struct would allocate and
/// clear a fresh one at every call, some 300 gas and up to half a kilobyte, only to throw it away.
struct Found {
    Account account;
    Slot slot;
    Market market;
    Underlying underlying;
    OracleSet oracles;
    Globals globals;
    Series series;
}

using Finding for Found global;

/// @title Turns the untyped pointers of the leaf table into references
library Finding {
    // Plain, in each of these: found.field = the struct at `pointer`. The offsets follow the order of the fields above.

    function setAccount(Found memory found, uint256 pointer) internal pure {
        assembly ("memory-safe") {
            mstore(found, pointer)
        }
    }

    function setSlot(Found memory found, uint256 pointer) internal pure {
        assembly ("memory-safe") {
            mstore(add(found, 0x20), pointer)
        }
    }

    function setMarket(Found memory found, uint256 pointer) internal pure {
        assembly ("memory-safe") {
            mstore(add(found, 0x40), pointer)
        }
    }

    function setUnderlying(Found memory found, uint256 pointer) internal pure {
        assembly ("memory-safe") {
            mstore(add(found, 0x60), pointer)
        }
    }

    function setOracles(Found memory found, uint256 pointer) internal pure {
        assembly ("memory-safe") {
            mstore(add(found, 0x80), pointer)
        }
    }

    function setGlobals(Found memory found, uint256 pointer) internal pure {
        assembly ("memory-safe") {
            mstore(add(found, 0xa0), pointer)
        }
    }

    function setSeries(Found memory found, uint256 pointer) internal pure {
        assembly ("memory-safe") {
            mstore(add(found, 0xc0), pointer)
        }
    }
}
