// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IInbox} from "./interfaces/IInbox.sol";
import {IRollup} from "./interfaces/IRollup.sol";
import {IVerifier} from "./interfaces/IVerifier.sol";
import {BinaryMerkle} from "./libraries/BinaryMerkle.sol";
import {Reader} from "./libraries/Reader.sol";
import {Blocks} from "./rollup/Blocks.sol";
import {Confirmations} from "./rollup/Confirmations.sol";
import {Ending} from "./rollup/Ending.sol";
import {Stakes} from "./rollup/Stakes.sol";
import {Batch, hashBatch} from "./types/Batch.sol";
import {Config} from "./types/Config.sol";
import {Header} from "./types/Header.sol";

/// @title Rollup
/// @notice Implements IRollup, where everything is explained.
contract Rollup is IRollup, Ending, Confirmations {
    /// @dev Calldata before the bytes of `postBatch`: selector, parent hash, offset, inbox hash, length.
    uint256 private constant POST_HEAD = 132;

    address private immutable _sequencer;
    uint128 private immutable _minStake;
    uint40 private immutable _proposerTimeout;
    uint40 private immutable _maxTimeAhead;
    uint40 private immutable _maxTimeLag;
    uint40 private immutable _genesisTimestamp;
    IInbox private immutable _inbox;
    IVerifier private immutable _verifier;

    /// @inheritdoc IRollup
    uint40 public batchCount;
    /// @inheritdoc IRollup
    uint40 public finalised;
    /// @inheritdoc IRollup
    uint32 public fork;
    /// @inheritdoc IRollup
    uint40 public lastSequencerPost;

    /// @dev Entries from `batchCount` on are left over from reverted batches and mean nothing.
    mapping(uint256 index => Batch) private _batches;

    /// @param config_ Fixed for ever
    /// @param genesisLeaves The genesis state, SPEC section 2
    /// @param genesisRoot Its root
    constructor(Config memory config_, bytes memory genesisLeaves, bytes32 genesisRoot) Ending(config_) {
        _requireUsable(config_);
        _sequencer = config_.sequencer;
        _minStake = config_.minStake;
        _proposerTimeout = config_.proposerTimeout;
        _maxTimeAhead = config_.maxTimeAhead;
        _maxTimeLag = config_.maxTimeLag;
        _genesisTimestamp = config_.genesisTimestamp;
        _inbox = config_.inbox;
        _verifier = config_.verifier;

        Batch memory genesis;
        genesis.stateRoot = genesisRoot;
        genesis.postedAt = uint40(block.timestamp);
        genesis.lastTimestamp = config_.genesisTimestamp;
        genesis.batchHash = hashBatch(bytes32(0), 0, genesis);
        _batches[0] = genesis;
        batchCount = 1;
        lastSequencerPost = uint40(block.timestamp);
        emit Genesis(genesisLeaves, genesisRoot);
    }

    /// @inheritdoc IRollup
    function postBatch(bytes32 parentBatchHash, bytes calldata blocks, bytes32 inboxHash) external {
        _requireRunning();
        _requireReadableCalldata(blocks);
        _requireProposer(msg.sender);
        uint40 index = batchCount;
        Batch memory parent = _batches[index - 1];
        // INVARIANT: a batch counts only on the chain it was built for, whatever L1 has reorganised or reverted since.
        if (parent.batchHash != parentBatchHash) revert WrongParent(parent.batchHash, parentBatchHash);
        Blocks.Reading memory reading = Blocks.read(parent, fork, blocks, _inbox);
        // INVARIANT: a batch counts only on the messages it was built for, so a reorganisation slashes no honest poster.
        if (reading.inboxHash != inboxHash) revert WrongInbox(reading.inboxHash, inboxHash);
        _requireTimely(reading);
        Batch memory batch = reading.batch;
        batch.poster = msg.sender;
        batch.postedAt = uint40(block.timestamp);
        batch.batchHash = hashBatch(parentBatchHash, index, batch);
        _batches[index] = batch;
        batchCount = index + 1;
        if (msg.sender == _sequencer) lastSequencerPost = uint40(block.timestamp);
        _bind(msg.sender, index);
        _emitPosted(index, batch, parent.lastNumber + 1);
    }

    /// @inheritdoc IRollup
    function prove(
        uint256 batch,
        uint256 position,
        Header calldata header,
        bytes32[] calldata path,
        bytes calldata txs,
        bytes calldata messages,
        bytes calldata witness
    ) external {
        // INVARIANT: what is final stays.
        if (batch <= finalised) revert BatchFinal(batch, finalised);
        _requireBlock(batch, position, header.hashHeader(), path);
        // A call that fails for whatever cause, the 63/64 rule included, reverts here and proves nothing.
        (uint256 reason, uint256 index, bytes32 postRoot) =
            _verifier.verify(header, txs, messages, witness, domainSeparator);
        // INVARIANT: an honest block cannot be reverted.
        if (reason == 0 && postRoot == header.stateRoot) revert BlockValid(batch, position);
        emit FraudProven(uint40(batch), position, msg.sender, reason, index, postRoot);
        _revertFrom(uint40(batch), verdictHash(_batches[batch].batchHash, position, reason, index, postRoot));
    }

    /// @inheritdoc IRollup
    function finalise(uint256 upTo) external {
        if (upTo <= finalised) revert BatchFinal(upTo, finalised);
        Batch storage batch = _standing(upTo);
        uint256 deadline = uint256(batch.postedAt) + _disputeWindow;
        // INVARIANT: every batch was open to dispute for the whole window; those before `upTo` were posted no later.
        if (block.timestamp <= deadline) revert WindowOpen(upTo, block.timestamp, deadline);
        finalised = uint40(upTo);
        emit Finalised(uint40(upTo), batch.stateRoot);
        _conclude();
    }

    /// @inheritdoc IRollup
    function mayPost(address account) external view returns (bool) {
        return !frozen && stakeOf(account) >= _minStake && (account == _sequencer || block.timestamp > _exclusiveUntil());
    }

    /// @inheritdoc IRollup
    function batches(uint256 batch) external view returns (Batch memory) {
        return _standing(batch);
    }

    /// @inheritdoc IRollup
    function stateRootOf(uint256 batch) external view returns (bytes32) {
        return _standing(batch).stateRoot;
    }

    /// @inheritdoc IRollup
    function inboxIndexOf(uint256 batch) external view returns (uint40) {
        return _standing(batch).inboxIndex;
    }

    /// @inheritdoc IRollup
    function isFinal(uint256 batch) external view returns (bool) {
        return batch <= finalised;
    }

    /// @inheritdoc IRollup
    function config() external view returns (Config memory) {
        return Config({
            sequencer: _sequencer,
            minStake: _minStake,
            disputeWindow: _disputeWindow,
            proposerTimeout: _proposerTimeout,
            forceDeadline: _forceDeadline,
            maxTimeAhead: _maxTimeAhead,
            maxTimeLag: _maxTimeLag,
            rewardDelay: _rewardDelay,
            inbox: _inbox,
            verifier: _verifier,
            genesisTimestamp: _genesisTimestamp,
            freezeGrace: _freezeGrace
        });
    }

    /// @inheritdoc IRollup
    function latestInboxIndex() public view returns (uint40) {
        return _batches[batchCount - 1].inboxIndex;
    }

    /// @inheritdoc IRollup
    function inbox() public view override(Confirmations, IRollup) returns (IInbox) {
        return _inbox;
    }

    /// @dev Takes away `batch` and all later ones at the cost of one counter, and its poster's stake.
    function _revertFrom(uint40 batch, bytes32 verdict) private {
        batchCount = batch;
        fork += 1;
        lastReversion = uint40(block.timestamp);
        emit Reverted(batch, fork);
        _conclude();
        _slash(_batches[batch].poster, batch, verdict);
    }

    function _emitPosted(uint40 index, Batch memory batch, uint40 firstNumber) private {
        emit BatchPosted(
            index,
            batch.batchHash,
            batch.fork,
            batch.poster,
            firstNumber,
            batch.lastNumber,
            batch.inboxIndex,
            batch.stateRoot
        );
    }

    /// @dev Readers of L1 find the blocks in the transaction's own input, in the one encoding that this admits.
    function _requireReadableCalldata(bytes calldata blocks) private view {
        // INVARIANT: the bytes stand in a transaction's calldata. An account without code cannot relay a call (EIP-7702).
        if (msg.sender != tx.origin || msg.sender.code.length != 0) revert IndirectCall(msg.sender, tx.origin);
        uint256 padded = (blocks.length + 31) / 32 * 32;
        // INVARIANT: every decoder finds the same bytes at the same place.
        if (Reader.offsetOf(blocks) != POST_HEAD || msg.data.length != POST_HEAD + padded) {
            revert CalldataNotCanonical(msg.data.length);
        }
    }

    function _requireProposer(address poster) private view {
        uint256 stake_ = stakeOf(poster);
        // INVARIANT: whoever posts can be slashed.
        if (stake_ < _minStake) revert StakeTooLow(poster, stake_, _minStake);
        if (poster == _sequencer) return;
        uint256 until = _exclusiveUntil();
        // INVARIANT: a live, staked sequencer is not overtaken; a silent or slashed one is.
        if (block.timestamp <= until) revert SequencerExclusive(poster, _sequencer, until);
    }

    /// @dev The last second of the sequencer's exclusive right; 0 if its stake is gone.
    function _exclusiveUntil() private view returns (uint256) {
        if (stakeOf(_sequencer) < _minStake) return 0;
        return uint256(lastSequencerPost) + _proposerTimeout;
    }

    function _requireTimely(Blocks.Reading memory reading) private view {
        Batch memory batch = reading.batch;
        uint256 latest = block.timestamp + _maxTimeAhead;
        uint256 earliest = block.timestamp > _maxTimeLag ? block.timestamp - _maxTimeLag : 0;
        // INVARIANT: L2 time, which funding and oracles live by, stays near L1 time.
        if (reading.firstTimestamp < earliest) revert TimeTooEarly(reading.firstTimestamp, earliest);
        if (batch.lastTimestamp > latest) revert TimeTooLate(batch.lastTimestamp, latest);
        // A queue longer than a batch, in blocks that may have room for one message only, must not stop the chain.
        if (reading.crowded || batch.inboxIndex == _inbox.count()) return;
        uint256 added = _inbox.timeAt(batch.inboxIndex);
        uint256 deadline = added + _forceDeadline;
        // INVARIANT: nobody can be kept out of the chain for longer than the force deadline and the work before them takes.
        if (block.timestamp > deadline) revert MessageOverdue(batch.inboxIndex, added, deadline);
    }

    function _requireUsable(Config memory config_) private view {
        // INVARIANT: the contract can be posted to, disputed and finalised.
        if (config_.sequencer == address(0)) revert BadConfig("sequencer");
        if (config_.minStake < 2) revert BadConfig("minStake");
        if (config_.disputeWindow == 0) revert BadConfig("disputeWindow");
        if (config_.forceDeadline == 0) revert BadConfig("forceDeadline");
        // INVARIANT: who takes over from a silent sequencer can save the chain before anyone can end it.
        if (config_.freezeGrace <= config_.proposerTimeout) revert BadConfig("freezeGrace");
        if (address(config_.inbox) == address(0)) revert BadConfig("inbox");
        if (address(config_.verifier).code.length == 0) revert BadConfig("verifier");
        if (config_.genesisTimestamp > block.timestamp) revert BadConfig("genesisTimestamp");
    }

    /// @inheritdoc Confirmations
    function _requireBlock(uint256 batch, uint256 position, bytes32 blockHash, bytes32[] calldata path)
        internal
        view
        override
        returns (address poster)
    {
        Batch storage posted = _standing(batch);
        bytes32 root = BinaryMerkle.foldPath(blockHash, position, posted.blockCount, path);
        // INVARIANT: only blocks that were posted are judged.
        if (root != posted.blocksRoot) revert WrongBlock(batch, position, root);
        return posted.poster;
    }

    /// @inheritdoc Stakes
    function _progress() internal view override returns (uint256 finalised_, uint256 latest) {
        return (finalised, batchCount - 1);
    }

    /// @inheritdoc Ending
    function _waiting() internal view override returns (uint256 index, uint256 time) {
        index = latestInboxIndex();
        if (index != _inbox.count()) time = _inbox.timeAt(index);
    }

    function _standing(uint256 batch) private view returns (Batch storage) {
        if (batch >= batchCount) revert BatchUnknown(batch, batchCount);
        return _batches[batch];
    }
}
