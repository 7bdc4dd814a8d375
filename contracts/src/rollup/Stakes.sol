// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

import {IStakes} from "../interfaces/IStakes.sol";

/// @title Stakes
/// @notice Implements IStakes, where everything is explained.
/// @dev Ether leaves only to the caller (`unstake`), to a bounty's claimant (`claimReward`) and into nothing (`_slash`), each time after all
/// state is written. What the contract holds is always Σ stakes + Σ bounties.
abstract contract Stakes is IStakes {
    struct Staker {
        uint128 stake;
        uint40 lastBatch;
    }

    /// @dev Later than any batch: what a proven batch always precedes.
    uint40 internal constant NO_BATCH = type(uint40).max;

    uint40 internal immutable _rewardDelay;

    mapping(address poster => Staker) private _stakers;
    mapping(address poster => Bounty) private _bounties;
    /// @inheritdoc IStakes
    mapping(bytes32 commitment => uint256) public committedAt;

    constructor(uint40 rewardDelay) {
        _rewardDelay = rewardDelay;
    }

    /// @inheritdoc IStakes
    function stake() external payable {
        Bounty storage bounty = _bounties[msg.sender];
        // INVARIANT: while a bounty on a poster is open, the poster has no stake, so one bounty for each is enough.
        if (bounty.amount != 0) revert BountyOpen(msg.sender, bounty.due);
        if (msg.value == 0) revert NoStake(msg.sender);
        uint256 total = _stakers[msg.sender].stake + msg.value;
        if (total > type(uint128).max) revert StakeTooLarge(total);
        _stakers[msg.sender].stake = uint128(total);
        emit Staked(msg.sender, msg.value, total);
    }

    /// @inheritdoc IStakes
    function unstake() external {
        Staker storage staker = _stakers[msg.sender];
        uint256 amount = staker.stake;
        if (amount == 0) revert NoStake(msg.sender);
        (uint256 finalised_, uint256 latest) = _progress();
        // A poster's batches that still stand are none later than its last, and none later than the chain's last.
        uint256 bound = staker.lastBatch < latest ? staker.lastBatch : latest;
        // INVARIANT: a stake stays as long as any of its owner's batches can be proven wrong.
        if (bound > finalised_) revert StakeBound(msg.sender, bound, finalised_);
        // INVARIANT: after a freeze all stakes stay until nothing can be held against them any more.
        _requireReleasable();
        staker.stake = 0;
        emit Unstaked(msg.sender, amount);
        SafeTransferLib.safeTransferETH(msg.sender, amount);
    }

    /// @inheritdoc IStakes
    function commit(bytes32 commitment) external {
        if (committedAt[commitment] != 0) return;
        committedAt[commitment] = block.number;
        emit Committed(commitment, block.number);
    }

    /// @inheritdoc IStakes
    function reveal(address poster, bytes32 salt) external {
        Bounty storage bounty = _bounties[poster];
        // INVARIANT: only proven fraud has a verdict that a commitment can match.
        if (bounty.amount == 0 || bounty.verdict == 0) revert NoBounty(poster);
        if (block.timestamp > bounty.due) revert RevealTooLate(block.timestamp, bounty.due);
        bytes32 commitment = commitmentOf(msg.sender, salt, bounty.verdict);
        uint256 made = committedAt[commitment];
        // INVARIANT: whoever saw the proof before committing comes too late.
        if (made == 0 || made >= bounty.committedAt) revert CommitmentTooLate(commitment, made, bounty.committedAt);
        bounty.claimant = msg.sender;
        bounty.committedAt = uint40(made);
        emit BountyHeld(poster, msg.sender, bounty.amount, bounty.due);
    }

    /// @inheritdoc IStakes
    function claimReward(address poster) external {
        Bounty memory bounty = _bounties[poster];
        if (bounty.amount == 0) revert NoBounty(poster);
        // INVARIANT: nobody is paid while somebody may have a better claim.
        if (block.timestamp <= bounty.due) revert RewardHeld(block.timestamp, bounty.due);
        delete _bounties[poster];
        emit RewardPaid(poster, bounty.claimant, bounty.amount);
        // A claimant that refuses is paid by force, so it cannot keep the poster from staking again.
        SafeTransferLib.forceSafeTransferETH(bounty.claimant, bounty.amount);
    }

    /// @inheritdoc IStakes
    function bountyOf(address poster) external view returns (Bounty memory) {
        return _bounties[poster];
    }

    /// @inheritdoc IStakes
    function lastBatchOf(address poster) external view returns (uint40) {
        return _stakers[poster].lastBatch;
    }

    /// @inheritdoc IStakes
    function stakeOf(address poster) public view returns (uint256) {
        return _stakers[poster].stake;
    }

    /// @inheritdoc IStakes
    function commitmentOf(address committer, bytes32 salt, bytes32 verdict) public pure returns (bytes32) {
        return keccak256(abi.encode(committer, salt, verdict));
    }

    /// @inheritdoc IStakes
    function verdictHash(bytes32 batchHash, uint256 position, uint256 reason, uint256 index, bytes32 postRoot)
        public
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(batchHash, position, reason, index, postRoot));
    }

    /// @dev The stake of `poster` now answers for `batch`.
    function _bind(address poster, uint40 batch) internal {
        _stakers[poster].lastBatch = batch;
    }

    /// @dev Takes the stake of `poster`, if there still is one, and gives the bounty on it to the caller if its claim is the best.
    function _slash(address poster, uint40 batch, bytes32 verdict) internal {
        uint256 lost = _stakers[poster].stake;
        uint256 reward = lost / 2;
        if (lost != 0) {
            _stakers[poster].stake = 0;
            emit Slashed(poster, lost, lost - reward);
        }
        _award(poster, batch, verdict, reward);
        if (lost != 0) SafeTransferLib.safeTransferETH(address(0), lost - reward);
    }

    /// @dev `reward` is 0 whenever a bounty is open, because then the poster has no stake.
    function _award(address poster, uint40 batch, bytes32 verdict, uint256 reward) private {
        Bounty storage bounty = _bounties[poster];
        uint256 amount = bounty.amount + reward;
        if (amount == 0) return;
        // INVARIANT: an open bounty changes hands only in time, and only for an earlier batch.
        if (reward == 0 && (block.timestamp > bounty.due || batch >= bounty.batch)) return;
        uint40 due = uint40(block.timestamp + _rewardDelay);
        _bounties[poster] = Bounty({
            claimant: msg.sender,
            due: due,
            batch: batch,
            amount: uint128(amount),
            committedAt: uint40(block.number),
            verdict: verdict
        });
        emit BountyHeld(poster, msg.sender, amount, due);
    }

    /// @dev Reverts while no stake may leave.
    function _requireReleasable() internal view virtual;

    /// @dev The last final batch and the last one that stands.
    function _progress() internal view virtual returns (uint256 finalised_, uint256 latest);
}
