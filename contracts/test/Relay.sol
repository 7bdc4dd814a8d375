// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title FOR TESTS ONLY: an account with code that passes calls on, and may refuse ether or answer it with a call
contract Relay {
    bool private _refuses;
    address private _target;
    bytes private _answer;

    /// @notice No ether here.
    error Refused();

    /// @notice Refuses ether from now on, or no longer.
    function refuse(bool refuses) external {
        _refuses = refuses;
    }

    /// @notice Calls `target` with `data` whenever ether arrives.
    function answer(address target, bytes calldata data) external {
        (_target, _answer) = (target, data);
    }

    /// @notice Calls `target` with the value sent, and fails as it fails.
    function relay(address target, bytes calldata data) external payable {
        (bool success, bytes memory output) = target.call{value: msg.value}(data);
        if (success) return;
        assembly ("memory-safe") {
            revert(add(output, 0x20), mload(output))
        }
    }

    receive() external payable {
        if (_refuses) revert Refused();
        if (_target == address(0)) return;
        (bool success, bytes memory output) = _target.call(_answer);
        if (success) return;
        assembly ("memory-safe") {
            revert(add(output, 0x20), mload(output))
        }
    }
}
