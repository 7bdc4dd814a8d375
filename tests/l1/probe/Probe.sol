// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A contract to probe L1 nodes and the client with: storage, events, typed errors, gas.
/// Compile with `node compile.mjs` in this folder; `Probe.json` is committed.
contract Probe {
    struct Pair {
        uint128 left;
        address right;
    }

    error Unlucky(uint256 number, address who, bytes note);
    error Nothing();

    event Stored(address indexed who, uint256 indexed number, bytes note, Pair pair);
    event Ping(uint256 number);

    uint256 public number;
    mapping(uint256 => uint256) public slots;

    constructor(uint256 initial) payable {
        if (initial == 666) revert Unlucky(initial, msg.sender, "constructor");
        number = initial;
    }

    function store(uint256 value, bytes calldata note, Pair calldata pair) external payable {
        if (value == 13) revert Unlucky(value, msg.sender, note);
        number = value;
        emit Stored(msg.sender, value, note, pair);
    }

    function ping(uint256 count) external {
        for (uint256 i = 0; i < count; ++i) emit Ping(i);
    }

    function read(Pair[] calldata pairs) external view returns (uint256, address, Pair[] memory) {
        return (number, msg.sender, pairs);
    }

    function fail(uint256 kind) external pure {
        if (kind == 0) revert Nothing();
        require(kind != 1, "one is refused");
        assert(kind != 2);
        assembly {
            revert(0, 0)
        }
    }

    /// Fails in a later block although the estimate succeeded: the answer depends on what a transaction has stored.
    function onlyOnce(uint256 slot) external {
        if (slots[slot] != 0) revert Unlucky(slot, msg.sender, "");
        slots[slot] = 1;
    }

    function burn(uint256 rounds) external returns (bytes32 hash) {
        for (uint256 i = 0; i < rounds; ++i) hash = keccak256(abi.encode(hash));
        number = uint256(hash);
    }

    function environment() external view returns (uint256, uint256, uint256, uint256, bytes32) {
        return (block.number, block.timestamp, block.chainid, block.gaslimit, blockhash(block.number - 1));
    }

    function sink(bytes calldata) external {}
}
