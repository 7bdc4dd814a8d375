// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPricer} from "../interfaces/IPricer.sol";
import {Series, Underlying} from "../types/Leaves.sol";
import {Reasons} from "../types/Reasons.sol";
import {Arena} from "../libraries/Arena.sol";
import {Eip712} from "../libraries/Eip712.sol";
import {Fields} from "../libraries/Fields.sol";
import {Reader} from "../libraries/Reader.sol";
import {TransactionCodec} from "../libraries/TransactionCodec.sol";
import {Context} from "./Context.sol";
import {Feeders} from "./Feeders.sol";
import {Sheets} from "./Sheets.sol";

/// @title Prices that k of n feeders have signed
/// @dev Twin of `rollup/stf/oracle.py` and `series.py`: of an underlying, or forward and volatility of one of its series.
library Oracle {
    /// @dev Fields of a surface on the wire, from its time on, which is their order in the series too.
    bytes32 private constant SURFACE = hex"0506860684860604";

    /// @dev On the wire: underlying u16, time u40, spot u48, mark u48, bitmap of signers u8, signatures.
    function execute(Context memory ctx, uint256 offset) internal view returns (uint256 reason) {
        // Bounded: see `Limits`.
        unchecked {
            uint256 time = Reader.u40(offset + 3);
            int256 spot = Reader.quantity(offset + 8);
            int256 mark = Reader.quantity(offset + 14);
            reason = ctx.loadOracles();
            if (reason != Reasons.NONE) return reason;
            (reason,) = ctx.loadUnderlying(Reader.u16(offset + 1));
            if (reason != Reasons.NONE) return reason;
            Underlying memory underlying = ctx.found.underlying;
            uint256 since = underlying.time;
            // All who hold its perpetual are paid out at the same last mark.
            if (ctx.isAbandoned(since)) return Reasons.MARKET_EXPIRED;
            reason = Feeders.requireTime(ctx.timestamp, underlying.maxAge, ctx.leeway, since, time);
            if (reason != Reasons.NONE) return reason;
            if (!Feeders.isPrice(spot) || !Feeders.isPrice(mark) || Feeders.isFar(mark, spot, underlying.maxBasis)) {
                return Reasons.ORACLE_PRICE;
            }
            if (since > 0 && Feeders.isMove(spot, underlying.spot, underlying.maxMove, since, time)) {
                return Reasons.ORACLE_MOVE;
            }
            bytes32 digest = Eip712.oracle(ctx.separator, offset + 1);
            reason = Feeders.requireSigners(ctx, ctx.found.oracles, digest, offset + TransactionCodec.ORACLE_HEAD - 1);
            if (reason != Reasons.NONE) return reason;
            underlying.spot = spot;
            underlying.mark = mark;
            underlying.time = time;
            ++underlying.updates;
            watch(ctx, underlying);
        }
    }

    /// @dev Twin of `rollup/stf/halt.py`. A price far from where it stood a window ago halts the underlying for a while.
    function watch(Context memory ctx, Underlying memory underlying) private pure {
        // Bounded: see `Limits`.
        unchecked {
            if (underlying.anchorTime != 0) {
                if (Feeders.isFar(underlying.spot, underlying.anchorSpot, underlying.haltMove)) {
                    underlying.haltedUntil = ctx.timestamp + underlying.haltPeriod;
                } else if (underlying.time - underlying.anchorTime < underlying.haltWindow) {
                    return;
                }
            }
            underlying.anchorSpot = underlying.spot;
            underlying.anchorTime = underlying.time;
        }
    }

    /// @dev On the wire: underlying u16, series u16, time u40, forward u48, a i48, b u48, rho i32, m i48, sigma u48,
    /// confidence u32, bitmap of signers u8, signatures.
    function executeSurface(Context memory ctx, uint256 offset) internal view returns (uint256 reason) {
        // Bounded: see `Limits`.
        unchecked {
            reason = ctx.loadOracles();
            if (reason != Reasons.NONE) return reason;
            uint256 id = Reader.u16(offset + 1);
            (reason,) = ctx.loadUnderlying(id);
            if (reason != Reasons.NONE) return reason;
            (reason,) = ctx.loadSeries(id, Reader.u16(offset + 3));
            if (reason != Reasons.NONE) return reason;
            Series memory series = ctx.found.series;
            uint256 answer = judge(ctx, ctx.found.underlying, series, offset + 5);
            reason = Arena.get(answer, 0);
            if (reason != Reasons.NONE) return reason;
            bytes32 digest = Eip712.surface(ctx.separator, offset + 1);
            reason = Feeders.requireSigners(ctx, ctx.found.oracles, digest, offset + TransactionCodec.SURFACE_HEAD - 1);
            if (reason != Reasons.NONE) return reason;
            ++series.updates;
            // Plain: (series.settlement, series.sum, series.covered) = the other results, which stand in this order.
            assembly ("memory-safe") {
                mcopy(add(series, 0x140), add(answer, 0x20), 0x60)
                answer := series
            }
            // From `series.time` on.
            Fields.decode(SURFACE, offset + 5, answer + 0x40);
        }
    }

    /// @dev Asks the pricer what the update at `offset` makes of the series.
    function judge(Context memory ctx, Underlying memory underlying, Series memory series, uint256 offset)
        private
        view
        returns (uint256)
    {
        // Bounded: see `Limits`.
        unchecked {
            uint256 question = Sheets.begin(IPricer.judge.selector);
            Arena.put(question, 1, ctx.timestamp);
            // Plain: the arguments underlying and series; structs of words are encoded as they stand, 29 and 18 of them.
            assembly ("memory-safe") {
                mcopy(add(question, 0x40), underlying, 0x3a0)
                mcopy(add(question, 0x3e0), series, 0x240)
            }
            Fields.decode(SURFACE, offset, question + 0x620);
            Arena.put(question, 57, ctx.leeway);
            return Sheets.ask(ctx, question, 57, 0x80);
        }
    }
}
