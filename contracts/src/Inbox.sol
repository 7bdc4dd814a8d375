// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {LibMap} from "solady/utils/LibMap.sol";
import {ReentrancyGuardTransient} from "solady/utils/ReentrancyGuardTransient.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

import {IEnding} from "./interfaces/IEnding.sol";
import {IInbox} from "./interfaces/IInbox.sol";
import {IRollup} from "./interfaces/IRollup.sol";

/// @title Inbox
/// @notice Implements IInbox, where everything is explained.
contract Inbox is IInbox, ReentrancyGuardTransient {
    using LibMap for LibMap.Uint40Map;

    /// @dev SPEC section 4: `type 1 ‖ …`, a forced one `03 ‖ sender 20 ‖ transaction`, at most 512 bytes.
    uint256 private constant MAX_MESSAGE = 512;
    uint256 private constant FORCED_HEAD = 21;
    uint256 private constant MAX_ITEM = 128;
    /// @dev Types of transactions: 01 … 0b.
    uint256 private constant LAST_KIND = 11;
    /// @dev Accounts are numbered with 24 bits; the last number stands for the insurance fund.
    uint256 private constant MAX_ACCOUNTS = 1 << 24;
    /// @dev A delay that ends while anybody still cares, and in the 40 bits of a time.
    uint256 private constant MAX_LISTING_DELAY = 365 days;
    /// @dev Below this sum no total in the state transition can leave its range.
    uint256 private constant MAX_DEPOSITS = 1 << 60;

    /// @inheritdoc IInbox
    address public immutable token;
    /// @inheritdoc IInbox
    address public immutable vault;
    /// @inheritdoc IInbox
    address public immutable rollup;
    /// @inheritdoc IInbox
    uint64 public immutable minimumOpening;
    /// @inheritdoc IInbox
    uint256 public immutable baseFee;
    /// @inheritdoc IInbox
    uint256 public immutable feeSlope;
    /// @inheritdoc IInbox
    address public immutable marketAdmin;
    /// @inheritdoc IInbox
    uint40 public immutable listingDelay;

    /// @inheritdoc IInbox
    uint40 public count;
    /// @inheritdoc IInbox
    uint24 public accountCount;
    /// @inheritdoc IInbox
    uint64 public depositedTotal;
    /// @inheritdoc IInbox
    uint40 public forcedCount;

    mapping(uint256 index => bytes32) private _hashes;
    LibMap.Uint40Map private _times;
    LibMap.Uint40Map private _forced;
    mapping(uint256 account => address) private _owners;

    /// @param token_ The stablecoin; must be deployed
    /// @param vault_ Predicted address of the vault
    /// @param rollup_ Must be deployed and name this contract as its inbox
    /// @param minimumOpening_ µUSD
    /// @param baseFee_ wei
    /// @param feeSlope_ wei
    /// @param marketAdmin_ Who lists markets; zero: nobody
    /// @param listingDelay_ Seconds from a listing to its opening
    constructor(
        address token_,
        address vault_,
        address rollup_,
        uint64 minimumOpening_,
        uint256 baseFee_,
        uint256 feeSlope_,
        address marketAdmin_,
        uint40 listingDelay_
    ) {
        // INVARIANT: money and messages go to contracts that know each other.
        if (token_.code.length == 0) revert BadParameter("token");
        if (vault_ == address(0) || vault_ == address(this)) revert BadParameter("vault");
        if (rollup_.code.length == 0 || address(IRollup(rollup_).inbox()) != address(this)) revert BadParameter("rollup");
        if (minimumOpening_ == 0 || minimumOpening_ > MAX_DEPOSITS) revert BadParameter("minimumOpening");
        if (baseFee_ > type(uint128).max) revert BadParameter("baseFee");
        if (feeSlope_ > type(uint128).max) revert BadParameter("feeSlope");
        if (listingDelay_ > MAX_LISTING_DELAY) revert BadParameter("listingDelay");
        token = token_;
        vault = vault_;
        rollup = rollup_;
        minimumOpening = minimumOpening_;
        baseFee = baseFee_;
        feeSlope = feeSlope_;
        marketAdmin = marketAdmin_;
        listingDelay = listingDelay_;
    }

    /// @inheritdoc IInbox
    function open(address owner, uint256 amount) external nonReentrant returns (uint256 account) {
        _requireRunning();
        // INVARIANT: every account has somebody who can withdraw from it.
        if (owner == address(0)) revert OwnerZero();
        account = accountCount;
        // INVARIANT: an account number fits the state's keys and is given out once.
        if (account >= MAX_ACCOUNTS - 1) revert AccountsExhausted(account);
        _collect(amount, minimumOpening);
        accountCount = uint24(account + 1);
        _owners[account] = owner;
        _append(abi.encodePacked(uint8(1), uint24(account), owner, uint64(amount)));
    }

    /// @inheritdoc IInbox
    function deposit(uint256 account, uint256 amount) external nonReentrant {
        _requireRunning();
        // INVARIANT: no deposit reaches an account that nobody opened.
        if (account >= accountCount) revert AccountUnknown(account, accountCount);
        _collect(amount, 1);
        _append(abi.encodePacked(uint8(2), uint24(account), uint64(amount)));
    }

    /// @inheritdoc IInbox
    function force(bytes calldata transaction) external payable nonReentrant {
        _requireRunning();
        uint256 length = FORCED_HEAD + transaction.length;
        // INVARIANT: a block's meters have room for any single message.
        if (transaction.length == 0 || length > MAX_MESSAGE) revert MessageLength(length, MAX_MESSAGE);
        uint256 kind = uint8(transaction[0]);
        // INVARIANT: nobody pays for what the state transition takes from nobody.
        if (kind == 0 || kind > LAST_KIND) revert KindRefused(kind);
        uint256 fee = forceFee();
        // INVARIANT: what many force costs quadratically in their number; deposits, which are free, make it no dearer.
        if (msg.value < fee) revert FeeTooLow(msg.value, fee);
        ++forcedCount;
        _append(abi.encodePacked(uint8(3), msg.sender, transaction));
        // Burnt, so that nobody, the sequencer least of all, earns by a queue.
        SafeTransferLib.safeTransferETH(address(0), fee);
        if (msg.value > fee) SafeTransferLib.safeTransferETH(msg.sender, msg.value - fee);
    }

    /// @inheritdoc IInbox
    function list(bytes calldata item) external nonReentrant {
        _requireRunning();
        // INVARIANT: only the admin adds markets, and nobody at all if there is none.
        if (msg.sender != marketAdmin) revert NotMarketAdmin(msg.sender, marketAdmin);
        // INVARIANT: a block's meters have room for any single message.
        if (item.length == 0 || item.length > MAX_ITEM) revert MessageLength(item.length, MAX_ITEM);
        // INVARIANT: whoever dislikes a listing has the delay to leave.
        _append(abi.encodePacked(uint8(4), uint40(block.timestamp + listingDelay), item));
    }

    /// @inheritdoc IInbox
    function forceFee() public view returns (uint256) {
        return baseFee + feeSlope * (forcedCount - forcedBefore(IRollup(rollup).latestInboxIndex()));
    }

    /// @inheritdoc IInbox
    function forcedBefore(uint256 index) public view returns (uint40) {
        if (index > count) revert IndexUnknown(index, count);
        return _forced.get(index);
    }

    /// @inheritdoc IInbox
    function hashAt(uint256 index) external view returns (bytes32) {
        if (index > count) revert IndexUnknown(index, count);
        return _hashes[index];
    }

    /// @inheritdoc IInbox
    function timeAt(uint256 index) external view returns (uint40) {
        if (index >= count) revert IndexUnknown(index, count);
        return _times.get(index);
    }

    /// @inheritdoc IInbox
    function ownerOf(uint256 account) external view returns (address) {
        return _owners[account];
    }

    /// @dev Moves `amount` from the caller to the vault and counts it. The only external call before a state change; the
    /// reentrancy guard covers it, and the vault's balance is compared to the unit.
    function _collect(uint256 amount, uint256 minimum) private {
        // INVARIANT: what is credited on L2 fits u64 and was worth its message.
        if (amount < minimum || amount > MAX_DEPOSITS) revert AmountOutOfRange(amount, minimum, MAX_DEPOSITS);
        uint256 total = depositedTotal + amount;
        // INVARIANT: sums in the state transition need no range check.
        if (total > MAX_DEPOSITS) revert DepositsExhausted(total, MAX_DEPOSITS);
        uint256 held = SafeTransferLib.balanceOf(token, vault);
        SafeTransferLib.safeTransferFrom(token, msg.sender, vault, amount);
        uint256 holds = SafeTransferLib.balanceOf(token, vault);
        // INVARIANT: the vault holds every µUSD that L2 owes.
        if (holds < held || holds - held != amount) revert TransferMismatch(amount, holds < held ? 0 : holds - held);
        depositedTotal = uint64(total);
    }

    /// @dev INVARIANT: nobody sends anything to a chain that has ended.
    function _requireRunning() private view {
        if (IRollup(rollup).frozen()) revert IEnding.ChainFrozen();
    }

    function _append(bytes memory message) private {
        uint40 index = count;
        bytes32 rolled = keccak256(abi.encode(_hashes[index], keccak256(message)));
        count = index + 1;
        _hashes[index + 1] = rolled;
        _times.set(index, uint40(block.timestamp));
        _forced.set(index + 1, forcedCount);
        emit MessageAdded(index, message, rolled, uint40(block.timestamp));
    }

    /// @dev Transient storage is on every chain this is compiled for.
    function _useTransientReentrancyGuardOnlyOnMainnet() internal pure override returns (bool) {
        return false;
    }
}
