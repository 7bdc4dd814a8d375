// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Account, Globals, Limits} from "../types/Leaves.sol";
import {Reasons} from "../types/Reasons.sol";
import {Eip712} from "../libraries/Eip712.sol";
import {Reader} from "../libraries/Reader.sol";
import {Authorise} from "./Authorise.sol";
import {Accounts, Context, Party} from "./Context.sol";
import {Funding} from "./Funding.sol";
import {Margin} from "./Margin.sol";

/// @title Cash that leaves an account: to L1, or to another account
/// @dev Twin of `rollup/stf/cash.py`. Only the owner may move cash.
library Cash {
    /// @dev On the wire: account u24, amount u64, nonce u64, signature.
    function withdraw(Context memory ctx, uint256 offset) internal view returns (uint256 reason) {
        Party memory party = ctx.maker;
        party.id = Reader.u24(offset + 1);
        int256 amount = Reader.amount(offset + 4);
        uint256 nonce = Reader.u64(offset + 12);
        reason = ctx.loadAccount(party.id);
        if (reason != Reasons.NONE) return reason;
        party.account = ctx.found.account;
        reason = requireAmount(party.account, amount, nonce);
        if (reason != Reasons.NONE) return reason;
        bytes32 digest = Eip712.withdraw(ctx.separator, party.id, amount, nonce);
        reason = Authorise.check(ctx, party.account, digest, offset + 20, false);
        if (reason != Reasons.NONE) return reason;
        reason = debit(ctx, party, amount);
        if (reason != Reasons.NONE) return reason;
        Globals memory globals = ctx.found.globals;
        Account memory staged = party.staged;
        staged.withdrawn += amount;
        int256 withdrawals = globals.withdrawals + amount;
        if (staged.withdrawn >= Limits.AMOUNT || withdrawals >= Limits.AMOUNT) return Reasons.CASH_RANGE;
        staged.ownerNonce = nonce;
        globals.withdrawals = withdrawals;
        Accounts.copy(party.account, staged);
    }

    /// @dev On the wire: from u24, to u24, amount u64, nonce u64, signature. The receiver is not settled: cash can only
    /// help it.
    function transfer(Context memory ctx, uint256 offset) internal view returns (uint256 reason) {
        Party memory party = ctx.maker;
        party.id = Reader.u24(offset + 1);
        uint256 to = Reader.u24(offset + 4);
        int256 amount = Reader.amount(offset + 7);
        uint256 nonce = Reader.u64(offset + 15);
        if (party.id == to) return Reasons.SELF_TRADE;
        reason = ctx.loadAccount(party.id);
        if (reason != Reasons.NONE) return reason;
        party.account = ctx.found.account;
        reason = ctx.loadAccount(to);
        if (reason != Reasons.NONE) return reason;
        Account memory receiver = ctx.found.account;
        reason = requireAmount(party.account, amount, nonce);
        if (reason != Reasons.NONE) return reason;
        bytes32 digest = Eip712.transfer(ctx.separator, party.id, to, amount, nonce);
        reason = Authorise.check(ctx, party.account, digest, offset + 23, false);
        if (reason != Reasons.NONE) return reason;
        reason = debit(ctx, party, amount);
        if (reason != Reasons.NONE) return reason;
        if (!Limits.inRange(receiver.cash + amount)) return Reasons.CASH_RANGE;
        receiver.cash += amount;
        party.staged.ownerNonce = nonce;
        Accounts.copy(party.account, party.staged);
    }

    function requireAmount(Account memory account, int256 amount, uint256 nonce) private pure returns (uint256) {
        if (amount == 0 || amount >= Limits.AMOUNT) return Reasons.AMOUNT;
        return nonce <= account.ownerNonce ? Reasons.NONCE_STALE : Reasons.NONE;
    }

    /// @dev Takes `amount` from a settled copy of the account, which must keep its initial margin.
    function debit(Context memory ctx, Party memory party, int256 amount) private pure returns (uint256 reason) {
        Account memory staged = party.staged;
        Accounts.copy(staged, party.account);
        reason = Funding.settle(ctx, staged);
        if (reason != Reasons.NONE) return reason;
        staged.cash -= amount;
        if (!Limits.inRange(staged.cash)) return Reasons.CASH_RANGE;
        return Margin.requireInitial(ctx, staged);
    }
}
