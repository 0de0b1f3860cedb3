// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Claim} from "../../src/interfaces/IClaims.sol";
import {DisputeState, DisputeView} from "../../src/interfaces/IDisputeGame.sol";
import {
    RequestState,
    RequestStatus,
    Seat,
    SeatStatus
} from "../../src/interfaces/IInferenceOracle.sol";
import {ClaimFacts, UnitKind, Witness} from "../../src/interfaces/IStepVerifier.sol";
import {ToyTrace} from "../game/ToyTrace.sol";
import {Copiers} from "./Copiers.sol";

/// Honest parties and a model of their time. An operator claims within half of the claim period,
/// reveals within half of the reveal period, answers within half of FLOOR; a challenger that
/// watches a request sees a wrong claim within half of its window, moves within half of FLOOR, and
/// commits to its proof when it is not alone; both end what the other side let pass within half of
/// FLOOR; a requester ends what is over within an hour. When exactly, in these limits, follows from
/// the chain's state.
abstract contract Honest is Copiers {
    /// An operator frees its seat that soon after the time to fill the others.
    uint256 internal constant FREE_DELAY = 5 minutes;
    uint256 internal constant END_DELAY = 1 hours;

    /// Next move of an honest party, and when it is due.
    struct Duty {
        uint256 at;
        What what;
        /// of the request or of the dispute
        uint256 i;
        uint8 seat;
    }

    /// seats, by name and deadline, whose honest operator sleeps through its claim
    mapping(bytes32 seatAndDeadline => bool) internal asleep;
    /// requests in which an honest operator's seat was freed: it takes none again
    mapping(bytes32 requestAndOperator => bool) internal burnt;

    /// what a diligent attacker tried: it does not try again
    mapping(bytes32 duty => bool) internal tried;

    /* TIME */

    /// Lets time pass; honest parties do in it what they have to.
    function pass(uint256 time) internal {
        uint256 until = block.timestamp + time;
        for (uint256 n; n < 400; ++n) {
            settle();
            Duty memory d = nextDuty();
            if (d.what == What.None || d.at > until) {
                if (block.timestamp < until) setTime(until);
                return;
            }
            if (d.at > block.timestamp) setTime(d.at);
            settle();
            act(d);
        }
        revert("honest parties are kept busy without end");
    }

    function nextDuty() private view returns (Duty memory best) {
        best.at = type(uint256).max;
        for (uint256 k; k < live.length; ++k) {
            requestDuty(best, live[k]);
        }
        for (uint256 k; k < liveEntries.length; ++k) {
            disputeDuty(best, liveEntries[k]);
        }
    }

    function offer(Duty memory best, uint256 at, What what, uint256 i, uint8 seat) private pure {
        if (at >= best.at) return;
        (best.at, best.what, best.i, best.seat) = (at, what, i, seat);
    }

    /* DUTIES ABOUT REQUESTS */

    function requestDuty(Duty memory best, uint256 i) private view {
        Asked storage a = asked[i];
        RequestState memory s = stateOf(i);
        if (ended(s.status)) return;
        if (s.status == RequestStatus.Open) {
            if (s.seatsTaken != 0) {
                for (uint8 n; n < s.seatsTaken; ++n) {
                    if (!isHonest(seatOf(i, s.attempt, n).operator)) continue;
                    uint256 at = s.deadline + 1 + part(a.id, FREE_DELAY);
                    offer(best, at, What.FreeSeats, i, n);
                }
            }
            if (!a.hostile) {
                uint256 over = a.r.acceptDeadline + 1;
                if (s.attempt > 5) over = block.timestamp;
                offer(best, over + part(a.id, END_DELAY), What.Expire, i, 0);
            }
            return;
        }
        bool mine = !a.hostile;
        for (uint8 n; n < s.seatsTaken; ++n) {
            Seat memory seat = seatOf(i, s.attempt, n);
            if (isHonest(seat.operator)) {
                mine = true;
                seatDuty(best, i, s, n, seat);
            } else if (seat.status == SeatStatus.Claimed) {
                challengeDuty(best, i, s, n);
            } else if (part(seatKey(i, s, n), 1) == 0) {
                hostileSeatDuty(best, i, s, n);
            }
        }
        endDuty(best, i, s, mine);
    }

    function seatDuty(Duty memory best, uint256 i, RequestState memory s, uint8 n, Seat memory seat)
        private
        view
    {
        Asked storage a = asked[i];
        bytes32 key = keccak256(abi.encode(a.id, n));
        if (seat.status == SeatStatus.Accepted && s.status == RequestStatus.Accepted) {
            if (asleep[sleepKey(i, s, n)]) return;
            uint256 at = s.deadline - a.r.claimPeriod + part(key, a.r.claimPeriod / 2);
            offer(best, at, a.r.replicas == 1 ? What.Claim : What.Commit, i, n);
        } else if (seat.status == SeatStatus.Committed) {
            uint256 opened = s.status == RequestStatus.Accepted
                ? s.deadline + 1
                : s.deadline - terms.revealPeriod + 1;
            offer(best, opened + part(key, terms.revealPeriod / 2), What.RevealClaim, i, n);
        }
    }

    /// Half of the attackers' seats are used in time.
    function hostileSeatDuty(Duty memory best, uint256 i, RequestState memory s, uint8 n)
        private
        view
    {
        bytes32 key = seatKey(i, s, n);
        if (s.status > RequestStatus.Revealing || tried[key]) return;
        uint256 period =
            s.status == RequestStatus.Accepted ? asked[i].r.claimPeriod : terms.revealPeriod;
        offer(best, s.deadline - period + part(key, period), What.HostileSeat, i, n);
    }

    function seatKey(uint256 i, RequestState memory s, uint8 n) private view returns (bytes32) {
        return keccak256(abi.encode(sleepKey(i, s, n), s.status));
    }

    function sleepKey(uint256 i, RequestState memory s, uint8 n) internal view returns (bytes32) {
        return keccak256(abi.encode(asked[i].id, s.attempt, n, s.deadline));
    }

    function challengeDuty(Duty memory best, uint256 i, RequestState memory s, uint8 n)
        private
        view
    {
        Asked storage a = asked[i];
        bytes32 name = oracle.nameOf(a.id, s.attempt, n);
        if (!a.watched || !plans[name].wrong || disputedByChallenger(name)) return;
        // Time alone turns Revealing into Claimed.
        uint256 from = s.status == RequestStatus.Claimed ? s.deadline - a.r.window : s.deadline;
        offer(best, from + part(name, a.r.window / 2), What.Challenge, i, n);
    }

    function disputedByChallenger(bytes32 name) private view returns (bool) {
        for (uint256 k; k < liveEntries.length; ++k) {
            Entry storage n = entries[liveEntries[k]];
            if (n.d.challenger == challenger && n.d.claim.name == name) return true;
        }
        return false;
    }

    /// Ends what is over, where an honest party has something in it.
    function endDuty(Duty memory best, uint256 i, RequestState memory s, bool mine) private view {
        if (!mine) return;
        Asked storage a = asked[i];
        uint256 at = s.deadline + 1 + part(a.id, END_DELAY);
        if (s.status == RequestStatus.Accepted && a.r.replicas == 1) {
            offer(best, at, What.Missed, i, 0);
        } else if (s.status == RequestStatus.Claimed) {
            for (uint8 n; n < s.seatsTaken; ++n) {
                Seat memory seat = seatOf(i, s.attempt, n);
                if (seat.status == SeatStatus.Claimed && seat.disputed) return;
            }
            offer(best, at, What.Finalize, i, 0);
        }
    }

    /* DUTIES ABOUT DISPUTES */

    function disputeDuty(Duty memory best, uint256 e) private view {
        Entry storage n = entries[e];
        bool ours = n.d.challenger == challenger;
        DisputeView memory v = viewOf(e);
        if (v.state == DisputeState.Closed) return;
        bytes32 key = keccak256(abi.encode(n.id, v.turnStart));
        if (isOver(e)) {
            if (ours) offer(best, block.timestamp + part(key, END_DELAY), What.Reclaim, e, 0);
            return;
        }
        uint256 late = v.deadline + 1 + part(key, clocks.floor / 2);
        bool attacked = isHonest(n.d.claim.operator);
        if (isOperators(v.state)) {
            if (attacked) {
                offer(best, v.turnStart + part(key, clocks.floor / 2), What.Answer, e, 0);
            } else if (ours) {
                offer(best, late, What.Timeout, e, 0);
            }
            hostileDuty(best, e, v, key, What.HostileAnswer);
        } else if (ours) {
            offer(best, moveTime(e, v.turnStart, key), What.Step, e, 0);
        } else {
            if (attacked) offer(best, late, What.Timeout, e, 0);
            hostileDuty(best, e, v, key, What.HostileMove);
        }
    }

    /// Attackers play their disputes in time, or not.
    function hostileDuty(Duty memory best, uint256 e, DisputeView memory v, bytes32 key, What what)
        private
        view
    {
        Entry storage n = entries[e];
        bool answers = what == What.HostileAnswer;
        if (!isAttacker[answers ? n.d.claim.operator : n.d.challenger]) return;
        // Most liars answer in time; few of their challengers move, the others wait.
        bool diligent = answers ? part(n.claimId, 3) != 0 : part(n.id, 3) == 0;
        if (!diligent || tried[key]) return;
        offer(best, v.turnStart + part(key, clocks.floor), what, e, 0);
    }

    /// When the honest challenger moves: half of the times within minutes.
    function moveTime(uint256 e, uint256 turnStart, bytes32 key) private view returns (uint256) {
        Entry storage n = entries[e];
        if (n.committedBlock != 0) {
            uint256 from = n.committedBlock > n.openedBlock ? n.committedBlock : n.openedBlock;
            return timeOf(from + 2);
        }
        return turnStart + part(key, uint256(key) % 2 == 0 ? 5 minutes : clocks.floor / 2);
    }

    /* ACTS */

    function act(Duty memory d) private {
        if (d.what >= What.HostileSeat) {
            hostileAct(d);
            return;
        }
        if (d.what >= What.Challenge && d.what != What.Challenge) {
            disputeAct(d);
            return;
        }
        Asked storage a = asked[d.i];
        RequestState memory s = stateOf(d.i);
        Pending memory p;
        (p.what, p.asked, p.to) = (d.what, d.i, address(oracle));
        Seat memory seat =
            d.seat < s.seatsTaken ? seatOf(d.i, s.attempt, d.seat) : seatOf(d.i, 0, 0);
        p.from = seat.operator != address(0) && isHonest(seat.operator)
            ? senderOf(seat.operator)
            : requester;
        p.name = oracle.nameOf(a.id, s.attempt, d.seat);
        if (d.what == What.Challenge) {
            challengeAct(d, p);
            return;
        }
        bool claims = d.what == What.Claim || d.what == What.RevealClaim;
        if (claims || d.what == What.Commit) {
            p.data = claimCall(d.i, d.seat, seat.operator, false, s);
        } else {
            p.data = endCall(d);
        }
        if (claims) {
            assertLt(p.data.length, LARGEST_TRANSACTION, "no node takes the claim");
            uint256 cost = 21_000 + bytesGas(p.data);
            p.gas = cost < TRANSACTION_GAS ? TRANSACTION_GAS - cost : 1;
        }
        if (!send(p) || !claims) return;
        a.answered = true;
        plans[p.name] = Plan(false, TRUE_TRACE);
        count("honest claim");
    }

    function hostileAct(Duty memory d) private {
        if (d.what == What.HostileSeat) {
            tried[seatKey(d.i, stateOf(d.i), d.seat)] = true;
            useSeat(d.i, d.seat);
            return;
        }
        tried[keccak256(abi.encode(entries[d.i].id, viewOf(d.i).turnStart))] = true;
        if (d.what == What.HostileMove) hostileMove(d.i);
        else if (hostileAnswer(d.i)) lurk(d.i);
    }

    function endCall(Duty memory d) private view returns (bytes memory) {
        Asked storage a = asked[d.i];
        if (d.what == What.FreeSeats) return abi.encodeCall(oracle.freeSeats, (a.r));
        if (d.what == What.Missed) return abi.encodeCall(oracle.missed, (a.r, d.seat));
        if (d.what == What.Expire) return abi.encodeCall(oracle.expire, (a.r));
        return abi.encodeCall(oracle.finalize, (a.r, standingAnswer(d.i)));
    }

    function challengeAct(Duty memory d, Pending memory p) private {
        uint8 attempt = stateOf(d.i).attempt;
        (Claim memory c, ClaimFacts memory f) = claimAt(d.i, attempt, d.seat);
        uint88 bond = uint88(arena.bondFor(c.stake));
        bytes32 salt = bytes32(++salts);
        (p.to, p.from) = (address(arena), challenger);
        p.value = bond + questionPrice();
        (p.claimId, p.name) = (keccak256(abi.encode(c)), c.name);
        p.data = challengeCall(d.i, c.name, bond, salt);
        if (send(p)) {
            note(d.i, c, f, challenger, bond, salt);
            count("honest dispute");
        }
    }

    function disputeAct(Duty memory d) private {
        Entry storage n = entries[d.i];
        Pending memory p;
        (p.what, p.asked, p.entry, p.to) = (d.what, n.asked, d.i, address(arena));
        (p.claimId, p.name) = (n.claimId, n.d.claim.name);
        p.from = n.d.challenger == challenger ? challenger : senderOf(n.d.claim.operator);
        if (d.what == What.Timeout) {
            p.data = abi.encodeCall(arena.timeout, (n.d));
            if (send(p)) count("honest timeout");
        } else if (d.what == What.Reclaim) {
            p.data = abi.encodeCall(arena.reclaim, (n.d));
            send(p);
        } else if (d.what == What.Answer) {
            answerAct(p);
        } else {
            moveAct(p);
        }
    }

    /// Answers a dispute; with it, often, all others that wait for the same operator.
    function answerAct(Pending memory p) private {
        address operator = entries[p.entry].d.claim.operator;
        p.data = answerCall(p.entry, false);
        if (draw(2) == 0) {
            bytes[] memory calls = new bytes[](liveEntries.length);
            uint256 size;
            for (uint256 k; k < liveEntries.length; ++k) {
                uint256 e = liveEntries[k];
                if (entries[e].d.claim.operator != operator || isOver(e)) continue;
                DisputeView memory v = viewOf(e);
                if (!isOperators(v.state) || block.timestamp > v.deadline) continue;
                calls[size++] = answerCall(e, false);
            }
            assembly ("memory-safe") {
                mstore(calls, size)
            }
            p.data = abi.encodeCall(arena.multicall, (calls));
            if (size > 1) count("honest batch");
        }
        bool priced = draw(2) == 0;
        if (priced) vm.txGasPrice(BASE_FEE + TIP);
        uint256 before = arena.credit(operator) + arena.credit(p.from);
        if (operator == p.from) before /= 2;
        bool ok = send(p);
        vm.txGasPrice(0);
        uint256 afterwards = arena.credit(operator) + arena.credit(p.from);
        if (operator == p.from) afterwards /= 2;
        if (!ok) return;
        count("honest answer");
        // One answer alone takes more than 15,000 gas: whoever sent it, it was repaid to the
        // operator.
        if (priced) assertGe(afterwards, before + 15_000 * (BASE_FEE + TIP), "not repaid");
    }

    /// The honest challenger's next move.
    function moveAct(Pending memory p) private {
        Entry storage n = entries[p.entry];
        DisputeView memory v = viewOf(p.entry);
        Plan memory plan = plans[p.name];
        ToyTrace t = traces[plan.trace];
        if (plan.trace == TRUE_TRACE) {
            proofAct(p, v, tokenWitness());
        } else if (v.state == DisputeState.Pick) {
            pickAct(p, v, t);
        } else if (v.state == DisputeState.Step && v.op == 2 && uint256(n.id) % 2 == 0) {
            p.what = What.Demand;
            p.value = questionPrice();
            p.data = abi.encodeCall(arena.demandPartials, (n.d, uint32(v.index % 2 * 256)));
            send(p);
        } else if (v.state == DisputeState.PartialStep && n.partials[1] != 0) {
            Witness memory w;
            (w.kind, w.op, w.leaf) = (UnitKind.PartialChunk, v.op, v.index);
            (w.unit, w.place) = (v.element, 1);
            shownPartials = n.partials;
            p.what = What.StepPartial;
            proofAct(p, v, w);
        } else {
            proofAct(p, v, chunkWitness(t, v.op, v.index));
        }
    }

    function pickAct(Pending memory p, DisputeView memory v, ToyTrace t) private {
        (uint256 op, uint256 height, uint256 index) = firstDifference(v, t);
        p.what = What.Pick;
        p.value = questionPrice();
        p.data = pickCall(p.entry, t, op, height, index);
        send(p);
    }

    function firstDifference(DisputeView memory v, ToyTrace t)
        private
        returns (uint256 op, uint256 height, uint256 index)
    {
        (op, height) = (v.op, t.below(v.height));
        uint256 width = 2 ** (v.height - height);
        for (index = v.index * width; index < (v.index + 1) * width; ++index) {
            if (t.node(op, height, index) == traces[0].node(op, height, index)) continue;
            if (op == TOP) return (index, t.heightOf(index), 0);
            return (op, height, index);
        }
        revert("no child differs");
    }

    /// A proof: at once when alone, else with a commitment two blocks old.
    function proofAct(Pending memory p, DisputeView memory v, Witness memory w) private {
        Entry storage n = entries[p.entry];
        bytes32 salt = bytes32("honest");
        bool alone = v.alone && arena.claimOf(p.claimId).live == 1;
        if (!alone && n.committedBlock == 0) {
            p.what = What.CommitProof;
            bytes32 hash = keccak256(abi.encode(w));
            bytes32 commitment_ = keccak256(abi.encode(challenger, salt, hash));
            p.data = abi.encodeCall(arena.commitProof, (commitment_));
            n.committedBlock = block.number + 1;
            send(p);
            return;
        }
        shown = abi.encode(w);
        if (p.what == What.StepPartial) {
            p.data =
                abi.encodeCall(arena.stepPartial, (n.d, n.facts, model, w, shownPartials, salt));
        } else {
            p.what = What.Step;
            p.data = abi.encodeCall(arena.step, (n.d, n.facts, model, w, salt));
        }
        if (send(p)) count(alone ? bytes32("honest step alone") : bytes32("honest step"));
    }
}
