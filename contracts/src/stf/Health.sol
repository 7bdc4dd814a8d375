// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Account, Globals, Limits} from "../types/Leaves.sol";
import {Context} from "./Context.sol";
import {Fixed} from "./Fixed.sol";

/// @title Whether an account has what its positions need, and who pays for those that never will
/// @dev Twin of `rollup/stf/health.py` and `fund.py`.
library Health {
    /// @notice Records in `account`, a staged copy, and in the totals what `equity` and `maintenance` make of it.
    function assess(Context memory ctx, Account memory account, int256 equity, int256 maintenance) internal pure {
        // Bounded: see `Limits`.
        unchecked {
            uint256 status = equity < 0
                ? Limits.STATUS_INSOLVENT
                : equity < maintenance ? Limits.STATUS_SHORT : Limits.STATUS_SOUND;
            Globals memory globals = ctx.found.globals;
            if (account.status == Limits.STATUS_INSOLVENT) --globals.insolvent;
            if (status == Limits.STATUS_INSOLVENT) ++globals.insolvent;
            if (status == Limits.STATUS_SOUND) account.flagged = 0;
            else if (account.status == Limits.STATUS_SOUND) account.flagged = ctx.timestamp;
            account.status = status;
        }
    }

    /// @notice Whether the flag of `account` is so old that it must be raised anew before anybody can use it.
    function isSpent(Context memory ctx, Account memory account) internal pure returns (bool) {
        // Bounded: see `Limits`.
        unchecked {
            return ctx.timestamp - account.flagged > 2 * ctx.found.globals.auction;
        }
    }

    /// @notice Whether `account` is flagged, and not since long ago.
    function isFlagged(Context memory ctx, Account memory account) internal pure returns (bool) {
        return account.status != Limits.STATUS_SOUND && !isSpent(ctx, account);
    }

    /// @notice Pays back what it can of the debt that was written off.
    function repay(Globals memory globals) internal pure {
        // Bounded: see `Limits`.
        unchecked {
            int256 paid = Fixed.min(globals.badDebt, fund(globals));
            spend(globals, paid);
            globals.badDebt -= paid;
        }
    }

    /// @notice What insurance and fees can still pay.
    function fund(Globals memory globals) internal pure returns (int256) {
        // Bounded: see `Limits`.
        unchecked {
            return globals.insurance + globals.fees;
        }
    }

    /// @notice Takes `amount`, which the fund holds, from the insurance and what is missing from the fees.
    function spend(Globals memory globals, int256 amount) internal pure {
        // Bounded: see `Limits`.
        unchecked {
            int256 rest = globals.insurance - amount;
            globals.insurance = Fixed.positive(rest);
            globals.fees -= Fixed.positive(-rest);
        }
    }
}
