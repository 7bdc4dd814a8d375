// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "solady/tokens/ERC20.sol";

/// @title FOR TESTS ONLY: a token that misbehaves in a chosen way
contract HostileToken is ERC20 {
    enum Trick {
        None,
        TakeFee,
        AddBonus,
        Fail,
        ReturnFalse,
        Reenter,
        Refuse
    }

    Trick private _trick;
    address private _target;
    bytes private _call;

    /// @inheritdoc ERC20
    function name() public pure override returns (string memory) {
        return "Hostile";
    }

    /// @inheritdoc ERC20
    function symbol() public pure override returns (string memory) {
        return "HOST";
    }

    /// @notice Creates tokens.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @notice Chooses what transfers do; `target` and `data` say whom `Reenter` calls with what, once and before any balance
    /// moves, and whom `Refuse` pays nothing.
    function choose(Trick trick, address target, bytes calldata data) external {
        (_trick, _target, _call) = (trick, target, data);
    }

    /// @inheritdoc ERC20
    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        _misbehave();
        super.transferFrom(from, to, amount);
        if (_trick == Trick.TakeFee) _burn(to, 1);
        if (_trick == Trick.AddBonus) _mint(to, 1);
        return _trick != Trick.ReturnFalse;
    }

    /// @inheritdoc ERC20
    function transfer(address to, uint256 amount) public override returns (bool) {
        _misbehave();
        if (_trick == Trick.Refuse && to == _target) revert InsufficientBalance();
        super.transfer(to, amount);
        if (_trick == Trick.TakeFee) _burn(to, 1);
        return _trick != Trick.ReturnFalse;
    }

    function _misbehave() private {
        if (_trick == Trick.Fail) revert InsufficientBalance();
        if (_trick != Trick.Reenter) return;
        _trick = Trick.None;
        (bool success, bytes memory output) = _target.call(_call);
        if (success) return;
        assembly ("memory-safe") {
            revert(add(output, 0x20), mload(output))
        }
    }
}
