// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IEnding} from "../interfaces/IEnding.sol";
import {Config} from "../types/Config.sol";
import {Stakes} from "./Stakes.sol";

/// @title Ending
/// @notice Implements IEnding, where everything is explained.
abstract contract Ending is IEnding, Stakes {
    uint40 internal immutable _disputeWindow;
    uint40 internal immutable _forceDeadline;
    uint40 internal immutable _freezeGrace;

    // These share a slot with what the Rollup reads at every batch.
    /// @inheritdoc IEnding
    uint40 public settledAt;
    /// @inheritdoc IEnding
    uint40 public lastReversion;
    /// @inheritdoc IEnding
    bool public frozen;

    constructor(Config memory config_) Stakes(config_.rewardDelay) {
        _disputeWindow = config_.disputeWindow;
        _forceDeadline = config_.forceDeadline;
        _freezeGrace = config_.freezeGrace;
    }

    /// @inheritdoc IEnding
    function freeze() external {
        _requireRunning();
        (uint256 index, uint256 deadline) = freezeDeadline();
        // INVARIANT: the chain ends only when somebody was kept out of it for too long.
        if (block.timestamp <= deadline) revert NotOverdue(index, block.timestamp, deadline);
        frozen = true;
        emit Frozen(msg.sender, index, block.timestamp);
        _conclude();
    }

    /// @inheritdoc IEnding
    function endState() external view returns (bool settled, uint256 batch) {
        (batch,) = _progress();
        return (settledAt != 0, batch);
    }

    /// @inheritdoc IEnding
    function freezeDeadline() public view returns (uint256 index, uint256 deadline) {
        uint256 time;
        (index, time) = _waiting();
        if (time == 0) return (index, type(uint256).max);
        deadline = time + _forceDeadline;
        // Messages that a reverted batch had taken in time wait again, through no fault of who goes on: it gets the grace anew.
        // INVARIANT: no sequence of reversions keeps a message waiting for longer than the one that came in time can take.
        uint256 last = deadline + _disputeWindow;
        if (lastReversion > deadline) deadline = lastReversion < last ? lastReversion : last;
        deadline += _freezeGrace;
    }

    /// @dev INVARIANT: a frozen chain stays as it is.
    function _requireRunning() internal view {
        if (frozen) revert ChainFrozen();
    }

    /// @dev Settles the end state if the chain is frozen and nothing is pending.
    function _conclude() internal {
        if (!frozen) return;
        (uint256 finalised_, uint256 latest) = _progress();
        if (finalised_ != latest) return;
        // INVARIANT: settled once: without pending batches there is nothing left to finalise or revert.
        settledAt = uint40(block.timestamp);
        emit Ended(finalised_, block.timestamp);
    }

    /// @inheritdoc Stakes
    function _requireReleasable() internal view override {
        if (frozen && settledAt == 0) revert EndPending();
    }

    /// @dev The first message that no standing batch has taken and when it came; if there is none, their number and 0.
    function _waiting() internal view virtual returns (uint256 index, uint256 time);
}
