// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A block header as L1 builds it from the calldata, its own inbox and the chain of roots.
/// @dev The roots are of the state before and after the block; the inbox position is the one after it.
struct Header {
    uint40 number;
    uint32 fork;
    bytes32 parentRoot;
    uint40 timestamp;
    uint40 inboxIndex;
    bytes32 inboxHash;
    bytes32 txsHash;
    bytes32 stateRoot;
}

using Headers for Header global;

/// @title What identifies a block
library Headers {
    /// @notice Hash of the packed header (147 bytes): what sequencers sign and batches commit to.
    function hashHeader(Header memory header) internal pure returns (bytes32) {
        return keccak256(
            abi.encodePacked(
                header.number,
                header.fork,
                header.parentRoot,
                header.timestamp,
                header.inboxIndex,
                header.inboxHash,
                header.txsHash,
                header.stateRoot
            )
        );
    }
}
