// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {InferenceOracle} from "../src/InferenceOracle.sol";
import {OperatorBonds} from "../src/OperatorBonds.sol";
import {
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
    InferenceOracle internal oracle;
    OperatorBonds internal bonds;

    function setUp() public {
        handler = new Handler();
        vm.deal(address(handler), 1_000_000 ether);
        handler.setUp();
        (address o, address b) = handler.contracts();
        (oracle, bonds) = (InferenceOracle(payable(o)), OperatorBonds(b));

        bytes4[] memory moves = new bytes4[](12);
        moves[0] = Handler.ask.selector;
        moves[1] = Handler.accept.selector;
        moves[2] = Handler.act.selector;
        moves[3] = Handler.missed.selector;
        moves[4] = Handler.expire.selector;
        moves[5] = Handler.finalize.selector;
        moves[6] = Handler.openDispute.selector;
        moves[7] = Handler.closeDisputes.selector;
        moves[8] = Handler.voidClaim.selector;
        moves[9] = Handler.bond.selector;
        moves[10] = Handler.withdraw.selector;
        moves[11] = Handler.wait_.selector;
        targetContract(address(handler));
        targetSelector(FuzzSelector(address(handler), moves));
    }

    function invariant_books() public view {
        checkOracleBalance();
        checkBondsBalance();
        checkLockedIsStakes();
        checkEtherConserved();
    }

    /// The oracle holds the credits and the fees of requests that are not settled, to the wei.
    function checkOracleBalance() internal view {
        uint256 owed;
        for (uint256 i; i < handler.actors(); ++i) {
            owed += oracle.credit(handler.actor(i));
        }
        for (uint256 i; i < handler.requestCount(); ++i) {
            (Request memory r,, RequestState memory s) = handler.requestAt(i);
            if (s.status != RequestStatus.Final && s.status != RequestStatus.Refunded) {
                owed += r.fee;
            }
        }
        assertEq(address(oracle).balance, owed);
    }

    /// The bonds hold what the accounts say, and an account is what went in less what went out and
    /// what a rule took.
    function checkBondsBalance() internal view {
        // The other 24 operators of the deployment never move.
        uint256 held = 240 ether;
        for (uint256 i; i < handler.actors() - 4; ++i) {
            BondAccount memory a = bonds.account(handler.actor(i));
            uint256 total = uint256(a.free) + a.locked + a.queued;
            assertEq(int256(total), handler.bondShouldBe(handler.actor(i)), "operator's bond");
            held += total;
        }
        assertEq(address(bonds).balance, held);
    }

    /// Locked bond is the stakes of the seats that stand: no more, no less.
    function checkLockedIsStakes() internal view {
        for (uint256 k; k < handler.actors() - 4; ++k) {
            address operator = handler.actor(k);
            uint256 stakes;
            for (uint256 i; i < handler.requestCount(); ++i) {
                (Request memory r, bytes32 id, RequestState memory s) = handler.requestAt(i);
                if (s.status == RequestStatus.Final || s.status == RequestStatus.Refunded) {
                    continue;
                }
                for (uint8 n; n < s.seatsTaken; ++n) {
                    Seat memory seat = oracle.seatOf(id, s.attempt, n);
                    bool stands = seat.status == SeatStatus.Accepted
                        || seat.status == SeatStatus.Committed || seat.status == SeatStatus.Claimed;
                    if (seat.operator == operator && stands) stakes += r.stake;
                }
            }
            assertEq(bonds.account(operator).locked, stakes);
        }
    }

    /// All ether is somewhere: with the contracts, paid out, or burned.
    function checkEtherConserved() internal view {
        uint256 there = address(oracle).balance + address(bonds).balance + address(0xdEaD).balance;
        assertEq(there + handler.paidOut(), handler.paidIn());
    }

    /// A long random play reaches every kind of move: an invariant over calls that all fail would
    /// hold too.
    function test_handler_reachesEveryMove() public {
        uint256 random = 1;
        for (uint256 i; i < 2000; ++i) {
            random = uint256(keccak256(abi.encode(random)));
            (uint256 a, uint256 b, uint256 c) = (random >> 16, random >> 80, random >> 144);
            uint256 move = random % 15;
            if (move == 0) handler.ask(a, b, c, a);
            else if (move < 4) handler.accept(a, b);
            else if (move < 7) handler.act(a, b, c);
            else if (move == 7) handler.missed(a, b);
            else if (move == 8) handler.expire(a);
            else if (move == 9) handler.finalize(a, b);
            else if (move == 10) handler.openDispute(a, b);
            else if (move == 11) handler.closeDisputes(a, b, c);
            else if (move == 12) handler.voidClaim(a, b, c);
            else if (move == 13) handler.bond(a, b, c);
            else handler.withdraw(a);
            if (random % 5 == 0) handler.wait_(b);
            if (i % 500 == 499) {
                invariant_books();
            }
        }
        bytes32[15] memory names = [
            bytes32("ask"),
            "accept",
            "claim",
            "commit",
            "reveal",
            "missed",
            "expire",
            "finalize",
            "open",
            "close",
            "convict",
            "void",
            "bond",
            "withdraw",
            "wait"
        ];
        for (uint256 i; i < names.length; ++i) {
            emit log_named_uint(string(abi.encodePacked(names[i])), handler.done(names[i]));
            assertGt(handler.done(names[i]), 0, string(abi.encodePacked(names[i])));
        }
    }
}
