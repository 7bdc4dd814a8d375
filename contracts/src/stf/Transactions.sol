// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Reader} from "../libraries/Reader.sol";
import {TransactionCodec} from "../libraries/TransactionCodec.sol";
import {Cancel} from "./Cancel.sol";
import {Cash} from "./Cash.sol";
import {Combo} from "./Combo.sol";
import {Context} from "./Context.sol";
import {Deleverage} from "./Deleverage.sol";
import {Liquidation} from "./Liquidation.sol";
import {Oracle} from "./Oracle.sol";
import {Settlement} from "./Settlement.sol";
import {Signer} from "./Signer.sol";
import {Trade} from "./Trade.sol";

/// @title Which rule executes a transaction
/// @dev Twin of `rollup/stf/transactions.py`.
library Transactions {
    /// @notice Executes the decodable transaction at calldata offset `offset`. If it fails, only copies, touches,
    /// meters, accruals and what `Changes` notes have changed.
    function execute(Context memory ctx, uint256 offset) internal view returns (uint256) {
        // Bounded: see `Limits`.
        unchecked {
            uint256 kind = Reader.u8(offset);
            if (kind == TransactionCodec.TRADE) return Trade.execute(ctx, offset);
            if (kind == TransactionCodec.CANCEL) return Cancel.execute(ctx, offset);
            if (kind == TransactionCodec.WITHDRAW) return Cash.withdraw(ctx, offset);
            if (kind == TransactionCodec.TRANSFER) return Cash.transfer(ctx, offset);
            if (kind == TransactionCodec.SET_SIGNER) return Signer.execute(ctx, offset);
            if (kind == TransactionCodec.ORACLE_UPDATE) return Oracle.execute(ctx, offset);
            if (kind == TransactionCodec.SETTLE) return Settlement.execute(ctx, offset);
            if (kind == TransactionCodec.COMBO_TRADE) return Combo.execute(ctx, offset);
            if (kind == TransactionCodec.SURFACE_UPDATE) return Oracle.executeSurface(ctx, offset);
            bool first = Reader.u8(offset + 1) == 0;
            if (kind == TransactionCodec.LIQUIDATE) {
                return first ? Liquidation.flag(ctx, offset) : Liquidation.bid(ctx, offset);
            }
            return first ? Deleverage.close(ctx, offset) : Deleverage.writeOff(ctx, offset);
        }
    }
}
