// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAppraiser} from "../src/interfaces/IAppraiser.sol";

/// @title All that a vault asks: rollup, inbox, token and appraiser in one
/// @notice Answers with whatever a proof puts into it, so that what is proven holds for every answer.
/// @dev The token is a plain one: it moves what it is told to or reverts, and tells its balances.
contract World {
    // As the rollup.
    bool public settled;
    uint256 public batch;
    uint40 public settledAt;
    bool public standsFinal;
    bytes32 public root;
    uint40 public consumed;

    // As the inbox.
    uint64 public depositedTotal;
    mapping(uint256 index => bytes32) public hashAt;
    mapping(uint256 account => address) public ownerOf;

    // As the appraiser.
    IAppraiser.Appraisal private _appraisal;

    // As the token.
    mapping(address holder => uint256) public balanceOf;

    function setEnd(bool settled_, uint256 batch_, uint40 settledAt_, uint40 consumed_) external {
        (settled, batch, settledAt, consumed) = (settled_, batch_, settledAt_, consumed_);
    }

    function setRoot(bool standsFinal_, bytes32 root_) external {
        (standsFinal, root) = (standsFinal_, root_);
    }

    function setInbox(uint64 depositedTotal_, uint256 index, bytes32 before, bytes32 later) external {
        depositedTotal = depositedTotal_;
        hashAt[index] = before;
        hashAt[index + 1] = later;
    }

    function setOwner(uint256 account, address owner) external {
        ownerOf[account] = owner;
    }

    function setAppraisal(IAppraiser.Appraisal memory appraisal) external {
        _appraisal = appraisal;
    }

    function setBalance(address holder, uint256 amount) external {
        balanceOf[holder] = amount;
    }

    /// @dev Only the vault's constructor asks.
    function vault() external view returns (address) {
        return msg.sender;
    }

    function token() external view returns (address) {
        return address(this);
    }

    function inbox() external view returns (address) {
        return address(this);
    }

    function endState() external view returns (bool, uint256) {
        return (settled, batch);
    }

    function isFinal(uint256) external view returns (bool) {
        return standsFinal;
    }

    function stateRootOf(uint256) external view returns (bytes32) {
        return root;
    }

    function inboxIndexOf(uint256) external view returns (uint40) {
        return consumed;
    }

    function appraise(bytes calldata) external view returns (IAppraiser.Appraisal memory) {
        return _appraisal;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        balanceOf[msg.sender] -= amount;
        unchecked {
            balanceOf[to] += amount;
        }
        return true;
    }
}
