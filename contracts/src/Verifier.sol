// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVerifier} from "./interfaces/IVerifier.sol";
import {Header} from "./types/Header.sol";
import {Reasons} from "./types/Reasons.sol";
import {Witness} from "./libraries/Witness.sol";
import {Block} from "./stf/Block.sol";
import {Context, Contexts} from "./stf/Context.sol";

/// @title The state transition of Plumbline as one stateless call
/// @notice The twin of `rollup/stf`: what it answers about a block is what L1 acts on.
contract Verifier is IVerifier {
    /// @dev The verifier creates its pricer first of all, so that its own address tells where that is and its code is the
    /// same wherever it stands. Compiled apart, each with what suits it.
    /// @param pricerCode Creation code of `Pricer`; whoever relies on this verifier checks what came of it
    constructor(bytes memory pricerCode) {
        address created;
        assembly ("memory-safe") {
            created := create(0, add(pricerCode, 0x20), mload(pricerCode))
        }
        // INVARIANT: there is a pricer, and it is where everybody looks for it.
        if (created != pricer() || created.code.length == 0) revert NoPricer();
    }

    /// @inheritdoc IVerifier
    function pricer() public view returns (address) {
        // The address that the first creation of a contract gives: keccak(rlp([creator, 1])), last 20 bytes.
        return address(uint160(uint256(keccak256(abi.encodePacked(hex"d694", address(this), hex"01")))));
    }

    /// @inheritdoc IVerifier
    function verify(
        Header calldata header,
        bytes calldata txs,
        bytes calldata messages,
        bytes calldata witness,
        bytes32 domainSeparator
    ) external view returns (uint256 reason, uint256 index, bytes32 postRoot) {
        // INVARIANT: what is executed is what was posted.
        bytes32 txsHash = keccak256(txs);
        if (txsHash != header.txsHash) revert WrongTransactions(txsHash, header.txsHash);

        Context memory ctx = Contexts.create();
        uint256 proofAt;
        (ctx.leaves, proofAt) = Witness.open(witness);
        ctx.timestamp = header.timestamp;
        ctx.separator = domainSeparator;
        ctx.pricer = pricer();
        (reason, index) = Block.execute(ctx, header, txs, messages);

        bytes32 preRoot;
        (preRoot, postRoot) = Witness.roots(ctx.leaves, ctx.found, proofAt, witness, reason == Reasons.NONE);
        // INVARIANT: what it was executed on is the state before the block.
        if (preRoot != header.parentRoot) revert WrongPreRoot(preRoot, header.parentRoot);
        if (reason != Reasons.NONE) postRoot = bytes32(0);
    }
}
