// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Limits, Market, Underlying} from "../types/Leaves.sol";

/// @title The ranges of what is listed
/// @dev Twin of what `rollup/types/listing.py` requires of items. It runs in the pricer, because the verifier has no room.
library Ranges {
    int256 private constant MAX_STEP = 200_000;
    int256 private constant MAX_FEE = 100_000;
    uint256 private constant MAX_PERIOD = 86_400;

    /// @notice Whether an underlying may have these parameters.
    function isPossible(Underlying calldata listed) internal pure returns (bool) {
        if (listed.spotStep == 0 || listed.spotStep > MAX_STEP) return false;
        if (listed.maxAge == 0 || listed.haltWindow == 0 || listed.settlementWindow == 0) return false;
        if (listed.maxAge > MAX_PERIOD || listed.haltWindow > MAX_PERIOD) return false;
        if (listed.haltPeriod > MAX_PERIOD || listed.settlementWindow > MAX_PERIOD) return false;
        if (listed.maxMove == 0 || listed.haltMove == 0 || !isShare(listed.maxMove) || !isShare(listed.haltMove)) return false;
        if (!isShare(listed.fundingCap) || !isShare(listed.maxBasis) || !isShare(listed.callContingency)) return false;
        if (!isShare(listed.volUp) || !isShare(listed.volDown) || !isShare(listed.maxVolMove)) return false;
        return isShare(listed.confidenceFactor);
    }

    /// @notice Whether a market may have these terms, its underlying and series aside.
    function isPossible(Market calldata listed) internal pure returns (bool) {
        // Bounded: see `Limits`.
        unchecked {
            if (listed.kind > Limits.KIND_PUT || Limits.isOption(listed.kind) != (listed.strike > 0)) return false;
            if (listed.strike >= Limits.PRICE) return false;
            if (listed.tick == 0 || listed.lot == 0 || listed.tick * listed.lot % Limits.PPM != 0) return false;
            if (listed.takerFee > MAX_FEE || listed.makerFee > MAX_FEE) return false;
            if (!isShare(listed.band) || !isShare(listed.contingency)) return false;
            return isLimit(listed.maxPosition) && isLimit(listed.maxOpenInterest);
        }
    }

    /// @dev At most the whole.
    function isShare(int256 ppm) private pure returns (bool) {
        return ppm <= Limits.PPM;
    }

    function isLimit(int256 amount) private pure returns (bool) {
        return amount > 0 && amount <= Limits.AMOUNT;
    }
}
