// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Equity} from "./escape/Equity.sol";
import {IAppraiser} from "./interfaces/IAppraiser.sol";
import {Witness} from "./libraries/Witness.sol";
import {Context, Contexts} from "./stf/Context.sol";
import {Keys} from "./types/Keys.sol";
import {Globals} from "./types/Leaves.sol";
import {Reasons} from "./types/Reasons.sol";

/// @title Appraiser
/// @notice Implements IAppraiser, where everything is explained.
contract Appraiser is IAppraiser {
    /// @inheritdoc IAppraiser
    function appraise(bytes calldata witness) external pure returns (Appraisal memory found) {
        Context memory ctx = Contexts.create();
        uint256 proofAt;
        (ctx.leaves, proofAt) = Witness.open(witness);
        ctx.loadGlobals();
        Globals memory globals = ctx.found.globals;
        // Underlyings accrue up to here when they are touched.
        ctx.timestamp = globals.time;
        found.account = last(ctx);
        // The one account is never too many.
        if (ctx.loadAccount(found.account) != Reasons.NONE) revert NoAccount();
        found.owner = ctx.found.account.owner;
        found.equity = Equity.value(ctx, ctx.found.account);
        found.deposits = uint256(globals.deposits);
        found.withdrawals = uint256(globals.withdrawals);
        // INVARIANT: every leaf that counts is in the state, and none is listed that does not.
        (found.root,) = Witness.roots(ctx.leaves, ctx.found, proofAt, witness, false);
    }

    /// @dev The account whose leaf is listed last, where the only one must be.
    function last(Context memory ctx) private pure returns (uint256 account) {
        uint256 key = ctx.leaves[ctx.leaves.length - 1].key();
        if (!Keys.isAccount(key)) revert NoAccount();
        return (key >> 14) & type(uint24).max;
    }
}
