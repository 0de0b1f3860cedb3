// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IInferenceOracle} from "../interfaces/IInferenceOracle.sol";

/// @title The seed used of a sampled request: the requester's seed mixed with the beacon randomness
/// of the eighth block after the request.
/// @dev The randomness of the next block is known to the proposer of the request's own; that of the
/// eighth is not, and its proposer can choose between two values at most, by leaving its block out.
/// It lies in the block's header (EIP-4399), which the block's hash checks; that comes from
/// EIP-2935.
library SeedBlock {
    /// Contract of EIP-2935: keeps the hashes of the last 8,191 blocks.
    address internal constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;

    /// Number of the seed block, counted from the request; first and last block of a first
    /// acceptance: the seed block is mined and its hash is still kept.
    uint256 internal constant SEED = 8;
    uint256 internal constant FIRST = 9;
    uint256 internal constant LAST = 8_000;

    /// Place of prevRandao, which was mixHash, among a header's fields. Fields that forks append
    /// follow later.
    uint256 internal constant RANDAO_FIELD = 13;

    /// @return hash 0 when the chain does not know it
    function hashOf(uint256 number) internal view returns (bytes32 hash) {
        // The opcode and the contract agree where both answer; the opcode reaches 256 blocks back
        // and is cheaper.
        hash = blockhash(number);
        if (hash == 0) {
            (bool ok, bytes memory data) = HISTORY.staticcall(abi.encode(number));
            if (ok && data.length == 32) hash = bytes32(data);
        }
    }

    /// Beacon randomness in the header of the seed block of a request.
    /// @param header RLP of the header; another one reverts
    function randaoOf(uint256 requestBlock, bytes calldata header) internal view returns (bytes32) {
        bytes32 hash = hashOf(requestBlock + SEED);
        if (hash == 0 || keccak256(header) != hash) revert IInferenceOracle.WrongHeader();
        return randaoOf(header);
    }

    /// @dev SAFETY: the bytes are a header of this chain, as their hash says. Bounds are checked
    /// all the same.
    function randaoOf(bytes calldata header) internal pure returns (bytes32 randao) {
        (uint256 at, uint256 end) = _item(header, 0, header.length);
        for (uint256 i; i < RANDAO_FIELD; ++i) {
            (uint256 start, uint256 length) = _item(header, at, end);
            at = start + length;
        }
        (uint256 field, uint256 size) = _item(header, at, end);
        if (size != 32) revert IInferenceOracle.WrongHeader();
        return bytes32(header[field:field + 32]);
    }

    /// Reads the prefix of one RLP item.
    /// @return start of the payload, and its length; for the outermost list (at = 0) its end
    function _item(bytes calldata data, uint256 at, uint256 end)
        private
        pure
        returns (uint256 start, uint256 length)
    {
        if (at >= end) revert IInferenceOracle.WrongHeader();
        uint256 prefix = uint8(data[at]);
        if (prefix < 0x80) return (at, 1);
        // Short: the length lies in the prefix; long: behind it.
        uint256 base = prefix < 0xc0 ? 0x80 : 0xc0;
        uint256 rest = prefix - base;
        start = at + 1;
        if (rest < 56) {
            length = rest;
        } else {
            uint256 lengthBytes = rest - 55;
            if (start + lengthBytes > end) revert IInferenceOracle.WrongHeader();
            for (uint256 i; i < lengthBytes; ++i) {
                length = length << 8 | uint8(data[start + i]);
            }
            start += lengthBytes;
        }
        if (length > end || start + length > end) revert IInferenceOracle.WrongHeader();
        if (at == 0) {
            if (base != 0xc0 || start + length != end) revert IInferenceOracle.WrongHeader();
            length += start;
        }
    }

    function mix(uint64 requestSeed, bytes32 randao) internal pure returns (uint64) {
        // Truncation is the rule: the low 64 bits.
        return uint64(uint256(keccak256(abi.encode(requestSeed, randao))));
    }
}
