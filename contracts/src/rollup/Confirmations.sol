// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IInbox} from "../interfaces/IInbox.sol";
import {IRollup} from "../interfaces/IRollup.sol";
import {Reader} from "../libraries/Reader.sol";
import {Signature} from "../libraries/Signature.sol";
import {Header} from "../types/Header.sol";
import {Reasons} from "../types/Reasons.sol";
import {Stakes} from "./Stakes.sol";

/// @title Soft confirmations, and the stake behind them
/// @notice A poster signs each header it promises to post. It breaks its promise by signing two for one height and fork, or by posting
/// another than it signed. Fork and inbox hash keep an honest one safe after a reversion and after a reorganisation of L1: it
/// may sign again what those have changed. For the same reason a mismatch counts only against the poster of the batch.
abstract contract Confirmations is IRollup, Stakes {
    bytes32 private constant DOMAIN_TYPE =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant HEADER_TYPE = keccak256("BlockHeader(bytes32 hash)");

    /// @inheritdoc IRollup
    bytes32 public immutable domainSeparator =
        keccak256(abi.encode(DOMAIN_TYPE, keccak256("Plumbline"), keccak256("1"), block.chainid, address(this)));

    /// @inheritdoc IRollup
    function slashEquivocation(
        Header calldata headerA,
        bytes calldata signatureA,
        Header calldata headerB,
        bytes calldata signatureB
    ) external {
        address poster = _requireSigned(headerA, signatureA);
        // INVARIANT: both promises are about the same block of the same chain, and by the same poster.
        if (!_conflict(headerA, headerB) || _requireSigned(headerB, signatureB) != poster) revert NotEquivocation();
        _slashSigner(poster, headerA);
    }

    /// @inheritdoc IRollup
    function slashMismatch(
        Header calldata signed,
        bytes calldata signature,
        uint256 batch,
        uint256 position,
        Header calldata posted,
        bytes32[] calldata path
    ) external {
        address poster = _requireBlock(batch, position, posted.hashHeader(), path);
        // INVARIANT: who promised is who posted.
        if (!_conflict(signed, posted) || _requireSigned(signed, signature) != poster) revert NotEquivocation();
        _slashSigner(poster, signed);
    }

    /// @inheritdoc IRollup
    function inbox() public view virtual returns (IInbox);

    function _slashSigner(address poster, Header calldata header) private {
        if (stakeOf(poster) == 0) revert NoStake(poster);
        emit Equivocated(poster, msg.sender, header.number, header.fork);
        _slash(poster, NO_BATCH, bytes32(0));
    }

    /// @dev Who signed the header; its inbox must be L1's.
    function _requireSigned(Header calldata header, bytes calldata signature) private view returns (address signer) {
        // INVARIANT: a header that L1 has reorganised away binds nobody.
        if (header.inboxIndex > inbox().count() || inbox().hashAt(header.inboxIndex) != header.inboxHash) {
            revert InboxNotCanonical(header.inboxIndex, header.inboxHash);
        }
        bytes32 structHash = keccak256(abi.encode(HEADER_TYPE, header.hashHeader()));
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", domainSeparator, structHash));
        uint256 reason = Reasons.SIGNATURE_MALFORMED;
        if (signature.length == Signature.LENGTH) (reason, signer) = Signature.recover(digest, Reader.offsetOf(signature));
        if (reason != Reasons.NONE) revert BadSignature(signature);
    }

    function _conflict(Header calldata a, Header calldata b) private pure returns (bool) {
        return a.number == b.number && a.fork == b.fork && a.hashHeader() != b.hashHeader();
    }

    /// @dev Requires that the block stands in the batch at this position; returns the batch's poster.
    function _requireBlock(uint256 batch, uint256 position, bytes32 blockHash, bytes32[] calldata path)
        internal
        view
        virtual
        returns (address poster);
}
