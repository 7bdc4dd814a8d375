// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IEscape} from "../interfaces/IEscape.sol";
import {IRollup} from "../interfaces/IRollup.sol";
import {Reader} from "../libraries/Reader.sol";
import {Custody} from "./Custody.sol";

/// @title Deposits that came too late
/// @notice Implements `refund` of IEscape, where everything is explained.
/// @dev On the wire: `01 ‖ account u24 ‖ owner 20 ‖ amount u64`, `02 ‖ account u24 ‖ amount u64`. The inbox wrote the message, so what it
/// hashes to is well-formed.
abstract contract Refunds is Custody, IEscape {
    uint256 private constant OPEN = 1;
    uint256 private constant DEPOSIT = 2;
    uint256 private constant ACCOUNT_OFFSET = 1;
    uint256 private constant BODY_OFFSET = 4;
    uint256 private constant OPEN_AMOUNT_OFFSET = 24;

    /// @inheritdoc IEscape
    mapping(uint256 index => bool) public refunded;
    /// @inheritdoc IEscape
    uint256 public refundedTotal;

    /// @inheritdoc IEscape
    function refund(uint256 index, bytes calldata message) external nonReentrant returns (uint256 amount) {
        uint256 consumed = IRollup(rollup).inboxIndexOf(_requireEnd());
        // INVARIANT: what the end state credits is not paid back too.
        if (index < consumed) revert MessageConsumed(index, consumed);
        bytes32 rolled = keccak256(abi.encode(_inbox.hashAt(index), keccak256(message)));
        // INVARIANT: only money that came is paid back.
        if (rolled != _inbox.hashAt(index + 1)) revert WrongMessage(index);
        // INVARIANT: it is paid back once.
        if (refunded[index]) revert AlreadyRefunded(index);
        uint256 account;
        address owner;
        (account, owner, amount) = _read(index, Reader.offsetOf(message));
        refunded[index] = true;
        refundedTotal += amount;
        emit Refunded(index, account, owner, amount);
        _pay(owner, amount);
    }

    function _read(uint256 index, uint256 offset) private view returns (uint256 account, address owner, uint256 amount) {
        uint256 kind = Reader.u8(offset);
        account = Reader.u24(offset + ACCOUNT_OFFSET);
        if (kind == OPEN) return (account, Reader.addr(offset + BODY_OFFSET), Reader.u64(offset + OPEN_AMOUNT_OFFSET));
        if (kind == DEPOSIT) return (account, _inbox.ownerOf(account), Reader.u64(offset + BODY_OFFSET));
        revert NotADeposit(index);
    }
}
