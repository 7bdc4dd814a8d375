// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Reader} from "../libraries/Reader.sol";
import {TransactionCodec} from "../libraries/TransactionCodec.sol";
import {Cancel} from "./Cancel.sol";
import {Cash} from "./Cash.sol";
import {Context} from "./Context.sol";
import {Oracle} from "./Oracle.sol";
import {Signer} from "./Signer.sol";
import {Trade} from "./Trade.sol";

/// @title Which rule executes a transaction
/// @dev Twin of `rollup/stf/transactions.py`.
library Transactions {
    /// @notice Executes the decodable transaction at calldata offset `offset`. If it fails, only copies, touches,
    /// meters, accruals and the noted funding pools have changed.
    function execute(Context memory ctx, uint256 offset) internal view returns (uint256) {
        uint256 kind = Reader.u8(offset);
        if (kind == TransactionCodec.TRADE) return Trade.execute(ctx, offset);
        if (kind == TransactionCodec.CANCEL) return Cancel.execute(ctx, offset);
        if (kind == TransactionCodec.WITHDRAW) return Cash.withdraw(ctx, offset);
        if (kind == TransactionCodec.TRANSFER) return Cash.transfer(ctx, offset);
        if (kind == TransactionCodec.SET_SIGNER) return Signer.execute(ctx, offset);
        return Oracle.execute(ctx, offset);
    }
}
