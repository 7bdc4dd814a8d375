// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Batch} from "../types/Batch.sol";
import {Config} from "../types/Config.sol";
import {Header} from "../types/Header.sol";
import {IEnding} from "./IEnding.sol";
import {IInbox} from "./IInbox.sol";
import {IStakes} from "./IStakes.sol";

/// @title The chain of batches, and the court that judges them
/// @notice A batch is posted with its claimed state roots, can be proven wrong by anyone in one transaction until it is final,
/// and is final when nobody did within the dispute window. Batch 0 is the genesis state. Nobody owns this contract, nobody can
/// pause or change it; only a chain that keeps people waiting for too long can be ended (IEnding).
interface IRollup is IEnding, IStakes {
    /// @notice The genesis state whole (SPEC section 2). That `leaves` have `root` is for every reader to check.
    event Genesis(bytes leaves, bytes32 root);
    /// @notice The blocks stand in the calldata of the transaction itself.
    event BatchPosted(
        uint40 indexed index,
        bytes32 batchHash,
        uint32 fork,
        address indexed poster,
        uint40 firstNumber,
        uint40 lastNumber,
        uint40 inboxIndex,
        bytes32 stateRoot
    );
    /// @notice Block `position` of `batch` is invalid for `reason` at transaction `index`, or leads to `postRoot`.
    event FraudProven(
        uint40 indexed batch, uint256 position, address indexed prover, uint256 reason, uint256 index, bytes32 postRoot
    );
    /// @notice `fromBatch` and all later ones are gone; new batches carry `fork`.
    event Reverted(uint40 indexed fromBatch, uint32 fork);
    /// @notice All batches up to `upTo` are final.
    event Finalised(uint40 indexed upTo, bytes32 stateRoot);
    /// @notice `poster` signed two headers where it may sign one.
    event Equivocated(address indexed poster, address indexed reporter, uint40 number, uint32 fork);

    /// @notice A constructor argument that cannot work.
    error BadConfig(bytes32 name);
    /// @notice Posting works only as a transaction sent straight to this contract by an account without code.
    error IndirectCall(address sender, address origin);
    /// @notice The calldata is not the one canonical encoding of the arguments.
    error CalldataNotCanonical(uint256 length);
    /// @notice The caller's stake is too low to post.
    error StakeTooLow(address poster, uint256 stake, uint256 minimum);
    /// @notice Only the sequencer may post until it has been silent for long enough.
    error SequencerExclusive(address poster, address sequencer, uint256 until);
    /// @notice The batch was built on another chain of batches than this.
    error WrongParent(bytes32 expected, bytes32 actual);
    /// @notice The batch was built on another inbox than this.
    error WrongInbox(bytes32 expected, bytes32 actual);
    /// @notice No blocks, or more than 256.
    error BlockCount(uint256 count);
    /// @notice The bytes end within a block.
    error TruncatedBlock(uint256 position, uint256 offset, uint256 length);
    /// @notice A block takes more than 32 messages, or holds more than 8,192 bytes of transactions.
    error BlockTooLarge(uint256 position, uint256 messages, uint256 length);
    /// @notice A block lies before its predecessor.
    error TimeFell(uint256 position, uint256 timestamp, uint256 previous);
    /// @notice The first block is too far in L1's past.
    error TimeTooEarly(uint256 timestamp, uint256 minimum);
    /// @notice The last block is too far in L1's future.
    error TimeTooLate(uint256 timestamp, uint256 maximum);
    /// @notice The batch takes more messages than there are.
    error InboxOverrun(uint256 index, uint256 count);
    /// @notice The batch leaves a message that is older than `forceDeadline`, and is not full of messages itself.
    error MessageOverdue(uint256 index, uint256 time, uint256 deadline);
    /// @notice There is no such batch (any more).
    error BatchUnknown(uint256 batch, uint256 count);
    /// @notice A final batch stays what it is.
    error BatchFinal(uint256 batch, uint256 finalised);
    /// @notice The dispute window is open.
    error WindowOpen(uint256 batch, uint256 time, uint256 deadline);
    /// @notice The header is not that of the batch's block at this position.
    error WrongBlock(uint256 batch, uint256 position, bytes32 root);
    /// @notice The block is valid and its state root right.
    error BlockValid(uint256 batch, uint256 position);
    /// @notice The signature has not 64 bytes, does not recover, or its `s` is not the lower one.
    error BadSignature(bytes signature);
    /// @notice The headers are equal, or of different heights or forks, or not signed by one poster.
    error NotEquivocation();
    /// @notice The header names an inbox that is not L1's.
    error InboxNotCanonical(uint256 index, bytes32 hash);

    /// @notice Posts 1 … 256 blocks, joined (SPEC section 5).
    /// @param parentBatchHash The batch that they were built on
    /// @param inboxHash The inbox's rolling hash after the last block, as the poster knew it: if L1 has reorganised the
    /// messages since, the batch is refused, where it would otherwise be posted with wrong roots
    function postBatch(bytes32 parentBatchHash, bytes calldata blocks, bytes32 inboxHash) external;

    /// @notice Proves a block of a pending batch wrong and reverts that batch and all later ones.
    /// @dev Only a verdict of the verifier counts: any failure inside it, lack of gas included, reverts the whole call.
    /// @param position The block's position in the batch
    /// @param header Its header
    /// @param path Siblings from the block's hash up to the batch's blocksRoot
    /// @param txs Its transactions
    /// @param messages The inbox messages it consumes, each `length u16 ‖ bytes`
    /// @param witness SPEC section 9
    function prove(
        uint256 batch,
        uint256 position,
        Header calldata header,
        bytes32[] calldata path,
        bytes calldata txs,
        bytes calldata messages,
        bytes calldata witness
    ) external;

    /// @notice Makes all batches up to `upTo` final; its dispute window must have passed.
    function finalise(uint256 upTo) external;

    /// @notice Slashes a staked poster that signed two headers of one height and fork, both on L1's canonical inbox.
    /// @dev A signature is 64 bytes, `r ‖ (yParity<<255 | s)`, over the EIP-712 struct BlockHeader(bytes32 hash).
    function slashEquivocation(
        Header calldata headerA,
        bytes calldata signatureA,
        Header calldata headerB,
        bytes calldata signatureB
    ) external;

    /// @notice Slashes a staked poster that posted another block than the one it signed for the same height and fork.
    function slashMismatch(
        Header calldata signed,
        bytes calldata signature,
        uint256 batch,
        uint256 position,
        Header calldata posted,
        bytes32[] calldata path
    ) external;

    /// @notice Whether `account` may post now.
    function mayPost(address account) external view returns (bool);

    /// @notice Number of batches that stand, the genesis batch included.
    function batchCount() external view returns (uint40);

    /// @notice Reversions so far.
    function fork() external view returns (uint32);

    /// @notice The last final batch.
    function finalised() external view returns (uint40);

    /// @notice L1 time of the sequencer's last batch, or of deployment.
    function lastSequencerPost() external view returns (uint40);

    /// @notice What is kept of a batch that stands.
    function batches(uint256 batch) external view returns (Batch memory);

    /// @notice State root after a batch that stands, final or not.
    function stateRootOf(uint256 batch) external view returns (bytes32);

    /// @notice Messages consumed up to and including a batch that stands.
    function inboxIndexOf(uint256 batch) external view returns (uint40);

    /// @notice Messages consumed by all batches that stand.
    function latestInboxIndex() external view returns (uint40);

    /// @notice Whether a batch can no longer be reverted.
    function isFinal(uint256 batch) external view returns (bool);

    /// @notice The deployment's constants.
    function config() external view returns (Config memory);

    /// @notice Where messages come from.
    function inbox() external view returns (IInbox);

    /// @notice EIP-712 domain of everything users and the sequencer sign.
    function domainSeparator() external view returns (bytes32);
}
