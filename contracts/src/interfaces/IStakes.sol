// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Stakes of posters, and rewards of those who prove them wrong
/// @notice A poster answers with its whole stake. Fraud of any kind takes it: half is burnt, so that proving oneself wrong
/// always costs, and half is held as a *bounty* for `rewardDelay`.
///
/// Who gets a bounty:
/// - first, whoever proved the fraud;
/// - rather, whoever had committed to the same verdict in an earlier L1 block than the proof's, the earliest of them first
///   (`commit`, then `reveal`): a copied proof gains nothing. The commitment holds the committer, a salt, the batch and the
///   verdict, so it can neither be copied nor made without having executed the block;
/// - rather still, whoever proves an earlier batch of the same poster within the delay: a poster cannot rescue half of its stake by
///   sacrificing its latest batch. For the same reason the reward for equivocation gives way to any proven batch.
///
/// A poster knows its own fraud first, and so may well commit first; the burnt half is what it cannot save.
/// A poster with an open bounty cannot stake again, so there is at most one bounty for each.
interface IStakes {
    /// @notice A reward that waits for `rewardDelay`.
    /// @param claimant Who gets it as things stand
    /// @param due Last second in which another may take its place
    /// @param batch The proven batch; 2⁴⁰−1 for equivocation
    /// @param amount wei, 0 if there is no bounty
    /// @param committedAt L1 block of the claimant's commitment, or of the proof itself
    /// @param verdict What was proven, see `verdictHash`; 0 for equivocation
    struct Bounty {
        address claimant;
        uint40 due;
        uint40 batch;
        uint128 amount;
        uint40 committedAt;
        bytes32 verdict;
    }

    event Staked(address indexed poster, uint256 amount, uint256 stake);
    event Unstaked(address indexed poster, uint256 amount);
    /// @notice `poster` lost its stake; `burnt` of it is gone for good.
    event Slashed(address indexed poster, uint256 stake, uint256 burnt);
    event Committed(bytes32 indexed commitment, uint256 blockNumber);
    /// @notice The bounty on `poster` was opened or has changed hands.
    event BountyHeld(address indexed poster, address indexed claimant, uint256 amount, uint40 due);
    event RewardPaid(address indexed poster, address indexed claimant, uint256 amount);

    /// @notice Nothing staked, or nothing sent.
    error NoStake(address poster);
    /// @notice More than 128 bits of wei.
    error StakeTooLarge(uint256 stake);
    /// @notice The stake answers for batch `lastBatch` until that is final.
    error StakeBound(address poster, uint256 lastBatch, uint256 finalised);
    /// @notice A bounty on this poster is not paid out yet.
    error BountyOpen(address poster, uint256 due);
    /// @notice No bounty on this poster.
    error NoBounty(address poster);
    /// @notice The time to take the bounty over is past.
    error RevealTooLate(uint256 time, uint256 due);
    /// @notice No such commitment, or not earlier than what holds the bounty.
    error CommitmentTooLate(bytes32 commitment, uint256 committedAt, uint256 mustPrecede);
    /// @notice The bounty may still change hands.
    error RewardHeld(uint256 time, uint256 due);

    /// @notice Adds the value sent to the caller's stake.
    function stake() external payable;

    /// @notice Returns the caller's whole stake once its last batch is final (or everything that still stands is).
    function unstake() external;

    /// @notice Records `commitmentOf(…)` in this L1 block; repeating it changes nothing.
    function commit(bytes32 commitment) external;

    /// @notice Takes over the bounty on `poster` by a commitment older than the proof's block and any other revealed so far.
    function reveal(address poster, bytes32 salt) external;

    /// @notice Pays a bounty out after its delay; anyone may call, the claimant is paid even if its code refuses.
    function claimReward(address poster) external;

    /// @notice keccak(abi.encode(committer, salt, verdict)), the value to commit.
    function commitmentOf(address committer, bytes32 salt, bytes32 verdict) external pure returns (bytes32);

    /// @notice keccak(abi.encode(batchHash, position, reason, index, postRoot)), what a proof establishes.
    function verdictHash(bytes32 batchHash, uint256 position, uint256 reason, uint256 index, bytes32 postRoot)
        external
        pure
        returns (bytes32);

    /// @notice L1 block of a commitment, 0 if unknown.
    function committedAt(bytes32 commitment) external view returns (uint256);

    /// @notice The bounty on `poster`.
    function bountyOf(address poster) external view returns (Bounty memory);

    /// @notice Stake in wei.
    function stakeOf(address poster) external view returns (uint256);

    /// @notice The last batch that `poster` posted, whether or not it still stands; 0 if none.
    function lastBatchOf(address poster) external view returns (uint40);
}
