// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVerifier} from "../interfaces/IVerifier.sol";
import {Account, Globals, Limits, Market, OracleSet, Slot, Underlying} from "../types/Leaves.sol";
import {Leaf} from "../types/Leaf.sol";
import {Keys} from "../types/Keys.sol";
import {Position, Positions} from "../types/Position.sol";
import {Reader} from "./Reader.sol";

/// @title Leaves from calldata to memory
/// @dev Twin of the `decode` methods in `rollup/types/leaves.py`. Only the length is checked: the bytes are those of a
/// committed state, or the pre-root will not match.
library LeafDecoder {
    uint256 private constant GLOBALS_LENGTH = 77;
    uint256 private constant UNDERLYING_LENGTH = 50;
    uint256 private constant MARKET_LENGTH = 74;
    uint256 private constant ACCOUNT_LENGTH = 73;
    uint256 private constant SLOT_LENGTH = 34;

    /// @notice Decodes a leaf into fresh memory; the kind of its key tells the struct that `pointer` leads to.
    /// @dev The pointer leaves the type system, so that one table can hold leaves of every kind.
    function decode(Leaf leaf) internal pure returns (uint256 pointer) {
        uint256 key = leaf.key();
        if (Keys.isSlot(key)) return decodeSlot(leaf);
        if (!Keys.isSystem(key)) return decodeAccount(leaf);
        if (Keys.isMarket(key)) return decodeMarket(leaf);
        if (Keys.isUnderlying(key)) return decodeUnderlying(leaf);
        if (key == Keys.GLOBALS) return decodeGlobals(leaf);
        return decodeOracleSet(leaf);
    }

    function decodeGlobals(Leaf leaf) private pure returns (uint256 pointer) {
        requireLength(leaf, GLOBALS_LENGTH);
        uint256 offset = leaf.offset();
        Globals memory globals;
        globals.inboxIndex = Reader.u40(offset);
        globals.inboxHash = bytes32(Reader.word(offset + 5));
        globals.time = Reader.u40(offset + 37);
        globals.fees = Reader.amount(offset + 42);
        globals.insurance = Reader.amount(offset + 50);
        globals.deposits = Reader.amount(offset + 58);
        globals.withdrawals = Reader.amount(offset + 66);
        globals.accounts = Reader.u24(offset + 74);
        // Plain: the reference itself; Solidity has no untyped one. So at the end of every decoder below.
        assembly ("memory-safe") {
            pointer := globals
        }
    }

    function decodeOracleSet(Leaf leaf) private pure returns (uint256 pointer) {
        uint256 offset = leaf.offset();
        OracleSet memory oracles;
        oracles.threshold = Reader.u8(offset);
        oracles.count = Reader.u8(offset + 1);
        oracles.feedersAt = offset + 2;
        requireLength(leaf, 2 + 20 * oracles.count);
        assembly ("memory-safe") {
            pointer := oracles
        }
    }

    function decodeUnderlying(Leaf leaf) private pure returns (uint256 pointer) {
        Underlying memory underlying;
        if (leaf.length() != 0) {
            requireLength(leaf, UNDERLYING_LENGTH);
            uint256 offset = leaf.offset();
            underlying.exists = true;
            underlying.spot = Reader.quantity(offset);
            underlying.mark = Reader.quantity(offset + 6);
            underlying.time = Reader.u40(offset + 12);
            underlying.fundingIndex = Reader.i64(offset + 17);
            underlying.fundingTime = Reader.u40(offset + 25);
            underlying.fundingCap = Reader.rate(offset + 30);
            underlying.spotStep = Reader.rate(offset + 34);
            underlying.maxAge = Reader.u32(offset + 38);
            underlying.maxMove = Reader.rate(offset + 42);
            underlying.maxBasis = Reader.rate(offset + 46);
        }
        assembly ("memory-safe") {
            pointer := underlying
        }
    }

    function decodeMarket(Leaf leaf) private pure returns (uint256 pointer) {
        Market memory market;
        if (leaf.length() != 0) {
            requireLength(leaf, MARKET_LENGTH);
            uint256 offset = leaf.offset();
            market.exists = true;
            market.kind = Reader.u8(offset);
            market.underlying = Reader.u16(offset + 1);
            market.expiry = Reader.u40(offset + 3);
            market.strike = Reader.quantity(offset + 8);
            market.tick = Reader.quantity(offset + 14);
            market.lot = Reader.quantity(offset + 20);
            market.takerFee = Reader.rate(offset + 26);
            market.makerFee = Reader.rate(offset + 30);
            market.band = Reader.rate(offset + 34);
            market.contingency = Reader.rate(offset + 38);
            market.maxPosition = Reader.amount(offset + 42);
            market.maxOpenInterest = Reader.amount(offset + 50);
            market.openInterest = Reader.amount(offset + 58);
            market.fundingPool = Reader.i64(offset + 66);
        }
        assembly ("memory-safe") {
            pointer := market
        }
    }

    function decodeAccount(Leaf leaf) private pure returns (uint256 pointer) {
        Account memory account;
        Position[] memory positions = new Position[](Limits.MAX_POSITIONS);
        uint256 count;
        if (leaf.length() != 0) {
            uint256 offset = leaf.offset();
            account.exists = true;
            account.owner = Reader.addr(offset);
            account.signer = Reader.addr(offset + 20);
            account.cash = Reader.i64(offset + 40);
            account.withdrawn = Reader.amount(offset + 48);
            account.ownerNonce = Reader.u64(offset + 56);
            account.nonceFloor = Reader.u64(offset + 64);
            count = Reader.u8(offset + 72);
            requireLength(leaf, ACCOUNT_LENGTH + Positions.ENCODED * count);
            if (count > Limits.MAX_POSITIONS) revert IVerifier.MalformedLeaf(leaf.key());
            for (uint256 i = 0; i < count; ++i) {
                positions[i] = Positions.decode(Reader.word(offset + ACCOUNT_LENGTH + Positions.ENCODED * i));
            }
        }
        account.positions = positions;
        // Plain: positions.length = count, which Solidity does not allow in memory.
        assembly ("memory-safe") {
            mstore(positions, count)
            pointer := account
        }
    }

    function decodeSlot(Leaf leaf) private pure returns (uint256 pointer) {
        Slot memory slot;
        if (leaf.length() != 0) {
            requireLength(leaf, SLOT_LENGTH);
            uint256 offset = leaf.offset();
            slot.exists = true;
            slot.nonce = Reader.u64(offset);
            slot.market = Reader.u16(offset + 8);
            slot.flags = Reader.u8(offset + 10);
            slot.size = Reader.quantity(offset + 11);
            slot.price = Reader.quantity(offset + 17);
            slot.expiry = Reader.u40(offset + 23);
            slot.filled = Reader.quantity(offset + 28);
        }
        assembly ("memory-safe") {
            pointer := slot
        }
    }

    function requireLength(Leaf leaf, uint256 length) private pure {
        if (leaf.length() != length) revert IVerifier.MalformedLeaf(leaf.key());
    }
}
