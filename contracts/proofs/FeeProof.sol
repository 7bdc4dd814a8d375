// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Inbox} from "../src/Inbox.sol";
import {CHEATS, SYMBOLIC} from "./Cheats.sol";

/// @title The fee for a forced message rises with the queue of such messages, never overflows, and is burnt to the wei
/// @dev Stands for the rollup and the token as well, as far as the inbox asks for them.
contract FeeProof {
    Inbox private _inbox;
    uint40 public latestInboxIndex;
    bool public frozen;

    /// @notice The fee is base + slope × forced messages that wait, whatever a deployment may choose and however long the queue.
    function check_fee_is_linear_in_the_queue(uint256 base, uint256 slope, uint40 taken) external {
        deploy(base, slope, taken);
        uint256 fee = _inbox.forceFee();
        unchecked {
            assert(fee == base + slope * (_inbox.forcedCount() - _inbox.forcedBefore(taken)));
        }
    }

    /// @notice It can always be asked for.
    function check_fee_never_overflows(uint256 base, uint256 slope, uint40 taken) external {
        deploy(base, slope, taken);
        (bool done,) = address(_inbox).staticcall(abi.encodeCall(_inbox.forceFee, ()));
        assert(done);
    }

    /// @notice It never falls as the queue grows.
    function check_fee_rises_with_the_queue(uint256 base, uint256 slope, uint40 taken, uint40 later) external {
        deploy(base, slope, taken);
        uint256 fee = _inbox.forceFee();
        CHEATS.assume(later <= taken && _inbox.forcedBefore(later) <= _inbox.forcedBefore(taken));
        latestInboxIndex = later;
        uint256 dearer = _inbox.forceFee();
        assert(fee <= dearer);
    }

    /// @notice A forced message costs the fee, which is burnt; the rest comes back, and the queue is one longer.
    function check_force_burns_the_fee(uint128 base, uint256 value) external {
        deploy(base, 0, 0);
        uint40 count = _inbox.count();
        CHEATS.deal(address(this), value);
        CHEATS.deal(address(_inbox), 0);
        CHEATS.deal(address(0), 0);
        _inbox.force{value: value}(hex"02");
        assert(value >= base && address(this).balance == value - base && address(0).balance == base);
        assert(address(_inbox).balance == 0 && _inbox.count() == uint256(count) + 1);
        assert(_inbox.forcedBefore(_inbox.count()) == _inbox.forcedCount());
    }

    /// @notice Whoever pays the fee is heard, while there are numbers left.
    function check_force_for_the_fee_succeeds(uint128 base, uint256 value) external {
        deploy(base, 0, 0);
        CHEATS.assume(value >= base && _inbox.count() < type(uint40).max && _inbox.forcedCount() < type(uint40).max);
        CHEATS.deal(address(this), value);
        CHEATS.deal(address(0), 0);
        (bool done,) = address(_inbox).call{value: value}(abi.encodeCall(_inbox.force, (hex"02")));
        assert(done);
    }

    receive() external payable {}

    /// @dev Only the inbox's constructor asks whether it is the one.
    function inbox() external view returns (address) {
        return msg.sender;
    }

    function deploy(uint256 base, uint256 slope, uint40 taken) private {
        _inbox = new Inbox(address(this), address(1), address(this), 1, base, slope, address(0), 0);
        SYMBOLIC.enableSymbolicStorage(address(_inbox));
        latestInboxIndex = taken;
        CHEATS.assume(taken <= _inbox.count() && _inbox.forcedBefore(taken) <= _inbox.forcedCount());
    }
}
