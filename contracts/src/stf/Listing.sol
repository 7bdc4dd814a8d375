// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPricer} from "../interfaces/IPricer.sol";
import {Limits, Market, Series, Sizes, Underlying} from "../types/Leaves.sol";
import {Keys} from "../types/Keys.sol";
import {Reasons} from "../types/Reasons.sol";
import {Arena} from "../libraries/Arena.sol";
import {Fields} from "../libraries/Fields.sol";
import {Reader} from "../libraries/Reader.sol";
import {Context} from "./Context.sol";
import {Sheets} from "./Sheets.sol";

/// @title What the market admin lists through L1: underlyings, series, markets
/// @dev Twin of `rollup/stf/listing.py`. On the wire, behind the type: opens u40, kind of item u8, the item. Only ever adds.
/// The fields go to the empty leaf at once; as long as it does not exist they mean nothing.
library Listing {
    uint256 private constant UNDERLYING = 1;
    uint256 private constant SERIES = 2;
    uint256 private constant MARKET = 3;

    // Fields behind the numbers that make the key, in the order of the leaf.
    bytes32 private constant PARAMETERS = hex"0404040404040404040404040404";
    bytes32 private constant MARKET_TERMS = hex"01020206";
    bytes32 private constant MARKET_LIMITS = hex"0606040404040808";
    // Where they stand in the structs.
    uint256 private constant PARAMETERS_AT = 0x120;
    uint256 private constant MARKET_TERMS_AT = 0x20;
    uint256 private constant MARKET_LIMITS_AT = 0xc0;

    uint256 private constant HEAD = 7;
    uint256 private constant UNDERLYING_LENGTH = HEAD + 58;
    uint256 private constant SERIES_LENGTH = HEAD + 9;
    uint256 private constant MARKET_LENGTH = HEAD + 57;

    /// @notice Lists the item of the message of `length` bytes at `offset`.
    function execute(Context memory ctx, uint256 offset, uint256 length) internal view returns (uint256) {
        // Bounded: see `Limits`.
        unchecked {
            uint256 opens = Reader.u40(offset + 1);
            uint256 item = length < HEAD ? 0 : Reader.u8(offset + 6);
            offset += HEAD;
            if (item == UNDERLYING && length == UNDERLYING_LENGTH) return listUnderlying(ctx, offset);
            if (item == SERIES && length == SERIES_LENGTH) return listSeries(ctx, offset, opens);
            if (item == MARKET && length == MARKET_LENGTH) return listMarket(ctx, offset, opens);
            return Reasons.UNDECODABLE;
        }
    }

    /// @dev number u16, 14 parameters u32.
    function listUnderlying(Context memory ctx, uint256 offset) private view returns (uint256) {
        // Bounded: see `Limits`.
        unchecked {
            (uint256 reason, uint256 pointer) = ctx.touch(Keys.underlying(Reader.u16(offset)));
            if (reason != Reasons.NONE) return reason;
            ctx.found.setUnderlying(pointer);
            Underlying memory underlying = ctx.found.underlying;
            if (underlying.exists) return Reasons.LISTED;
            Fields.decode(PARAMETERS, offset + 2, pointer + PARAMETERS_AT);
            if (!isPossible(ctx, IPricer.admitsUnderlying.selector, pointer, Sizes.UNDERLYING)) return Reasons.LISTING_INVALID;
            underlying.exists = true;
            underlying.fundingTime = ctx.timestamp;
            return Reasons.NONE;
        }
    }

    /// @dev underlying u16, series u16, expiry u40.
    function listSeries(Context memory ctx, uint256 offset, uint256 opens) private pure returns (uint256) {
        // Bounded: see `Limits`.
        unchecked {
            uint256 id = Reader.u16(offset + 2);
            (uint256 reason, uint256 pointer) = ctx.touch(Keys.series(Reader.u16(offset), id));
            if (reason != Reasons.NONE) return reason;
            ctx.found.setSeries(pointer);
            Series memory series = ctx.found.series;
            if (series.exists) return Reasons.LISTED;
            (reason,) = ctx.loadUnderlying(Reader.u16(offset));
            if (reason != Reasons.NONE) return reason;
            uint256 expiry = Reader.u40(offset + 4);
            if (id == 0 || expiry <= opens) return Reasons.LISTING_INVALID;
            series.exists = true;
            series.expiry = expiry;
            return Reasons.NONE;
        }
    }

    /// @dev number u16, kind u8, underlying u16, series u16, strike u48; tick u48, lot u48, taker_fee u32, maker_fee u32, band
    /// u32, contingency u32, max_position u64, max_open_interest u64.
    function listMarket(Context memory ctx, uint256 offset, uint256 opens) private view returns (uint256) {
        // Bounded: see `Limits`.
        unchecked {
            (uint256 reason, uint256 pointer) = ctx.touch(Keys.market(Reader.u16(offset)));
            if (reason != Reasons.NONE) return reason;
            ctx.found.setMarket(pointer);
            Market memory market = ctx.found.market;
            if (market.exists) return Reasons.LISTED;
            offset = Fields.decode(MARKET_TERMS, offset + 2, pointer + MARKET_TERMS_AT);
            market.opens = opens;
            Fields.decode(MARKET_LIMITS, offset, pointer + MARKET_LIMITS_AT);
            (reason,) = ctx.loadUnderlying(market.underlying);
            if (reason != Reasons.NONE) return reason;
            if (market.kind != Limits.KIND_PERP) {
                (reason,) = ctx.loadSeries(market.underlying, market.series);
                if (reason != Reasons.NONE) return reason;
                if (ctx.found.series.expiry <= opens) return Reasons.LISTING_INVALID;
            } else if (market.series != 0) {
                return Reasons.LISTING_INVALID;
            }
            if (!isPossible(ctx, IPricer.admitsMarket.selector, pointer, Sizes.MARKET)) return Reasons.LISTING_INVALID;
            market.exists = true;
            return Reasons.NONE;
        }
    }

    /// @dev Asks the pricer whether the struct of `count` words at `pointer` is in range.
    function isPossible(Context memory ctx, bytes4 selector, uint256 pointer, uint256 count) private view returns (bool) {
        uint256 question = Sheets.begin(selector);
        // Plain: the only argument; structs of words are encoded as they stand.
        assembly ("memory-safe") {
            mcopy(add(question, 0x20), pointer, shl(5, count))
        }
        return Arena.get(Sheets.ask(ctx, question, count, 0x20), 0) != 0;
    }
}
