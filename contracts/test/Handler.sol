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
import {AgentRoles} from "../src/interfaces/IOperatorBonds.sol";
import {GasEater, ReturnBomb} from "./mocks/Callbacks.sol";
import {BaseTest} from "./BaseTest.sol";

/// Plays random moves of all parties on a deployment of its own, and keeps its own books of what
/// each move may change.
contract Handler is BaseTest {
    uint256 internal constant OPERATORS = 6;
    /// Moves are made on that many of the newest requests, so that some of them get far.
    uint256 internal constant ACTIVE = 3;

    uint256 internal constant BASE_FEE = 1 gwei;

    address internal source = makeAddr("source");
    Request[] internal requests;
    address[] internal callbacks;
    /// Books: ether that came in and went out, and what each operator lost.
    uint256 public paidIn;
    uint256 public paidOut;
    mapping(address operator => int256) public bondShouldBe;
    /// Wei that the rules destroyed, and that they gave the requester of each request.
    uint256 public burned;
    mapping(bytes32 requestId => uint256) public creditShouldBe;
    mapping(bytes32 move => uint256) public done;

    /// Before the move: states and seats of the active requests, from the one numbered `watched`
    /// on, and the credits.
    RequestState[] internal statesBefore;
    mapping(uint256 request => mapping(uint8 seat => SeatStatus)) internal seatsBefore;
    mapping(uint256 request => mapping(uint8 seat => address)) internal operatorBefore;
    uint256 internal watched;
    mapping(address account => uint256) internal creditBefore;
    mapping(address account => bool) internal mayGain;

    function setUp() public override {
        vm.fee(BASE_FEE);
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

    function ask(uint256 fee, uint256 stake, uint256 replicas, uint256 variant) external {
        before();
        if (statesBefore.length == ACTIVE && statesBefore[0].status < RequestStatus.Final) return;
        // Half of the requests are sampled.
        RequestParams memory p = variant % 2 == 0 ? params() : sampled();
        p.stake = uint128(_bound(stake, 0.1 ether, 3 ether));
        // Half of the requests have one seat.
        p.replicas = uint8(replicas % 2 == 0 ? 1 : _bound(replicas, 2, 5));
        p.callback = callbacks[variant / 2 % callbacks.length];
        p.callbackGas = p.callback == address(0) ? 0 : 50_000;
        fee = _bound(fee, 0, 1 ether);
        (Request memory r,) = ask(p, fee);
        requests.push(r);
        paidIn += fee;
        check("ask", true);
    }

    /// The operator itself, or operator 0 for those whose agent it is.
    function accept(uint256 request, uint256 operator) external {
        (Request memory r,) = pick(request);
        bytes memory header = dueHeader(r);
        before();
        bool ok;
        for (uint256 i; i < OPERATORS && !ok; ++i) {
            address who = operators[(operator % OPERATORS + i) % OPERATORS];
            address from = acting(who, operator / OPERATORS);
            ok = send(from, abi.encodeCall(oracle.accept, (r, who, header)));
        }
        check("accept", ok);
    }

    /// The operator of a seat does what is next; one in three answers differs. Reveals come first,
    /// since their time is short.
    function act(uint256 request, uint256 seat, uint256 variant) external {
        (Request memory r, bytes32 id) = pick(request);
        for (uint256 i; i < ACTIVE && statusOf(id) != RequestStatus.Revealing; ++i) {
            (r, id) = pick(request % ACTIVE + 1 + i);
        }
        before();
        RequestState memory s = oracle.stateOf(id);
        SeatStatus due =
            s.status == RequestStatus.Revealing ? SeatStatus.Committed : SeatStatus.Accepted;
        for (uint256 i; i < r.replicas; ++i) {
            if (oracle.seatOf(id, s.attempt, uint8(seat % r.replicas)).status == due) break;
            seat = seat % r.replicas + 1;
        }
        uint8 n = uint8(seat % r.replicas);
        Seat memory mine = oracle.seatOf(id, s.attempt, n);
        address from = acting(mine.operator, variant >> 8);
        bytes memory tokens = pack(variant % 3 == 0 ? 200 : 100, EOS);
        if (r.replicas == 1) {
            bytes memory call = abi.encodeCall(oracle.claim, (r, s.seed, tokens, ""));
            check("claim", send(from, call));
        } else if (mine.status == SeatStatus.Accepted) {
            bytes32 sealed_ = commitmentOf(r, n, mine.operator, tokens);
            bytes memory call = abi.encodeCall(oracle.commitClaim, (r, n, s.seed, sealed_));
            check("commit", send(from, call));
        } else {
            if (commitmentOf(r, n, mine.operator, tokens) != mine.value) {
                tokens = pack(variant % 3 == 0 ? 100 : 200, EOS);
            }
            bytes memory call = abi.encodeCall(oracle.revealClaim, (r, n, s.seed, tokens, "", SALT));
            check("reveal", send(from, call));
        }
    }

    function missed(uint256 request, uint256 seat) external {
        (Request memory r,) = pick(request);
        before();
        seat %= r.replicas;
        check("missed", send(stranger, abi.encodeCall(oracle.missed, (r, uint8(seat)))));
    }

    function freeSeats(uint256 request) external {
        (Request memory r,) = pick(request);
        before();
        check("free", send(stranger, abi.encodeCall(oracle.freeSeats, (r))));
    }

    function cancel(uint256 request, uint256 rarely) external {
        if (rarely % 8 != 0) return;
        (Request memory r,) = pick(request);
        before();
        check("cancel", send(requester, abi.encodeCall(oracle.cancel, (r))));
    }

    function expire(uint256 request) external {
        (Request memory r,) = pick(request);
        before();
        check("expire", send(stranger, abi.encodeCall(oracle.expire, (r))));
    }

    function finalize(uint256 request, uint256 variant) external {
        (Request memory r, bytes32 id) = pick(request);
        before();
        uint8 attempt = oracle.stateOf(id).attempt;
        bytes memory tokens = pack(variant % 3 == 0 ? 200 : 100, EOS);
        bool ok = send(stranger, abi.encodeCall(oracle.finalize, (r, tokens)));
        if (oracle.stateOf(id).status == RequestStatus.Final) {
            for (uint8 i; i < r.replicas; ++i) {
                Seat memory seat = oracle.seatOf(id, attempt, i);
                if (seat.status == SeatStatus.Claimed) mayGain[seat.operator] = true;
            }
        }
        check("finalize", ok);
    }

    function dispute(uint256 request, uint256 seat) external {
        (Request memory r, bytes32 id) = pick(request);
        before();
        bytes32 name = nameOf(r, oracle.stateOf(id).attempt, uint8(seat % r.replicas));
        check("dispute", send(game, abi.encodeCall(oracle.disputed, (name, openingOf(r)))));
    }

    /// Ends the disputes against a claim, lost or won.
    function settle(uint256 request, uint256 seat, uint256 variant) external {
        (Request memory r, bytes32 id) = pick(request);
        before();
        uint8 attempt = oracle.stateOf(id).attempt;
        uint8 n = uint8(seat % r.replicas);
        bytes32 name = nameOf(r, attempt, n);
        if (variant % 2 == 0) {
            check("settle", send(game, abi.encodeCall(oracle.settled, (name))));
            return;
        }
        address operator = oracle.seatOf(id, attempt, n).operator;
        bytes memory call = abi.encodeCall(oracle.convict, (name, operator, r.stake, challenger));
        bool convicted = send(game, call);
        if (convicted) {
            mayGain[challenger] = true;
            (uint256 a, uint256 b) = (uint256(r.stake) * 25 / 100, uint256(r.stake) * 10 / 100);
            assertEq(oracle.credit(challenger), creditBefore[challenger] + a, "reward");
            bondShouldBe[operator] -= int256(uint256(r.stake));
            creditShouldBe[id] += b;
            burned += r.stake - a - b;
        }
        check("convict", convicted);
    }

    function voidClaim(uint256 request, uint256 seat, uint256 rarely) external {
        if (rarely % 8 != 0) return;
        (Request memory r, bytes32 id) = pick(request);
        before();
        bytes32 name = nameOf(r, oracle.stateOf(id).attempt, uint8(seat % r.replicas));
        check("void", send(game, abi.encodeCall(oracle.voidClaim, (name, r.stake))));
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

    /// Another source, allowed or not, that locks and releases what it locked.
    function otherSource(uint256 operator, uint256 amount, uint256 variant) external {
        before();
        address owner = operators[operator % OPERATORS];
        uint256 locked = bonds.lockedBy(owner, source);
        amount = _bound(amount, 1, 2 ether);
        bool ok;
        if (variant % 3 == 0) {
            vm.prank(owner);
            bonds.allowSource(source, variant % 2 == 0);
        } else if (variant % 3 == 1) {
            vm.prank(source);
            (ok,) = address(bonds).call(abi.encodeCall(bonds.lock, (owner, amount, 0)));
            assertTrue(!ok || bonds.lockedBy(owner, source) == locked + amount, "lock");
        } else {
            uint256 seized = amount / 3;
            bytes memory call = abi.encodeCall(bonds.release, (owner, amount, seized, seized, 0));
            vm.prank(source);
            (ok,) = address(bonds).call(call);
            assertEq(ok, amount <= locked, "release");
            if (ok) {
                bondShouldBe[owner] -= int256(2 * seized);
                paidOut += seized;
                burned += seized;
            }
        }
        check("source", ok);
    }

    /// Operator 0 becomes agent of another, or no longer.
    function agent(uint256 operator, uint256 roles) external {
        before();
        vm.prank(operators[1 + operator % (OPERATORS - 1)]);
        bonds.setAgent(operators[0], uint8(roles % 8));
        check("agent", true);
    }

    function withdraw(uint256 account) external {
        address owner = actor(account % actors());
        before();
        uint256 out = owner.balance;
        bool ok = send(owner, abi.encodeCall(oracle.withdraw, (payable(owner))));
        out = owner.balance - out;
        uint256 had = creditBefore[owner];
        assertEq(ok, had != 0, "withdrew");
        assertEq(out, had, "withdrew its credit");
        paidOut += out;
        creditBefore[owner] -= out;
        check("withdraw", ok);
    }

    function withdrawOf(uint256 request) external {
        if (requests.length == 0) return;
        // Any request, however old.
        Request memory r = requests[request % requests.length];
        bytes32 id = idOf(r);
        before();
        uint256 out = requester.balance;
        bool ok = send(requester, abi.encodeCall(oracle.withdrawOf, (r, payable(requester))));
        out = requester.balance - out;
        assertEq(out, creditShouldBe[id], "withdrew its credit");
        assertEq(ok, out != 0);
        paidOut += out;
        creditShouldBe[id] = 0;
        check("withdrawOf", ok);
    }

    function wait_(uint256 time) external {
        before();
        skip(time % 32 == 0 ? ACCEPT_PERIOD + 1 : _bound(time, 1, 5));
        vm.roll(block.number + 1);
        // The share of a fine hangs on the base fee.
        vm.fee(time % 7 == 0 ? 0 : BASE_FEE << (time % 16));
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

    function sourceAddress() external view returns (address) {
        return source;
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

    /// Half of the time operator 0 where it may act for the operator.
    function acting(address operator, uint256 variant) private view returns (address) {
        bool may = bonds.agentRoles(operator, operators[0]) & AgentRoles.CLAIMS != 0;
        return may && variant % 2 == 0 ? operators[0] : operator;
    }

    function send(address from, bytes memory data) private returns (bool ok) {
        vm.prank(from);
        (ok,) = address(oracle).call(data);
    }

    function before() private {
        delete statesBefore;
        watched = requests.length < ACTIVE ? 0 : requests.length - ACTIVE;
        for (uint256 i = watched; i < requests.length; ++i) {
            bytes32 id = idOf(requests[i]);
            RequestState memory s = oracle.stateOf(id);
            statesBefore.push(s);
            for (uint8 n; n < 5; ++n) {
                seatsBefore[i][n] = oracle.seatOf(id, s.attempt, n).status;
                operatorBefore[i][n] = oracle.seatOf(id, s.attempt, n).operator;
            }
        }
        for (uint256 i; i < actors(); ++i) {
            creditBefore[actor(i)] = oracle.credit(actor(i));
            mayGain[actor(i)] = false;
        }
    }

    /// No credit shrinks, or grows where the move names no one; statuses move along the table only;
    /// fines, refunds and burned fees are what the rules say.
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
            Request memory r = requests[watched + i];
            bytes32 id = idOf(r);
            RequestState memory a = statesBefore[i];
            RequestState memory b = oracle.stateOf(id);
            assertTrue(isStep(move, a, b), "status");
            assertTrue(b.cancelled || !a.cancelled, "cancelled no more");
            if (a.seedFixed) assertTrue(b.seedFixed && a.seed == b.seed, "seed moved");
            if (ok && (move == "missed" || move == "finalize")) bookFines(watched + i, a, b);
            if (a.status != b.status) {
                bookFee(r, id, b.status);
                if (b.status == RequestStatus.Final) done["final"]++;
                if (b.status == RequestStatus.Undecided) done["undecided"]++;
            }
            assertEq(oracle.creditOf(id), creditShouldBe[id], "credit of a request");
        }
    }

    /// The requester's share of one fine.
    function requestersShare(Request memory r, uint256 penalty) private view returns (uint256) {
        uint256 most = 300_000 * block.basefee / r.replicas;
        return penalty / 4 < most ? penalty / 4 : most;
    }

    /// Fines of the seats that were late before the move and have no stake locked after it.
    function bookFines(uint256 request, RequestState memory a, RequestState memory b) private {
        if (a.status == RequestStatus.Open || a.status >= RequestStatus.Final) return;
        Request memory r = requests[request];
        bytes32 id = idOf(r);
        uint256 penalty = uint256(r.stake) * (2 << a.misses) / 100;
        uint256 share = requestersShare(r, penalty);
        bool ended = b.attempt != a.attempt || b.seatsTaken == 0;
        for (uint8 n; n < r.replicas; ++n) {
            SeatStatus had = seatsBefore[request][n];
            if (had != SeatStatus.Accepted && had != SeatStatus.Committed) continue;
            SeatStatus has = oracle.seatOf(id, a.attempt, n).status;
            if (!ended && has != SeatStatus.Missed) continue;
            bondShouldBe[operatorBefore[request][n]] -= int256(penalty);
            creditShouldBe[id] += share;
            burned += penalty - share;
        }
        uint256 round = !ended || b.attempt != a.attempt || a.misses == 3 ? 0 : 1;
        assertEq(b.misses, a.misses + round, "rounds missed");
    }

    function bookFee(Request memory r, bytes32 id, RequestStatus status) private {
        if (status == RequestStatus.Refunded) creditShouldBe[id] += r.fee;
        if (status == RequestStatus.Undecided) burned += r.fee;
    }

    function isStep(bytes32 move, RequestState memory a, RequestState memory b)
        private
        pure
        returns (bool)
    {
        (RequestStatus x, RequestStatus y) = (a.status, b.status);
        bool ends = move == "missed" || move == "finalize" || move == "convict";
        if (a.attempt != b.attempt) {
            bool refunded = y == RequestStatus.Refunded && move != "convict";
            return ends && b.attempt == a.attempt + 1 && b.attempt <= 6
                && (y == RequestStatus.Open || refunded) && x != RequestStatus.Open;
        }
        if (x == y) return true;
        if (y == RequestStatus.Open) {
            return move == "missed" || move == "finalize" || move == "void";
        }
        if (y == RequestStatus.Accepted) return x == RequestStatus.Open && move == "accept";
        if (y == RequestStatus.Revealing) {
            return x == RequestStatus.Accepted && (move == "commit" || move == "wait");
        }
        if (y == RequestStatus.Claimed) {
            return (x == RequestStatus.Accepted && (move == "claim" || move == "wait"))
                || (x == RequestStatus.Revealing && move == "wait");
        }
        if (y == RequestStatus.Final || y == RequestStatus.Undecided) {
            return x == RequestStatus.Claimed && move == "finalize";
        }
        if (y != RequestStatus.Refunded) return false;
        if (move == "expire" || move == "cancel") return x == RequestStatus.Open;
        return move == "missed" || (move == "finalize" && x == RequestStatus.Claimed);
    }
}
