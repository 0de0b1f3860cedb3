// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IClaims} from "./IClaims.sol";

/// Terms of a request, set by the requester. Token lists are packed u32 little-endian, 4 bytes per id.
struct RequestParams {
    bytes32 modelId;
    /// token ids of the prompt, P of them
    bytes prompt;
    /// float32 bits; 0 is greedy, else a finite value of at least 2^-10
    uint32 temperature;
    /// float32 bits in [0, 1]; ignored when greedy
    uint32 minP;
    /// the requester's part of the seed; ignored when greedy
    uint64 seed;
    /// allowed token ids, strictly increasing, at most 16,384; empty: every token is allowed
    bytes allowed;
    uint32 maxTokens;
    /// bond that each operator locks, in wei
    uint128 stake;
    /// seconds in which a claim can be challenged
    uint32 window;
    /// last second in which a seat can be taken; after it anybody can expire the open request
    uint64 acceptDeadline;
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
    uint64 acceptDeadline;
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
    Refunded,
    /// no result: claims that stood disagreed to the end; the fee was burned
    Undecided
}

/// State of a request that the chain stores besides its id, as of the current block's time.
struct RequestState {
    RequestStatus status;
    /// 1 to 5; counts up when every claim of an attempt was convicted; 6: no attempt is left
    uint8 attempt;
    /// rounds of this request that ended without a claim, counted to 3
    uint8 misses;
    /// whether the request is not to reopen: cancelled by its requester, or its model is malformed
    bool cancelled;
    /// seats taken in this round
    uint8 seatsTaken;
    /// seat whose claim became final; of operators that agree the first
    uint8 finalSeat;
    /// last second of: filling the seats (Open with seats taken), claim or commitment (Accepted),
    /// reveal (Revealing), challenge window (Claimed); else 0
    uint64 deadline;
    /// block of a sampled request; 0 when greedy
    uint64 requestBlock;
    /// whether the seed used of a sampled request is fixed
    bool seedFixed;
    /// the seed used, once it is fixed; 0 when greedy
    uint64 seed;
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
    uint16 tokenCount;
    /// first token of the claim
    uint24 firstToken;
    /// whether a dispute is live against the claim
    bool disputed;
    /// Committed: the commitment; Claimed: the token hash of the answer; else 0
    bytes32 value;
}

/// Immutable parameters of a deployment; periods in seconds, both ends included.
struct OracleParameters {
    uint128 minStake;
    uint32 minWindow;
    uint32 maxWindow;
    /// from the request to `acceptDeadline`
    uint32 minAcceptPeriod;
    uint32 maxAcceptPeriod;
    uint32 minClaimPeriod;
    /// the same for requests with replicas
    uint32 minReplicaClaimPeriod;
    /// at most 6 h
    uint32 maxClaimPeriod;
    /// replicas: from the first acceptance of a round to the last
    uint32 fillPeriod;
    /// replicas: for revealing after commitments have closed
    uint32 revealPeriod;
}

/// @title Requests for inference, their claims and their settlement.
/// @dev requestId = keccak256(abi.encode(block.chainid, address(this), Request)) with its last byte
/// cleared: it is the content hash of docs/SPEC.md, so whatever names a request binds all of it.
/// The name of a claim (`IClaims`) is the request id with 8 * attempt + seat in its last byte, and
/// the opening of a claim is abi.encode(Request).
///
/// Life of a request: Open -> Accepted (-> Revealing) -> Claimed -> Final. A round that ends
/// without a claim reopens the request for everybody and uses up no attempt. An attempt whose
/// claims were all convicted reopens it for operators that did not claim in it; after five the fee
/// goes back. An open request that can be accepted no more (past its `acceptDeadline`, cancelled,
/// out of attempts, its seed block forgotten) is expired by anybody. So every request ends at the
/// latest one claim period, reveal period, window and longest dispute after its `acceptDeadline`.
///
/// Assumptions. `bonds` names this contract as its oracle. `disputeGame` convicts only what it has
/// proved; zero means that nobody can convict. Block timestamps are near real time. Block numbers
/// and block hashes are those of the chain itself (not so on every layer 2); they serve the seed.
///
/// Warnings. A claim that nobody challenged in its window becomes final, right or wrong: set stake
/// and window to what the answer decides over. Until finality `firstToken` of a claim may lie
/// outside the allowed list when the list has more than 64 ids or maxTokens is over 64. The
/// proposer of the eighth block after a sampled request can choose between two seeds, and whoever
/// makes sampled requests can make many and show one. Replicas are distinct addresses, not distinct
/// persons. A contract that asks must be able to call `withdrawOf`.
interface IInferenceOracle is IClaims {
    event Requested(
        bytes32 indexed requestId,
        bytes32 indexed modelId,
        address indexed requester,
        Request request,
        bytes prompt,
        bytes allowed
    );
    /// `seed` is the seed used: the same for every operator and attempt of a request, 0 when
    /// greedy. `deadline` is the claim deadline when `filled`, else the last second of filling the
    /// seats.
    event Accepted(
        bytes32 indexed requestId,
        address indexed operator,
        uint8 attempt,
        uint8 seat,
        uint64 seed,
        bool filled,
        uint64 deadline
    );
    /// The seats were not filled in time: all of them are free again.
    event SeatsFreed(bytes32 indexed requestId);
    event Committed(
        bytes32 indexed requestId, address indexed operator, uint8 seat, bytes32 commitment
    );
    event RevealOpened(bytes32 indexed requestId, uint64 revealDeadline);
    /// `name` is the claim's name for the dispute game.
    event Claimed(
        bytes32 indexed requestId,
        bytes32 indexed name,
        address indexed operator,
        uint64 seed,
        uint64 windowEnd,
        bytes tokens
    );
    /// The operator let its deadline pass. `penalty` left its bond; `toRequester` of it is the
    /// requester's, the rest was burned.
    event Missed(
        bytes32 indexed requestId,
        address indexed operator,
        uint8 seat,
        uint256 penalty,
        uint256 toRequester
    );
    /// The request is open again; `attempt` counts up when a claim was convicted.
    event Reopened(bytes32 indexed requestId, uint8 attempt);
    /// The requester cancelled: the request does not reopen.
    event Cancelled(bytes32 indexed requestId);
    event Finalized(bytes32 indexed requestId, bytes32 indexed name, uint32 tokenCount);
    event CallbackResult(bytes32 indexed requestId, bool success);
    event Refunded(bytes32 indexed requestId, uint256 fee);
    /// Claims disagreed to the end: no result, and the fee was burned.
    event Undecided(bytes32 indexed requestId, uint256 burned);
    event Disputed(bytes32 indexed requestId, bytes32 indexed name);
    event Settled(bytes32 indexed requestId, bytes32 indexed name);
    event Convicted(
        bytes32 indexed requestId,
        bytes32 indexed name,
        address indexed operator,
        address challenger,
        uint256 toChallenger,
        uint256 toRequester,
        uint256 burned
    );
    event Voided(bytes32 indexed requestId, bytes32 indexed name);
    /// The account can withdraw that much more; `claim` says what of: the claim's name.
    event Credited(address indexed account, bytes32 indexed claim, uint256 amount);
    event Withdrawn(address indexed account, address indexed to, uint256 amount);
    /// The requester's money of one request left.
    event WithdrawnOf(bytes32 indexed requestId, address indexed to, uint256 amount);

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
    /// maxTokens is more than a claim can carry: 29,000.
    error TooManyTokensAsked();
    /// Prompt and answer need more positions than the model has.
    error TooManyPositions();
    /// The temperature is neither 0 nor a finite float32 of at least 2^-10.
    error BadTemperature();
    /// min-p is not a float32 in [0, 1], or it is -0.
    error BadMinP();
    /// The allowed ids are not strictly increasing.
    error AllowedNotIncreasing();
    /// The allowed list has more than 16,384 ids.
    error AllowedTooLong();
    /// The stake is below the deployment's minimum.
    error StakeTooSmall();
    /// The fee does not fit 128 bits.
    error FeeTooLarge();
    /// The challenge window is outside the deployment's bounds.
    error WindowOutOfRange();
    /// The accept deadline is not within the deployment's bounds from now.
    error AcceptDeadlineOutOfRange();
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
    /// Only the requester may call.
    error NotRequester();
    /// The request was cancelled, or all its attempts are used up.
    error NoMoreAttempts();
    /// The operator has a seat already, or its claim in an earlier attempt was convicted.
    error AlreadyAccepted();
    /// The caller is neither the operator nor its agent for claims.
    error NotOperatorOrAgent();
    /// The header passed is not that of the eighth block after the request, or one was passed with
    /// a greedy request.
    error WrongHeader();
    /// The seat is not one that awaits this call from this caller.
    error NotSeated();
    /// The seed is not the seed used.
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
    /// The list passed is not the request's allowed list, or one was passed that is not looked at.
    error WrongAllowedList();
    /// A token of the answer is not in the allowed list.
    error TokenNotAllowed();
    /// The seat is not one whose operator missed a deadline.
    error NotMissed();
    /// A dispute is live against a claim that stands.
    error DisputeLive();
    /// The tokens are not those of the answer.
    error WrongTokens();
    /// Too little gas is left to give the callback what the request promised it.
    error InsufficientGas();
    /// There is nothing to withdraw.
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

    /// Ends an open request at once, with the fee back; otherwise keeps the request from reopening
    /// when its present seats miss or are convicted. Only the requester.
    function cancel(Request calldata r) external;

    /// Sends what a request brought its requester: the fee back, its shares of penalties and of
    /// slashed bonds. Only the requester.
    function withdrawOf(Request calldata r, address payable to) external;

    /* OPERATOR, OR ITS AGENT FOR CLAIMS */

    /// Takes a seat for `operator` and locks `stake` of its free bond. The first acceptance of a
    /// sampled request fixes the seed used, from the ninth to the 8,000th block after the request:
    /// the low 64 bits of keccak256(abi.encode(uint64 request seed, bytes32 prevRandao of the
    /// eighth block after the request)). A greedy request draws none.
    /// @param header RLP of the header of that block for a sampled request, not looked at once the
    /// seed is fixed; empty for a greedy one
    function accept(Request calldata r, address operator, bytes calldata header) external;

    /// Claims the answer to a request with one seat and starts the challenge window.
    /// @param seed the seed that the answer was computed with, 0 when greedy; another than the seed
    /// used reverts, so that a re-org which changed it cannot bind an operator to an answer for the
    /// old one
    /// @param tokens the answer
    /// @param allowed the request's allowed list when it has at most 64 ids and maxTokens is at
    /// most 64; else empty
    function claim(Request calldata r, uint64 seed, bytes calldata tokens, bytes calldata allowed)
        external;

    /// Commits to a claim for a request with replicas.
    /// @param seed as in `claim`
    /// @param commitment keccak256(abi.encode(bytes32 name, address operator, uint64 seed, bytes32
    /// tokensHash, bytes32 salt))
    function commitClaim(Request calldata r, uint8 seat, uint64 seed, bytes32 commitment) external;

    /// Reveals a committed claim, when all have committed or the time for it is over.
    /// @dev The window of all claims ends `window` seconds after the time for reveals, whether or
    /// not the values agree.
    function revealClaim(
        Request calldata r,
        uint8 seat,
        uint64 seed,
        bytes calldata tokens,
        bytes calldata allowed,
        bytes32 salt
    ) external;

    /* ANYBODY */

    /// Frees the seats of a request with replicas that was not filled in time.
    function freeSeats(Request calldata r) external;

    /// Fines the operator of a seat that let a deadline pass: 2 % of the stake, doubled for each
    /// round of the request that ended without a claim before, up to 16 %. At most a quarter of it,
    /// and at most 300,000 gas at the base fee for all seats of a round together, is the
    /// requester's; the rest is burned.
    function missed(Request calldata r, uint8 seat) external;

    /// Gives the fee back when an open request can be accepted no more.
    function expire(Request calldata r) external;

    /// Settles after the window, when no dispute is live against a claim that stands: pays the
    /// operators that agree, unlocks their bonds and calls back. When claims that stand disagree
    /// there is no result, and the fee is burned, since its requester may own one of them.
    /// @param tokens the answer; only looked at when the request has a callback
    function finalize(Request calldata r, bytes calldata tokens) external;

    /// Sends the caller's credit.
    function withdraw(address payable to) external;

    /* VIEWS */

    function requestIdOf(Request calldata r) external view returns (bytes32);

    /// Name of a claim: requestId with 8 * attempt + seat in its last byte.
    function nameOf(bytes32 requestId, uint8 attempt, uint8 seat) external pure returns (bytes32);

    /// @dev The status is that of the current block's time, also where no transaction has recorded
    /// it yet.
    function stateOf(bytes32 requestId) external view returns (RequestState memory);

    /// A seat of the present round, or of an attempt that ended.
    function seatOf(bytes32 requestId, uint8 attempt, uint8 seat)
        external
        view
        returns (Seat memory);

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

    /// Wei that the account can withdraw: fees and rewards.
    function credit(address account) external view returns (uint256);

    /// Wei that the requester of a request can withdraw.
    function creditOf(bytes32 requestId) external view returns (uint256);

    function parameters() external view returns (OracleParameters memory);

    function registry() external view returns (address);
}
