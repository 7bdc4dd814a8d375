// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../interfaces/IVault.sol";
import {IVerifier} from "../interfaces/IVerifier.sol";
import {Keys} from "../types/Keys.sol";
import {Leaf} from "../types/Leaf.sol";
import {LeafHasher} from "./LeafHasher.sol";
import {Reader} from "./Reader.sol";
import {Witness} from "./Witness.sol";

/// @title One account's leaf, proven against a state root
/// @notice The proof is a witness (SPEC section 9) of exactly one key.
library AccountProof {
    uint256 private constant LEVELS = 20;
    /// @dev Bytes of an account leaf without positions, and where its total of withdrawals stands.
    uint256 private constant MINIMUM_LENGTH = 79;
    uint256 private constant WITHDRAWN_OFFSET = 48;
    uint256 private constant OWNER_OFFSET = 0;

    /// @notice Reads the leaf; what it says is worth as much as the root that it leads to.
    /// @return root The state root that holds this leaf
    /// @return account Its number
    /// @return owner Whose it is
    /// @return withdrawn µUSD withdrawn since the beginning
    function read(bytes calldata witness)
        internal
        pure
        returns (bytes32 root, uint256 account, address owner, uint256 withdrawn)
    {
        (Leaf[] memory leaves, uint256 masks) = Witness.open(witness);
        if (leaves.length != 1) revert IVault.NotAnAccount();
        Leaf leaf = leaves[0];
        account = (leaf.key() >> 14) & type(uint24).max;
        // INVARIANT: the leaf is an account's own, not one of its order slots, and not absent.
        if (leaf.key() != Keys.account(account) || leaf.length() < MINIMUM_LENGTH) revert IVault.NotAnAccount();
        owner = Reader.addr(leaf.offset() + OWNER_OFFSET);
        withdrawn = Reader.u64(leaf.offset() + WITHDRAWN_OFFSET);
        root = fold(leaf.key(), LeafHasher.hashBefore(leaf), masks, Reader.offsetOf(witness) + witness.length);
    }

    /// @dev The root above one leaf. Plain Solidity where the verifier's `Tree` is assembly: one path is cheap, and custody should read easily.
    function fold(uint256 key, bytes32 leaf, uint256 masks, uint256 end) private pure returns (bytes32 node) {
        uint256 sibling = masks + LEVELS;
        node = leaf;
        for (uint256 level = 0; level < LEVELS; ++level) {
            uint256 mask = Reader.u8(masks + level);
            bytes32[4] memory children;
            children[key & 3] = node;
            // INVARIANT: the child on the path is not among its siblings, and there are no more than four.
            if (mask > 15 || (mask >> (key & 3)) & 1 == 1) revert IVerifier.MalformedWitness();
            for (uint256 child = 0; child < 4; ++child) {
                if ((mask >> child) & 1 == 0) continue;
                children[child] = bytes32(Reader.word(sibling));
                // INVARIANT: each node has one proof; an empty sibling is left out.
                if (children[child] == 0) revert IVerifier.MalformedWitness();
                sibling += 32;
            }
            node = keccak256(abi.encode(children));
            key >>= 2;
        }
        // INVARIANT: the proof ends where its bytes end.
        if (sibling != end) revert IVerifier.MalformedWitness();
    }
}
