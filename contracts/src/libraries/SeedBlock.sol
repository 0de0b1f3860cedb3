// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The seed used: the requester's seed mixed with the hash of the block after the request.
library SeedBlock {
    /// Contract of EIP-2935: keeps the hashes of the last 8,191 blocks.
    address internal constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;

    /// First and last block of a first acceptance, counted from the request: the seed block is
    /// mined and its hash is still kept.
    uint256 internal constant FIRST = 2;
    uint256 internal constant LAST = 8_000;

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

    function mix(uint64 requestSeed, bytes32 blockHash) internal pure returns (uint64) {
        // Truncation is the rule: the low 64 bits.
        return uint64(uint256(keccak256(abi.encode(requestSeed, blockHash))));
    }
}
