// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVerifier} from "../interfaces/IVerifier.sol";
import {Reasons} from "../types/Reasons.sol";
import {Reader} from "./Reader.sol";

/// @title Compact signatures (EIP-2098): r ‖ (yParity << 255 | s)
/// @dev Twin of `rollup/crypto/signatures.py`.
library Signature {
    uint256 internal constant LENGTH = 64;
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;
    uint256 private constant S_MASK = (1 << 255) - 1;

    /// @notice Recovers who signed `digest` with the signature at calldata offset `offset`.
    function recover(bytes32 digest, uint256 offset) internal view returns (uint256 reason, address signer) {
        uint256 r = Reader.word(offset);
        uint256 vs = Reader.word(offset + 32);
        uint256 s = vs & S_MASK;
        if (s > HALF_ORDER) return (Reasons.SIGNATURE_MALFORMED, address(0));
        bool answered;
        // Plain: ecrecover(digest, 27 + (vs >> 255), r, s), but that cannot tell a precompile which ran out of gas from
        // a signature that does not recover. The first must never pass for the second, so its success flag is checked.
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, digest)
            mstore(add(free, 0x20), add(27, shr(255, vs)))
            mstore(add(free, 0x40), r)
            mstore(add(free, 0x60), s)
            answered := staticcall(gas(), 1, free, 0x80, free, 0x20)
            if returndatasize() { signer := mload(free) }
        }
        if (!answered) revert IVerifier.TooLittleGas();
        // The precompile returns nothing where no key fits, and never the zero address.
        if (signer == address(0)) return (Reasons.SIGNATURE_INVALID, address(0));
    }

    /// @notice Whether the 64 bytes at `offset` are all zero: a forced message that its L1 sender vouches for.
    function isBlank(uint256 offset) internal pure returns (bool) {
        // Bounded: see `Limits`.
        unchecked {
            return Reader.word(offset) | Reader.word(offset + 32) == 0;
        }
    }
}
