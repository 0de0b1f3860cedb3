// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Claim} from "../../src/interfaces/IClaims.sol";
import {
    ClaimStatus,
    Dispute,
    DisputeState,
    DisputeView
} from "../../src/interfaces/IDisputeGame.sol";
import {
    Request,
    RequestParams,
    RequestState,
    RequestStatus,
    Seat,
    SeatStatus
} from "../../src/interfaces/IInferenceOracle.sol";
import {ClaimFacts, Opening, Witness} from "../../src/interfaces/IStepVerifier.sol";
import {ToyTrace} from "../game/ToyTrace.sol";
import {World} from "./World.sol";

/// Moves of attackers. None of them need succeed: a call that the contracts refuse changes nothing.
abstract contract Attackers is World {
    /// Requests, and disputes, that are open at once.
    uint256 internal constant MOST_REQUESTS = 5;
    uint256 internal constant MOST_DISPUTES = 10;
    /// Disputes that join one more, to copy a proof in.
    uint256 internal constant MOST_JOINS = 6;

    /// A puppet's commitment to a proof against a claim of its own side.
    struct Proof {
        uint256 asked;
        uint8 attempt;
        uint8 seat;
        address by;
        bool equivocation;
        bytes32 salt;
        uint256 committedBlock;
    }

    Proof[] internal proofs;
    uint256 internal mostDisputes = MOST_DISPUTES;
    /// makes every commitment of an attacker another one
    uint256 internal salts;
    /// gas of the attackers' calls, 21,000 each besides
    uint256 public attackGas;
    /// what attackers were repaid for answers of their own, and the honest challenger paid for them
    uint256 public attackersRepaid;
    uint256 public challengerPaid;
    mapping(bytes32 what => uint256) public done;

    function count(bytes32 what) internal {
        ++done[what];
    }

    function hostile(address who, address target, uint256 value, bytes memory data)
        internal
        returns (bool ok)
    {
        uint256 before = gasleft();
        vm.prank(who);
        (ok,) = target.call{value: value}(data);
        attackGas += before - gasleft() + 21_000;
    }

    function hostileOracle(address who, bytes memory data) internal returns (bool) {
        return hostile(who, address(oracle), 0, data);
    }

    function hostileGame(address who, bytes memory data) internal returns (bool) {
        return hostile(who, address(arena), 0, data);
    }

    /* REQUESTS */

    /// Parameters of a request: often odd, always of mainnet's bounds.
    function someParams() internal returns (RequestParams memory p) {
        p = params();
        p.prompt = repeated(SMALL, 10);
        p.maxTokens = uint32(SMALL);
        p.stake = uint128(1 ether * (1 + draw(4)));
        p.window = uint32(terms.minWindow + draw(2) * draw(12 hours));
        p.acceptDeadline = uint64(block.timestamp + terms.minAcceptPeriod + draw(2) * draw(2 days));
        p.replicas = uint8(draw(2) == 0 ? 1 : 2 + draw(4));
        p.claimPeriod = p.replicas == 1 ? terms.minClaimPeriod : terms.minReplicaClaimPeriod;
        p.claimPeriod += uint32(draw(2) * draw(3 hours));
        if (draw(4) == 0) p.temperature = ONE;
        if (draw(4) == 0) p.allowed = allowedList(2 + draw(60));
        if (draw(16) == 0) {
            p.maxTokens = uint32(5_000 + draw(3_000));
            p.allowed = allowedList(100);
        }
    }

    /// Parameters of a greedy request with the shortest periods, open for a day.
    function plainParams(uint8 replicas) internal view returns (RequestParams memory p) {
        p = params();
        p.prompt = repeated(SMALL, 10);
        (p.maxTokens, p.stake, p.replicas) = (uint32(SMALL), 1 ether, replicas);
        (p.window, p.acceptDeadline) = (terms.minWindow, uint64(block.timestamp + 1 days));
        p.claimPeriod = replicas == 1 ? terms.minClaimPeriod : terms.minReplicaClaimPeriod;
    }

    /// Sends a request for an account and notes it.
    function ask(address who, RequestParams memory p, uint256 fee) internal returns (bool ok) {
        Request memory r;
        (r.requester, r.nonce, r.modelId) = (who, oracle.nonces(who), p.modelId);
        (r.promptCount, r.promptHash) = (uint32(p.prompt.length / 4), fastHash(p.prompt));
        (r.temperature, r.minP, r.seed) = (p.temperature, p.minP, p.seed);
        (r.allowedCount, r.allowedHash) = (uint32(p.allowed.length / 4), fastHash(p.allowed));
        (r.maxTokens, r.stake, r.fee, r.window) = (p.maxTokens, p.stake, uint128(fee), p.window);
        (r.acceptDeadline, r.claimPeriod) = (p.acceptDeadline, p.claimPeriod);
        (r.replicas, r.callback, r.callbackGas) = (p.replicas, p.callback, p.callbackGas);
        ok = hostile(who, address(oracle), fee, abi.encodeCall(oracle.request, (p)));
        if (!ok) return false;
        bytes32 id = idOf(r);
        askedAt[id] = asked.length;
        live.push(asked.length);
        Asked storage a = asked.push();
        (a.r, a.id, a.allowed) = (r, id, p.allowed);
        a.hostile = isAttacker[who];
        a.huge = p.maxTokens > SMALL;
        // Nobody else need check requests that only attackers use, or that they share.
        a.watched = !a.huge && (!a.hostile || part(id, 1) != 0);
        if (a.huge) count("huge request");
    }

    /* SEATS */

    function takeSeat(uint256 i, address who) internal returns (bool ok) {
        RequestState memory s = stateOf(i);
        bytes memory h = header(i, s);
        ok = hostileOracle(who, abi.encodeCall(oracle.accept, (asked[i].r, who, h)));
        if (ok) count("attacker accepts");
    }

    /// Next move of an attacker's seat: claim, commit or reveal.
    function useSeat(uint256 i, uint8 seat) internal returns (bool ok) {
        RequestState memory s = stateOf(i);
        Seat memory mine = seatOf(i, s.attempt, seat);
        if (!isAttacker[mine.operator]) return false;
        bytes32 name = oracle.nameOf(asked[i].id, s.attempt, seat);
        if (mine.status == SeatStatus.Accepted && s.status == RequestStatus.Accepted) {
            // Half of the traces end in a proof; the garbage of others can only run into the clock.
            uint8 trace = draw(2) == 0 ? WRONG_CHUNK : uint8(draw(TRACES));
            plans[name] = Plan(!asked[i].huge && draw(3) != 0, trace);
        }
        bool wrong = plans[name].wrong;
        bool commits = asked[i].r.replicas > 1 && mine.status == SeatStatus.Accepted;
        ok = hostileOracle(mine.operator, claimCall(i, seat, mine.operator, wrong, s));
        if (ok && !commits) count(wrong ? bytes32("wrong claim") : bytes32("right claim"));
    }

    /// The call by which a seat claims, commits or reveals, as its request has it now.
    function claimCall(uint256 i, uint8 seat, address operator, bool wrong, RequestState memory s)
        internal
        view
        returns (bytes memory)
    {
        Asked storage a = asked[i];
        bytes memory tokens = answerFor(a, wrong);
        if (a.r.replicas == 1) {
            return abi.encodeCall(oracle.claim, (a.r, s.seed, tokens, listFor(a)));
        }
        if (s.status == RequestStatus.Accepted) {
            bytes32 name = oracle.nameOf(a.id, s.attempt, seat);
            bytes32 hash = keccak256(abi.encode(name, operator, s.seed, fastHash(tokens), SALT));
            return abi.encodeCall(oracle.commitClaim, (a.r, seat, s.seed, hash));
        }
        return abi.encodeCall(oracle.revealClaim, (a.r, seat, s.seed, tokens, listFor(a), SALT));
    }

    /* DISPUTES */

    /// Notes a dispute that was opened.
    function note(
        uint256 i,
        Claim memory c,
        ClaimFacts memory f,
        address who,
        uint88 bond,
        bytes32 salt
    ) internal returns (uint256 e) {
        e = entries.length;
        Entry storage n = entries.push();
        n.d = Dispute(c, who, bond, salt);
        n.claimId = keccak256(abi.encode(c));
        n.id = keccak256(abi.encode(n.claimId, who, bond, salt));
        (n.facts, n.asked, n.openedBlock) = (f, i, block.number);
        entryAt[n.id] = e;
        liveEntries.push(e);
    }

    function hasClaim(uint256 i, uint8 seat) internal view returns (bool) {
        RequestState memory s = stateOf(i);
        if (s.status != RequestStatus.Claimed && s.status != RequestStatus.Revealing) return false;
        return seat < s.seatsTaken && seatOf(i, s.attempt, seat).status == SeatStatus.Claimed;
    }

    function hostileChallenge(uint256 i, uint8 seat, address who) internal returns (bool ok) {
        if (asked[i].huge || liveEntries.length >= mostDisputes || !hasClaim(i, seat)) {
            return false;
        }
        (Claim memory c, ClaimFacts memory f) = claimAt(i, stateOf(i).attempt, seat);
        uint88 bond = uint88(arena.bondFor(c.stake) + draw(2));
        bytes32 salt = bytes32(++salts);
        uint256 value = bond + questionPrice();
        ok = hostile(who, address(arena), value, challengeCall(i, c.name, bond, salt));
        if (!ok) return false;
        note(i, c, f, who, bond, salt);
        count(isHonest(c.operator) ? bytes32("false dispute") : bytes32("puppet dispute"));
    }

    function challengeCall(uint256 i, bytes32 name, uint88 bond, bytes32 salt)
        internal
        view
        returns (bytes memory)
    {
        bytes memory opening = abi.encode(asked[i].r);
        return abi.encodeCall(arena.challenge, (address(oracle), name, opening, model, bond, salt));
    }

    /// A move of an attacker's dispute in its challenger's turn; true ones and others.
    function hostileMove(uint256 e) internal returns (bool ok) {
        Entry storage n = entries[e];
        DisputeView memory v = viewOf(e);
        ToyTrace t = traceOf(e);
        uint256 value = questionPrice();
        if (v.state == DisputeState.Pick && draw(4) != 0) {
            ok = hostile(n.d.challenger, address(arena), value, somePick(e, t, v));
            if (ok) count("attacker picks");
            return ok;
        }
        if (v.state == DisputeState.Step && v.op == 2 && draw(2) == 0) {
            bytes memory data =
                abi.encodeCall(arena.demandPartials, (n.d, uint32(v.index % 2 * 256)));
            ok = hostile(n.d.challenger, address(arena), value, data);
            if (ok) count("attacker demands");
            return ok;
        }
        ok = hostileStep(e);
    }

    /// A proof that the dispute's challenger commits to the first time.
    function hostileStep(uint256 e) private returns (bool ok) {
        Entry storage n = entries[e];
        Witness memory w = someWitness(e);
        bytes32 salt = bytes32("own");
        if (n.committedBlock == 0) {
            n.committedBlock = block.number;
            commitAs(n.d.challenger, salt, keccak256(abi.encode(w)));
        }
        bool guilty = isGuilty(n.d.claim.name);
        bytes memory data = abi.encodeCall(arena.step, (n.d, n.facts, model, w, salt));
        ok = hostileGame(n.d.challenger, data);
        if (ok) count("attacker steps");
        assertTrue(!ok || guilty, "a claim without fault was convicted");
    }

    function commitAs(address who, bytes32 salt, bytes32 hash) internal {
        bytes32 commitment_ = keccak256(abi.encode(who, salt, hash));
        hostileGame(who, abi.encodeCall(arena.commitProof, (commitment_)));
    }

    function isGuilty(bytes32 name) internal view returns (bool) {
        Plan memory plan = plans[name];
        return plan.wrong || plan.trace != TRUE_TRACE;
    }

    /// A pick of any node below the current one that is not padding, at random.
    function somePick(uint256 e, ToyTrace t, DisputeView memory v) private returns (bytes memory) {
        (uint16 op, uint8 height) = (v.op, v.height);
        if (op == TOP) {
            op = uint16(draw(4));
            height = uint8(t.heightOf(op));
        }
        uint256 top = height;
        uint256 base = v.op == TOP ? 0 : v.index;
        if (v.op != TOP || draw(3) == 0) height = uint8(draw(2) == 0 ? 0 : t.below(height));
        uint256 width = 2 ** (top - height);
        uint256 index;
        for (uint256 k; k < 8; ++k) {
            index = base * width + draw(width);
            if (t.present(op, height, index)) break;
        }
        return pickCall(e, t, op, height, index);
    }

    /// The pick of a node with its path up to the current one.
    function pickCall(uint256 e, ToyTrace t, uint256 op, uint256 height, uint256 index)
        internal
        returns (bytes memory)
    {
        DisputeView memory v = viewOf(e);
        bytes32[] memory path = t.path(op, height, index, v.op, v.height);
        bytes32 node = t.node(op, height, index);
        return abi.encodeCall(
            arena.pick, (entries[e].d, uint16(op), uint8(height), uint32(index), node, path)
        );
    }

    /// The fault of a claim, else some chunk.
    function someWitness(uint256 e) internal returns (Witness memory) {
        Plan memory plan = plans[entries[e].d.claim.name];
        if (plan.trace == WRONG_CHUNK) return chunkWitness(traces[WRONG_CHUNK], 0, 5);
        if (plan.trace == WRONG_ATTENTION) return chunkWitness(traces[WRONG_ATTENTION], 2, 2);
        if (plan.wrong) return tokenWitness();
        return chunkWitness(traces[plan.trace], 0, 4);
    }

    /// An attacker that is asked answers out of its trace, where that has an answer.
    /// @dev With a gas price in half of the answers. What it is repaid is at most its cost.
    function hostileAnswer(uint256 e) internal returns (bool ok) {
        Entry storage n = entries[e];
        bytes memory data = answerCall(e, draw(2) == 0);
        if (data.length == 0) return false;
        uint256 before = arena.disputeOf(n.id).prepaid;
        bool priced = draw(2) == 0;
        if (priced) vm.txGasPrice(BASE_FEE + TIP);
        uint256 gasBefore = attackGas;
        ok = hostileGame(n.d.claim.operator, data);
        vm.txGasPrice(0);
        if (!ok) return false;
        count("attacker answers");
        if (isAttacker[n.d.challenger]) return true;
        uint256 paid = before - arena.disputeOf(n.id).prepaid;
        uint256 most = attackGas - gasBefore + bytesGas(data) + 10_000;
        assertLe(paid, priced ? most * (BASE_FEE + TIP) : 0, "repaid above cost");
        attackersRepaid += paid;
        challengerPaid += paid;
    }

    /// The call that answers a dispute in the operator's turn; empty in the challenger's.
    function answerCall(uint256 e, bool falsePartials) internal returns (bytes memory) {
        Entry storage n = entries[e];
        DisputeView memory v = viewOf(e);
        ToyTrace t = traceOf(e);
        if (v.state == DisputeState.Root) {
            return abi.encodeCall(arena.openTrace, (n.d, t.root(), t.children(TOP, 2, 0)));
        }
        if (v.state == DisputeState.Node) {
            return abi.encodeCall(arena.reveal, (n.d, t.children(v.op, v.height, v.index)));
        }
        if (v.state == DisputeState.Leaf) {
            return abi.encodeCall(arena.revealLeaf, (n.d, t.leaf(v.op, v.index)));
        }
        if (v.state != DisputeState.Partials) return "";
        n.partials = partials(falsePartials && isAttacker[n.d.claim.operator]);
        return abi.encodeCall(arena.openPartials, (n.d, n.partials));
    }

    /// Gas of a transaction's bytes, at most.
    function bytesGas(bytes memory data) internal pure returns (uint256 total) {
        uint256 tokens;
        for (uint256 i; i < data.length; ++i) {
            tokens += data[i] == 0 ? 1 : 4;
        }
        return 10 * tokens;
    }

    /* SELF-CONVICTION */

    /// A puppet commits to a proof against a claim of its own side.
    function convictSelf(uint256 i, uint8 seat) internal {
        if (asked[i].huge || !hasClaim(i, seat)) return;
        uint8 attempt = stateOf(i).attempt;
        bytes32 name = oracle.nameOf(asked[i].id, attempt, seat);
        if (isHonest(seatOf(i, attempt, seat).operator)) return;
        Proof memory p =
            Proof(i, attempt, seat, anAttacker(), draw(4) == 0, bytes32(++salts), block.number);
        if (!p.equivocation && plans[name].trace == GARBAGE_NODE && !plans[name].wrong) return;
        bytes32 hash = p.equivocation
            ? keccak256(abi.encode(roots[0], roots[1]))
            : keccak256(abi.encode(proofOf(plans[name])));
        commitAs(p.by, p.salt, hash);
        proofs.push(p);
    }

    function proofOf(Plan memory plan) internal returns (Witness memory) {
        if (plan.trace == WRONG_CHUNK) return chunkWitness(traces[WRONG_CHUNK], 0, 5);
        if (plan.trace == WRONG_ATTENTION) return chunkWitness(traces[WRONG_ATTENTION], 2, 2);
        return tokenWitness();
    }

    function showProofs() internal {
        for (; proofs.length != 0; proofs.pop()) {
            showProof(proofs[proofs.length - 1]);
        }
    }

    function showProof(Proof memory p) private {
        if (stateOf(p.asked).attempt != p.attempt || !hasClaim(p.asked, p.seat)) return;
        (Claim memory c,) = claimAt(p.asked, p.attempt, p.seat);
        if (isHonest(c.operator)) return;
        bytes memory data = p.equivocation ? equivocationCall(p, c) : proveCall(p, c);
        if (hostileGame(p.by, data)) count("self-conviction");
    }

    function equivocationCall(Proof memory p, Claim memory c) private view returns (bytes memory) {
        bytes32 claimId = keccak256(abi.encode(c));
        bytes memory opening = abi.encode(asked[p.asked].r);
        bytes memory one = signed(c.operator, claimId, roots[0]);
        bytes memory two = signed(c.operator, claimId, roots[1]);
        return abi.encodeCall(
            arena.proveEquivocation,
            (c.source, c.name, opening, roots[0], one, roots[1], two, p.salt)
        );
    }

    function proveCall(Proof memory p, Claim memory c) internal returns (bytes memory) {
        bytes memory opening = abi.encode(asked[p.asked].r);
        bytes32 root = roots[plans[c.name].trace];
        bytes memory signature = signed(c.operator, keccak256(abi.encode(c)), root);
        Witness memory w = proofOf(plans[c.name]);
        return
            abi.encodeCall(
                arena.prove, (c.source, c.name, opening, root, signature, model, w, p.salt)
            );
    }

    function signed(address operator, bytes32 claimId, bytes32 root)
        internal
        view
        returns (bytes memory)
    {
        uint256 key;
        for (uint256 i; i < ATTACKERS; ++i) {
            if (attackers[i] == operator) key = keys[i];
        }
        bytes32 domain = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,"
                    "uint256 chainId,address verifyingContract)"
                ),
                keccak256("Lockstep"),
                keccak256("1"),
                block.chainid,
                address(arena)
            )
        );
        bytes32 message = keccak256(
            abi.encode(keccak256("TraceRoot(bytes32 claimId,bytes32 root)"), claimId, root)
        );
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(key, keccak256(abi.encodePacked(hex"1901", domain, message)));
        return abi.encodePacked(r, s, v);
    }

    /* ANYBODY'S CALLS */

    /// Any call that a stranger can make about a request or a dispute.
    function grieve(uint256 kind) internal {
        if (kind < 6) {
            if (live.length != 0) grieveRequest(live[draw(live.length)], kind);
        } else if (liveEntries.length != 0) {
            grieveDispute(liveEntries[draw(liveEntries.length)], kind);
        }
    }

    function grieveRequest(uint256 i, uint256 kind) internal {
        address who = anAttacker();
        Request memory r = asked[i].r;
        uint8 seat = uint8(draw(r.replicas));
        bool ok;
        if (kind == 0) ok = hostileOracle(who, abi.encodeCall(oracle.missed, (r, seat)));
        if (kind == 1) ok = hostileOracle(who, abi.encodeCall(oracle.expire, (r)));
        if (kind == 2) ok = hostileOracle(who, abi.encodeCall(oracle.freeSeats, (r)));
        if (kind == 3) {
            ok = hostileOracle(who, abi.encodeCall(oracle.finalize, (r, standingAnswer(i))));
        }
        if (kind == 4) hostileChallenge(i, seat, who);
        if (kind == 5) takeSeat(i, who);
        if (ok) count("stranger about a request");
    }

    /// Tokens of the first claim that stands.
    function standingAnswer(uint256 i) internal view returns (bytes memory) {
        RequestState memory s = stateOf(i);
        for (uint8 n; n < s.seatsTaken; ++n) {
            if (seatOf(i, s.attempt, n).status != SeatStatus.Claimed) continue;
            return answerFor(asked[i], plans[oracle.nameOf(asked[i].id, s.attempt, n)].wrong);
        }
        return "";
    }

    function grieveDispute(uint256 e, uint256 kind) internal {
        Dispute memory d = entries[e].d;
        address who = anAttacker();
        bool ok;
        if (kind == 6) ok = hostileGame(who, abi.encodeCall(arena.timeout, (d)));
        if (kind == 7) ok = hostileGame(who, abi.encodeCall(arena.reclaim, (d)));
        if (kind == 8) {
            // Out of the operator's trace, which others can know once it is revealed elsewhere.
            DisputeState s = viewOf(e).state;
            if (s != DisputeState.Node && s != DisputeState.Leaf) return;
            // Without a gas price: a liar would be repaid what the stranger spent.
            uint256 price = tx.gasprice;
            if (isAttacker[d.claim.operator]) vm.txGasPrice(0);
            ok = hostileGame(who, answerCall(e, false));
            vm.txGasPrice(price);
        }
        if (kind == 9) {
            Opening memory none;
            bytes memory data = abi.encodeCall(arena.recordShape, (model, uint16(draw(4)), none));
            ok = hostileGame(who, data);
        }
        if (ok) count("stranger about a dispute");
    }

    /// Whether a claim in the game was convicted, or its request went on without it.
    function isDecided(bytes32 claimId, bytes32 name) internal view returns (bool) {
        ClaimStatus status = arena.claimOf(claimId).status;
        return
            status == ClaimStatus.Convicted || status == ClaimStatus.Void || !oracle.standing(name);
    }
}
