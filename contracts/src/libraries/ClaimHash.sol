// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title EIP-712 hash of a claim.
library ClaimHash {
    bytes32 internal constant DOMAIN_TYPEHASH = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    );
    bytes32 internal constant NAME_HASH = keccak256("Lockstep");
    bytes32 internal constant VERSION_HASH = keccak256("1");
    bytes32 internal constant CLAIM_TYPEHASH = keccak256(
        "Claim(bytes32 requestId,uint64 seed,address operator,uint32 tokenCount,bytes32 tokensHash)"
    );

    /// The verifying contract is the caller; the chain id is read each time, so that a chain that
    /// splits off has hashes of its own.
    function claimHash(
        bytes32 requestId,
        uint64 seed,
        address operator,
        uint256 tokenCount,
        bytes32 tokensHash
    ) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(DOMAIN_TYPEHASH, NAME_HASH, VERSION_HASH, block.chainid, address(this))
        );
        bytes32 message = keccak256(
            abi.encode(CLAIM_TYPEHASH, requestId, seed, operator, tokenCount, tokensHash)
        );
        return keccak256(abi.encodePacked(hex"1901", domain, message));
    }

    /// Name of a claim in its attempt: what disputes hang on.
    function claimId(bytes32 claimHash_, uint8 attempt) internal pure returns (bytes32) {
        return keccak256(abi.encode(claimHash_, attempt));
    }
}
