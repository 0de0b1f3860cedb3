// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Claim} from "./IClaims.sol";
import {ModelCommitment} from "./IModelRegistry.sol";
import {ClaimFacts, Opening, Witness} from "./IStepVerifier.sol";

/// Immutable parameters of a deployment.
struct GameParameters {
    /// seconds that each side has for all its moves in one dispute; below 2^20
    uint32 budget;
    /// seconds that each side has for a move at least
    uint32 floor;
    /// least bond of a challenger, in wei
    uint128 minBond;
}

/// A dispute: everything about it that never changes. The game keeps only what moves, under
/// `disputeId = keccak256(abi.encode(claimId, challenger, bond, salt))`; calls pass the struct
/// again.
struct Dispute {
    Claim claim;
    address challenger;
    /// in wei
    uint88 bond;
    /// of the challenger's choice: tells its disputes about one claim apart
    bytes32 salt;
}

/// Where a dispute stands. The operator moves in Root, Node, Leaf and Partials, the challenger in
/// Pick, Step and PartialStep.
enum DisputeState {
    None,
    /// the operator is to open its trace
    Root,
    /// the challenger is to pick a node below the current one
    Pick,
    /// the children of the current node are to be revealed
    Node,
    /// the bytes of the current leaf are to be revealed
    Leaf,
    /// the challenger is to prove that the current leaf is wrong
    Step,
    /// the operator is to post the partials of an attention element of the current leaf
    Partials,
    /// the challenger is to refute one of them
    PartialStep,
    /// over: lost by the challenger, or ended with its claim
    Closed
}

/// A dispute as it was recorded last (`disputeOf`).
struct DisputeView {
    DisputeState state;
    /// the current node: operation, or 65,535 for the tree above operations; height; index at that
    /// height
    uint16 op;
    uint8 height;
    uint32 index;
    /// the current node's hash; 0 while that is the trace's root, and once partials were demanded
    bytes32 node;
    /// element whose partials were demanded
    uint32 element;
    /// what is not spent of the prepayments: in the operator's turn its answer is repaid from it,
    /// in the challenger's it counts towards the next question
    uint256 prepaid;
    /// second in which the current turn began, and the last one of it
    uint64 turnStart;
    uint64 deadline;
    /// seconds left to each side when the turn began
    uint32 operatorLeft;
    uint32 challengerLeft;
    /// whether this was the only live dispute about its claim when the current turn began: then
    /// `step` and `stepPartial` need no commitment until two blocks after another one joined it
    bool alone;
}

/// How a claim stands in the game.
enum ClaimStatus {
    /// never disputed
    None,
    Disputed,
    Convicted,
    /// its program is malformed: nobody is slashed
    Void
}

/// A claim as the game keeps it.
struct DisputedClaim {
    ClaimStatus status;
    /// disputes about it that are live
    uint32 live;
    uint16 promptCount;
    uint16 tokenCount;
    uint16 opCount;
    /// second in which the operator opened its trace; 0: it has not
    uint40 openedAt;
    /// block in which a dispute last joined one that was the only live one
    uint40 joinedBlock;
    /// 0 until then
    bytes32 root;
}

/// How a claim was convicted.
enum Conviction {
    Timeout,
    Step,
    PartialStep,
    Proof,
    Equivocation
}

/// @title The dispute game: finds the first wrong chunk of a claim's trace and has one unit of it
/// recomputed.
/// @dev docs/DISPUTES.md explains the game, docs/SPEC.md fixes its formats. Positions: an
/// operation's tree has height 0 at its leaves; the tree above operations (op = 65,535) has height
/// 0 at the operations' roots, which the game names as nodes of the operation. Stages of a descent:
/// from a tree's root, of height H, the nodes at H - 5, H - 10, ... and 0.
///
/// Any number of disputes run at once on a claim. The operator opens its trace once for all of
/// them; everything else it answers in the dispute that asks. What became public in one dispute
/// need not be asked for in another: a pick may go to any stage below the current node that the
/// challenger can connect to it by hashes. A conviction ends all disputes of its claim; every other
/// end changes the count of live disputes alone.
///
/// Moves that make the operator move prepay it; its answers are repaid at cost, to the operator or
/// to its agent for disputes, whoever sends them. All money is pulled: `credit`, `withdraw`.
/// Everything that a light client needs to draw a dispute, clocks and money included, is in the
/// events.
interface IDisputeGame {
    event Challenged(
        bytes32 indexed claimId,
        bytes32 indexed disputeId,
        address indexed challenger,
        Dispute dispute,
        ClaimFacts facts,
        DisputeState state,
        uint256 prepaid,
        uint64 deadline
    );
    /// `children` are the nodes of the first stage under the root. Of this dispute, as in the other
    /// answers: `prepaid` is what is left of the prepayments, `deadline` the challenger's.
    event TraceOpened(
        bytes32 indexed claimId,
        bytes32 indexed disputeId,
        bytes32 root,
        bytes32[] children,
        uint256 prepaid,
        uint64 deadline
    );
    /// `deadline` is the operator's.
    event Picked(
        bytes32 indexed claimId,
        bytes32 indexed disputeId,
        uint16 op,
        uint8 height,
        uint32 index,
        bytes32 node,
        uint256 prepaid,
        uint64 deadline
    );
    event Revealed(
        bytes32 indexed claimId,
        bytes32 indexed disputeId,
        uint16 op,
        uint8 height,
        uint32 index,
        bytes32[] children,
        uint256 prepaid,
        uint64 deadline
    );
    event LeafRevealed(
        bytes32 indexed claimId,
        bytes32 indexed disputeId,
        uint16 op,
        uint32 index,
        bytes data,
        uint256 prepaid,
        uint64 deadline
    );
    event PartialsDemanded(
        bytes32 indexed claimId,
        bytes32 indexed disputeId,
        uint16 op,
        uint32 row,
        uint32 element,
        uint256 prepaid,
        uint64 deadline
    );
    event PartialsOpened(
        bytes32 indexed claimId,
        bytes32 indexed disputeId,
        uint16 op,
        uint32 row,
        uint32 element,
        bytes data,
        uint256 prepaid,
        uint64 deadline
    );
    /// The claim is wrong, or its operator did not move in time. `disputeId` is 0 for a proof
    /// without a dispute. `op`, `leaf` and `unit` are the witness's; 0 for a time-out or an
    /// equivocation.
    event ClaimConvicted(
        bytes32 indexed claimId,
        bytes32 indexed disputeId,
        address indexed challenger,
        Conviction how,
        uint32 op,
        uint32 leaf,
        uint32 unit
    );
    event ClaimVoided(bytes32 indexed claimId, uint32 op);
    /// The challenger did not move in time; its bond went to the operator and was burned in part.
    event DisputeLost(
        bytes32 indexed claimId, bytes32 indexed disputeId, uint256 toOperator, uint256 burned
    );
    /// Bond and prepaid money of a dispute whose claim is over went back.
    event DisputeReclaimed(bytes32 indexed claimId, bytes32 indexed disputeId, uint256 amount);
    event ProofCommitted(bytes32 indexed commitment);
    event ShapeRecorded(bytes32 indexed modelId, uint16 op);
    /// The account can withdraw that much more; `claimId` says what of.
    event Credited(address indexed account, bytes32 indexed claimId, uint256 amount);
    event Withdrawn(address indexed account, address indexed to, uint256 amount);

    error BadParameters();
    /// The model commitment is not the claim's.
    error WrongModel();
    /// The source says that the claim is another's.
    error WrongSource();
    /// The facts are not the claim's.
    error WrongFacts();
    /// The claim is not disputed, or it is over.
    error ClaimNotLive();
    /// The challenger has used this bond and salt for this claim.
    error DisputeExists();
    error NoSuchDispute();
    /// The dispute is not in a state that allows the call.
    error WrongState(DisputeState state);
    error NotChallenger();
    /// The caller is neither the operator nor its agent for disputes.
    error NotOperator();
    /// The side's clock has run out.
    error TooLate();
    /// The side whose turn it is has time left.
    error TooEarly();
    /// The bond is smaller than `bondFor` the stake.
    error BondTooSmall(uint256 needed);
    /// Ether sent and credit do not cover bond and prepayment.
    error NotEnoughEther(uint256 needed);
    /// The number of children is not what the stage demands.
    error WrongChildCount();
    /// The hashes or bytes do not have the hash of their node.
    error WrongHash();
    /// A child that is padding by its position has another value.
    error BadPadding();
    /// The node is not a stage below the current one, is padding, or its operation is unknown.
    error BadPick();
    /// The operation's shape was not recorded.
    error UnknownShape();
    /// The leaf has another length.
    error WrongLength();
    /// The element does not lie in the current leaf, or the leaf is not of an attention operation.
    error BadElement();
    /// Partials of another length, with a float that is not canonical, or an index out of range.
    error BadPartials();
    /// The witness is of a kind that the call does not take.
    error WrongKind();
    /// The witness shows nothing wrong.
    error NothingWrong();
    /// The proof was not committed to, or not long enough ago.
    error NotCommitted();
    /// The root is neither the opened one nor signed by the operator.
    error UnknownRoot();
    /// The program is well-formed there.
    error WellFormed();
    error NothingToWithdraw();
    error TransferFailed();

    /* CHALLENGER */

    /// Opens a dispute against a claim inside its challenge window. Ether sent and the caller's
    /// credit cover the bond, and the prepayment for opening the trace where it is not open.
    /// @param source contract that the claim lives in, `name` its name there, `opening` what the
    /// source needs (`IClaims`)
    /// @param bond at least `bondFor` the stake; part of the dispute's id, so that the id is known
    /// before the transaction is in a block
    function challenge(
        address source,
        bytes32 name,
        bytes calldata opening,
        ModelCommitment calldata model,
        uint88 bond,
        bytes32 salt
    ) external payable returns (bytes32 disputeId);

    /// Goes down to a node below the current one: of a stage, in range, not padding. Its
    /// operation's shape must be recorded when it is, or is below, an operation's root. Ether sent
    /// and the caller's credit cover what the dispute's `prepaid` lacks of the prepayment.
    /// @param op of a node of the tree above operations 65,535; never with height 0, which is named
    /// (operation, its height, 0)
    /// @param path sibling hashes from `node` up to the current node
    function pick(
        Dispute calldata dispute,
        uint16 op,
        uint8 height,
        uint32 index,
        bytes32 node,
        bytes32[] calldata path
    ) external payable;

    /// Proves that the claim is wrong, by any unit but those of partials, once its trace is open;
    /// the proof need not be about the current leaf.
    /// @param commitSalt of a `commitProof` at least two blocks ago; not looked at when the dispute
    /// was alone when the present turn began and no other joined it more than a block ago
    function step(
        Dispute calldata dispute,
        ClaimFacts calldata facts,
        ModelCommitment calldata model,
        Witness calldata witness,
        bytes32 commitSalt
    ) external;

    /// Asks for the partials of an attention element that lies in the current leaf.
    function demandPartials(Dispute calldata dispute, uint32 element) external payable;

    /// Proves that posted partials are wrong. The witness is of a kind Partial*, its unit the
    /// demanded element.
    /// @param commitSalt as in `step`
    function stepPartial(
        Dispute calldata dispute,
        ClaimFacts calldata facts,
        ModelCommitment calldata model,
        Witness calldata witness,
        bytes calldata partials,
        bytes32 commitSalt
    ) external;

    /// Commits to a proof: keccak256(abi.encode(address sender, bytes32 salt, bytes32
    /// keccak256(abi.encode(witness)))).
    function commitProof(bytes32 commitment) external;

    /// Proves that a claim is wrong without a dispute. Reverts when the witness shows nothing.
    /// @param root the opened root, or one that the operator signed
    /// @param signature 65 bytes r, s, v over the EIP-712 hash of TraceRoot(bytes32 claimId,bytes32
    /// root) in the domain ("Lockstep", "1", chain id, this contract); empty for the opened root
    /// @param salt of a `commitProof` at least 2 blocks ago; 50 while a dispute is live
    function prove(
        address source,
        bytes32 name,
        bytes calldata opening,
        bytes32 root,
        bytes calldata signature,
        ModelCommitment calldata model,
        Witness calldata witness,
        bytes32 salt
    ) external;

    /// Convicts an operator that signed another root than the one it opened, or two roots: pass the
    /// opened root with an empty signature, or both signed.
    /// @param salt as in `prove`; the commitment has the hash of abi.encode(root, otherRoot) in
    /// place of the witness's
    function proveEquivocation(
        address source,
        bytes32 name,
        bytes calldata opening,
        bytes32 root,
        bytes calldata signature,
        bytes32 otherRoot,
        bytes calldata otherSignature,
        bytes32 salt
    ) external;

    /* OPERATOR, OR ITS AGENT FOR DISPUTES */

    /// Opens the claim's trace: its root, and the nodes of the first stage under it.
    function openTrace(Dispute calldata dispute, bytes32 root, bytes32[] calldata children) external;

    /// Posts the partials that were demanded (docs/SPEC.md).
    function openPartials(Dispute calldata dispute, bytes calldata partials) external;

    /* ANYBODY */

    /// Reveals the children of the dispute's current node at the next stage. Fixed by the node's
    /// hash, so anybody may send them. A repeat changes nothing.
    function reveal(Dispute calldata dispute, bytes32[] calldata children) external;

    /// Reveals the bytes of the dispute's current leaf.
    function revealLeaf(Dispute calldata dispute, bytes calldata data) external;

    /// Ends the dispute of a side that let its time pass: convicts the operator, or takes the
    /// challenger's bond.
    function timeout(Dispute calldata dispute) external;

    /// Records the shape of an operation's output, for all claims of the model. A repeat changes
    /// nothing.
    function recordShape(ModelCommitment calldata model, uint16 op, Opening calldata descriptor)
        external;

    /// Ends a claim that stands and whose model's program is malformed at `op`
    /// (`IStepVerifier.isMalformed`).
    function voidClaim(
        address source,
        bytes32 name,
        bytes calldata opening,
        ModelCommitment calldata model,
        uint32 op,
        Opening[] calldata descriptors
    ) external;

    /// Gives a challenger its bond and prepaid money back when the claim is over: convicted by
    /// another dispute, void, or no longer standing.
    function reclaim(Dispute calldata dispute) external;

    /// Sends the caller's credit.
    function withdraw(address payable to) external;

    /// Runs several calls of this contract for the caller; all or none. Prepayments come from the
    /// caller's credit.
    function multicall(bytes[] calldata calls) external;

    /// Runs those of several calls that are not refused; reverts when all are, or one runs out of gas.
    /// For answers: one whose dispute has moved on in the meantime keeps back no other.
    /// @return taken number of calls that were not refused
    function tryMulticall(bytes[] calldata calls) external returns (uint256 taken);

    /* VIEWS */

    /// The source whose parameters the constructor checked.
    function oracle() external view returns (address);
    function bonds() external view returns (address);
    function verifier() external view returns (address);
    function credit(address account) external view returns (uint256);
    /// @dev As its last move left it. A dispute that awaits the trace stays Root here until its
    /// next move, also once the trace was opened in another: then (`claimOf(claimId).openedAt`) it
    /// is in Pick, and its challenger's turn began at `openedAt`.
    function disputeOf(bytes32 disputeId) external view returns (DisputeView memory);
    function claimOf(bytes32 claimId) external view returns (DisputedClaim memory);
    function claimIdOf(Claim calldata claim) external pure returns (bytes32);
    function disputeIdOf(Dispute calldata dispute) external pure returns (bytes32);
    /// Bond that a challenge needs now: max(minBond, 1 % of the stake, 1,000,000 gas at twice the
    /// base fee).
    function bondFor(uint128 stake) external view returns (uint256);
    /// Gas that a question prepays at twice (base fee + 1 gwei): it depends on the chain's gas
    /// table. To be asked outside of transactions: it makes a later question of the same
    /// transaction dearer.
    /// @param state that awaits the answer: Root, Node, Leaf or Partials
    /// @param position of the element, for Partials
    function questionGas(DisputeState state, uint32 position) external view returns (uint256);
    function shapeRecorded(bytes32 modelId, uint16 op) external view returns (bool);
    function parameters() external view returns (GameParameters memory);
}
