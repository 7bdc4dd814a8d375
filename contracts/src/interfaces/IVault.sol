// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Custody of the stablecoin
/// @notice Pays what final states say was withdrawn and, once the chain has ended, what accounts are worth then (IEscape).
/// Nobody owns or pauses it.
interface IVault {
    /// @notice `account` got `amount`; `total` µUSD since the beginning.
    event Claimed(uint256 indexed account, address indexed owner, uint256 amount, uint256 total);

    /// @notice A constructor argument that cannot work.
    error BadParameter(bytes32 name);
    /// @notice The batch can still be reverted.
    error BatchNotFinal(uint256 batch);
    /// @notice The witness does not lead to the batch's state root.
    error WrongRoot(bytes32 actual, bytes32 expected);
    /// @notice The witness must hold one leaf, of an account that exists.
    error NotAnAccount();
    /// @notice Everything withdrawn up to this batch was paid already.
    error NothingToClaim(uint256 account, uint256 withdrawn, uint256 paid);

    /// @notice Pays the account's owner what the final state after `batch` says is withdrawn and was not paid before.
    /// @dev Anyone may call; the tokens go to the owner in the leaf. The same claim pays once: only the growth of the
    /// cumulative total is paid.
    /// @param witness The account's leaf and its proof, SPEC section 9 with one key
    /// @return amount µUSD paid
    function claim(uint256 batch, bytes calldata witness) external returns (uint256 amount);

    /// @notice µUSD paid out to an account so far.
    function claimed(uint256 account) external view returns (uint256);

    /// @notice µUSD paid out by `claim` so far.
    function claimedTotal() external view returns (uint256);

    /// @notice The stablecoin.
    function token() external view returns (address);

    /// @notice Whose final states count.
    function rollup() external view returns (address);
}
