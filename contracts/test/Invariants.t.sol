// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {OperatorBonds} from "../src/OperatorBonds.sol";
import {
    IInferenceOracle,
    Request,
    RequestState,
    RequestStatus,
    Seat,
    SeatStatus
} from "../src/interfaces/IInferenceOracle.sol";
import {BondAccount} from "../src/interfaces/IOperatorBonds.sol";
import {Handler} from "./Handler.sol";

contract InvariantsTest is Test {
    Handler internal handler;
    IInferenceOracle internal oracle;
    OperatorBonds internal bonds;

    function setUp() public {
        handler = new Handler();
        vm.deal(address(handler), 1_000_000 ether);
        handler.setUp();
        (address o, address b) = handler.contracts();
        (oracle, bonds) = (IInferenceOracle(o), OperatorBonds(b));

        bytes4[] memory moves = new bytes4[](17);
        moves[0] = Handler.ask.selector;
        moves[1] = Handler.accept.selector;
        moves[2] = Handler.act.selector;
        moves[3] = Handler.missed.selector;
        moves[4] = Handler.freeSeats.selector;
        moves[5] = Handler.cancel.selector;
        moves[6] = Handler.expire.selector;
        moves[7] = Handler.finalize.selector;
        moves[8] = Handler.dispute.selector;
        moves[9] = Handler.settle.selector;
        moves[10] = Handler.voidClaim.selector;
        moves[11] = Handler.bond.selector;
        moves[12] = Handler.otherSource.selector;
        moves[13] = Handler.agent.selector;
        moves[14] = Handler.withdraw.selector;
        moves[15] = Handler.withdrawOf.selector;
        moves[16] = Handler.wait_.selector;
        targetContract(address(handler));
        targetSelector(FuzzSelector(address(handler), moves));
    }

    function invariant_books() public view {
        checkOracleBalance();
        checkBondsBalance();
        checkLockedIsStakes();
        checkEtherConserved();
    }

    /// The oracle holds the credits, those of requests too, and the fees of requests that are not
    /// settled, to the wei.
    function checkOracleBalance() internal view {
        uint256 owed;
        for (uint256 i; i < handler.actors(); ++i) {
            owed += oracle.credit(handler.actor(i));
        }
        for (uint256 i; i < handler.requestCount(); ++i) {
            (Request memory r, bytes32 id, RequestState memory s) = handler.requestAt(i);
            assertEq(oracle.creditOf(id), handler.creditShouldBe(id), "credit of a request");
            owed += oracle.creditOf(id);
            if (s.status < RequestStatus.Final) owed += r.fee;
        }
        assertEq(address(oracle).balance, owed, "oracle's balance");
    }

    /// The bonds hold what the accounts say; an account is what went in, less what went out and
    /// what a rule took.
    function checkBondsBalance() internal view {
        // The other 24 operators of the deployment never move.
        uint256 held = 240 ether;
        for (uint256 i; i < handler.actors() - 4; ++i) {
            address operator = handler.actor(i);
            BondAccount memory a = bonds.account(operator);
            uint256 total = uint256(a.free) + a.locked + a.queued;
            total += bonds.lockedBy(operator, handler.sourceAddress());
            assertEq(int256(total), handler.bondShouldBe(operator), "operator's bond");
            held += total;
        }
        assertEq(address(bonds).balance, held, "bonds' balance");
    }

    /// Locked bond is the stakes of the seats that stand: no more, no less.
    function checkLockedIsStakes() internal view {
        for (uint256 k; k < handler.actors() - 4; ++k) {
            address operator = handler.actor(k);
            uint256 stakes;
            for (uint256 i; i < handler.requestCount(); ++i) {
                (Request memory r, bytes32 id, RequestState memory s) = handler.requestAt(i);
                if (s.status >= RequestStatus.Final) continue;
                for (uint8 n; n < s.seatsTaken; ++n) {
                    Seat memory seat = oracle.seatOf(id, s.attempt, n);
                    bool stands = seat.status == SeatStatus.Accepted
                        || seat.status == SeatStatus.Committed || seat.status == SeatStatus.Claimed;
                    if (seat.operator == operator && stands) stakes += r.stake;
                }
            }
            assertEq(bonds.account(operator).locked, stakes, "locked");
        }
    }

    /// All ether is somewhere: with the contracts, paid out, or burned by a rule.
    function checkEtherConserved() internal view {
        assertEq(address(0xdEaD).balance, handler.burned(), "burned");
        uint256 there = address(oracle).balance + address(bonds).balance + address(0xdEaD).balance;
        assertEq(there + handler.paidOut(), handler.paidIn(), "ether");
    }

    /// A long random play reaches every kind of move: an invariant over calls that all fail would
    /// hold too.
    function test_handler_reachesEveryMove() public {
        uint256 random = 1;
        for (uint256 i; i < 3000; ++i) {
            random = uint256(keccak256(abi.encode(random)));
            (uint256 a, uint256 b, uint256 c) = (random >> 16, random >> 80, random >> 144);
            uint256 move = random % 32;
            if (move < 2) handler.ask(a, b, c, a);
            else if (move < 7) handler.accept(a, b);
            else if (move < 14) handler.act(a, b, c);
            else if (move < 16) handler.missed(a, b);
            else if (move < 18) handler.expire(a);
            else if (move < 22) handler.finalize(a, b);
            else if (move == 22) handler.dispute(a, b);
            else if (move == 23) handler.settle(a, b, c);
            else if (move == 24) handler.voidClaim(a, b, c);
            else if (move == 25) handler.bond(a, b, c);
            else if (move == 26) handler.withdraw(a);
            else if (move == 27) handler.withdrawOf(a);
            else if (move == 28) handler.cancel(a, b);
            else if (move == 29) handler.freeSeats(a);
            else if (move == 30) handler.otherSource(a, b, c);
            else handler.agent(a, b);
            if ((random >> 200) % 4 == 0) handler.wait_(b);
            if (i % 250 == 249) invariant_books();
        }
        bytes32[22] memory names = [
            bytes32("ask"),
            "accept",
            "claim",
            "commit",
            "reveal",
            "missed",
            "free",
            "cancel",
            "expire",
            "finalize",
            "dispute",
            "settle",
            "convict",
            "void",
            "bond",
            "source",
            "agent",
            "withdraw",
            "withdrawOf",
            "wait",
            "final",
            "undecided"
        ];
        for (uint256 i; i < names.length; ++i) {
            string memory name = string(abi.encodePacked(names[i]));
            emit log_named_uint(name, handler.done(names[i]));
            assertGt(handler.done(names[i]), 0, name);
        }
    }
}
