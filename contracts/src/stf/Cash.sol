// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Account, Globals, Limits} from "../types/Leaves.sol";
import {Reasons} from "../types/Reasons.sol";
import {Eip712} from "../libraries/Eip712.sol";
import {Reader} from "../libraries/Reader.sol";
import {Authorise} from "./Authorise.sol";
import {Accounts, Context, Party} from "./Context.sol";
import {Fixed} from "./Fixed.sol";
import {Margin} from "./Margin.sol";
import {Settlement} from "./Settlement.sol";

/// @title Cash that leaves an account: to L1, or to another account
/// @dev Twin of `rollup/stf/cash.py`. Only the owner may move cash.
library Cash {
    /// @dev On the wire: account u24, amount u64, nonce u64, signature.
    function withdraw(Context memory ctx, uint256 offset) internal view returns (uint256 reason) {
        // Bounded: see `Limits`.
        unchecked {
            Party memory party = ctx.maker;
            int256 amount = Reader.amount(offset + 4);
            uint256 nonce = Reader.u64(offset + 12);
            reason = ctx.loadParty(party, Reader.u24(offset + 1));
            if (reason != Reasons.NONE) return reason;
            reason = requireAmount(party.account, amount, nonce);
            if (reason != Reasons.NONE) return reason;
            bytes32 digest = Eip712.withdraw(ctx.separator, offset + 1);
            reason = Authorise.check(ctx, party.account, digest, offset + 20, false);
            if (reason != Reasons.NONE) return reason;
            Globals memory globals = ctx.found.globals;
            // A sequencer that leaves an insolvency unresolved holds up nobody who withdraws through L1.
            if (globals.insolvent > 0 && !ctx.forced) return Reasons.INSOLVENCY;
            reason = debit(ctx, party, amount);
            if (reason != Reasons.NONE) return reason;
            int256 worth = globals.deposits - globals.withdrawals + globals.badDebt;
            // More than all accounts can be worth: one of them is insolvent, and nobody has flagged it yet.
            if (amount > worth) return Reasons.CASH_RANGE;
            // Whoever leaves while losses are uncovered bears a share of them.
            int256 paid = amount - Fixed.divCeil(amount * globals.badDebt, worth);
            Account memory staged = party.staged;
            staged.withdrawn += paid;
            globals.withdrawals += paid;
            if (staged.withdrawn >= Limits.AMOUNT || globals.withdrawals >= Limits.AMOUNT) return Reasons.CASH_RANGE;
            globals.badDebt -= amount - paid;
            staged.ownerNonce = nonce;
            Accounts.copy(party.account, staged);
        }
    }

    /// @dev On the wire: from u24, to u24, amount u64, nonce u64, signature. The receiver is not settled: cash can only
    /// help it.
    function transfer(Context memory ctx, uint256 offset) internal view returns (uint256 reason) {
        // Bounded: see `Limits`.
        unchecked {
            Party memory party = ctx.maker;
            uint256 from = Reader.u24(offset + 1);
            uint256 to = Reader.u24(offset + 4);
            int256 amount = Reader.amount(offset + 7);
            uint256 nonce = Reader.u64(offset + 15);
            if (from == to) return Reasons.SELF_TRADE;
            reason = ctx.loadParty(party, from);
            if (reason != Reasons.NONE) return reason;
            bool insured = to == Limits.INSURANCE_FUND;
            if (!insured) {
                reason = ctx.loadAccount(to);
                if (reason != Reasons.NONE) return reason;
            }
            Account memory receiver = ctx.found.account;
            reason = requireAmount(party.account, amount, nonce);
            if (reason != Reasons.NONE) return reason;
            bytes32 digest = Eip712.transfer(ctx.separator, offset + 1);
            reason = Authorise.check(ctx, party.account, digest, offset + 23, false);
            if (reason != Reasons.NONE) return reason;
            reason = debit(ctx, party, amount);
            if (reason != Reasons.NONE) return reason;
            Globals memory globals = ctx.found.globals;
            int256 later = (insured ? globals.insurance : receiver.cash) + amount;
            if (!Limits.inRange(later)) return Reasons.CASH_RANGE;
            if (insured) globals.insurance = later;
            else receiver.cash = later;
            party.staged.ownerNonce = nonce;
            Accounts.copy(party.account, party.staged);
        }
    }

    function requireAmount(Account memory account, int256 amount, uint256 nonce) private pure returns (uint256) {
        if (amount == 0 || amount >= Limits.AMOUNT) return Reasons.AMOUNT;
        return nonce <= account.ownerNonce ? Reasons.NONCE_STALE : Reasons.NONE;
    }

    /// @dev Takes `amount` from a settled copy of the account, which must keep its initial margin.
    function debit(Context memory ctx, Party memory party, int256 amount) private view returns (uint256 reason) {
        // Bounded: see `Limits`.
        unchecked {
            reason = Settlement.prepare(ctx, party, false);
            if (reason != Reasons.NONE) return reason;
            Account memory staged = party.staged;
            staged.cash -= amount;
            if (!Limits.inRange(staged.cash)) return Reasons.CASH_RANGE;
            party.shrinks = false;
            return Margin.secure(ctx, party);
        }
    }
}
