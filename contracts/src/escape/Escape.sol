// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

import {IAppraiser} from "../interfaces/IAppraiser.sol";
import {IEscape} from "../interfaces/IEscape.sol";
import {IRollup} from "../interfaces/IRollup.sol";
import {Claims} from "./Claims.sol";
import {Refunds} from "./Refunds.sol";

/// @title Registration and payment after the end
/// @notice Implements the rest of IEscape, where everything is explained.
/// @dev Claims and refunds lower the vault's balance and what is held back for them alike, so the pot is the same whenever it is
/// measured.
abstract contract Escape is Claims, Refunds {
    /// @dev `equity` is what is still due if the pot suffices: 0 once paid.
    struct Entry {
        address owner;
        uint96 equity;
    }

    /// @inheritdoc IEscape
    address public immutable appraiser;
    /// @inheritdoc IEscape
    uint40 public immutable registrationWindow;

    /// @inheritdoc IEscape
    mapping(uint256 account => Entry) public entryOf;
    /// @inheritdoc IEscape
    uint256 public registeredEquity;
    /// @inheritdoc IEscape
    uint256 public spare;

    // Totals of the end state, known from the first registration on.
    uint128 private _deposits;
    uint128 private _withdrawals;
    // Fixed at the first payment.
    uint248 private _pot;
    bool private _closed;

    constructor(address appraiser_, uint40 registrationWindow_) {
        // INVARIANT: everybody has some time to come, and a right valuation.
        if (appraiser_.code.length == 0) revert BadParameter("appraiser");
        if (registrationWindow_ == 0) revert BadParameter("registrationWindow");
        appraiser = appraiser_;
        registrationWindow = registrationWindow_;
    }

    /// @inheritdoc IEscape
    function register(bytes calldata witness) external nonReentrant returns (uint256 account, uint256 equity) {
        uint256 batch = _requireEnd();
        IAppraiser.Appraisal memory found = IAppraiser(appraiser).appraise(witness);
        _requireRoot(batch, found.root);
        account = found.account;
        // INVARIANT: an account shares once.
        if (entryOf[account].owner != address(0)) revert AlreadyRegistered(account);
        // INVARIANT: who owes takes no share, and is asked for nothing.
        if (found.equity <= 0) revert WorthNothing(account, found.equity);
        equity = uint256(found.equity) < type(uint96).max ? uint256(found.equity) : type(uint96).max;
        (_deposits, _withdrawals) = (uint128(found.deposits), uint128(found.withdrawals));
        emit Registered(account, found.owner, equity);
        if (block.timestamp <= registrationDeadline()) {
            entryOf[account] = Entry(found.owner, uint96(equity));
            registeredEquity += equity;
            return (account, equity);
        }
        entryOf[account] = Entry(found.owner, 0);
        _payLate(account, found.owner, equity);
    }

    /// @inheritdoc IEscape
    function collect(uint256 account) external nonReentrant returns (uint256 amount) {
        _requireEnd();
        uint256 deadline = registrationDeadline();
        // INVARIANT: shares are known only when nobody can join any more.
        if (block.timestamp <= deadline) revert RegistrationOpen(block.timestamp, deadline);
        _close();
        Entry storage entry = entryOf[account];
        (address owner, uint256 equity) = (entry.owner, entry.equity);
        // INVARIANT: Σ paid ≤ pot, since each share is rounded down.
        amount = _pot < registeredEquity ? equity * _pot / registeredEquity : equity;
        if (amount == 0) revert NothingToCollect(account);
        entry.equity = 0;
        emit Collected(account, owner, amount);
        _pay(owner, amount);
    }

    /// @inheritdoc IEscape
    function registrationDeadline() public view returns (uint256) {
        uint256 settledAt = IRollup(rollup).settledAt();
        return settledAt == 0 ? 0 : settledAt + registrationWindow;
    }

    /// @inheritdoc IEscape
    function pot() public view returns (uint256 amount, bool isFixed) {
        if (_closed) return (_pot, true);
        // Without an account there are no deposits.
        if (_deposits == 0) return (0, false);
        // INVARIANT: withdrawals and deposits that never arrived are owed in full, before anybody shares.
        uint256 withdrawn = FixedPointMathLib.zeroFloorSub(_withdrawals, claimedTotal);
        uint256 late = FixedPointMathLib.zeroFloorSub(_inbox.depositedTotal(), _deposits + refundedTotal);
        (bool answered, uint256 held) = SafeTransferLib.checkBalanceOf(token, address(this));
        // INVARIANT: lack of gas empties no pot.
        if (!answered) revert BalanceUnknown();
        return (FixedPointMathLib.zeroFloorSub(held, withdrawn + late), false);
    }

    /// @dev Pays what those who registered in time leave.
    function _payLate(uint256 account, address owner, uint256 equity) private {
        _close();
        uint256 amount = equity < spare ? equity : spare;
        // INVARIANT: nobody gives up a claim for nothing, nor takes from those who came in time.
        if (amount == 0) revert NothingLeft(account);
        spare -= amount;
        emit Collected(account, owner, amount);
        _pay(owner, amount);
    }

    /// @dev Fixes the pot at the first payment.
    function _close() private {
        if (_closed) return;
        (uint256 amount,) = pot();
        _pot = uint248(amount);
        _closed = true;
        spare = amount > registeredEquity ? amount - registeredEquity : 0;
        emit Closed(amount, registeredEquity);
    }
}
