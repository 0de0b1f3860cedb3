// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// What a requester asks for. Token lists are packed u32 little-endian, 4 bytes an id.
struct RequestParams {
    bytes32 modelId;
    /// token ids of the prompt, P of them
    bytes prompt;
    /// float32 bits; 0 is greedy, else a finite value of at least 2^-10
    uint32 temperature;
    /// float32 bits in [0, 1]; ignored when greedy
    uint32 minP;
    /// the requester's part of the seed
    uint64 seed;
    /// allowed token ids, strictly increasing; empty: every token is allowed
    bytes allowed;
    uint32 maxTokens;
    /// bond that the operator locks, in wei
    uint128 stake;
    /// seconds in which a claim can be challenged
    uint32 window;
    /// seconds from the request within which operators must have accepted
    uint32 acceptPeriod;
    /// seconds from acceptance within which the claim must be made
    uint32 claimPeriod;
    /// operators that answer independently; 1 unless the requester wants agreement
    uint8 replicas;
    /// contract that is told the answer; 0: none
    address callback;
    uint32 callbackGas;
}

/// A request as the chain keeps it: static, all of it hashed into the request id. Calls after `request` pass it again.
struct Request {
    address requester;
    /// counts the requester's requests
    uint64 nonce;
    bytes32 modelId;
    uint32 promptCount;
    /// token hash (docs/SPEC.md) of the prompt
    bytes32 promptHash;
    uint32 temperature;
    uint32 minP;
    uint64 seed;
    uint32 allowedCount;
    /// token hash of the allowed list; 0 when there is none
    bytes32 allowedHash;
    uint32 maxTokens;
    uint128 stake;
    uint128 fee;
    uint32 window;
    uint32 acceptPeriod;
    uint32 claimPeriod;
    uint8 replicas;
    address callback;
    uint32 callbackGas;
}

/// Where a request stands.
enum RequestStatus {
    None,
    /// operators may accept
    Open,
    /// all seats are taken, claims are awaited
    Accepted,
    /// replicas only: every commitment is in or late, claims are revealed
    Revealing,
    /// claims are in, the challenge window runs or disputes are open
    Claimed,
    /// the answer is final
    Final,
    /// no result: the fee went back
    Refunded
}

/// @title Requests for inference, their claims and their settlement.
/// @dev requestId = keccak256(abi.encode(block.chainid, address(this), Request)): it is the content hash of docs/SPEC.md, so
/// whatever names a request binds all of it.
interface IInferenceOracle {
    event Requested(
        bytes32 indexed requestId,
        bytes32 indexed modelId,
        address indexed requester,
        Request request,
        bytes prompt,
        bytes allowed
    );
    /// `seed` is the seed used: the same for every operator and attempt of a request.
    event Accepted(
        bytes32 indexed requestId, address indexed operator, uint8 attempt, uint8 seat, uint64 seed, uint64 claimDeadline
    );
    event Committed(bytes32 indexed requestId, address indexed operator, bytes32 commitment);
    event RevealOpened(bytes32 indexed requestId, uint64 revealDeadline);
    event Claimed(
        bytes32 indexed requestId,
        bytes32 indexed claimId,
        address indexed operator,
        bytes32 claimHash,
        uint64 windowEnd,
        bytes tokens
    );
    /// The operator let its deadline pass; `penalty` went from its bond to the requester.
    event Missed(bytes32 indexed requestId, address indexed operator, uint256 penalty);
    /// The request is open again, for operators that have not accepted it before.
    event Reopened(bytes32 indexed requestId, uint8 attempt, uint64 acceptDeadline);
    event Finalized(bytes32 indexed requestId, bytes32 indexed claimId, uint32 tokenCount, bytes32 tokensHash);
    event CallbackResult(bytes32 indexed requestId, bool success);
    event Refunded(bytes32 indexed requestId);
    event DisputeOpened(bytes32 indexed requestId, bytes32 indexed claimId);
    event DisputeClosed(bytes32 indexed requestId, bytes32 indexed claimId);
    event Convicted(bytes32 indexed requestId, bytes32 indexed claimId, address indexed operator, address challenger);
}
