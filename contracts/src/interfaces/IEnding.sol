// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title The end of the chain, for when nobody goes on with it
/// @notice A message from L1 that no batch takes for too long lets anyone freeze the chain: no batch is accepted any more,
/// what is pending is proven wrong or becomes final as ever, and the state after the last final batch is then the end state,
/// by which the vault pays everybody out (SPEC section 11). Nothing thaws it.
///
/// How long anyone can be kept waiting is bounded: by `forceDeadline + freezeGrace` from the message on, and where a batch that
/// took it in time was reverted for fraud, by the dispute window more.
interface IEnding {
    /// @notice `caller` froze the chain because message `index` waited too long.
    event Frozen(address indexed caller, uint256 index, uint256 time);
    /// @notice Nothing is pending any more: the state after `batch` is the end state.
    event Ended(uint256 indexed batch, uint256 time);

    /// @notice The chain is frozen.
    error ChainFrozen();
    /// @notice No message has waited past `deadline`; `index` is the one that waits, or the number of messages if none does.
    error NotOverdue(uint256 index, uint256 time, uint256 deadline);
    /// @notice The chain is frozen and the end state not settled yet.
    error EndPending();

    /// @notice Ends the chain; anyone may, once a message has waited past `freezeDeadline()`.
    function freeze() external;

    /// @notice The message that waits and the last second in which that is all right; (number of messages, 2²⁵⁶−1) if none waits.
    function freezeDeadline() external view returns (uint256 index, uint256 deadline);

    /// @notice Whether the end state is settled, and the last final batch, which is the end state's if so.
    function endState() external view returns (bool settled, uint256 batch);

    /// @notice Whether the chain is frozen.
    function frozen() external view returns (bool);

    /// @notice L1 time at which the end state was settled, 0 before.
    function settledAt() external view returns (uint40);

    /// @notice L1 time of the last reversion, 0 if there was none.
    function lastReversion() external view returns (uint40);
}
