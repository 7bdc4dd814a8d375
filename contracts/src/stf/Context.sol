// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVerifier} from "../interfaces/IVerifier.sol";
import {Account, Globals, Limits, Market, Sizes, Slot, Underlying} from "../types/Leaves.sol";
import {Found} from "../types/Found.sol";
import {Keys} from "../types/Keys.sol";
import {Leaf} from "../types/Leaf.sol";
import {Position} from "../types/Position.sol";
import {Reasons} from "../types/Reasons.sol";
import {Arena} from "../libraries/Arena.sol";
import {LeafDecoder} from "../libraries/LeafDecoder.sol";
import {Witness} from "../libraries/Witness.sol";
import {Funding} from "./Funding.sol";
import {Meters, Metering} from "./Meters.sol";

using Contexts for Context global;

/// @notice One party of the transaction at work.
/// @dev `account` and `slot` are the block's own; `staged`, `settled` and `order` are copies that a failing transaction
/// just leaves behind. `shrinks` says whether every change of the transaction was strictly towards zero.
struct Party {
    Account account;
    Slot slot;
    Account settled;
    Account staged;
    Slot order;
    uint256 id;
    bool shrinks;
}

/// @notice Everything the execution of one block works on.
struct Context {
    Found found;
    Meters meters;
    Leaf[] leaves;
    // Scratch, allocated once for all transactions.
    Party maker;
    Party taker;
    // Tables: of the slices of an account that is sold, of what the valuation at work has met.
    uint256 slices;
    uint256 underlyings;
    uint256 serieses;
    // What takes a failing forced transaction back: a table of what it changed, and the totals, as they were.
    uint256 changes;
    Globals totals;
    uint256 changeCount;
    uint256 transactions;
    uint256 valuations;
    uint256 timestamp;
    bytes32 separator;
    address pricer;
    // Inside a forced message: whom L1 saw sending it.
    bool forced;
    address sender;
    // For the transaction at work: how old a price may be beyond its max_age, and 1 if it has relied on an older one than that.
    uint256 leeway;
    uint256 outdated;
}

/// @title Access to leaves: touch, meter, decode, accrue
/// @dev Twin of `rollup/stf/context.py`. A loader returns a reason and leaves the leaf in `ctx.found`.
library Contexts {
    uint256 private constant FOUND = 7;
    uint256 private constant METERS = 9;
    uint256 private constant PARTY = 7;
    uint256 private constant CONTEXT = 20;

    /// @notice A fresh context with all its scratch space.
    function create() internal pure returns (Context memory) {
        // Bounded: see `Limits`.
        unchecked {
            uint256 pointer = Arena.words(CONTEXT);
            // In the order of the fields above.
            Arena.put(pointer, 0, Arena.words(FOUND));
            Arena.put(pointer, 1, Arena.words(METERS));
            Arena.put(pointer, 3, createParty());
            Arena.put(pointer, 4, createParty());
            Arena.put(pointer, 5, Arena.words(Limits.MAX_POSITIONS));
            Arena.put(pointer, 6, Arena.words(Limits.MAX_POSITIONS));
            Arena.put(pointer, 7, Arena.words(Limits.MAX_POSITIONS));
            Arena.put(pointer, 8, Arena.words(Changes.WORDS * Metering.SYSTEM));
            Arena.put(pointer, 9, Arena.words(Sizes.GLOBALS));
            return asContext(identity)(pointer);
        }
    }

    function createParty() private pure returns (uint256 pointer) {
        pointer = Arena.words(PARTY);
        Arena.put(pointer, 2, LeafDecoder.createAccount());
        Arena.put(pointer, 3, LeafDecoder.createAccount());
        Arena.put(pointer, 4, Arena.words(Sizes.SLOT));
    }

    function identity(uint256 pointer) private pure returns (uint256) {
        return pointer;
    }

    /// @dev The way from an address to a reference that makes no fresh struct first, as a variable or result would.
    function asContext(function(uint256) pure returns (uint256) f)
        private
        pure
        returns (function(uint256) pure returns (Context memory) g)
    {
        // Plain: none; both take and give one word.
        assembly ("memory-safe") {
            g := f
        }
    }

    /// @notice Looks a leaf up and, the first time in the block, meters and decodes it.
    function touch(Context memory ctx, uint256 key) internal pure returns (uint256 reason, uint256 pointer) {
        (uint256 position, Leaf leaf) = Witness.find(ctx.leaves, key);
        pointer = leaf.pointer();
        if (pointer != 0) return (Reasons.NONE, pointer);
        // A leaf that its meter refuses is not touched, so it need not be listed.
        reason = ctx.meters.countLeaf(key);
        if (reason != Reasons.NONE) return (reason, 0);
        if (!leaf.isListed()) revert IVerifier.MissingLeaf(key);
        pointer = LeafDecoder.decode(leaf);
        ctx.leaves[position] = leaf.touched(pointer);
        reason = ctx.meters.countLeafBytes(key, leaf.length());
        if (reason == Reasons.NONE && Keys.isUnderlying(key)) {
            ctx.found.setUnderlying(pointer);
            Funding.accrue(ctx.found.underlying, ctx.timestamp);
        }
    }

    function loadGlobals(Context memory ctx) internal pure {
        // The first touch of a block cannot exceed a meter.
        (, uint256 pointer) = touch(ctx, Keys.GLOBALS);
        ctx.found.setGlobals(pointer);
    }

    function loadOracles(Context memory ctx) internal pure returns (uint256 reason) {
        uint256 pointer;
        (reason, pointer) = touch(ctx, Keys.ORACLE_SET);
        ctx.found.setOracles(pointer);
    }

    /// @dev An account that may be absent.
    function touchAccount(Context memory ctx, uint256 id) internal pure returns (uint256 reason) {
        uint256 pointer;
        (reason, pointer) = touch(ctx, Keys.account(id));
        ctx.found.setAccount(pointer);
    }

    function loadAccount(Context memory ctx, uint256 id) internal pure returns (uint256 reason) {
        reason = touchAccount(ctx, id);
        if (reason == Reasons.NONE && !ctx.found.account.exists) return Reasons.ACCOUNT_UNKNOWN;
    }

    /// @dev An existing account, as a party of the transaction.
    function loadParty(Context memory ctx, Party memory party, uint256 id) internal pure returns (uint256 reason) {
        party.id = id;
        reason = loadAccount(ctx, id);
        party.account = ctx.found.account;
    }

    /// @dev Two different accounts, as maker and taker.
    function loadParties(Context memory ctx, uint256 maker, uint256 taker) internal pure returns (uint256 reason) {
        if (maker == taker) return Reasons.SELF_TRADE;
        reason = loadParty(ctx, ctx.maker, maker);
        return reason != Reasons.NONE ? reason : loadParty(ctx, ctx.taker, taker);
    }

    /// @dev A slot that may be empty.
    function touchSlot(Context memory ctx, uint256 id, uint256 nonce) internal pure returns (uint256 reason) {
        uint256 pointer;
        (reason, pointer) = touch(ctx, Keys.slot(id, nonce));
        ctx.found.setSlot(pointer);
    }

    function loadMarket(Context memory ctx, uint256 id) internal pure returns (uint256 reason, uint256 pointer) {
        (reason, pointer) = touch(ctx, Keys.market(id));
        ctx.found.setMarket(pointer);
        if (reason == Reasons.NONE && !ctx.found.market.exists) reason = Reasons.MARKET_UNKNOWN;
    }

    function loadUnderlying(Context memory ctx, uint256 id) internal pure returns (uint256 reason, uint256 pointer) {
        (reason, pointer) = touch(ctx, Keys.underlying(id));
        ctx.found.setUnderlying(pointer);
        if (reason == Reasons.NONE && !ctx.found.underlying.exists) reason = Reasons.UNDERLYING_UNKNOWN;
    }

    function loadSeries(Context memory ctx, uint256 underlying, uint256 id)
        internal
        pure
        returns (uint256 reason, uint256 pointer)
    {
        (reason, pointer) = touch(ctx, Keys.series(underlying, id));
        ctx.found.setSeries(pointer);
        if (reason == Reasons.NONE && !ctx.found.series.exists) reason = Reasons.SERIES_UNKNOWN;
    }

    /// @dev The underlying of `market`, which remembers where it stands.
    function selectUnderlying(Context memory ctx, Market memory market) internal pure returns (uint256 reason) {
        uint256 pointer = market.underlyingAt;
        if (pointer == 0) {
            (reason, pointer) = loadUnderlying(ctx, market.underlying);
            if (reason == Reasons.NONE) market.underlyingAt = pointer;
            return reason;
        }
        ctx.found.setUnderlying(pointer);
    }

    /// @dev The series of `market`, no perpetual, which remembers where it stands.
    function selectSeries(Context memory ctx, Market memory market) internal pure returns (uint256 reason) {
        uint256 pointer = market.seriesAt;
        if (pointer == 0) {
            (reason, pointer) = loadSeries(ctx, market.underlying, market.series);
            if (reason == Reasons.NONE) market.seriesAt = pointer;
            return reason;
        }
        ctx.found.setSeries(pointer);
    }

    /// @notice Whether a price of `time` is so old that it counts as the last there will be.
    function isAbandoned(Context memory ctx, uint256 time) internal pure returns (bool) {
        // Bounded: see `Limits`.
        unchecked {
            return time != 0 && ctx.timestamp - time > Limits.WIND_UP;
        }
    }

    /// @notice Requires a price that is not too old of what `market` is priced by: its underlying or its series, both in
    /// `ctx.found`.
    function requireFresh(Context memory ctx, Market memory market) internal pure returns (uint256) {
        // Bounded: see `Limits`.
        unchecked {
            Underlying memory underlying = ctx.found.underlying;
            uint256 time = market.kind == Limits.KIND_PERP ? underlying.time : ctx.found.series.time;
            return isOld(ctx, underlying, time, false) ? Reasons.ORACLE_STALE : Reasons.NONE;
        }
    }

    /// @notice Whether a price of `time` (0: none yet) is too old for the transaction at work, which is remembered if it relies on
    /// one that is not fresh. One that is abandoned will do if it may be the `last`.
    function isOld(Context memory ctx, Underlying memory underlying, uint256 time, bool last) internal pure returns (bool) {
        // Bounded: see `Limits`.
        unchecked {
            // A price is never later than the block's timestamp, which never falls.
            uint256 age = ctx.timestamp - time;
            if (age <= underlying.maxAge || (last && age > Limits.WIND_UP)) return time == 0;
            ctx.outdated = 1;
            return age > ctx.leeway || time == 0;
        }
    }
}

/// @title What a forced transaction that fails takes back
/// @dev Accounts and slots are staged as copies. Markets, series and totals change at once, and are noted as they were before.
library Changes {
    /// @dev Noted for each market or series that a transaction changes: where, and the two words that stood there.
    uint256 internal constant WORDS = 3;
    // Of a market its open interest and pool, of a series its settlement and the sum behind it, which stays.
    uint256 private constant TOTALS_AT = 0x1c0;
    uint256 private constant SETTLEMENT_AT = 0x140;

    /// @notice Begins a transaction.
    function begin(Context memory ctx) internal pure {
        // Bounded: see `Limits`.
        unchecked {
            ++ctx.transactions;
            ctx.changeCount = 0;
            copy(ctx.totals, ctx.found.globals);
        }
    }

    /// @notice Notes the market at `marketAt`, which the transaction is about to change, as it is.
    function note(Context memory ctx, Market memory market, uint256 marketAt) internal pure {
        // Bounded: see `Limits`.
        unchecked {
            if (market.changedBy == ctx.transactions) return;
            market.changedBy = ctx.transactions;
            keep(ctx, marketAt + TOTALS_AT);
        }
    }

    /// @notice Notes the series at `seriesAt`, which the transaction is about to end.
    function noteSeries(Context memory ctx, uint256 seriesAt) internal pure {
        // Bounded: see `Limits`.
        unchecked {
            keep(ctx, seriesAt + SETTLEMENT_AT);
        }
    }

    function keep(Context memory ctx, uint256 pair) private pure {
        // Bounded: see `Limits`.
        unchecked {
            // Every market and series is a touched system leaf, and a series ends once, so there is room for one note of each.
            uint256 place = WORDS * ctx.changeCount++;
            Arena.put(ctx.changes, place, pair);
            Arena.put(ctx.changes, place + 1, Arena.get(pair, 0));
            Arena.put(ctx.changes, place + 2, Arena.get(pair, 1));
        }
    }

    /// @notice Takes back what the transaction at work changed of markets, series and totals.
    function undo(Context memory ctx) internal pure {
        // Bounded: see `Limits`.
        unchecked {
            while (ctx.changeCount > 0) {
                uint256 place = WORDS * --ctx.changeCount;
                uint256 pair = Arena.get(ctx.changes, place);
                Arena.put(pair, 0, Arena.get(ctx.changes, place + 1));
                Arena.put(pair, 1, Arena.get(ctx.changes, place + 2));
            }
            copy(ctx.found.globals, ctx.totals);
        }
    }

    function copy(Globals memory to, Globals memory from) private pure {
        // Plain: field by field; twelve words, 700 gas.
        assembly ("memory-safe") {
            mcopy(to, from, 0x180)
        }
    }
}

/// @title Copies of accounts, so that a transaction can fail without a trace
library Accounts {
    /// @notice Makes `to` equal to `from`; their positions stay separate arrays.
    function copy(Account memory to, Account memory from) internal pure {
        copyPositions(to.positions, from.positions);
        // Plain: the nine fields before `positions` one by one, 500 gas.
        assembly ("memory-safe") {
            mcopy(to, from, 0x120)
        }
    }

    function copyPositions(Position[] memory to, Position[] memory from) private pure {
        // Plain: to.length = from.length, to[i] = from[i]; `to` has room for MAX_POSITIONS. Element by element it would
        // cost 3,000 gas.
        assembly ("memory-safe") {
            mcopy(to, from, shl(5, add(mload(from), 1)))
        }
    }
}
