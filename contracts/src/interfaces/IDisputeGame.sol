// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Request} from "./IInferenceOracle.sol";
import {ModelCommitment} from "./IModelRegistry.sol";
import {Opening, Witness} from "./IStepVerifier.sol";

/// Immutable parameters of a deployment.
struct GameParameters {
    /// seconds that each side has for all its moves in one dispute
    uint32 budget;
    /// seconds that each side has for a move at least
    uint32 floor;
    /// least bond of a challenger, in wei
    uint128 minBond;
}

/// Where a dispute stands. The operator moves in Root, Node, Leaf and Partials, the challenger in
/// the others.
enum DisputeState {
    None,
    /// the operator is to open its trace
    Root,
    /// the challenger is to pick a child of the current node
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

/// A dispute as the chain sees it now (`disputeOf`).
struct DisputeView {
    DisputeState state;
    bytes32 claimId;
    address challenger;
    /// the current node: operation, or 65,535 for the tree above operations; height; index at that
    /// height; hash
    uint16 op;
    uint8 height;
    uint32 index;
    bytes32 node;
    /// element whose partials were demanded
    uint32 element;
    uint256 bond;
    /// what is not spent of the prepayments: in the operator's turn its answer is repaid from it,
    /// in the challenger's it counts towards the next question
    uint256 prepaid;
    /// second in which the current turn began, and the last one of it
    uint64 turnStart;
    uint64 deadline;
    /// seconds left to each side when the turn began
    uint32 operatorLeft;
    uint32 challengerLeft;
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
    bytes32 requestId;
    bytes32 modelId;
    /// 0 until the operator opens its trace
    bytes32 root;
    address operator;
    uint8 attempt;
    uint8 seat;
    ClaimStatus status;
    uint24 promptCount;
    uint24 tokenCount;
    uint16 opCount;
}

/// @title The dispute game: finds the first wrong chunk of a claim's trace and has one unit of it
/// recomputed.
/// @dev docs/DISPUTES.md explains the game, docs/SPEC.md fixes its formats. `disputeId =
/// keccak256(abi.encode(claimId, challenger, salt))`. Positions: an operation's tree has height 0
/// at its leaves; the tree above operations (op = 65,535) has height 0 at the operations' roots,
/// which the game names as nodes of the operation. Stages of a descent: from a tree's root, of
/// height H, the nodes at H - 5, H - 10, ... and 0.
///
/// Any number of disputes run at once on a claim. What the operator is asked for (trace, children
/// of a node, bytes of a leaf, partials) has one slot per claim and position, which serves all of
/// them. A conviction ends them all; every other end of a dispute changes the count of live
/// disputes alone. Moves that make the operator move prepay it at cost. All money is pulled:
/// `credit`, `withdraw`.
interface IDisputeGame {
    event Challenged(
        bytes32 indexed claimId,
        bytes32 indexed disputeId,
        address indexed challenger,
        bytes32 requestId,
        uint8 attempt,
        uint8 seat,
        uint256 bond,
        uint256 prepaid
    );
    /// `children` are the nodes of the first stage under the root.
    event TraceOpened(bytes32 indexed claimId, bytes32 root, bytes32[] children);
    event Picked(
        bytes32 indexed claimId,
        bytes32 indexed disputeId,
        uint16 op,
        uint8 height,
        uint32 index,
        bytes32 node,
        uint256 prepaid
    );
    event Revealed(
        bytes32 indexed claimId, uint16 op, uint8 height, uint32 index, bytes32[] children
    );
    event LeafRevealed(bytes32 indexed claimId, uint16 op, uint32 index, bytes data);
    event PartialsDemanded(
        bytes32 indexed claimId,
        bytes32 indexed disputeId,
        uint16 op,
        uint32 row,
        uint32 element,
        uint256 prepaid
    );
    event PartialsOpened(
        bytes32 indexed claimId, uint16 op, uint32 row, uint32 element, bytes data
    );
    /// The claim is wrong, or its operator did not move in time. `disputeId` is 0 for a proof
    /// without a dispute.
    event ClaimConvicted(
        bytes32 indexed claimId, bytes32 indexed disputeId, address indexed challenger
    );
    event ClaimVoided(bytes32 indexed claimId);
    /// The challenger did not move in time; its bond went to the operator and was burned in part.
    event DisputeLost(
        bytes32 indexed claimId, bytes32 indexed disputeId, uint256 toOperator, uint256 burned
    );
    /// Bond and prepaid money of a dispute whose claim is over went back.
    event DisputeReclaimed(bytes32 indexed claimId, bytes32 indexed disputeId);
    event ProofCommitted(bytes32 indexed commitment);
    event ShapeRecorded(bytes32 indexed modelId, uint16 op);
    /// The account can withdraw that much more.
    event Credited(address indexed account, uint256 amount);
    event Withdrawn(address indexed account, address indexed to, uint256 amount);

    error BadParameters();
    /// The model commitment is not the request's.
    error WrongModel();
    /// The request is not the disputed claim's.
    error WrongRequest();
    /// The claim is not disputed, or it is over.
    error ClaimNotLive();
    /// The challenger has used this salt for this claim.
    error DisputeExists();
    error NoSuchDispute();
    /// The dispute is not in a state that allows the call.
    error WrongState(DisputeState state);
    error NotChallenger();
    error NotOperator();
    /// The side's clock has run out.
    error TooLate();
    /// The side whose turn it is has time left.
    error TooEarly();
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
    /// The witness shows nothing wrong.
    error NothingWrong();
    /// The proof was not committed to, or less than two blocks ago.
    error NotCommitted();
    /// The root is neither the opened one nor signed by the operator.
    error UnknownRoot();
    /// The program is well-formed there.
    error WellFormed();
    error NothingToWithdraw();
    error TransferFailed();

    /* CHALLENGER */

    /// Opens a dispute against a claim inside its challenge window. Ether sent and the caller's
    /// credit cover the bond, max(minBond, 1 % of the stake, 1,000,000 gas at twice the base fee),
    /// and the prepayment for opening the trace where it is not open.
    function challenge(
        Request calldata r,
        uint8 attempt,
        uint8 seat,
        ModelCommitment calldata model,
        bytes32 salt
    ) external payable returns (bytes32 disputeId);

    /// Goes down to a node below the current one: of a stage, in range, not padding. Its
    /// operation's shape must be recorded when it is, or is below, an operation's root. Ether sent
    /// and the caller's credit cover what the dispute's `prepaid` lacks of the prepayment; nothing
    /// is needed where the answer is there already.
    /// @param op of a node of the tree above operations 65,535; never with height 0, which is named
    /// (operation, its height, 0)
    /// @param path hashes beside the way from `node` up to the current node
    function pick(
        bytes32 disputeId,
        uint16 op,
        uint8 height,
        uint32 index,
        bytes32 node,
        bytes32[] calldata path
    ) external payable;

    /// Proves that the claim is wrong, by any unit, once its trace is open; the proof need not be
    /// about the current leaf.
    function step(
        bytes32 disputeId,
        Request calldata r,
        ModelCommitment calldata model,
        Witness calldata witness
    ) external;

    /// Asks for the partials of an attention element that lies in the current leaf.
    function demandPartials(bytes32 disputeId, uint32 element) external payable;

    /// Proves that posted partials are wrong. The witness is of a kind Partial*, its unit the
    /// demanded element.
    function stepPartial(
        bytes32 disputeId,
        Request calldata r,
        ModelCommitment calldata model,
        Witness calldata witness,
        bytes calldata partials
    ) external;

    /// Commits to a proof: keccak256(abi.encode(address sender, bytes32 salt, bytes32
    /// keccak256(abi.encode(witness)))).
    function commitProof(bytes32 commitment) external;

    /// Proves that a claim is wrong without a dispute, two blocks after `commitProof`. Reverts when
    /// the witness shows nothing.
    /// @param root the opened root, or one that the operator signed
    /// @param signature 65 bytes r, s, v over the EIP-712 hash of TraceRoot(bytes32 claimId,bytes32
    /// root) in the domain ("Lockstep", "1", chain id, this contract); empty for the opened root
    function prove(
        Request calldata r,
        uint8 attempt,
        uint8 seat,
        bytes32 root,
        bytes calldata signature,
        ModelCommitment calldata model,
        Witness calldata witness,
        bytes32 salt
    ) external;

    /// Convicts an operator that signed another root than the one it opened, or two roots: pass the
    /// opened root with an empty signature, or both signed. The commitment is that of `commitProof`
    /// with the hash of abi.encode(root, otherRoot) in place of the witness's.
    function proveEquivocation(
        Request calldata r,
        uint8 attempt,
        uint8 seat,
        bytes32 root,
        bytes calldata signature,
        bytes32 otherRoot,
        bytes calldata otherSignature,
        bytes32 salt
    ) external;

    /* OPERATOR */

    /// Opens the claim's trace: its root, and the nodes of the first stage under it.
    function openTrace(bytes32 disputeId, bytes32 root, bytes32[] calldata children) external;

    /// Posts the partials that were demanded (docs/SPEC.md).
    function openPartials(bytes32 disputeId, bytes calldata partials) external;

    /* ANYBODY */

    /// Reveals the children of the dispute's current node at the next stage. Fixed by the node's
    /// hash, so anybody may send them. A repeat changes nothing.
    function reveal(bytes32 disputeId, bytes32[] calldata children) external;

    /// Reveals the bytes of the dispute's current leaf.
    function revealLeaf(bytes32 disputeId, bytes calldata data) external;

    /// Ends the dispute of a side that let its time pass: convicts the operator, or takes the
    /// challenger's bond.
    function timeout(bytes32 disputeId, Request calldata r) external;

    /// Records the shape of an operation's output, for all claims of the model. A repeat changes
    /// nothing.
    function recordShape(ModelCommitment calldata model, uint16 op, Opening calldata descriptor)
        external;

    /// Refunds the request of a claim that stands and whose model's program is malformed at `op`
    /// (`IStepVerifier.isMalformed`).
    function voidClaim(
        Request calldata r,
        uint8 attempt,
        uint8 seat,
        ModelCommitment calldata model,
        uint32 op,
        Opening[] calldata descriptors
    ) external;

    /// Gives a challenger its bond and prepaid money back when the claim is over: convicted by
    /// another dispute, void, or no longer standing.
    function reclaim(bytes32 disputeId) external;

    /// Sends the caller's credit.
    function withdraw(address payable to) external;

    /// Runs several calls of this contract for the caller; all or none. Prepayments come from the
    /// caller's credit.
    function multicall(bytes[] calldata calls) external;

    /* VIEWS */

    function oracle() external view returns (address);
    function verifier() external view returns (address);
    function credit(address account) external view returns (uint256);
    function disputeOf(bytes32 disputeId) external view returns (DisputeView memory);
    function claimOf(bytes32 claimId) external view returns (DisputedClaim memory);
    /// Second in which a slot was filled; 0: it is empty. The root's slot is (65,535, height of the
    /// tree above operations, 0).
    function filledAt(bytes32 claimId, uint16 op, uint8 height, uint32 index)
        external
        view
        returns (uint64);
    function partialsFilledAt(bytes32 claimId, uint16 op, uint32 row, uint32 element)
        external
        view
        returns (uint64);
    /// Bond that a challenge needs now, and what it prepays for the given number of gas.
    function bondFor(uint128 stake) external view returns (uint256);
    function prepayment(uint256 gas) external view returns (uint256);
    function shapeRecorded(bytes32 modelId, uint16 op) external view returns (bool);
    function parameters() external view returns (GameParameters memory);
}
