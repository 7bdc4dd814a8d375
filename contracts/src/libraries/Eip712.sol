// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Slot} from "../types/Leaves.sol";

/// @title Digests that accounts and feeders sign
/// @dev Twin of `rollup/crypto/eip712.py`. Every field is a static word, so `abi.encode` is the struct encoding.
library Eip712 {
    bytes32 private constant ORDER = keccak256(
        "Order(uint32 account,uint32 market,bool isBuy,bool postOnly,bool reduceOnly,bool immediate,uint64 size,uint64 price,uint64 nonce,uint64 expiry)"
    );
    bytes32 private constant CANCEL = keccak256("Cancel(uint32 account,bool all,uint64 nonce)");
    bytes32 private constant WITHDRAW = keccak256("Withdraw(uint32 account,uint64 amount,uint64 nonce)");
    bytes32 private constant TRANSFER = keccak256("Transfer(uint32 from,uint32 to,uint64 amount,uint64 nonce)");
    bytes32 private constant SET_SIGNER = keccak256("SetSigner(uint32 account,address signer,uint64 nonce)");
    bytes32 private constant ORACLE = keccak256("OracleUpdate(uint32 underlying,uint64 time,uint64 spot,uint64 mark)");

    function order(bytes32 separator, uint256 account, Slot memory terms) internal pure returns (bytes32) {
        uint256 flags = terms.flags;
        bytes memory tail = abi.encode(bit(flags, 3), terms.size, terms.price, terms.nonce, terms.expiry);
        bytes memory head = abi.encode(ORDER, account, terms.market, 1 - bit(flags, 0), bit(flags, 1), bit(flags, 2));
        return digest(separator, keccak256(bytes.concat(head, tail)));
    }

    function bit(uint256 flags, uint256 position) private pure returns (uint256) {
        return flags >> position & 1;
    }

    function cancel(bytes32 separator, uint256 account, uint256 all, uint256 nonce) internal pure returns (bytes32) {
        return digest(separator, keccak256(abi.encode(CANCEL, account, all, nonce)));
    }

    function withdraw(bytes32 separator, uint256 account, int256 amount, uint256 nonce) internal pure returns (bytes32) {
        return digest(separator, keccak256(abi.encode(WITHDRAW, account, amount, nonce)));
    }

    function transfer(bytes32 separator, uint256 from, uint256 to, int256 amount, uint256 nonce)
        internal
        pure
        returns (bytes32)
    {
        return digest(separator, keccak256(abi.encode(TRANSFER, from, to, amount, nonce)));
    }

    function setSigner(bytes32 separator, uint256 account, address signer, uint256 nonce) internal pure returns (bytes32) {
        return digest(separator, keccak256(abi.encode(SET_SIGNER, account, signer, nonce)));
    }

    function oracle(bytes32 separator, uint256 underlying, uint256 time, int256 spot, int256 mark)
        internal
        pure
        returns (bytes32)
    {
        return digest(separator, keccak256(abi.encode(ORACLE, underlying, time, spot, mark)));
    }

    function digest(bytes32 separator, bytes32 structHash) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", separator, structHash));
    }
}
