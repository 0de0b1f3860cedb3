// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Claim} from "../../src/interfaces/IClaims.sol";
import {DisputeState, DisputeView, IDisputeGame} from "../../src/interfaces/IDisputeGame.sol";
import {Request} from "../../src/interfaces/IInferenceOracle.sol";
import {ClaimFacts, Witness} from "../../src/interfaces/IStepVerifier.sol";
import {GameTest} from "./GameTest.sol";
import {ToyTrace} from "./ToyTrace.sol";

/// Random play around two claims, an honest operator's and a liar's. The honest challenger disputes
/// only the liar, follows the first difference and moves in time; the honest operator answers in
/// time, alone or many at once, though strangers copy its answers. Puppets do anything: dispute
/// both, pick at random, copy the honest challenger's proof, stay silent; the liar withholds at
/// random.
contract GameHandler is GameTest {
    uint256 internal constant HONEST = 0;
    uint256 internal constant LIAR = 1;
    uint256 internal constant MAX_DISPUTES = 20;

    struct Case {
        Request req;
        bytes32 requestId;
        Claim claim;
        ClaimFacts facts;
        ToyTrace theirs;
        address operator;
    }

    struct Entry {
        bytes32 id;
        uint256 case_;
        address challenger;
    }

    Case[2] internal cases;
    Entry[] internal entries;
    address internal puppet;
    /// disputes that their challenger lost by the clock
    mapping(address challenger => uint256) public lost;
    mapping(bytes32 move => uint256) public done;
    uint256 public paidIn;
    mapping(address account => uint256) internal startOf;
    uint256 internal received;

    function setUp() public override {
        super.setUp();
        window = 300;
        puppet = rival;
        // All that there is: what the requester and the two challengers hold, and thirty operators'
        // bonds.
        paidIn = 3000 ether + 300 ether;
        for (uint256 i; i < 2; ++i) {
            (operators[0], operators[i]) = (operators[i], operators[0]);
            operator = operators[0];
            claimIt();
            if (i == LIAR) theirs.changeLeaf(0, 5, flipped(0, 5, 3));
            theirs.root();
            cases[i] = Case(req, requestId, theClaim, facts, theirs, operator);
        }
        truth.root();
        for (uint256 i; i < actors(); ++i) {
            startOf[actor(i)] = wealth(actor(i));
        }
    }

    function use(uint256 i) internal {
        (req, requestId) = (cases[i].req, cases[i].requestId);
        (theClaim, facts) = (cases[i].claim, cases[i].facts);
        claimId = keccak256(abi.encode(theClaim));
        (theirs, operator) = (cases[i].theirs, cases[i].operator);
    }

    /* MOVES */

    function challenge(uint256 who, uint256 what, uint256 fee) external {
        setFee(_bound(fee, 1 gwei, 200 gwei));
        if (entries.length == MAX_DISPUTES) return;
        address sender = who % 2 == 0 ? challenger : puppet;
        uint256 k = sender == challenger ? LIAR : what % 2;
        use(k);
        if (over() || block.timestamp > oracle.stateOf(requestId).deadline) return;
        bytes32 id = open(sender, bytes32(entries.length));
        entries.push(Entry(id, k, sender));
        ++done["challenge"];
    }

    /// Whoever's turn it is in some dispute moves.
    function move(uint256 which, uint256 random, uint256 fee) external {
        setFee(_bound(fee, 1 gwei, 200 gwei));
        if (entries.length == 0) return;
        Entry memory e = entries[which % entries.length];
        use(e.case_);
        DisputeView memory v = view_(e.id);
        if (v.state == DisputeState.Closed || over() || block.timestamp > v.deadline) return;
        if (isOperators(v.state)) {
            if (e.case_ == LIAR && random % 4 == 0) return;
            uint256 before = heldFor(e.id);
            if (random % 5 == 0 && v.state == DisputeState.Node) copyAnswer(e.id);
            answer(e.id);
            note(e, before);
            ++done["answer"];
        } else {
            playChallenger(e, v, random);
        }
    }

    /// A stranger is first with the operator's answer; the operator's own then changes nothing.
    function copyAnswer(bytes32 id) private {
        bytes memory call = answerCall(id);
        vm.prank(stranger);
        (bool ok,) = address(arena).call(call);
        require(ok, "copied");
        vm.prank(operator);
        (ok,) = address(arena).call(call);
        require(ok, "too late");
        ++done["copied"];
    }

    /// The honest operator answers all that it is asked at once.
    function answerAll(uint256 which, uint256 fee) external {
        setFee(_bound(fee, 1 gwei, 200 gwei));
        use(which % 2);
        bytes[] memory calls = new bytes[](entries.length);
        uint256 count;
        for (uint256 i; i < entries.length; ++i) {
            Entry memory e = entries[i];
            if (e.case_ != which % 2 || over()) continue;
            DisputeView memory v = view_(e.id);
            if (!isOperators(v.state) || block.timestamp > v.deadline) continue;
            calls[count++] = answerCall(e.id);
        }
        assembly {
            mstore(calls, count)
        }
        if (count == 0) return;
        uint256[] memory before = new uint256[](entries.length);
        for (uint256 i; i < entries.length; ++i) {
            before[i] = heldFor(entries[i].id);
        }
        vm.prank(operator);
        arena.multicall(calls);
        for (uint256 i; i < entries.length; ++i) {
            note(entries[i], before[i]);
        }
        ++done["batch"];
    }

    /// Adds the cost of an answer to the honest challenger.
    function note(Entry memory e, uint256 before) private {
        if (e.challenger == challenger) received += before - heldFor(e.id);
    }

    /// A puppet sends the honest challenger's proof, for which it has no commitment: that convicts
    /// only where the puppet is alone, and then there is nobody whose reward it takes.
    function copyProof(uint256 which) external {
        for (uint256 i; i < entries.length; ++i) {
            Entry memory e = entries[(which % entries.length + i) % entries.length];
            use(e.case_);
            if (e.case_ != LIAR || e.challenger == challenger || over()) continue;
            DisputeView memory v = view_(e.id);
            if (v.state == DisputeState.Closed || v.state == DisputeState.Root) continue;
            if (!isOperators(v.state) && block.timestamp > v.deadline) continue;
            Witness memory w = witness(0, 5);
            // Until the second block after a join whoever was alone is free.
            vm.roll(block.number + 2);
            bool free = !needsCommitment(e.id);
            // One that is alone would end the game too soon to show more.
            if (free && which % 8 != 0) continue;
            if (!free) vm.expectRevert(IDisputeGame.NotCommitted.selector);
            stepAtOnce(e.id, w);
            ++done[free ? bytes32("alone") : bytes32("refused")];
            return;
        }
    }

    /// The honest challenger's proof, committed to where it must be. Puppets see it in the pool and
    /// send it first, from every dispute that they have.
    function stepHonestly(Entry memory e, DisputeView memory v) private {
        Witness memory w = witness(v.op, v.index);
        if (needsCommitment(e.id)) commitTo(challenger, keccak256(abi.encode(w)));
        for (uint256 i; i < entries.length; ++i) {
            Entry memory other = entries[i];
            if (other.case_ != LIAR || other.challenger == challenger) continue;
            if (stateOf(other.id) == DisputeState.Closed) continue;
            vm.expectRevert(IDisputeGame.NotCommitted.selector);
            stepAtOnce(other.id, w);
            ++done["refused"];
        }
        stepAtOnce(e.id, w);
    }

    function playChallenger(Entry memory e, DisputeView memory v, uint256 random) private {
        if (e.challenger == challenger) {
            if (v.state == DisputeState.Pick) follow(e.id);
            else stepHonestly(e, v);
            ++done["honest"];
        } else if (v.state == DisputeState.Pick) {
            uint256 op = v.op == TOP ? random % truth.opCount() : v.op;
            uint256 h = v.op == TOP && random % 3 == 0 ? truth.heightOf(op) : 0;
            uint256 i = op == v.op
                ? (v.index << v.height) + (random >> 8) % 2 ** v.height
                : (random >> 8) % 2 ** (truth.heightOf(op) - h);
            if (!truth.present(op, h, i) || (h == truth.heightOf(op) && v.op == op)) return;
            pick(e.id, op, h, i);
            ++done["puppet"];
        } else if (v.state == DisputeState.Step && v.op == 2) {
            demand(e.id, v.index % 2 == 0 ? random % 256 : 256 + random % 16);
            ++done["demand"];
        }
    }

    function timeout(uint256 which) external {
        if (entries.length != 0) tryTimeout(entries[which % entries.length]);
    }

    function tryTimeout(Entry memory e) private {
        use(e.case_);
        DisputeView memory v = view_(e.id);
        if (v.state == DisputeState.Closed || over() || block.timestamp <= v.deadline) return;
        vm.prank(stranger);
        arena.timeout(disputes[e.id]);
        if (!isOperators(v.state)) ++lost[e.challenger];
        ++done["timeout"];
    }

    function reclaim(uint256 which) external {
        if (entries.length == 0) return;
        Entry memory e = entries[which % entries.length];
        use(e.case_);
        if (!over() || stateOf(e.id) == DisputeState.Closed) return;
        vm.prank(stranger);
        arena.reclaim(disputes[e.id]);
        ++done["reclaim"];
    }

    function withdraw(uint256 who) external {
        address sender = actor(who % actors());
        if (arena.credit(sender) == 0) return;
        vm.prank(sender);
        arena.withdraw(payable(sender));
        ++done["withdraw"];
    }

    function finalize(uint256 which) external {
        use(which % 2);
        try oracle.finalize(req, "") {
            ++done["finalize"];
        } catch {}
    }

    /// Time passes, but not over a turn of somebody honest.
    function wait_(uint256 time) public {
        uint256 to = block.timestamp + _bound(time, 1, BUDGET + 1);
        for (uint256 i; i < entries.length; ++i) {
            Entry memory e = entries[i];
            use(e.case_);
            DisputeView memory v = view_(e.id);
            while (
                v.state != DisputeState.Closed && !over() && to > v.deadline
                    && block.timestamp <= v.deadline
            ) {
                if (isOperators(v.state) && e.case_ == HONEST) answer(e.id);
                else if (isOperators(v.state) || e.challenger != challenger) break;
                else playChallenger(e, v, 0);
                v = view_(e.id);
            }
        }
        vm.warp(to);
        ++done["wait"];
    }

    /// Everything ends: silence, clocks, money back.
    function settle() external {
        for (uint256 round; round < 40; ++round) {
            uint256 live;
            for (uint256 i; i < entries.length; ++i) {
                Entry memory e = entries[i];
                use(e.case_);
                if (stateOf(e.id) == DisputeState.Closed) continue;
                if (over()) this.reclaim(i);
                else tryTimeout(e);
                if (stateOf(e.id) != DisputeState.Closed) ++live;
            }
            if (live == 0) break;
            wait_(BUDGET + 1);
        }
        for (uint256 i; i < actors(); ++i) {
            if (arena.credit(actor(i)) == 0) continue;
            vm.prank(actor(i));
            arena.withdraw(payable(actor(i)));
        }
        vm.warp(block.timestamp + window + 1);
        for (uint256 i; i < 2; ++i) {
            this.finalize(i);
        }
    }

    /* BOOKS */

    function over() internal view returns (bool) {
        return !oracle.standing(theClaim.name);
    }

    function actors() public pure returns (uint256) {
        return 6;
    }

    function actor(uint256 i) public view returns (address) {
        if (i < 2) return i == 0 ? challenger : puppet;
        if (i < 4) return cases[i == 2 ? HONEST : LIAR].operator;
        return i == 4 ? stranger : requester;
    }

    /// Wei that an account has or is owed, with its bonds and disputes.
    function wealth(address account) public view returns (uint256 sum) {
        sum = account.balance + arena.credit(account) + oracle.credit(account);
        sum += bonds.account(account).free + bonds.account(account).locked;
        // The requester's money of its two requests.
        if (account == requester) {
            sum += oracle.creditOf(cases[HONEST].requestId);
            sum += oracle.creditOf(cases[LIAR].requestId);
        }
        for (uint256 i; i < entries.length; ++i) {
            if (entries[i].challenger != account) continue;
            sum += heldFor(entries[i].id);
        }
    }

    /// Gain or loss of an account since the start.
    function gain(uint256 i) external view returns (int256) {
        return int256(wealth(actor(i))) - int256(startOf[actor(i)]);
    }

    function inDisputes() external view returns (uint256 sum, uint256 live) {
        for (uint256 i; i < entries.length; ++i) {
            sum += heldFor(entries[i].id);
            if (stateOf(entries[i].id) != DisputeState.Closed) ++live;
        }
    }

    function credits() external view returns (uint256 sum) {
        for (uint256 i; i < actors(); ++i) {
            sum += arena.credit(actor(i));
        }
    }

    /// All ether that the parts and the accounts hold, and what was burned.
    function everything() external view returns (uint256 sum) {
        sum = address(arena).balance + address(oracle).balance + address(bonds).balance;
        sum += BURNED.balance;
        for (uint256 i; i < actors(); ++i) {
            sum += actor(i).balance;
        }
    }

    function arenaBalance() external view returns (uint256) {
        return address(arena).balance;
    }

    function honestStands() external view returns (bool) {
        address honest = cases[HONEST].operator;
        return bonds.account(honest).free + bonds.account(honest).locked == 10 ether;
    }

    /// Payments to the liar for its answers: all that a challenger that is right can lose.
    function paidToLiar() external view returns (uint256) {
        return received;
    }

    function honestChallenger() external view returns (address) {
        return challenger;
    }
}
