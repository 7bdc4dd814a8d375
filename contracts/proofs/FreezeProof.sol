// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ending} from "../src/rollup/Ending.sol";
import {Config} from "../src/types/Config.sol";
import {CHEATS, SYMBOLIC} from "./Cheats.sol";

/// @title A chain whose waiting message and progress are what a proof says
contract Chain is Ending {
    uint256 private _index;
    uint256 private _time;
    uint256 private _finalised;
    uint256 private _latest;

    constructor(Config memory config_) Ending(config_) {}

    function set(uint40 index, uint40 time, uint40 finalised, uint40 latest) external {
        (_index, _time, _finalised, _latest) = (index, time, finalised, latest);
    }

    function conclude() external {
        _conclude();
    }

    function _waiting() internal view override returns (uint256, uint256) {
        return (_index, _time);
    }

    function _progress() internal view override returns (uint256, uint256) {
        return (_finalised, _latest);
    }
}

/// @title When the chain can be frozen, and when its end stands
contract FreezeProof {
    Chain private _chain;

    /// @notice With F, G, D any 40-bit times: not before F + G after the message came, surely after F + D + G, whatever was reverted.
    function check_freeze_comes_between_its_bounds(Config memory config, uint40 time, uint40 now_) external {
        CHEATS.assume(time > 0);
        prepare(config, time, now_);
        uint256 base = uint256(time) + config.forceDeadline + config.freezeGrace;
        (bool done,) = address(_chain).call(abi.encodeCall(_chain.freeze, ()));
        assert(!done || now_ > base);
        assert(done || now_ <= base + config.disputeWindow);
    }

    /// @notice Whoever goes on after a reversion has the whole grace again, while that bound allows.
    function check_freeze_leaves_grace_after_a_reversion(Config memory config, uint40 time, uint40 now_) external {
        prepare(config, time, now_);
        uint256 reverted = _chain.lastReversion();
        CHEATS.assume(reverted <= uint256(time) + config.forceDeadline + config.disputeWindow);
        _chain.freeze();
        assert(now_ > reverted + config.freezeGrace);
    }

    /// @notice While no message waits, nobody can freeze the chain.
    function check_freeze_needs_a_waiting_message(Config memory config, uint40 now_) external {
        prepare(config, 0, now_);
        (bool done,) = address(_chain).call(abi.encodeCall(_chain.freeze, ()));
        assert(!done);
    }

    /// @notice The end stands as soon as nothing is pending on a frozen chain, and not before; its time is kept.
    function check_end_stands_when_nothing_is_pending(Config memory config, uint40 now_, uint40 finalised, uint40 latest)
        external
    {
        prepare(config, 1, now_);
        CHEATS.assume(finalised <= latest);
        _chain.set(0, 1, finalised, latest);
        (bool before,) = _chain.endState();
        uint40 settledAt = _chain.settledAt();
        _chain.conclude();
        (bool settled, uint256 batch) = _chain.endState();
        assert(batch == finalised && (settled || settledAt == 0));
        if (!before) assert(settled == (_chain.frozen() && finalised == latest));
        if (settled && !before) assert(_chain.settledAt() == now_);
    }

    function prepare(Config memory config, uint40 time, uint40 now_) private {
        _chain = new Chain(config);
        SYMBOLIC.enableSymbolicStorage(address(_chain));
        CHEATS.assume(!_chain.frozen() && now_ > 0);
        CHEATS.warp(now_);
        _chain.set(3, time, 0, 0);
    }
}
