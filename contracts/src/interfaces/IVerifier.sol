// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Header} from "../types/Header.sol";

/// @title Executes one block against a witness of the state it touches
/// @notice The verdict is about the block; every fault of the proof itself reverts with one of the errors below, and
/// proves nothing.
interface IVerifier {
    /// @notice The witness does not list a leaf that the block touches.
    error MissingLeaf(uint256 key);
    /// @notice Keys of the witness are not strictly ascending.
    error UnsortedLeaf(uint256 key);
    /// @notice The witness lists a leaf that the block never touches.
    error UntouchedLeaf(uint256 key);
    /// @notice The bytes of a listed leaf are not a leaf of its kind.
    error MalformedLeaf(uint256 key);
    /// @notice The witness is truncated or padded, a mask is wrong, or a sibling is zero.
    error MalformedWitness();
    /// @notice The listed leaves do not belong to the state before the block.
    error WrongPreRoot(bytes32 actual, bytes32 expected);
    /// @notice The transactions are not those of the header.
    error WrongTransactions(bytes32 actual, bytes32 expected);
    /// @notice The messages do not lead from the state's inbox position to the header's.
    error WrongMessages();
    /// @notice The pricer could not be created.
    error NoPricer();
    /// @notice A precompile or the pricer failed, which only too little gas can cause.
    error TooLittleGas();

    /// @notice Executes the block of `header` as the specification says.
    /// @param header The header, already known to be the posted one.
    /// @param txs The block's transactions, joined.
    /// @param messages The inbox messages it consumes, each `length u16 ‖ bytes`, joined.
    /// @param witness The touched leaves before the block, and what proves them against `header.parentRoot`.
    /// @param domainSeparator EIP-712 domain of the rollup.
    /// @return reason 0, or why the block is invalid.
    /// @return index The message or transaction at fault, 0 if none.
    /// @return postRoot The state root after the block; zero if it is invalid.
    function verify(
        Header calldata header,
        bytes calldata txs,
        bytes calldata messages,
        bytes calldata witness,
        bytes32 domainSeparator
    ) external view returns (uint256 reason, uint256 index, bytes32 postRoot);

    /// @notice The contract that prices options, created by this one; deterministic and stateless too.
    function pricer() external view returns (address);
}
