// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVerifier} from "../src/interfaces/IVerifier.sol";
import {Header} from "../src/types/Header.sol";

/// @title FOR TESTS ONLY: a judge that says what it was told to say
contract ChosenVerifier is IVerifier {
    enum Mood {
        Answer,
        Refuse,
        Exhaust
    }

    Mood private _mood;
    uint256 private _reason;
    uint256 private _index;
    bytes32 private _postRoot;

    /// @notice Chooses the verdict of the next proofs.
    function choose(uint256 reason, uint256 index, bytes32 postRoot) external {
        (_mood, _reason, _index, _postRoot) = (Mood.Answer, reason, index, postRoot);
    }

    /// @notice Refuses every proof, with an error or by using up its gas.
    function fail(bool exhaust) external {
        _mood = exhaust ? Mood.Exhaust : Mood.Refuse;
    }

    /// @inheritdoc IVerifier
    function pricer() external pure returns (address) {
        return address(0);
    }

    /// @inheritdoc IVerifier
    function verify(Header calldata, bytes calldata, bytes calldata, bytes calldata, bytes32)
        external
        view
        returns (uint256 reason, uint256 index, bytes32 postRoot)
    {
        if (_mood == Mood.Refuse) revert MalformedWitness();
        uint256 spent = 0;
        while (_mood == Mood.Exhaust) ++spent;
        return (_reason, _index, _postRoot);
    }
}
