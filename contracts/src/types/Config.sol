// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IInbox} from "../interfaces/IInbox.sol";
import {IVerifier} from "../interfaces/IVerifier.sol";

/// @notice What a deployment fixes for ever. Times are in seconds, stakes in wei.
/// @param sequencer Exclusive poster while it is staked and not silent
/// @param minStake Least stake that lets an account post
/// @param disputeWindow How long a batch can be disputed
/// @param proposerTimeout Silence of the sequencer after which anyone staked may post
/// @param forceDeadline Age of an inbox message that no batch may leave unconsumed
/// @param maxTimeAhead How far a batch's last block may lie in L1's future
/// @param maxTimeLag How far a batch's first block may lie in L1's past
/// @param rewardDelay How long a reward is held for a better claim
/// @param inbox Where messages come from; predicted, because it is deployed after the Rollup
/// @param verifier Judge of single blocks
/// @param genesisTimestamp Timestamp of the genesis state
/// @param freezeGrace How long after the force deadline a chain that leaves a message behind can still be taken over, before
/// anyone may freeze it; longer than proposerTimeout
struct Config {
    address sequencer;
    uint128 minStake;
    uint40 disputeWindow;
    uint40 proposerTimeout;
    uint40 forceDeadline;
    uint40 maxTimeAhead;
    uint40 maxTimeLag;
    uint40 rewardDelay;
    IInbox inbox;
    IVerifier verifier;
    uint40 genesisTimestamp;
    uint40 freezeGrace;
}
