// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Claim} from "../../src/interfaces/IClaims.sol";
import {ClaimStatus, Dispute, DisputeState} from "../../src/interfaces/IDisputeGame.sol";
import {RequestState, RequestStatus} from "../../src/interfaces/IInferenceOracle.sol";
import {ClaimFacts, UnitKind, Witness} from "../../src/interfaces/IStepVerifier.sol";
import {Attackers} from "./Attackers.sol";

/// Every transaction of an honest party is shown to the attackers, who may act in the block before
/// it and once more in front of it. What they do then must not make it fail, unless it decides the
/// game or does the same; and no copy of a proof may win.
abstract contract Copiers is Attackers {
    enum What {
        None,
        Accept,
        Claim,
        Commit,
        RevealClaim,
        Finalize,
        Missed,
        Expire,
        FreeSeats,
        Cancel,
        Challenge,
        Pick,
        Demand,
        CommitProof,
        Step,
        StepPartial,
        Answer,
        Timeout,
        Reclaim,
        /// of attackers that are diligent
        HostileSeat,
        HostileAnswer,
        HostileMove
    }

    /// A transaction of an honest party, as it waits in the pool.
    struct Pending {
        What what;
        address from;
        address to;
        uint256 value;
        uint256 gas;
        bytes data;
        /// of the request and, in the game, of the dispute that it is about
        uint256 asked;
        uint256 entry;
        bytes32 claimId;
        bytes32 name;
    }

    /// The proof that waits in the pool, and who committed to copies of it.
    bytes internal shown;
    bytes internal shownPartials;
    bytes32 internal copySalt;
    bytes32 internal proveSalt;
    address internal copier;
    /// salt and block of the commitment that lurkers made when a leaf was revealed, by dispute
    mapping(bytes32 disputeId => uint256) internal lurkSalt;
    mapping(bytes32 disputeId => uint256) internal lurkBlock;

    uint256 public shownCalls;
    uint256 public frontRuns;

    /// Sends an honest party's transaction, after whatever attackers do about it.
    /// @return ok false where they decided the game or did the same
    function send(Pending memory p) internal returns (bool ok) {
        ++shownCalls;
        bool touched;
        if (isProof(p.what)) prepareCopies(p);
        if (draw(4) == 0) {
            touched = true;
            if (draw(2) == 0) grieve(draw(10));
            settle();
            setTime(block.timestamp + BLOCK_SECONDS);
        }
        if (draw(2) == 0 || isProof(p.what)) {
            touched = true;
            ++frontRuns;
            runAhead(p);
            if (draw(2) == 0) grieve(draw(10));
        }
        bytes memory reason;
        vm.prank(p.from);
        (ok, reason) = p.to.call{value: p.value, gas: p.gas == 0 ? gasleft() : p.gas}(p.data);
        count(ok ? bytes32("honest call") : bytes32("honest call in vain"));
        if (!ok && !(touched && isExcused(p))) {
            string memory why = vm.toString(reason);
            revert(string.concat("honest call failed: ", nameOf(p.what), " ", why));
        }
    }

    /// Reads changes by time and earlier calls into the books.
    function settle() internal virtual;

    function isProof(What what) internal pure returns (bool) {
        return what == What.Step || what == What.StepPartial;
    }

    /* IN FRONT */

    function runAhead(Pending memory p) private {
        if (isProof(p.what)) {
            copyProof(p);
        } else if (p.what == What.Accept) {
            if (draw(4) == 0) takeSeat(p.asked, anAttacker());
        } else if (p.what == What.Challenge) {
            uint8 seat = uint8(uint256(p.name) & 7);
            if (draw(3) == 0) hostileChallenge(p.asked, seat, anAttacker());
        } else if (p.what == What.Answer && draw(2) == 0) {
            // The parts of a batch, one by one.
            copyParts(p.data);
        } else {
            hostile(anAttacker(), p.to, p.value, p.data);
        }
        bool joinable = p.what == What.Pick || p.what == What.CommitProof;
        if (joinable && draw(8) == 0) joinDispute(p);
    }

    function copyParts(bytes memory data) private {
        if (bytes4(data) != arena.multicall.selector) {
            hostileGame(anAttacker(), data);
            return;
        }
        bytes memory arguments = new bytes(data.length - 4);
        for (uint256 i; i < arguments.length; i += 32) {
            assembly ("memory-safe") {
                mstore(add(add(arguments, 32), i), mload(add(add(data, 36), i)))
            }
        }
        bytes[] memory calls = abi.decode(arguments, (bytes[]));
        for (uint256 i; i < calls.length; ++i) {
            if (draw(2) == 0) hostileGame(anAttacker(), calls[i]);
        }
    }

    function joinDispute(Pending memory p) private {
        mostDisputes += MOST_JOINS;
        if (hostileChallenge(p.asked, uint8(uint256(p.name) & 7), anAttacker())) count("joins");
        mostDisputes -= MOST_JOINS;
    }

    /* COPIES OF PROOFS */

    /// In the block in which a proof is first seen: commitments to copies, and a dispute to use one
    /// in.
    function prepareCopies(Pending memory p) private {
        copier = anAttacker();
        (copySalt, proveSalt) = (bytes32(++salts), bytes32(++salts));
        bytes32 hash = keccak256(shown);
        commitAs(copier, copySalt, hash);
        commitAs(copier, proveSalt, hash);
        if (draw(4) != 0) joinDispute(p);
        for (uint256 k; k < liveEntries.length; ++k) {
            Entry storage n = entries[liveEntries[k]];
            if (n.claimId != p.claimId || !isAttacker[n.d.challenger]) continue;
            commitAs(n.d.challenger, copySalt, hash);
        }
    }

    function copyProof(Pending memory p) private {
        Entry storage n = entries[p.entry];
        bytes32 root = arena.claimOf(p.claimId).root;
        Dispute memory d = n.d;
        bytes memory opening = abi.encode(asked[p.asked].r);
        bool won = hostile(copier, p.to, 0, p.data);
        won = won || copyStep(d);
        for (uint256 k; k < liveEntries.length; ++k) {
            Entry storage other = entries[liveEntries[k]];
            if (other.claimId != p.claimId || !isAttacker[other.d.challenger]) continue;
            won = won || copyStep(other.d);
        }
        if (p.what == What.Step) {
            won = won || proveAs(copier, d.claim, opening, root, proveSalt);
            bytes32 salt = bytes32(lurkSalt[n.id]);
            if (salt != 0 && block.number < lurkBlock[n.id] + 50) {
                won = won || proveAs(attackers[0], d.claim, opening, root, salt);
            }
        }
        assertFalse(won, "a copy of a proof won");
        count("proofs copied in vain");
    }

    function copyStep(Dispute memory d) private returns (bool) {
        ClaimFacts memory f =
        entries[entryAt[keccak256(
                    abi.encode(keccak256(abi.encode(d.claim)), d.challenger, d.bond, d.salt)
                )]].facts;
        address who = isAttacker[d.challenger] ? d.challenger : copier;
        Witness memory w = abi.decode(shown, (Witness));
        bytes memory data = w.kind == UnitKind.PartialChunk
            ? abi.encodeCall(arena.stepPartial, (d, f, model, w, shownPartials, copySalt))
            : abi.encodeCall(arena.step, (d, f, model, w, copySalt));
        return hostileGame(who, data);
    }

    function proveAs(address who, Claim memory c, bytes memory opening, bytes32 root, bytes32 salt)
        private
        returns (bool)
    {
        Witness memory w = abi.decode(shown, (Witness));
        return hostileGame(
            who, abi.encodeCall(arena.prove, (c.source, c.name, opening, root, "", model, w, salt))
        );
    }

    /// Whoever runs the model commits to a proof in the block in which a leaf is revealed.
    function lurk(uint256 e) internal {
        Entry storage n = entries[e];
        if (!isGuilty(n.d.claim.name)) return;
        (lurkSalt[n.id], lurkBlock[n.id]) = (++salts, block.number);
        commitAs(attackers[0], bytes32(salts), keccak256(abi.encode(someWitness(e))));
    }

    /* EXCUSES */

    /// Whether the game is decided, or what the transaction asked for is so already.
    function isExcused(Pending memory p) private view returns (bool) {
        if (p.what >= What.Challenge && p.what < What.Reclaim) {
            if (isDecided(p.claimId, p.name)) return true;
        } else if (p.what < What.Challenge) {
            if (ended(oracle.stateOf(asked[p.asked].id).status)) return true;
        }
        if (p.what == What.Accept) {
            // Another took the last seat.
            return uint256(oracle.stateOf(asked[p.asked].id).status) > 1;
        }
        if (p.what == What.Missed || p.what == What.FreeSeats || p.what == What.Finalize) {
            // The round is over, and seats were perhaps taken anew.
            RequestState memory s = oracle.stateOf(asked[p.asked].id);
            if (s.seatsTaken == 0) return true;
            if (s.status == RequestStatus.Open && p.what != What.FreeSeats) return true;
            return s.status <= RequestStatus.Accepted && s.deadline >= block.timestamp;
        }
        if (p.what == What.Timeout || p.what == What.Reclaim) {
            return arena.disputeOf(entries[p.entry].id).state == DisputeState.Closed;
        }
        return false;
    }

    function nameOf(What what) private pure returns (string memory) {
        string[22] memory names = [
            "none",
            "accept",
            "claim",
            "commit",
            "reveal of a claim",
            "finalize",
            "missed",
            "expire",
            "freeSeats",
            "cancel",
            "challenge",
            "pick",
            "demand",
            "commitProof",
            "step",
            "stepPartial",
            "answer",
            "timeout",
            "reclaim",
            "",
            "",
            ""
        ];
        return names[uint256(what)];
    }
}
