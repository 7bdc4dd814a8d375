// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Messages from L1: deposits, forced transactions, listings
/// @notice An append-only queue. Blocks consume it in order and cannot skip or alter a message; if a batch is reverted, its
/// messages are unconsumed again. After a freeze it takes nothing more. Message `i` has the time `timeAt(i)`, and `hashAt(i)` commits to the messages before it.
interface IInbox {
    /// @notice Every message whole, so that L1 alone is enough to rebuild the state.
    /// @param index Position of the message, from 0
    /// @param message SPEC section 4
    /// @param hash Rolling hash after this message, `hashAt(index + 1)`
    /// @param time L1 time
    event MessageAdded(uint40 indexed index, bytes message, bytes32 hash, uint40 time);

    /// @notice A constructor argument that cannot work.
    error BadParameter(bytes32 name);
    /// @notice A zero owner could never withdraw.
    error OwnerZero();
    /// @notice An opening below the minimum, a deposit of nothing, or one that 64 bits do not hold.
    error AmountOutOfRange(uint256 amount, uint256 minimum, uint256 maximum);
    /// @notice No account has this number.
    error AccountUnknown(uint256 account, uint256 count);
    /// @notice All account numbers are given out.
    error AccountsExhausted(uint256 count);
    /// @notice All deposits together would exceed what the state transition adds up without range checks.
    error DepositsExhausted(uint256 total, uint256 cap);
    /// @notice The vault got another amount than was credited: a token that takes a fee, or lies.
    error TransferMismatch(uint256 expected, uint256 received);
    /// @notice Somebody else than the market admin wants to list something.
    error NotMarketAdmin(address caller, address admin);
    /// @notice A forced transaction or a listing that is empty or too long.
    error MessageLength(uint256 length, uint256 maximum);
    /// @notice There is no transaction of this type.
    error KindRefused(uint256 kind);
    /// @notice Too little ether for a forced transaction.
    error FeeTooLow(uint256 paid, uint256 due);
    /// @notice No message, or no rolling hash, at this position.
    error IndexUnknown(uint256 index, uint256 count);

    /// @notice Opens the next account for `owner` with `amount` µUSD of the caller's tokens.
    /// @dev Needs an allowance for this contract; the tokens go straight to the vault.
    /// @return account Its number, from 0
    function open(address owner, uint256 amount) external returns (uint256 account);

    /// @notice Adds `amount` µUSD of the caller's tokens to any opened account.
    function deposit(uint256 account, uint256 amount) external;

    /// @notice Puts one L2 transaction of type 01–05 or 07–0a into the queue; if it is invalid when its turn comes it does nothing.
    /// @dev The sender is recorded: where an account's owner (or signer) is the sender, 64 zero bytes stand for the
    /// signature, so contract wallets act as well. `forceFee()` is burnt and the rest of the value returned; deposits cost no fee.
    function force(bytes calldata transaction) external payable;

    /// @notice Announces an underlying, a series or a market (SPEC section 4), which opens `listingDelay()` seconds from now; by
    /// the market admin only.
    /// @dev The state transition takes it only if it is well-formed, its number is free and its parameters are possible; what
    /// is refused there does nothing. Nothing that is listed is ever changed or removed.
    function list(bytes calldata item) external;

    /// @notice Number of messages.
    function count() external view returns (uint40);

    /// @notice Rolling hash after `index` messages, for `index` up to `count()`.
    function hashAt(uint256 index) external view returns (bytes32);

    /// @notice L1 time of message `index`, for `index` below `count()`.
    function timeAt(uint256 index) external view returns (uint40);

    /// @notice What forcing costs now, in wei: the base fee, and the slope for each forced message that no standing batch has consumed.
    function forceFee() external view returns (uint256);

    /// @notice Number of forced messages so far.
    function forcedCount() external view returns (uint40);

    /// @notice Number of forced messages among those below `index`, for `index` up to `count()`.
    function forcedBefore(uint256 index) external view returns (uint40);

    /// @notice Number of accounts opened.
    function accountCount() external view returns (uint24);

    /// @notice Who opened for: the owner in the account's leaf, or zero if it was never opened.
    function ownerOf(uint256 account) external view returns (address);

    /// @notice µUSD ever deposited.
    function depositedTotal() external view returns (uint64);

    /// @notice Least µUSD that opens an account.
    function minimumOpening() external view returns (uint64);

    /// @notice Fee in wei of a forced transaction on an empty queue.
    function baseFee() external view returns (uint256);

    /// @notice Wei that each message in the queue adds to the fee.
    function feeSlope() external view returns (uint256);

    /// @notice Who lists markets; zero if nobody can.
    function marketAdmin() external view returns (address);

    /// @notice Seconds from a listing to its opening.
    function listingDelay() external view returns (uint40);

    /// @notice The stablecoin.
    function token() external view returns (address);

    /// @notice Who keeps it.
    function vault() external view returns (address);

    /// @notice Whose batches consume the messages.
    function rollup() external view returns (address);
}
