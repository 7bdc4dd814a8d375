// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title What an account is worth in a state, from that state's leaves alone
/// @notice Stateless, and a pure function of its argument: the twin of settlement and equity in the state transition, at the time
/// and the prices of the state itself, however old they are (SPEC section 11).
interface IAppraiser {
    /// @notice An account in the state with `root`; worth as much as that root.
    /// @param root The state root that the witness leads to
    /// @param account Its number
    /// @param owner Whose it is
    /// @param equity µUSD, rounded down; may be negative
    /// @param deposits µUSD that the state has ever taken in, of all accounts
    /// @param withdrawals µUSD that the state has ever let go, of all accounts
    struct Appraisal {
        bytes32 root;
        uint256 account;
        address owner;
        int256 equity;
        uint256 deposits;
        uint256 withdrawals;
    }

    /// @notice The witness holds no account's leaf.
    error NoAccount();
    /// @notice The leaves contradict each other as those of no reachable state do; `reason` as in SPEC section 8.
    error Inconsistent(uint256 reason);

    /// @notice Values the account of a witness (SPEC section 9) that holds exactly globals, one account, and the market, the
    /// underlying and, unless a perpetual, the series of each of its positions. Other faults revert as in IVerifier.
    function appraise(bytes calldata witness) external pure returns (Appraisal memory);
}
