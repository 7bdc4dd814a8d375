// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../interfaces/IVault.sol";
import {Keys} from "../types/Keys.sol";
import {Leaf} from "../types/Leaf.sol";
import {LeafHasher} from "./LeafHasher.sol";
import {Reader} from "./Reader.sol";
import {Tree} from "./Tree.sol";
import {Witness} from "./Witness.sol";

/// @title One account's leaf, proven against a state root
/// @notice The proof is a witness (SPEC section 9) of exactly one key.
library AccountProof {
    /// @dev Bytes of an account leaf without positions, and where its total of withdrawals stands.
    uint256 private constant MINIMUM_LENGTH = 73;
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
        root = fold(leaf, masks, Reader.offsetOf(witness) + witness.length);
    }

    /// @dev One record (key, hash, hash), and the five words of room that the fold wants behind it.
    function fold(Leaf leaf, uint256 masks, uint256 end) private pure returns (bytes32 root) {
        bytes32 hash = LeafHasher.hashBefore(leaf);
        bytes memory room = abi.encode(leaf.key(), hash, hash, uint256(0), uint256(0), uint256(0), uint256(0), uint256(0));
        uint256 records;
        // Plain: the address of the room's first byte, which Solidity does not tell.
        assembly ("memory-safe") {
            records := add(room, 0x20)
        }
        uint256 siblings = masks + Tree.countParents(records, 1);
        (root,) = Tree.roots(records, 1, masks, siblings, end);
    }
}
