// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Account} from "../types/Leaves.sol";
import {Reasons} from "../types/Reasons.sol";
import {Eip712} from "../libraries/Eip712.sol";
import {Reader} from "../libraries/Reader.sol";
import {Authorise} from "./Authorise.sol";
import {Context} from "./Context.sol";

/// @title The owner appoints a session signer, or none
/// @dev Twin of `rollup/stf/signer.py`. On the wire: account u24, signer 20, nonce u64, signature.
library Signer {
    function execute(Context memory ctx, uint256 offset) internal view returns (uint256 reason) {
        // Bounded: see `Limits`.
        unchecked {
            uint256 id = Reader.u24(offset + 1);
            address signer = Reader.addr(offset + 4);
            uint256 nonce = Reader.u64(offset + 24);
            reason = ctx.loadAccount(id);
            if (reason != Reasons.NONE) return reason;
            Account memory account = ctx.found.account;
            if (nonce <= account.ownerNonce) return Reasons.NONCE_STALE;
            bytes32 digest = Eip712.setSigner(ctx.separator, offset + 1);
            reason = Authorise.check(ctx, account, digest, offset + 32, false);
            if (reason != Reasons.NONE) return reason;
            account.signer = signer;
            account.ownerNonce = nonce;
        }
    }
}
