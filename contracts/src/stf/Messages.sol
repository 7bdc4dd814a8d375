// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVerifier} from "../interfaces/IVerifier.sol";
import {Account, Globals, Limits} from "../types/Leaves.sol";
import {Reasons} from "../types/Reasons.sol";
import {Reader} from "../libraries/Reader.sol";
import {TransactionCodec} from "../libraries/TransactionCodec.sol";
import {Changes, Context} from "./Context.sol";
import {Listing} from "./Listing.sol";
import {Transactions} from "./Transactions.sol";

/// @title What the L1 inbox asks of a block
/// @dev Twin of `rollup/stf/messages.py`. A message that cannot execute does nothing; only a meter makes the block
/// invalid.
library Messages {
    uint256 private constant OPEN = 1;
    uint256 private constant DEPOSIT = 2;
    uint256 private constant FORCED = 3;
    uint256 private constant LIST = 4;
    uint256 private constant OPEN_LENGTH = 32;
    uint256 private constant DEPOSIT_LENGTH = 12;
    uint256 private constant FORCED_HEAD = 21;
    uint256 private constant LENGTH_PREFIX = 2;
    /// @dev A bit for each type of transaction that does without a fresh price if it is forced: what leaves, and the prices to
    /// leave at. Not trades, which a stranger could make of resting orders at a price that is wrong by then.
    uint256 private constant PATIENT = 1 << TransactionCodec.WITHDRAW | 1 << TransactionCodec.TRANSFER
        | 1 << TransactionCodec.ORACLE_UPDATE | 1 << TransactionCodec.COMBO_TRADE | 1 << TransactionCodec.SURFACE_UPDATE;

    /// @notice Requires that the messages lead the inbox hash from `globals` to `inboxHash` in the steps up to
    /// `inboxIndex`.
    function requireFold(Globals memory globals, bytes calldata messages, uint256 inboxIndex, bytes32 inboxHash)
        internal
        pure
    {
        // Bounded: see `Limits`.
        unchecked {
            uint256 offset = Reader.offsetOf(messages);
            uint256 end = offset + messages.length;
            bytes32 folded = globals.inboxHash;
            uint256 index = globals.inboxIndex;
            for (; offset < end; ++index) {
                uint256 length = Reader.u16(offset);
                offset += LENGTH_PREFIX;
                folded = keccak256(abi.encode(folded, Reader.hash(offset, length)));
                offset += length;
            }
            if (offset != end || index != inboxIndex || folded != inboxHash) revert IVerifier.WrongMessages();
        }
    }

    /// @notice Executes every message in order; `index` is how many were executed, or the one at fault.
    function execute(Context memory ctx, bytes calldata messages) internal view returns (uint256 reason, uint256 index) {
        // Bounded: see `Limits`.
        unchecked {
            uint256 offset = Reader.offsetOf(messages);
            uint256 end = offset + messages.length;
            for (; offset < end; ++index) {
                uint256 length = Reader.u16(offset);
                offset += LENGTH_PREFIX;
                reason = ctx.meters.countTransaction();
                if (reason != Reasons.NONE) return (reason, index);
                reason = ctx.meters.countBytes(length);
                if (reason != Reasons.NONE) return (reason, index);
                reason = executeOne(ctx, offset, length);
                // Only a block that already did other work can be at fault: alone at the head of a block, a message that
                // exceeds a meter does nothing.
                if (Reasons.isMeter(reason) && index != 0) return (reason, index);
                offset += length;
            }
            return (Reasons.NONE, index);
        }
    }

    function executeOne(Context memory ctx, uint256 offset, uint256 length) private view returns (uint256) {
        // Bounded: see `Limits`.
        unchecked {
            uint256 kind = length == 0 ? 0 : Reader.u8(offset);
            if (kind == OPEN && length == OPEN_LENGTH) return open(ctx, offset);
            if (kind == DEPOSIT && length == DEPOSIT_LENGTH) return deposit(ctx, offset);
            if (kind == FORCED && length > FORCED_HEAD) return force(ctx, offset, offset + length);
            if (kind == LIST) return Listing.execute(ctx, offset, length);
            return Reasons.UNDECODABLE;
        }
    }

    /// @dev On the wire: account u24, owner 20, amount u64. The contract numbers accounts, so an existing one is just
    /// credited.
    function open(Context memory ctx, uint256 offset) private pure returns (uint256 reason) {
        // Bounded: see `Limits`.
        unchecked {
            reason = ctx.touchAccount(Reader.u24(offset + 1));
            if (reason != Reasons.NONE) return reason;
            Account memory account = ctx.found.account;
            if (!account.exists) {
                account.exists = true;
                account.owner = Reader.addr(offset + 4);
                ctx.found.globals.accounts += 1;
            }
            credit(ctx, account, Reader.amount(offset + 24));
        }
    }

    /// @dev On the wire: account u24, amount u64.
    function deposit(Context memory ctx, uint256 offset) private pure returns (uint256 reason) {
        // Bounded: see `Limits`.
        unchecked {
            reason = ctx.loadAccount(Reader.u24(offset + 1));
            if (reason != Reasons.NONE) return reason;
            credit(ctx, ctx.found.account, Reader.amount(offset + 4));
        }
    }

    /// @dev The contract caps all deposits at 2⁶⁰, so these sums stay in range.
    function credit(Context memory ctx, Account memory account, int256 amount) private pure {
        // Bounded: see `Limits`.
        unchecked {
            account.cash += amount;
            ctx.found.globals.deposits += amount;
        }
    }

    /// @dev On the wire: the L1 sender 20, then one transaction that fills the message. If it fails, nothing of it
    /// stays but what it touched.
    function force(Context memory ctx, uint256 offset, uint256 end) private view returns (uint256 reason) {
        // Bounded: see `Limits`.
        unchecked {
            uint256 transactionAt = offset + FORCED_HEAD;
            if (TransactionCodec.lengthAt(transactionAt, end) != end - transactionAt) return Reasons.UNDECODABLE;
            Changes.begin(ctx);
            ctx.forced = true;
            ctx.sender = Reader.addr(offset + 1);
            ctx.leeway = Limits.FORCED_AGE * (PATIENT >> Reader.u8(transactionAt) & 1);
            reason = Transactions.execute(ctx, transactionAt);
            ctx.forced = false;
            ctx.leeway = 0;
            ctx.outdated = 0;
            if (reason != Reasons.NONE) Changes.undo(ctx);
        }
    }
}
