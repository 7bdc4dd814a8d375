// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A block's header (SPEC section 5). L1 builds it itself, so every field but `timestamp`, `inboxIndex`,
/// `txsHash` and `stateRoot` is right by construction.
/// @param number Position in the chain; the genesis state is number 0
/// @param fork How many reversions L1 had seen when the block was posted
/// @param parentRoot State root before the block
/// @param timestamp Seconds
/// @param inboxIndex Messages consumed up to and including this block
/// @param inboxHash The inbox's rolling hash at `inboxIndex`
/// @param txsHash keccak of the transactions' bytes
/// @param stateRoot State root after the block, as its poster claims it
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

using {hash} for Header global;

/// @notice keccak of the header's 147 packed bytes.
function hash(Header memory header) pure returns (bytes32) {
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
