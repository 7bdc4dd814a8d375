// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVerifier} from "../interfaces/IVerifier.sol";
import {Account, Limits, Slot, Underlying} from "../types/Leaves.sol";
import {Found} from "../types/Found.sol";
import {Keys} from "../types/Keys.sol";
import {Leaf} from "../types/Leaf.sol";
import {Position} from "../types/Position.sol";
import {Reasons} from "../types/Reasons.sol";
import {LeafDecoder} from "../libraries/LeafDecoder.sol";
import {Witness} from "../libraries/Witness.sol";
import {Funding} from "./Funding.sol";
import {Meters} from "./Meters.sol";

using Contexts for Context global;

/// @notice One party of the transaction at work.
/// @dev `account` and `slot` are the block's own; `staged`, `settled` and `order` are copies that a failing transaction
/// just leaves behind.
struct Party {
    uint256 id;
    Account account;
    Account settled;
    Account staged;
    Slot slot;
    Slot order;
}

/// @notice Everything the execution of one block works on.
struct Context {
    Found found;
    Leaf[] leaves;
    Meters meters;
    uint256 timestamp;
    bytes32 separator;
    // Inside a forced message: whom L1 saw sending it.
    bool forced;
    address sender;
    // Scratch, allocated once for all transactions.
    Party maker;
    Party taker;
    uint256 valuations;
    uint256[] valued;
    uint256 poolCount;
    uint256[] pools;
}

/// @title Access to leaves: touch, meter, decode, accrue
/// @dev Twin of `rollup/stf/context.py`. A loader returns a reason and leaves the leaf in `ctx.found`.
library Contexts {
    /// @dev Each of two accounts settles at most MAX_POSITIONS markets in one transaction.
    uint256 private constant MAX_POOLS = 2 * Limits.MAX_POSITIONS;

    /// @notice Allocates the scratch space of a fresh context.
    function prepare(Context memory ctx) internal pure {
        ctx.maker.settled.positions = new Position[](Limits.MAX_POSITIONS);
        ctx.maker.staged.positions = new Position[](Limits.MAX_POSITIONS);
        ctx.taker.settled.positions = new Position[](Limits.MAX_POSITIONS);
        ctx.taker.staged.positions = new Position[](Limits.MAX_POSITIONS);
        ctx.valued = new uint256[](Limits.MAX_POSITIONS);
        ctx.pools = new uint256[](2 * MAX_POOLS);
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
        reason = ctx.meters.countLeafBytes(leaf.length());
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

    /// @notice Requires that `underlying` has a price and that it is not too old.
    function requireFresh(Context memory ctx, Underlying memory underlying) internal pure returns (uint256) {
        // A price is never later than the block's timestamp, which never falls.
        if (underlying.time == 0 || ctx.timestamp - underlying.time > underlying.maxAge) return Reasons.ORACLE_STALE;
        return Reasons.NONE;
    }
}

/// @title Copies of accounts, so that a transaction can fail without a trace
library Accounts {
    /// @notice Makes `to` equal to `from`; their positions stay separate arrays.
    function copy(Account memory to, Account memory from) internal pure {
        to.exists = from.exists;
        to.owner = from.owner;
        to.signer = from.signer;
        to.cash = from.cash;
        to.withdrawn = from.withdrawn;
        to.ownerNonce = from.ownerNonce;
        to.nonceFloor = from.nonceFloor;
        copyPositions(to.positions, from.positions);
    }

    function copyPositions(Position[] memory to, Position[] memory from) private pure {
        // Plain: to.length = from.length, to[i] = from[i]; `to` has room for MAX_POSITIONS. Element by element it would
        // cost 3,000 gas.
        assembly ("memory-safe") {
            mcopy(to, from, shl(5, add(mload(from), 1)))
        }
    }
}
