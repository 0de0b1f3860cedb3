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
    /// seconds from the request, or from its reopening, within which all seats must be taken
    uint32 acceptPeriod;
    /// seconds from the last acceptance within which the claim, or the commitment to it, must be
    /// made
    uint32 claimPeriod;
    /// operators that answer independently, at most 5; 1 unless the requester wants agreement
    uint8 replicas;
    /// contract that is told the answer (`IInferenceCallback`); 0: none
    address callback;
    /// gas of that call, at most 500,000; 0 exactly when there is no callback
    uint32 callbackGas;
}

/// A request as the chain keeps it: static, all of it hashed into the request id. Calls after
/// `request` pass it again.
struct Request {
    address requester;
    /// counts the requester's requests from 0
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
    /// all seats are taken, claims or commitments are awaited
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

/// What the chain keeps of a request besides its id.
struct RequestState {
    RequestStatus status;
    /// 1 to 5; a request that reopens counts up
    uint8 attempt;
    uint8 replicas;
    /// seats taken in this attempt; the next operator gets this seat
    uint8 seatsTaken;
    /// seat whose claim became final; of operators that agree the first
    uint8 finalSeat;
    /// whether an operator has ever accepted, which fixes the seed used
    bool seedFixed;
    /// the seed used, once it is fixed
    uint64 seed;
    /// block of the request
    uint40 requestBlock;
    /// the request's window, in seconds
    uint32 window;
    /// last second of: acceptance (Open), claim or commitment (Accepted), reveal (Revealing),
    /// challenge window (Claimed)
    uint64 deadline;
}

/// Where an operator of a request stands.
enum SeatStatus {
    Empty,
    Accepted,
    Committed,
    Claimed,
    Missed,
    Convicted
}

/// One operator's part in one attempt of a request.
struct Seat {
    address operator;
    SeatStatus status;
    /// N of the claim
    uint24 tokenCount;
    /// first token of the claim: the verdict, where the request lists allowed tokens
    uint32 firstToken;
    /// disputes that are open against the claim
    uint32 disputes;
    /// Committed: the commitment; Claimed: the token hash of the answer
    bytes32 value;
}

/// Immutable parameters of a deployment; periods in seconds, both ends included.
struct OracleParameters {
    uint128 minStake;
    uint32 minWindow;
    uint32 maxWindow;
    uint32 minAcceptPeriod;
    uint32 maxAcceptPeriod;
    uint32 minClaimPeriod;
    /// at most 6 h
    uint32 maxClaimPeriod;
    /// seconds for revealing after commitments have closed
    uint32 revealPeriod;
}

/// @title Requests for inference, their claims and their settlement.
/// @dev requestId = keccak256(abi.encode(block.chainid, address(this), Request)): it is the content
/// hash of docs/SPEC.md, so whatever names a request binds all of it.
///
/// Life of a request: Open -> Accepted (-> Revealing) -> Claimed -> Final. An attempt that leaves
/// no claim standing (deadlines missed, claims convicted) reopens it for operators that have not
/// accepted it before; after 5 attempts, or when nobody accepts, the fee goes back.
///
/// Assumptions. `bonds` names this contract as its oracle. `disputeGame` closes every dispute that
/// it opens and convicts only what it has proved; zero means that nobody can convict. Block
/// timestamps are near real time. Block numbers and block hashes are those of the chain itself (not
/// so on every L2); they serve the seed alone.
///
/// Warnings. A claim that nobody challenged in its window becomes final, right or wrong: set stake
/// and window to what the answer decides over. Whoever proposes the block after a request can
/// influence its seed. Replicas are distinct addresses, not distinct persons. A chain that splits
/// off under another chain id cannot name the requests that were open before. A contract that asks
/// must be able to call `withdraw`.
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
    /// `claimDeadline` is 0 while seats are free: it starts with the last one.
    event Accepted(
        bytes32 indexed requestId,
        address indexed operator,
        uint8 attempt,
        uint8 seat,
        uint64 seed,
        uint64 claimDeadline
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
    event Finalized(
        bytes32 indexed requestId, bytes32 indexed claimId, uint32 tokenCount, bytes32 tokensHash
    );
    event CallbackResult(bytes32 indexed requestId, bool success);
    event Refunded(bytes32 indexed requestId);
    event DisputeOpened(bytes32 indexed requestId, bytes32 indexed claimId);
    event DisputeClosed(bytes32 indexed requestId, bytes32 indexed claimId);
    event Convicted(
        bytes32 indexed requestId,
        bytes32 indexed claimId,
        address indexed operator,
        address challenger
    );
    /// The account can withdraw that much more.
    event Credited(address indexed account, bytes32 indexed requestId, uint256 amount);
    event Withdrawn(address indexed account, address indexed to, uint256 amount);

    /// The model is not in the registry.
    error UnknownModel(bytes32 modelId);
    /// A packed token list is not a whole number of 4-byte ids.
    error MalformedTokens();
    /// The prompt has no token.
    error EmptyPrompt();
    /// The prompt has more than 32,768 tokens.
    error PromptTooLong();
    /// A token id is not smaller than the model's vocabulary.
    error TokenOutsideVocabulary();
    /// maxTokens is zero.
    error NoTokensAsked();
    /// Prompt and answer need more positions than the model has.
    error TooManyPositions();
    /// The temperature is neither 0 nor a finite float32 of at least 2^-10.
    error BadTemperature();
    /// min-p is not a float32 in [0, 1], or it is -0.
    error BadMinP();
    /// The allowed ids are not strictly increasing.
    error AllowedNotIncreasing();
    /// The stake is below the deployment's minimum.
    error StakeTooSmall();
    /// The fee does not fit 128 bits.
    error FeeTooLarge();
    /// The challenge window is outside the deployment's bounds.
    error WindowOutOfRange();
    /// The accept period is outside the deployment's bounds.
    error AcceptPeriodOutOfRange();
    /// The claim period is outside the deployment's bounds.
    error ClaimPeriodOutOfRange();
    /// The number of replicas is not 1 to 5.
    error ReplicasOutOfRange();
    /// The callback gas is over 500,000, or it is zero with a callback or not zero without one.
    error CallbackGasOutOfRange();
    /// The request is not in a state that allows the call.
    error WrongStatus(RequestStatus status);
    /// The call is not possible yet.
    error TooEarly();
    /// The deadline for the call has passed.
    error TooLate();
    /// The operator has accepted this request before, in this attempt or another.
    error AlreadyAccepted();
    /// The chain no longer knows the hash of the block after the request.
    error SeedBlockUnavailable();
    /// The caller has no seat in this attempt, or not one that awaits this call.
    error NotSeated();
    /// The seed is not the one that the request's first acceptance fixed.
    error WrongSeed(uint64 seedUsed);
    /// The request has replicas: commit, then reveal.
    error CommitRequired();
    /// The request has one seat: claim without a commitment.
    error NotReplicated();
    /// The commitment is zero.
    error EmptyCommitment();
    /// Claim and salt do not give the commitment.
    error WrongReveal();
    /// The number of tokens is not 1 to maxTokens.
    error TokenCountOutOfRange();
    /// An end-of-sequence token is followed by others.
    error TokensAfterEnd();
    /// The answer is shorter than maxTokens and does not end with an end-of-sequence token.
    error EndsTooSoon();
    /// The list passed is not the request's allowed list.
    error WrongAllowedList();
    /// A token of the answer is not in the allowed list.
    error TokenNotAllowed();
    /// The seat is not one whose operator missed a deadline.
    error NotMissed();
    /// A dispute is open against a claim that stands.
    error DisputeLive();
    /// The tokens are not those of the answer.
    error WrongTokens();
    /// Too little gas is left to give the callback what the request promised it.
    error InsufficientGas();
    /// Only the dispute game may call.
    error NotDisputeGame();
    /// No claim stands on this seat in this attempt, or no dispute is open against it.
    error NoSuchClaim();
    /// The caller has no credit.
    error NothingToWithdraw();
    /// The receiver refused the ether.
    error TransferFailed();
    /// Only the bonds may send plain ether.
    error NotBonds();
    /// The constructor's arguments contradict each other.
    error BadParameters();

    /* REQUESTER */

    /// Asks; the ether sent is the fee. Emits everything that an operator or a challenger needs.
    function request(RequestParams calldata params) external payable returns (bytes32 requestId);

    /// Gives the fee back when the seats were not all taken in time, or no operator accepted within
    /// 8,000 blocks. Anybody may call.
    function expire(Request calldata r) external;

    /* OPERATOR */

    /// Takes a seat and locks `stake` of the caller's free bond; from the second to the 8,000th
    /// block after the request.
    /// @dev The first acceptance fixes the seed used: the low 64 bits of
    /// keccak256(abi.encode(uint64 request seed, bytes32 hash of the block after the request)).
    function accept(Request calldata r) external;

    /// Claims the answer to a request with one seat and starts the challenge window.
    /// @param seed the seed the answer was computed with; another than the seed used reverts, so
    /// that a re-org which changed the block hash cannot bind an operator to an answer for the old
    /// seed
    /// @param tokens the answer
    /// @param allowed the request's allowed list; empty when it has none
    function claim(Request calldata r, uint64 seed, bytes calldata tokens, bytes calldata allowed)
        external;

    /// Commits to a claim for a request with replicas.
    /// @param seed as in `claim`
    /// @param commitment keccak256(abi.encode(bytes32 claimHash, bytes32 salt))
    function commitClaim(Request calldata r, uint64 seed, bytes32 commitment) external;

    /// Reveals a committed claim, when all have committed or the time for it is over.
    /// @dev The window of all claims ends `window` seconds after the time for reveals, whether or
    /// not the values agree.
    function revealClaim(
        Request calldata r,
        uint64 seed,
        bytes calldata tokens,
        bytes calldata allowed,
        bytes32 salt
    ) external;

    /* ANYBODY */

    /// Fines the operator of a seat that let a deadline pass: max(fee, 2 % of the stake), at most
    /// the stake, goes to the requester.
    function missed(Request calldata r, uint8 seat) external;

    /// Settles after the window, when no dispute is open against a claim that stands: pays the
    /// operators that agree, unlocks their bonds and calls back. When claims that stand disagree
    /// there is no result and the fee goes back.
    /// @param tokens the answer; only looked at when the request has a callback
    function finalize(Request calldata r, bytes calldata tokens) external;

    /// Sends the caller's credit.
    function withdraw(address payable to) external;

    /* DISPUTE GAME */

    /// Holds back the finality of a claim; only inside the challenge window.
    function disputeOpened(bytes32 requestId, uint8 attempt, uint8 seat)
        external
        returns (bytes32 claimId);

    /// Ends a dispute that did not convict. It changes this counter and nothing else.
    function disputeClosed(bytes32 requestId, uint8 attempt, uint8 seat) external;

    /// Slashes the operator of a claim that is not final: 25 % of the stake to the challenger, 10 %
    /// to the requester, the rest is burned.
    function convict(Request calldata r, uint8 attempt, uint8 seat, address challenger) external;

    /// Ends a request whose model's program is malformed: no result, no one is slashed, the fee
    /// goes back.
    function voidClaim(Request calldata r, uint8 attempt, uint8 seat) external;

    /* VIEWS */

    function requestIdOf(Request calldata r) external view returns (bytes32);

    /// @dev The status is that of the current block's time, also where no transaction has recorded
    /// it yet.
    function stateOf(bytes32 requestId) external view returns (RequestState memory);

    function seatOf(bytes32 requestId, uint8 attempt, uint8 seat)
        external
        view
        returns (Seat memory);

    /// Whether a claim can still be convicted or become final: it was made in the current attempt,
    /// is not convicted, and the request is not settled. A claim that stands no longer never stands
    /// again.
    function standing(bytes32 requestId, uint8 attempt, uint8 seat) external view returns (bool);

    /// The names under which a claim, standing or convicted, is signed and disputed; reverts when
    /// there is none.
    function claimOf(bytes32 requestId, uint8 attempt, uint8 seat)
        external
        view
        returns (bytes32 claimHash, bytes32 claimId);

    /// EIP-712 hash of Claim(bytes32 requestId,uint64 seed,address operator,uint32
    /// tokenCount,bytes32 tokensHash) in the domain (name "Lockstep", version "1", chainId,
    /// verifyingContract).
    function claimHashOf(
        bytes32 requestId,
        uint64 seed,
        address operator,
        uint32 tokenCount,
        bytes32 tokensHash
    ) external view returns (bytes32);

    /// The answer. All but the status is 0 unless the status is Final.
    /// @return status as in `stateOf`
    /// @return tokenCount N
    /// @return tokensHash token hash (docs/SPEC.md)
    /// @return firstToken the verdict, where the request lists allowed tokens
    function result(bytes32 requestId)
        external
        view
        returns (RequestStatus status, uint32 tokenCount, bytes32 tokensHash, uint32 firstToken);

    /// The nonce of the account's next request.
    function nonces(address requester) external view returns (uint64);

    function credit(address account) external view returns (uint256);

    function parameters() external view returns (OracleParameters memory);

    function registry() external view returns (address);

    function bonds() external view returns (address);

    /// The contract that may convict; zero: nobody.
    function disputeGame() external view returns (address);
}
