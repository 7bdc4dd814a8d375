// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice What L1 keeps of a posted batch; everything else stands in its transaction's calldata.
///
///     slot 0   blocksRoot                                                          256
///     slot 1   stateRoot                                                           256
///     slot 2   batchHash                                                           256
///     slot 3   poster 160 | postedAt 40 | lastNumber 40 | blockCount 16            256
///     slot 4   lastTimestamp 40 | inboxIndex 40 | fork 32                          112
///
/// @param blocksRoot Binary Merkle root of the block hashes, padded with zero leaves to a power of two
/// @param stateRoot State root after the last block
/// @param batchHash Commits to this batch and, through its parent's, to all before it
/// @param poster Who answers for it with its stake
/// @param postedAt L1 time of posting; the dispute window starts here
/// @param lastNumber Number of the last block
/// @param blockCount How many blocks, 1 … 256 (0 in the genesis batch)
/// @param lastTimestamp Timestamp of the last block
/// @param inboxIndex Messages consumed up to and including the last block
/// @param fork How many reversions L1 had seen when the batch was posted
struct Batch {
    bytes32 blocksRoot;
    bytes32 stateRoot;
    bytes32 batchHash;
    address poster;
    uint40 postedAt;
    uint40 lastNumber;
    uint16 blockCount;
    uint40 lastTimestamp;
    uint40 inboxIndex;
    uint32 fork;
}

/// @notice keccak(parentBatchHash ‖ index u40 ‖ fork u32 ‖ blocksRoot ‖ stateRoot ‖ inboxIndex u40).
function hashBatch(bytes32 parentBatchHash, uint40 index, Batch memory batch) pure returns (bytes32) {
    return keccak256(
        abi.encodePacked(parentBatchHash, index, batch.fork, batch.blocksRoot, batch.stateRoot, batch.inboxIndex)
    );
}
