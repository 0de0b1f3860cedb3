// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm} from "forge-std/Vm.sol";
import {IDisputeGame} from "../../src/interfaces/IDisputeGame.sol";
import {
    IInferenceOracle,
    Request,
    RequestParams,
    RequestState,
    RequestStatus,
    Seat,
    SeatStatus
} from "../../src/interfaces/IInferenceOracle.sol";
import {IOperatorBonds} from "../../src/interfaces/IOperatorBonds.sol";
import {GasEater} from "../mocks/Callbacks.sol";
import {Honest} from "./Honest.sol";

/// The moves of an invariant test, and the books: what each party may gain and lose by one.
contract AttackHandler is Honest {
    /// Most that the requester gets of a miss, in gas at the base fee.
    uint256 internal constant ASK_GAS = 300_000;
    uint256 internal constant MOST_PENALTY_PERCENT = 16;

    address internal gasEater;

    /* BOOKS */

    uint256 internal purse;
    uint256 internal challengerBook;
    uint256 internal requesterBook;
    mapping(address operator => uint256) internal operatorBook;
    /// what attackers may gain in the present move, by fees of right answers and repaid answers
    uint256 internal mayGain;
    /// what an honest operator may lose in it, by a claim that it slept through
    mapping(address operator => uint256) internal mayLose;
    /// seats whose operator slept once
    mapping(bytes32 requestAndSeat => bool) internal slept;
    /// fees that the honest requester spent on right answers
    uint256 internal spentFees;

    uint256 public calls;
    uint256 internal startPurse;
    /// when and with how much an honest operator's bond was locked for a claim
    mapping(bytes32 name => mapping(address operator => uint256)) internal lockedSince;
    /// stake times seconds of honest bonds that were locked and earned nothing
    uint256 public idleStakeSeconds;
    uint256 public longestFreed;

    struct Unlocked {
        bytes32 name;
        uint256 seconds_;
        uint256 stake;
    }

    function setUp() public override {
        super.setUp();
        gasEater = address(new GasEater());
        startPurse = purse = purseNow();
        challengerBook = challengerWealth();
        requesterBook = requesterWealth();
        for (uint256 i; i < HONEST; ++i) {
            operatorBook[honest[i]] = operatorWealth(honest[i]);
        }
    }

    modifier move(uint256 tape_) {
        tape = tape_;
        ++calls;
        vm.recordLogs();
        _;
        settle();
        check();
    }

    /* MOVES */

    function ask(uint256 tape_) external move(tape_) {
        if (live.length >= MOST_REQUESTS) return;
        RequestParams memory p = someParams();
        bool ok;
        if (draw(2) == 0) {
            ok = ask(requester, p, 0.05 ether + draw(1 ether));
            if (ok) count("honest request");
        } else {
            if (draw(8) == 0) (p.callback, p.callbackGas) = (gasEater, 500_000);
            if (draw(16) == 0) p.maxTokens = uint32(20_000 + draw(12_000));
            ok = ask(attackers[0], p, draw(draw(2) == 0 ? 0.1 ether : 4 ether));
            if (ok) count("hostile request");
        }
        if (ok && draw(4) != 0) fillSeats(asked.length - 1);
    }

    /// Some of the seats, or all, are taken at once.
    function fillSeats(uint256 i) private {
        if (asked[i].r.temperature != 0) pass(9 * BLOCK_SECONDS);
        for (uint256 k; k < asked[i].r.replicas; ++k) {
            if (draw(2) == 0) takeHonestSeat(i, honest[(k + draw(2)) % HONEST]);
            else takeSeat(i, attackers[k % ATTACKERS]);
        }
    }

    /// An honest operator takes a seat that it can serve.
    function honestAccept(uint256 tape_) external move(tape_) {
        for (uint256 k; k < live.length; ++k) {
            if (draw(2) == 0) takeHonestSeat(live[k], honest[draw(HONEST)]);
        }
    }

    function takeHonestSeat(uint256 i, address operator) private {
        Asked storage a = asked[i];
        RequestState memory s = stateOf(i);
        bytes32 key = keccak256(abi.encode(a.id, operator));
        if (s.status != RequestStatus.Open || burnt[key] || s.cancelled || s.attempt > 5) return;
        // The call may be in a block later.
        if (block.timestamp + BLOCK_SECONDS > a.r.acceptDeadline) return;
        if (a.r.temperature != 0 && !s.seedFixed) {
            if (block.number < s.requestBlock + 9 || block.number > s.requestBlock + 7_900) return;
        }
        if (bonds.freeBond(operator) < a.r.stake || a.r.fee < 0.01 ether) return;
        for (uint8 n; n < s.seatsTaken; ++n) {
            if (seatOf(i, s.attempt, n).operator == operator) return;
        }
        Pending memory p;
        (p.what, p.asked, p.from, p.to) = (What.Accept, i, senderOf(operator), address(oracle));
        bytes memory h = header(i, s);
        p.data = abi.encodeCall(oracle.accept, (a.r, operator, h));
        bool drawn = s.seedFixed;
        p.name = key;
        if (drawn || h.length == 0) {
            if (send(p)) count("honest accepts");
            return;
        }
        // Another first acceptance makes the header too much: that is the same race for a seat.
        vm.prank(p.from);
        (bool ok,) = p.to.call(p.data);
        if (ok) count("honest accepts");
    }

    /// Attackers take one seat of a request, or all.
    function attackerAccept(uint256 tape_) external move(tape_) {
        if (live.length == 0) return;
        uint256 i = live[draw(live.length)];
        uint256 first = draw(ATTACKERS);
        uint256 seats = draw(2) == 0 ? 1 : asked[i].r.replicas;
        for (uint256 k; k < seats; ++k) {
            takeSeat(i, attackers[(first + k) % ATTACKERS]);
        }
    }

    /// A liar answers an honest request; puppets or parasites may dispute it first and wait.
    function attackerLies(uint256 tape_) external move(tape_) {
        if (live.length >= MOST_REQUESTS) return;
        uint256 i = asked.length;
        ask(requester, plainParams(1), 0.05 ether + draw(1 ether));
        takeSeat(i, anAttacker());
        useSeat(i, 0);
        count("lies");
        if (draw(3) == 0) hostileChallenge(i, 0, anAttacker());
        pass(8 hours + draw(12 hours));
    }

    /// Blockers: they accept, let the time pass and miss, some rounds on end.
    function attackerBlocks(uint256 tape_) external move(tape_) {
        bool fresh = live.length < MOST_REQUESTS && draw(4) != 0;
        if (fresh) ask(requester, plainParams(1), 0.05 ether + draw(1 ether));
        if (live.length == 0) return;
        uint256 i = fresh ? asked.length - 1 : live[draw(live.length)];
        uint256 rounds = 1 + draw(8);
        for (uint256 k; k < rounds; ++k) {
            for (uint256 n; n < asked[i].r.replicas; ++n) {
                takeSeat(i, attackers[n % ATTACKERS]);
            }
            if (stateOf(i).status != RequestStatus.Accepted) return;
            uint256 deadline = stateOf(i).deadline;
            if (deadline >= block.timestamp) pass(deadline + 1 - block.timestamp);
            grieveRequest(i, 0);
            count("blocked rounds");
        }
    }

    /// Attackers use their seats, most of them.
    function attackerSeat(uint256 tape_) external move(tape_) {
        for (uint256 k; k < live.length; ++k) {
            for (uint8 n; n < asked[live[k]].r.replicas; ++n) {
                if (draw(8) != 0) useSeat(live[k], n);
            }
        }
    }

    function attackerChallenge(uint256 tape_) external move(tape_) {
        uint256 first = draw(16);
        for (uint256 k; k < live.length; ++k) {
            uint256 i = live[(first + k) % live.length];
            if (hostileChallenge(i, uint8(draw(asked[i].r.replicas)), anAttacker())) return;
        }
    }

    /// Attackers play in their disputes: as challengers, and as operators; some stay silent.
    function attackerPlay(uint256 tape_) external move(tape_) {
        uint256 size = liveEntries.length;
        for (uint256 k; k < size; ++k) {
            uint256 e = liveEntries[k];
            if (isOver(e) || draw(3) == 0) continue;
            if (isOperators(viewOf(e).state)) {
                if (isAttacker[entries[e].d.claim.operator] && hostileAnswer(e)) lurk(e);
            } else if (isAttacker[entries[e].d.challenger]) {
                hostileMove(e);
            }
        }
    }

    /// A liar's puppets commit to proofs against claims of their side, and show them in time.
    function selfConvict(uint256 tape_) external move(tape_) {
        for (uint256 k; k < live.length; ++k) {
            if (draw(3) == 0) convictSelf(live[k], uint8(draw(asked[live[k]].r.replicas)));
        }
        if (proofs.length == 0) return;
        pass(BLOCK_SECONDS * (draw(2) == 0 ? 2 : 51));
        showProofs();
    }

    /// A requester with a seat of its own that differs from an honest one, and nobody that checks.
    function attackerDisagrees(uint256 tape_) external move(tape_) {
        if (live.length >= MOST_REQUESTS) return;
        uint256 i = asked.length;
        if (!ask(attackers[0], plainParams(2), 0.05 ether + draw(1 ether))) return;
        asked[i].watched = false;
        takeHonestSeat(i, honest[draw(HONEST)]);
        takeSeat(i, anAttacker());
        for (uint256 k; k < 2; ++k) {
            for (uint8 n; n < 2; ++n) {
                useSeat(i, n);
            }
            pass(terms.minReplicaClaimPeriod);
        }
        count("disagreements");
    }

    function strangerCall(uint256 tape_) external move(tape_) {
        for (uint256 k; k < live.length; ++k) {
            grieveRequest(live[k], draw(4));
        }
        for (uint256 k; k < liveEntries.length; ++k) {
            grieveDispute(liveEntries[k], 6 + draw(4));
        }
    }

    function cancel(uint256 tape_) external move(tape_) {
        if (live.length == 0 || draw(4) != 0) return;
        uint256 i = live[draw(live.length)];
        Asked storage a = asked[i];
        RequestState memory s = stateOf(i);
        if (ended(s.status)) return;
        bytes memory data = abi.encodeCall(oracle.cancel, (a.r));
        if (a.hostile) {
            if (hostileOracle(a.r.requester, data)) count("attacker cancels");
            return;
        }
        Pending memory p;
        (p.what, p.asked, p.from, p.to) = (What.Cancel, i, requester, address(oracle));
        p.data = data;
        if (send(p)) count("honest cancels");
    }

    /// Attackers move their money about.
    function money(uint256 tape_) external move(tape_) {
        address who = anAttacker();
        uint256 kind = draw(5);
        bytes memory data;
        if (kind == 0) data = abi.encodeCall(bonds.queueWithdrawal, (1 + draw(10 ether)));
        if (kind == 1) data = abi.encodeCall(bonds.withdraw, (payable(who)));
        if (kind < 2) hostile(who, address(bonds), 0, data);
        if (kind == 2) hostileOracle(who, abi.encodeCall(oracle.withdraw, (payable(who))));
        if (kind == 3) hostileGame(who, abi.encodeCall(arena.withdraw, (payable(who))));
        data = abi.encodeCall(bonds.deposit, (who));
        if (kind == 4) hostile(who, address(bonds), 1 + draw(3 ether), data);
    }

    /// An honest operator sleeps through its claim: the one thing that it pays for.
    function sleep(uint256 tape_) external move(tape_) {
        for (uint256 k; k < live.length; ++k) {
            uint256 i = live[k];
            RequestState memory s = stateOf(i);
            if (s.status != RequestStatus.Accepted || draw(4) != 0) continue;
            uint8 n = uint8(draw(asked[i].r.replicas));
            Seat memory seat = seatOf(i, s.attempt, n);
            if (!isHonest(seat.operator) || seat.status != SeatStatus.Accepted) continue;
            asleep[sleepKey(i, s, n)] = slept[keccak256(abi.encode(asked[i].id, n))] = true;
            count("honest sleeps");
        }
    }

    function wait_(uint256 tape_) external move(tape_) {
        uint256 n = draw(16);
        if (n < 5) pass(BLOCK_SECONDS * (1 + draw(3)));
        else if (n < 10) pass(draw(15 minutes));
        else if (n < 14) pass(draw(4 hours));
        else pass(draw(1 days));
    }

    /* WHAT HAPPENED */

    /// Reads the events since the last call.
    function settle() internal override {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        Unlocked[] memory unlocked = new Unlocked[](logs.length);
        uint256 size;
        for (uint256 k; k < logs.length; ++k) {
            bytes32 topic = logs[k].topics.length == 0 ? bytes32(0) : logs[k].topics[0];
            if (topic == IOperatorBonds.Locked.selector) {
                lockedSince[logs[k].topics[2]][toAddress(logs[k].topics[1])] = block.timestamp;
            } else if (topic == IOperatorBonds.Released.selector) {
                address operator = toAddress(logs[k].topics[1]);
                if (!isHonest(operator)) continue;
                bytes32 name = logs[k].topics[2];
                (uint256 stake,,) = abi.decode(logs[k].data, (uint256, uint256, uint256));
                unlocked[size++] =
                    Unlocked(name, block.timestamp - lockedSince[name][operator], stake);
            } else if (topic == IInferenceOracle.SeatsFreed.selector) {
                freed(logs[k].topics[1], unlocked, size);
            } else if (topic == IDisputeGame.DisputeLost.selector) {
                uint256 e = entryAt[logs[k].topics[2]];
                assertTrue(isAttacker[entries[e].d.challenger], "the honest challenger lost");
                count("attacker loses a dispute");
            } else if (logs[k].emitter == address(oracle)) {
                oracleEvent(logs[k], topic);
            }
        }
        for (uint256 k; k < size; ++k) {
            bytes32 id = unlocked[k].name & ~bytes32(uint256(0xff));
            if (oracle.stateOf(id).status == RequestStatus.Final) continue;
            idleStakeSeconds += unlocked[k].stake * unlocked[k].seconds_;
        }
    }

    function toAddress(bytes32 topic) private pure returns (address) {
        return address(uint160(uint256(topic)));
    }

    /// Seats that were not filled: honest bonds were locked for minutes at most.
    function freed(bytes32 id, Unlocked[] memory unlocked, uint256 size) private {
        count("seats freed");
        for (uint256 k; k < size; ++k) {
            if (unlocked[k].name & ~bytes32(uint256(0xff)) != id) continue;
            if (unlocked[k].seconds_ > longestFreed) longestFreed = unlocked[k].seconds_;
            assertLe(
                unlocked[k].seconds_,
                terms.fillPeriod + FREE_DELAY + 3 * BLOCK_SECONDS,
                "bond locked for nothing"
            );
        }
        for (uint256 k; k < HONEST; ++k) {
            burnt[keccak256(abi.encode(id, honest[k]))] = true;
        }
    }

    function oracleEvent(Vm.Log memory log, bytes32 topic) private {
        if (log.topics.length < 2) return;
        uint256 i = askedAt[log.topics[1]];
        Asked storage a = asked[i];
        if (a.id != log.topics[1]) return;
        if (topic == IInferenceOracle.Missed.selector) {
            missed(i, toAddress(log.topics[2]), log.data);
        } else if (topic == IInferenceOracle.Convicted.selector) {
            assertFalse(isHonest(toAddress(log.topics[3])), "an honest operator was convicted");
            ++a.convictions;
            count("convicted");
        } else if (topic == IInferenceOracle.Refunded.selector) {
            refunded(i);
        } else if (topic == IInferenceOracle.Finalized.selector) {
            finalized(i);
        } else if (topic == IInferenceOracle.Undecided.selector) {
            assertFalse(a.watched, "claims disagreed to the end");
            count("undecided");
        }
    }

    function missed(uint256 i, address operator, bytes memory data) private {
        (uint8 seat, uint256 penalty,) = abi.decode(data, (uint8, uint256, uint256));
        Asked storage a = asked[i];
        if (!isHonest(operator)) {
            count("attacker misses");
            return;
        }
        count("honest misses");
        assertTrue(slept[keccak256(abi.encode(a.id, seat))], "an honest operator missed");
        uint256 most = a.r.stake * MOST_PENALTY_PERCENT / 100;
        assertLe(penalty, most, "penalty of a miss");
        mayLose[operator] += most;
        if (a.hostile) mayGain += ASK_GAS * BASE_FEE;
    }

    function refunded(uint256 i) private {
        Asked storage a = asked[i];
        RequestState memory s = stateOf(i);
        count("refunded");
        assertFalse(a.answered, "the fee went back though the answer was given");
        if (a.hostile) return;
        bool lateSeed = a.r.temperature != 0 && !s.seedFixed;
        assertTrue(
            s.cancelled || block.timestamp > a.r.acceptDeadline || a.convictions >= 5 || lateSeed,
            "others ended an honest request"
        );
    }

    function finalized(uint256 i) private {
        Asked storage a = asked[i];
        (,, bytes32 hash,) = oracle.result(a.id);
        count("final");
        if (a.watched || a.huge) {
            assertEq(hash, fastHash(answerFor(a, false)), "a wrong answer is final");
        }
        if (a.hostile) return;
        spentFees += a.r.fee;
        // Fees of attackers that answered rightly: what does not divide goes to the first.
        RequestState memory s = stateOf(i);
        uint256 claims;
        uint256 theirs;
        for (uint8 n; n < s.seatsTaken; ++n) {
            Seat memory seat = seatOf(i, s.attempt, n);
            if (seat.status != SeatStatus.Claimed) continue;
            ++claims;
            if (isAttacker[seat.operator]) ++theirs;
        }
        if (theirs != 0) mayGain += a.r.fee * theirs / claims + claims;
    }

    /* AFTER EVERY MOVE */

    function check() internal {
        retire();
        checkHonest();
        checkAttackers();
        if (calls % 8 == 0) checkEther();
        for (uint256 k; k < live.length; ++k) {
            if (block.timestamp > lastSecond(live[k])) {
                assertTrue(sweep(live[k]), "without an end");
            }
        }
        retire();
    }

    /// The second after which anybody can end a request at once.
    function lastSecond(uint256 i) internal view returns (uint256) {
        Request storage r = asked[i].r;
        uint256 longest = 2 * uint256(clocks.budget) + 24 * uint256(clocks.floor);
        return r.acceptDeadline + r.claimPeriod + terms.revealPeriod + r.window + longest + 1;
    }

    /// Ends a request as a stranger.
    function sweep(uint256 i) internal returns (bool) {
        Request memory r = asked[i].r;
        for (uint256 k; k < liveEntries.length; ++k) {
            uint256 e = liveEntries[k];
            if (entries[e].asked != i || isOver(e)) continue;
            vm.prank(stranger);
            arena.timeout(entries[e].d);
        }
        bytes memory tokens = standingAnswer(i);
        for (uint256 n; n < 3 && !ended(stateOf(i).status); ++n) {
            RequestState memory s = stateOf(i);
            vm.startPrank(stranger);
            if (s.status == RequestStatus.Open) oracle.expire(r);
            else if (s.status == RequestStatus.Accepted) oracle.missed(r, 0);
            else if (s.status == RequestStatus.Claimed) oracle.finalize(r, tokens);
            vm.stopPrank();
        }
        settle();
        count("swept");
        return ended(stateOf(i).status);
    }

    /// Takes what is over off the lists: its requester has its money.
    function retire() private {
        for (uint256 k = liveEntries.length; k != 0; --k) {
            uint256 e = liveEntries[k - 1];
            if (heldFor(e) == 0) removeFrom(liveEntries, e);
        }
        for (uint256 k = live.length; k != 0; --k) {
            uint256 i = live[k - 1];
            Asked storage a = asked[i];
            if (!ended(stateOf(i).status)) continue;
            if (oracle.creditOf(a.id) != 0) {
                vm.prank(a.r.requester);
                oracle.withdrawOf(a.r, payable(a.r.requester));
            }
            removeFrom(live, i);
        }
        vm.getRecordedLogs();
    }

    /* BOOKS */

    function checkHonest() private {
        for (uint256 i; i < HONEST; ++i) {
            address operator = honest[i];
            uint256 now_ = operatorWealth(operator);
            assertGe(now_ + mayLose[operator], operatorBook[operator], "honest operator poorer");
            (operatorBook[operator], mayLose[operator]) = (now_, 0);
        }
        uint256 c = challengerWealth();
        assertGe(c, challengerBook, "honest challenger poorer");
        challengerBook = c;
        uint256 r = requesterWealth();
        assertGe(r, requesterBook, "honest requester poorer");
        requesterBook = r;
    }

    function checkAttackers() private {
        uint256 now_ = purseNow();
        assertLe(now_, purse + mayGain, "attackers richer");
        (purse, mayGain) = (now_, 0);
    }

    function operatorWealth(address operator) private view returns (uint256 sum) {
        sum = wealthOf(operator);
        if (operator == honest[1]) sum += wealthOf(agent);
    }

    /// The challenger's money, with what it paid for answers.
    function challengerWealth() private view returns (uint256 sum) {
        sum = wealthOf(challenger) + challengerPaid;
        for (uint256 k; k < liveEntries.length; ++k) {
            if (entries[liveEntries[k]].d.challenger == challenger) sum += heldFor(liveEntries[k]);
        }
    }

    /// The requester's money, with the fees of right answers.
    function requesterWealth() private view returns (uint256 sum) {
        sum = wealthOf(requester) + spentFees;
        for (uint256 k; k < live.length; ++k) {
            if (asked[live[k]].r.requester != requester) continue;
            sum += oracle.creditOf(asked[live[k]].id) + feeHeld(live[k]);
        }
    }

    /// All that attackers have, with what is theirs in requests and disputes; less what they were
    /// repaid for answers.
    function purseNow() private view returns (uint256 sum) {
        for (uint256 i; i < ATTACKERS; ++i) {
            sum += wealthOf(attackers[i]);
        }
        for (uint256 k; k < live.length; ++k) {
            if (!asked[live[k]].hostile) continue;
            sum += oracle.creditOf(asked[live[k]].id) + feeHeld(live[k]);
        }
        for (uint256 k; k < liveEntries.length; ++k) {
            if (isAttacker[entries[liveEntries[k]].d.challenger]) sum += heldFor(liveEntries[k]);
        }
        sum -= attackersRepaid;
    }

    /// Each contract holds what it owes, to the wei.
    function checkEther() private view {
        uint256 inOracle =
            oracle.credit(requester) + oracle.credit(challenger) + oracle.credit(agent);
        uint256 inGame = arena.credit(requester) + arena.credit(challenger) + arena.credit(agent);
        uint256 inBonds = 10 ether * (operators.length - HONEST);
        for (uint256 i; i < HONEST + ATTACKERS; ++i) {
            address who = i < HONEST ? honest[i] : attackers[i - HONEST];
            inOracle += oracle.credit(who);
            inGame += arena.credit(who);
            inBonds += bonds.account(who).free + bonds.account(who).locked
            + bonds.account(who).queued;
        }
        for (uint256 k; k < live.length; ++k) {
            inOracle += oracle.creditOf(asked[live[k]].id) + feeHeld(live[k]);
        }
        for (uint256 k; k < liveEntries.length; ++k) {
            inGame += heldFor(liveEntries[k]);
        }
        assertEq(address(oracle).balance, inOracle, "oracle's ether");
        assertEq(address(arena).balance, inGame, "game's ether");
        assertEq(address(bonds).balance, inBonds, "bonds' ether");
    }

    /* AT THE END */

    /// Lets everything end, and sees that it did.
    function finish() external {
        vm.recordLogs();
        pass(3 days);
        check();
        pass(6 days);
        check();
        for (uint256 k = live.length; k != 0; --k) {
            assertTrue(sweep(live[k - 1]), "without an end");
        }
        check();
        assertEq(live.length, 0, "requests without an end");
        for (uint256 k = liveEntries.length; k != 0; --k) {
            arena.reclaim(entries[liveEntries[k - 1]].d);
        }
        check();
        checkEther();
        assertEq(liveEntries.length, 0, "disputes without an end");
    }

    function attackersLoss() external view returns (uint256) {
        return purse < startPurse ? startPurse - purse : 0;
    }
}
