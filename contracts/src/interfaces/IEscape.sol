// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title The way out after the end: what accounts are worth in the end state, paid in proportion if there is too little
/// @notice Once the chain is frozen and its end state settled (IEnding), anyone registers any account by one proof, within
/// `registrationWindow` seconds; after that `collect` pays its owner. What was withdrawn before the end is not part of it: `claim`
/// pays that in full, before and after, and it is held back from everybody else. So are the deposits that the chain never
/// took in (`refund`). SPEC section 11.
interface IEscape {
    /// @notice `account` is worth `equity` µUSD in the end state.
    event Registered(uint256 indexed account, address indexed owner, uint256 equity);
    /// @notice The window is over: `pot` µUSD are shared by claims of `registered` µUSD.
    event Closed(uint256 pot, uint256 registered);
    /// @notice `amount` µUSD were paid to `owner`.
    event Collected(uint256 indexed account, address indexed owner, uint256 amount);
    /// @notice The deposit in message `index` went back.
    event Refunded(uint256 indexed index, uint256 indexed account, address indexed owner, uint256 amount);

    /// @notice The chain goes on, or what is pending may still change its end.
    error NotEnded();
    /// @notice Each account registers once.
    error AlreadyRegistered(uint256 account);
    /// @notice Nothing, or less, is left of this account.
    error WorthNothing(uint256 account, int256 equity);
    /// @notice Those who registered in time come first, and they leave nothing.
    error NothingLeft(uint256 account);
    /// @notice Others can still register.
    error RegistrationOpen(uint256 time, uint256 deadline);
    /// @notice The account did not register in time, or was paid, or its share is below 1 µUSD.
    error NothingToCollect(uint256 account);
    /// @notice The token does not tell the vault's balance, as with too little gas.
    error BalanceUnknown();
    /// @notice The end state has taken the message in.
    error MessageConsumed(uint256 index, uint256 consumed);
    /// @notice The inbox holds another message at this position.
    error WrongMessage(uint256 index);
    /// @notice The message brought no money.
    error NotADeposit(uint256 index);
    /// @notice Each deposit is refunded once.
    error AlreadyRefunded(uint256 index);

    /// @notice Registers the account in a witness as `IAppraiser` wants it, proven against the end state's root.
    /// @dev After the window the account is paid at once, as far as what those who came in time leave suffices.
    /// @return account Its number
    /// @return equity µUSD that it is worth
    function register(bytes calldata witness) external returns (uint256 account, uint256 equity);

    /// @notice Pays a registered account's owner, after the window; anyone may call.
    /// @return amount µUSD: the account's equity or, if all registered ones exceed the pot, its share of that, rounded down
    function collect(uint256 account) external returns (uint256 amount);

    /// @notice Pays back a deposit that the end state has not taken in, to the owner of the account that it was meant for.
    /// @param index The message's position in the inbox
    /// @param message The message, as `MessageAdded` told
    /// @return amount µUSD
    function refund(uint256 index, bytes calldata message) external returns (uint256 amount);

    /// @notice Whose the registered account is and what is still due to it if the pot suffices; zeros if it never registered.
    function entryOf(uint256 account) external view returns (address owner, uint96 equity);

    /// @notice Whether the deposit in message `index` was paid back.
    function refunded(uint256 index) external view returns (bool);

    /// @notice µUSD paid back so far.
    function refundedTotal() external view returns (uint256);

    /// @notice Σ equity of the accounts that registered in time, µUSD.
    function registeredEquity() external view returns (uint256);

    /// @notice Last second of the window; 0 before the end state is settled.
    function registrationDeadline() external view returns (uint256);

    /// @notice µUSD to share: the vault's balance without what is withdrawn and not claimed, and deposited and not refunded.
    /// @return amount As it is fixed or, before that, as it would be now; 0 while no account is registered
    /// @return isFixed Whether payment has begun, and the amount is fixed
    function pot() external view returns (uint256 amount, bool isFixed);

    /// @notice µUSD that accounts registering late can still get; 0 before the first payment.
    function spare() external view returns (uint256);

    /// @notice Seconds from the end state to the last registration in time.
    function registrationWindow() external view returns (uint40);

    /// @notice Who values accounts.
    function appraiser() external view returns (address);
}
