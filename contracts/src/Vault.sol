// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Custody} from "./escape/Custody.sol";
import {Escape} from "./escape/Escape.sol";

/// @title Vault
/// @notice Implements IVault and IEscape, where everything is explained.
contract Vault is Escape {
    /// @param token_ The stablecoin; must be deployed
    /// @param rollup_ Must be deployed, with an inbox that pays into this vault
    /// @param appraiser_ Values accounts in the end state; must be deployed
    /// @param registrationWindow_ Seconds from the end state to the last registration in time
    constructor(address token_, address rollup_, address appraiser_, uint40 registrationWindow_)
        Custody(token_, rollup_)
        Escape(appraiser_, registrationWindow_)
    {}
}
