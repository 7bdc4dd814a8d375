// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Header} from "../types/Header.sol";

/// @title Stateless verifier of one block
interface IVerifier {
    /// @notice Executes one block on a witness of the state it touches.
    /// @dev Reverts at any fault of the proof itself (witness, messages, gas): then nothing is proven either way.
    /// @param header The block's header, trusted
    /// @param txs The block's transactions; the caller has checked them against `header.txsHash`, or this reverts
    /// @param messages Inbox messages consumed, each `length u16 ‖ bytes`
    /// @param witness SPEC section 9
    /// @param domainSeparator EIP-712 domain under which users signed
    /// @return reason 0 if the block is valid, else why not (SPEC section 8)
    /// @return index The transaction at fault, counting messages and transactions together
    /// @return postRoot State root after the block; zero if `reason` is not 0
    function verify(
        Header calldata header,
        bytes calldata txs,
        bytes calldata messages,
        bytes calldata witness,
        bytes32 domainSeparator
    ) external view returns (uint256 reason, uint256 index, bytes32 postRoot);
}
