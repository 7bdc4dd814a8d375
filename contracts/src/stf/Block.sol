// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Header} from "../types/Header.sol";
import {Globals} from "../types/Leaves.sol";
import {Reasons} from "../types/Reasons.sol";
import {Reader} from "../libraries/Reader.sol";
import {TransactionCodec} from "../libraries/TransactionCodec.sol";
import {Context} from "./Context.sol";
import {Health} from "./Health.sol";
import {Messages} from "./Messages.sol";
import {Transactions} from "./Transactions.sol";

/// @title One block, from its first message to its last transaction
/// @dev Twin of `rollup/stf/block.py`.
library Block {
    /// @notice Executes the block on the leaves of `ctx`; `index` is the message or transaction at fault.
    function execute(Context memory ctx, Header calldata header, bytes calldata txs, bytes calldata messages)
        internal
        view
        returns (uint256 reason, uint256 index)
    {
        ctx.loadGlobals();
        Globals memory globals = ctx.found.globals;
        Messages.requireFold(globals, messages, header.inboxIndex, header.inboxHash);
        if (header.timestamp < globals.time) return (Reasons.TIME, 0);
        (reason, index) = Messages.execute(ctx, messages);
        if (reason != Reasons.NONE) return (reason, index);
        (reason, index) = executeAll(ctx, txs, index);
        if (reason != Reasons.NONE) return (reason, index);
        // What comes in later repays losses first.
        Health.repay(globals);
        globals.inboxIndex = header.inboxIndex;
        globals.inboxHash = header.inboxHash;
        globals.time = header.timestamp;
        return (Reasons.NONE, 0);
    }

    /// @dev Transactions are numbered on from the messages: `index` is the first one's.
    function executeAll(Context memory ctx, bytes calldata txs, uint256 index)
        private
        view
        returns (uint256 reason, uint256)
    {
        // Bounded: see `Limits`.
        unchecked {
            uint256 offset = Reader.offsetOf(txs);
            uint256 end = offset + txs.length;
            for (; offset < end; ++index) {
                reason = ctx.meters.countTransaction();
                if (reason != Reasons.NONE) return (reason, index);
                uint256 length = TransactionCodec.lengthAt(offset, end);
                if (length == 0) return (Reasons.UNDECODABLE, index);
                reason = ctx.meters.countBytes(length);
                if (reason != Reasons.NONE) return (reason, index);
                reason = Transactions.execute(ctx, offset);
                if (reason != Reasons.NONE) return (reason, index);
                offset += length;
            }
            return (Reasons.NONE, index);
        }
    }
}
