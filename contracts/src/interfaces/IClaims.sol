// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ClaimFacts} from "./IStepVerifier.sol";

/// A claim as the dispute game sees it: everything about it that never changes. The game keeps only
/// its hash, `claimId = keccak256(abi.encode(Claim))`; calls pass the struct again.
struct Claim {
    /// contract that the claim lives in (`IClaims`)
    address source;
    /// the claim's name there
    bytes32 name;
    /// whose bond stands behind it
    address operator;
    /// bond that a conviction takes, in wei
    uint128 stake;
    bytes32 modelId;
    /// keccak256(abi.encode(ClaimFacts))
    bytes32 factsHash;
}

/// @title A source of claims: where statements with a bond behind them come from.
/// @dev A source names each claim by one bytes32. A name stands for one claim for ever; once that
/// claim stands no longer, it never stands again.
///
/// The game trusts a source with its own claims and nothing else: it derives its key from the
/// source's address, never hands one source's claim to another, and calls a source only after its
/// own state is written. A challenger must know a source before it plays there: one that breaks
/// these rules can keep a challenger of its claims from winning.
///
/// Only the game may call `disputed`, `settled`, `convict` and `voidClaim`.
interface IClaims {
    /// Only the dispute game may call.
    error NotDisputeGame();
    /// No such claim stands, or the opening is not of it.
    error NoSuchClaim();
    /// The time in which the claim can be disputed is over.
    error DisputeWindowOver();

    /// Everything that is fixed about a claim.
    /// @param opening what the source needs to know to answer; its format is the source's own
    /// @return claim with `source` this contract
    /// @return facts those that `claim.factsHash` binds
    function claimOf(bytes32 name, bytes calldata opening)
        external
        view
        returns (Claim memory claim, ClaimFacts memory facts);

    /// Whether the claim can still be convicted or become final.
    function standing(bytes32 name) external view returns (bool);

    /// A dispute began. Reverts unless the claim stands and its window is open. Until `settled` the
    /// claim does not become final. A repeat marks nothing.
    /// @return claim and facts: as `claimOf`
    function disputed(bytes32 name, bytes calldata opening)
        external
        returns (Claim memory claim, ClaimFacts memory facts);

    /// No dispute is live any more. Changes nothing else.
    function settled(bytes32 name) external;

    /// The claim is wrong: marks it at once. Its operator loses `stake`, of which `challenger` gets
    /// its share.
    /// @param operator of the claim, and `stake`: as `claimOf` gave them
    function convict(bytes32 name, address operator, uint128 stake, address challenger) external;

    /// The model's program is malformed: the claim ends without a result, nobody is slashed.
    function voidClaim(bytes32 name, uint128 stake) external;

    /// Seconds of the longest challenge window.
    function maxWindow() external view returns (uint256);

    function bonds() external view returns (address);

    /// The contract that may convict; zero: nobody.
    function disputeGame() external view returns (address);
}
