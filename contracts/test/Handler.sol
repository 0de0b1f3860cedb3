// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    IInferenceOracle,
    Request,
    RequestParams,
    RequestState,
    RequestStatus,
    Seat,
    SeatStatus
} from "../src/interfaces/IInferenceOracle.sol";
import {BondAccount} from "../src/interfaces/IOperatorBonds.sol";
import {GasEater, ReturnBomb} from "./mocks/Callbacks.sol";
import {BaseTest} from "./BaseTest.sol";

/// Plays random moves of all parties on a deployment of its own and keeps its own books of what
/// every move may change.
contract Handler is BaseTest {
    uint256 internal constant OPERATORS = 6;
    /// Moves are made on that many of the newest requests, so that some of them get far.
    uint256 internal constant ACTIVE = 3;

    Request[] internal requests;
    address[] internal callbacks;
    /// Books: ether that came in and went out, and what each operator lost.
    uint256 public paidIn;
    uint256 public paidOut;
    mapping(address operator => int256) public bondShouldBe;
    mapping(bytes32 move => uint256) public done;
    mapping(bytes32 requestId => mapping(uint8 attempt => mapping(uint8 seat => bool))) internal
        booked;

    /// States of the active requests, from the one numbered `watched` on, and the credits, before
    /// the move.
    RequestState[] internal statesBefore;
    uint256 internal watched;
    mapping(address account => uint256) internal creditBefore;
    mapping(address account => bool) internal mayGain;

    function setUp() public override {
        super.setUp();
        for (uint256 i; i < 30; ++i) {
            bondShouldBe[operators[i]] = 10 ether;
        }
        paidIn = 300 ether;
        callbacks.push(address(0));
        callbacks.push(address(new GasEater()));
        callbacks.push(address(new ReturnBomb(true)));
        callbacks.push(address(bonds));
    }

    /* MOVES */

    function ask(uint256 fee, uint256 stake, uint256 replicas, uint256 callback) external {
        before();
        if (statesBefore.length == ACTIVE && statesBefore[0].status < RequestStatus.Final) return;
        RequestParams memory p = params();
        p.stake = uint128(_bound(stake, 0.1 ether, 3 ether));
        // Half of the requests have one seat.
        p.replicas = uint8(replicas % 2 == 0 ? 1 : _bound(replicas, 2, 5));
        p.callback = callbacks[callback % callbacks.length];
        p.callbackGas = p.callback == address(0) ? 0 : 50_000;
        fee = _bound(fee, 0, 1 ether);
        (Request memory r,) = ask(p, fee);
        requests.push(r);
        paidIn += fee;
        vm.roll(block.number + 2);
        check("ask", true);
    }

    function accept(uint256 request, uint256 operator) external {
        (Request memory r,) = pick(request);
        before();
        bool ok;
        for (uint256 i; i < OPERATORS && !ok; ++i) {
            ok = send(
                operators[(operator % OPERATORS + i) % OPERATORS],
                abi.encodeCall(oracle.accept, (r))
            );
        }
        check("accept", ok);
    }

    /// The operator of a seat does what is next; one in four answers differs.
    function act(uint256 request, uint256 seat, uint256 variant) external {
        (Request memory r, bytes32 id) = pick(request);
        before();
        RequestState memory s = oracle.stateOf(id);
        SeatStatus due =
            s.status == RequestStatus.Revealing ? SeatStatus.Committed : SeatStatus.Accepted;
        for (
            uint256 i;
            i < r.replicas && oracle.seatOf(id, s.attempt, uint8(seat % r.replicas)).status != due;
            ++i
        ) {
            seat = seat % r.replicas + 1;
        }
        Seat memory mine = oracle.seatOf(id, s.attempt, uint8(seat % r.replicas));
        bytes memory tokens = pack(variant % 4 == 0 ? 200 : 100, EOS);
        if (r.replicas == 1) {
            check(
                "claim", send(mine.operator, abi.encodeCall(oracle.claim, (r, s.seed, tokens, "")))
            );
        } else if (mine.status == SeatStatus.Accepted) {
            bytes32 sealed_ = keccak256(abi.encode(claimHashOf(r, mine.operator, tokens), SALT));
            check(
                "commit",
                send(mine.operator, abi.encodeCall(oracle.commitClaim, (r, s.seed, sealed_)))
            );
        } else {
            if (keccak256(abi.encode(claimHashOf(r, mine.operator, tokens), SALT)) != mine.value) {
                tokens = pack(variant % 4 == 0 ? 100 : 200, EOS);
            }
            check(
                "reveal",
                send(
                    mine.operator, abi.encodeCall(oracle.revealClaim, (r, s.seed, tokens, "", SALT))
                )
            );
        }
    }

    function missed(uint256 request, uint256 seat) external {
        (Request memory r, bytes32 id) = pick(request);
        before();
        uint8 attempt = oracle.stateOf(id).attempt;
        seat %= r.replicas;
        bool ok = send(stranger, abi.encodeCall(oracle.missed, (r, uint8(seat))));
        mayGain[r.requester] = true;
        if (ok) book(id, attempt, r);
        check("missed", ok);
    }

    function expire(uint256 request) external {
        (Request memory r,) = pick(request);
        before();
        bool ok = send(stranger, abi.encodeCall(oracle.expire, (r)));
        mayGain[r.requester] = true;
        check("expire", ok);
    }

    function finalize(uint256 request, uint256 variant) external {
        (Request memory r, bytes32 id) = pick(request);
        before();
        uint8 attempt = oracle.stateOf(id).attempt;
        bytes memory tokens = pack(variant % 4 == 0 ? 200 : 100, EOS);
        bool ok = send(stranger, abi.encodeCall(oracle.finalize, (r, tokens)));
        mayGain[r.requester] = true;
        for (uint8 i; i < r.replicas; ++i) {
            Seat memory seat = oracle.seatOf(id, attempt, i);
            mayGain[seat.operator] = seat.status == SeatStatus.Claimed;
        }
        if (ok) book(id, attempt, r);
        check("finalize", ok);
    }

    function openDispute(uint256 request, uint256 seat) external {
        (Request memory r, bytes32 id) = pick(request);
        before();
        uint8 attempt = oracle.stateOf(id).attempt;
        check(
            "open",
            send(
                game, abi.encodeCall(oracle.disputeOpened, (id, attempt, uint8(seat % r.replicas)))
            )
        );
    }

    /// Ends every dispute against a claim, by losing it or by conviction.
    function closeDisputes(uint256 request, uint256 seat, uint256 variant) external {
        (Request memory r, bytes32 id) = pick(request);
        before();
        uint8 attempt = oracle.stateOf(id).attempt;
        seat %= r.replicas;
        if (variant % 2 == 0) {
            bool ok = true;
            while (ok) {
                ok = send(game, abi.encodeCall(oracle.disputeClosed, (id, attempt, uint8(seat))));
            }
            check("close", true);
            return;
        }
        bool convicted =
            send(game, abi.encodeCall(oracle.convict, (r, attempt, uint8(seat), challenger)));
        (mayGain[r.requester], mayGain[challenger]) = (true, true);
        if (convicted) {
            bondShouldBe[
                oracle.seatOf(id, attempt, uint8(seat)).operator
            ] -= int256(uint256(r.stake));
        }
        check("convict", convicted);
    }

    function voidClaim(uint256 request, uint256 seat, uint256 rarely) external {
        if (rarely % 8 != 0) return;
        (Request memory r, bytes32 id) = pick(request);
        before();
        uint8 attempt = oracle.stateOf(id).attempt;
        bool ok =
            send(game, abi.encodeCall(oracle.voidClaim, (r, attempt, uint8(seat % r.replicas))));
        mayGain[r.requester] = true;
        check("void", ok);
    }

    function bond(uint256 operator, uint256 amount, uint256 variant) external {
        before();
        address owner = operators[operator % OPERATORS];
        if (variant % 3 == 0) {
            amount = _bound(amount, 1, 5 ether);
            bonds.deposit{value: amount}(owner);
            paidIn += amount;
            bondShouldBe[owner] += int256(amount);
        } else if (variant % 3 == 1) {
            vm.prank(owner);
            try bonds.queueWithdrawal(_bound(amount, 1, 5 ether)) {} catch {}
        } else {
            uint256 out = owner.balance;
            vm.prank(owner);
            try bonds.withdraw(payable(owner)) {} catch {}
            out = owner.balance - out;
            paidOut += out;
            bondShouldBe[owner] -= int256(out);
        }
        check("bond", true);
    }

    function withdraw(uint256 account) external {
        address owner = actor(account % actors());
        before();
        uint256 out = owner.balance;
        bool ok = send(owner, abi.encodeCall(oracle.withdraw, (payable(owner))));
        out = owner.balance - out;
        assertEq(out, creditBefore[owner], "withdrew its credit");
        paidOut += out;
        creditBefore[owner] -= out;
        check("withdraw", ok);
    }

    function wait_(uint256 time) external {
        before();
        skip(time % 16 == 0 ? 1 hours + 1 : _bound(time, 1, 12));
        vm.roll(block.number + 1);
        check("wait", true);
    }

    /* BOOKS */

    function actors() public pure returns (uint256) {
        return OPERATORS + 4;
    }

    function actor(uint256 i) public view returns (address) {
        if (i < OPERATORS) return operators[i];
        return [requester, challenger, stranger, game][i - OPERATORS];
    }

    function requestCount() external view returns (uint256) {
        return requests.length;
    }

    function requestAt(uint256 i)
        external
        view
        returns (Request memory r, bytes32 id, RequestState memory s)
    {
        r = requests[i];
        id = idOf(r);
        s = oracle.stateOf(id);
    }

    function contracts() external view returns (address, address) {
        return (address(oracle), address(bonds));
    }

    function pick(uint256 i) private returns (Request memory r, bytes32 id) {
        if (requests.length == 0) this.ask(1 ether, 1 ether, i, 0);
        uint256 span = requests.length < ACTIVE ? requests.length : ACTIVE;
        r = requests[requests.length - 1 - i % span];
        id = idOf(r);
    }

    function send(address from, bytes memory data) private returns (bool ok) {
        vm.prank(from);
        (ok,) = address(oracle).call(data);
    }

    /// Penalties of the seats that the move recorded as missed.
    function book(bytes32 id, uint8 attempt, Request memory r) private {
        uint256 penalty = r.stake / 50 > r.fee ? r.stake / 50 : r.fee;
        if (penalty > r.stake) penalty = r.stake;
        for (uint8 i; i < r.replicas; ++i) {
            Seat memory seat = oracle.seatOf(id, attempt, i);
            if (seat.status == SeatStatus.Missed && !booked[id][attempt][i]) {
                booked[id][attempt][i] = true;
                bondShouldBe[seat.operator] -= int256(penalty);
            }
        }
    }

    function before() private {
        delete statesBefore;
        watched = requests.length < ACTIVE ? 0 : requests.length - ACTIVE;
        for (uint256 i = watched; i < requests.length; ++i) {
            statesBefore.push(oracle.stateOf(idOf(requests[i])));
        }
        for (uint256 i; i < actors(); ++i) {
            creditBefore[actor(i)] = oracle.credit(actor(i));
            mayGain[actor(i)] = false;
        }
    }

    /// No credit shrinks or grows where the move names no one, and statuses move along the table
    /// only.
    function check(bytes32 move, bool ok) private {
        if (ok) done[move]++;
        for (uint256 i; i < actors(); ++i) {
            uint256 now_ = oracle.credit(actor(i));
            if (!ok || !mayGain[actor(i)]) {
                assertEq(now_, creditBefore[actor(i)], "credit of another");
            } else {
                assertGe(now_, creditBefore[actor(i)], "credit shrank");
            }
        }
        for (uint256 i; i < statesBefore.length; ++i) {
            RequestState memory a = statesBefore[i];
            RequestState memory b = oracle.stateOf(idOf(requests[watched + i]));
            assertTrue(isStep(move, a, b), "status");
            if (a.seedFixed) assertTrue(b.seedFixed && a.seed == b.seed, "seed moved");
        }
    }

    function isStep(bytes32 move, RequestState memory a, RequestState memory b)
        private
        pure
        returns (bool)
    {
        (RequestStatus x, RequestStatus y) = (a.status, b.status);
        if (y == RequestStatus.Open && x != y) {
            return b.attempt == a.attempt + 1 && b.attempt <= 5
                && (move == "missed" || move == "convict" || move == "finalize");
        }
        if (a.attempt != b.attempt) return false;
        if (x == y) return true;
        if (y == RequestStatus.Accepted) return x == RequestStatus.Open && move == "accept";
        if (y == RequestStatus.Revealing) {
            return x == RequestStatus.Accepted && (move == "commit" || move == "wait");
        }
        if (y == RequestStatus.Claimed) {
            return (x == RequestStatus.Accepted && (move == "claim" || move == "wait"))
                || (x == RequestStatus.Revealing && move == "wait");
        }
        if (y == RequestStatus.Final) return x == RequestStatus.Claimed && move == "finalize";
        if (y != RequestStatus.Refunded) return false;
        if (move == "expire") return x == RequestStatus.Open;
        if (move == "finalize") return x == RequestStatus.Claimed;
        if (move == "void") return x == RequestStatus.Claimed || x == RequestStatus.Revealing;
        return a.attempt == 5 && (move == "missed" || move == "convict");
    }
}
