// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IInbox} from "../interfaces/IInbox.sol";
import {IRollup} from "../interfaces/IRollup.sol";
import {BinaryMerkle} from "../libraries/BinaryMerkle.sol";
import {Reader} from "../libraries/Reader.sol";
import {Batch} from "../types/Batch.sol";
import {Header} from "../types/Header.sol";

/// @title Reads the calldata of a batch and builds its block headers
/// @dev Each block is `timestamp u40 ‖ inbox_count u8 ‖ txs_length u16 ‖ state_root 32 ‖ txs`. What the poster does not choose comes from L1: the
/// number, the fork, the parent root and the inbox's hash.
library Blocks {
    uint256 private constant MAX_BLOCKS = 256;
    /// @dev What no valid block exceeds; refused here, so that a proof need not carry more.
    uint256 private constant MAX_MESSAGES = 32;
    uint256 private constant MAX_TXS_LENGTH = 8192;
    /// @dev Bytes before a block's transactions.
    uint256 private constant HEAD = 40;

    /// @dev What the bytes of a batch say.
    /// @param batch What L1 keeps, but for batchHash, poster and postedAt
    /// @param inboxHash The inbox's rolling hash after the last block
    /// @param firstTimestamp Timestamp of the first block
    /// @param crowded Whether it has as many blocks as a batch can have, and each of them takes messages
    struct Reading {
        Batch batch;
        bytes32 inboxHash;
        uint40 firstTimestamp;
        bool crowded;
    }

    /// @dev Folds `blocks` onto `parent`.
    function read(Batch memory parent, uint32 fork, bytes calldata blocks, IInbox inbox)
        internal
        view
        returns (Reading memory reading)
    {
        uint256 available = inbox.count();
        bytes32[] memory hashes = new bytes32[](MAX_BLOCKS);
        Header memory header = _start(parent, fork, inbox);
        uint256 position = 0;
        reading.crowded = true;
        for (uint256 offset = 0; offset < blocks.length; ++position) {
            if (position == MAX_BLOCKS) revert IRollup.BlockCount(position + 1);
            uint256 index = header.inboxIndex;
            offset = _advance(header, blocks, offset, position, available, inbox);
            hashes[position] = header.hashHeader();
            if (position == 0) reading.firstTimestamp = header.timestamp;
            if (header.inboxIndex == index) reading.crowded = false;
        }
        if (position == 0) revert IRollup.BlockCount(0);
        if (position != MAX_BLOCKS) reading.crowded = false;
        reading.inboxHash = header.inboxHash;
        Batch memory batch = reading.batch;
        batch.blocksRoot = BinaryMerkle.rootOf(hashes, position);
        batch.stateRoot = header.stateRoot;
        batch.lastNumber = header.number;
        batch.blockCount = uint16(position);
        batch.lastTimestamp = header.timestamp;
        batch.inboxIndex = header.inboxIndex;
        batch.fork = fork;
    }

    /// @dev The last block of `parent`, as far as the next header needs it.
    function _start(Batch memory parent, uint32 fork, IInbox inbox) private view returns (Header memory header) {
        header.number = parent.lastNumber;
        header.fork = fork;
        header.timestamp = parent.lastTimestamp;
        header.inboxIndex = parent.inboxIndex;
        header.inboxHash = inbox.hashAt(parent.inboxIndex);
        header.stateRoot = parent.stateRoot;
    }

    /// @dev Turns the header into that of the block at `offset`; returns the offset of the next one.
    function _advance(
        Header memory header,
        bytes calldata blocks,
        uint256 offset,
        uint256 position,
        uint256 available,
        IInbox inbox
    ) private view returns (uint256 end) {
        end = offset + HEAD;
        if (end > blocks.length) revert IRollup.TruncatedBlock(position, offset, blocks.length);
        uint256 start = Reader.offsetOf(blocks) + offset;
        uint256 timestamp = Reader.u40(start);
        uint256 taken = Reader.u8(start + 5);
        uint256 length = Reader.u16(start + 6);
        // INVARIANT: the proof of any accepted block fits into one transaction.
        if (taken > MAX_MESSAGES || length > MAX_TXS_LENGTH) revert IRollup.BlockTooLarge(position, taken, length);
        end += length;
        if (end > blocks.length) revert IRollup.TruncatedBlock(position, offset, blocks.length);
        // INVARIANT: time never falls along the chain.
        if (timestamp < header.timestamp) revert IRollup.TimeFell(position, timestamp, header.timestamp);
        header.number += 1;
        header.parentRoot = header.stateRoot;
        header.timestamp = uint40(timestamp);
        header.txsHash = Reader.hash(start + HEAD, length);
        header.stateRoot = bytes32(Reader.word(start + 8));
        if (taken != 0) {
            uint256 index = header.inboxIndex + taken;
            // INVARIANT: a block consumes only messages that exist.
            if (index > available) revert IRollup.InboxOverrun(index, available);
            header.inboxIndex = uint40(index);
            header.inboxHash = inbox.hashAt(index);
        }
    }
}
