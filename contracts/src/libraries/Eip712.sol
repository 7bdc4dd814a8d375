// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Arena} from "./Arena.sol";
import {Fields} from "./Fields.sol";
import {Reader} from "./Reader.sol";

/// @title Digests that accounts and feeders sign
/// @dev Twin of `rollup/crypto/eip712.py`. Every field is a static word. Most types
/// hold just what stands on the wire, in its order; their digests are taken from there.
library Eip712 {
    bytes32 private constant ORDER = keccak256(
        "Order(uint32 account,uint32 market,bool isBuy,bool postOnly,bool reduceOnly,bool immediate,uint64 size,uint64 price,uint64 nonce,uint64 expiry)"
    );
    bytes32 private constant CANCEL = keccak256("Cancel(uint32 account,bool all,uint64 nonce)");
    bytes32 private constant WITHDRAW = keccak256("Withdraw(uint32 account,uint64 amount,uint64 nonce)");
    bytes32 private constant TRANSFER = keccak256("Transfer(uint32 from,uint32 to,uint64 amount,uint64 nonce)");
    bytes32 private constant SET_SIGNER = keccak256("SetSigner(uint32 account,address signer,uint64 nonce)");
    bytes32 private constant ORACLE = keccak256("OracleUpdate(uint32 underlying,uint64 time,uint64 spot,uint64 mark)");
    bytes32 private constant SURFACE = keccak256(
        "SurfaceUpdate(uint32 underlying,uint32 series,uint64 time,uint64 forward,int64 a,uint64 b,int64 rho,int64 m,uint64 sigma,uint64 confidence)"
    );
    bytes32 private constant BID = keccak256(
        "Bid(uint32 account,uint32 liquidator,uint64 fraction,int64 limit,uint64 nonce,uint64 expiry)"
    );
    bytes32 private constant LEG = keccak256("Leg(uint32 market,bool isBuy,uint64 size,uint64 price)");
    bytes32 private constant QUOTE = keccak256(
        "Quote(uint32 maker,uint32 taker,Leg[] legs,uint64 nonce,uint64 expiry)Leg(uint32 market,bool isBuy,uint64 size,uint64 price)"
    );
    bytes32 private constant ACCEPTANCE = keccak256(
        "Acceptance(uint32 maker,uint32 taker,Leg[] legs,uint64 nonce,uint64 expiry)Leg(uint32 market,bool isBuy,uint64 size,uint64 price)"
    );

    // The fields on the wire, by `Fields`.
    bytes32 private constant ORDER_HEAD = hex"0302";
    bytes32 private constant ORDER_TAIL = hex"06060805";
    bytes32 private constant LEG_FIELDS = hex"02010606";
    bytes32 private constant CANCEL_FIELDS = hex"030108";
    bytes32 private constant WITHDRAW_FIELDS = hex"030808";
    bytes32 private constant TRANSFER_FIELDS = hex"03030808";
    bytes32 private constant SET_SIGNER_FIELDS = hex"031408";
    bytes32 private constant ORACLE_FIELDS = hex"02050606";
    bytes32 private constant SURFACE_FIELDS = hex"02020506860684860604";
    bytes32 private constant BID_FIELDS = hex"030304880805";

    /// @notice Of the fresh order at calldata offset `offset`.
    function order(bytes32 separator, uint256 offset) internal pure returns (bytes32) {
        // Bounded: see `Limits`.
        unchecked {
            uint256 start = begin(ORDER);
            uint256 flags = Reader.u8(offset + 5);
            Fields.decode(ORDER_HEAD, offset, start + 0x20);
            Arena.put(start, 3, 1 - (flags & 1));
            Arena.put(start, 4, flags >> 1 & 1);
            Arena.put(start, 5, flags >> 2 & 1);
            Arena.put(start, 6, flags >> 3 & 1);
            Fields.decode(ORDER_TAIL, offset + 6, start + 0xe0);
            return finish(separator, start, start + 0x160);
        }
    }

    // Of the transaction's fields at calldata offset `offset`, in each of these.

    function cancel(bytes32 separator, uint256 offset) internal pure returns (bytes32) {
        return record(separator, CANCEL, CANCEL_FIELDS, offset);
    }

    function withdraw(bytes32 separator, uint256 offset) internal pure returns (bytes32) {
        return record(separator, WITHDRAW, WITHDRAW_FIELDS, offset);
    }

    function transfer(bytes32 separator, uint256 offset) internal pure returns (bytes32) {
        return record(separator, TRANSFER, TRANSFER_FIELDS, offset);
    }

    function setSigner(bytes32 separator, uint256 offset) internal pure returns (bytes32) {
        return record(separator, SET_SIGNER, SET_SIGNER_FIELDS, offset);
    }

    function oracle(bytes32 separator, uint256 offset) internal pure returns (bytes32) {
        return record(separator, ORACLE, ORACLE_FIELDS, offset);
    }

    function surface(bytes32 separator, uint256 offset) internal pure returns (bytes32) {
        return record(separator, SURFACE, SURFACE_FIELDS, offset);
    }

    function bid(bytes32 separator, uint256 offset) internal pure returns (bytes32) {
        return record(separator, BID, BID_FIELDS, offset);
    }

    /// @notice What one party of a combo signs: the maker a quote, the taker an acceptance of the same legs.
    /// @param legs Hash of the legs, from `hashLegs`.
    function consent(
        bytes32 separator,
        bool isMaker,
        uint256 maker,
        uint256 taker,
        bytes32 legs,
        uint256 nonce,
        uint256 expiry
    ) internal pure returns (bytes32) {
        // Bounded: see `Limits`.
        unchecked {
            uint256 start = begin(isMaker ? QUOTE : ACCEPTANCE);
            Arena.put(start, 1, maker);
            Arena.put(start, 2, taker);
            Arena.put(start, 3, uint256(legs));
            Arena.put(start, 4, nonce);
            Arena.put(start, 5, expiry);
            return finish(separator, start, start + 0xc0);
        }
    }

    /// @notice The array `legs` of a quote, from `count` legs on the wire at `offset`.
    function hashLegs(uint256 offset, uint256 count) internal pure returns (bytes32) {
        // Bounded: see `Limits`.
        unchecked {
            uint256 hashes = Arena.words(count);
            for (uint256 i = 0; i < count; ++i) {
                uint256 start = begin(LEG);
                // The maker's side as it is on the wire, then as it is signed.
                uint256 end = Fields.decode(LEG_FIELDS, offset, start + 0x20);
                Arena.put(start, 2, 1 - Arena.get(start, 2));
                Arena.put(hashes, i, uint256(Arena.hash(start, start + 0xa0)));
                offset = end;
            }
            return Arena.hash(hashes, hashes + 0x20 * count);
        }
    }

    function record(bytes32 separator, bytes32 kind, bytes32 fields, uint256 offset) private pure returns (bytes32) {
        // Bounded: see `Limits`.
        unchecked {
            uint256 start = begin(kind);
            Fields.decode(fields, offset, start + 0x20);
            return finish(separator, start, start + 0x20 + 0x20 * Fields.count(fields));
        }
    }

    // Structs are encoded in free memory, for no longer than it takes to hash them.

    function begin(bytes32 kind) private pure returns (uint256 start) {
        start = Arena.free();
        Arena.put(start, 0, uint256(kind));
    }

    function finish(bytes32 separator, uint256 start, uint256 end) private pure returns (bytes32 digest) {
        bytes32 structHash = Arena.hash(start, end);
        // Plain: keccak256(abi.encodePacked(hex"1901", separator, structHash)).
        assembly ("memory-safe") {
            mstore(start, 0x1901)
            mstore(add(start, 0x20), separator)
            mstore(add(start, 0x40), structHash)
            digest := keccak256(add(start, 0x1e), 0x42)
        }
    }
}
