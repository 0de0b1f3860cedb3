// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm} from "forge-std/Vm.sol";
import {Dispute, DisputeView} from "../../src/interfaces/IDisputeGame.sol";
import {AgentRoles} from "../../src/interfaces/IOperatorBonds.sol";
import {OutputShape} from "../../src/interfaces/IStepVerifier.sol";
import {GameTest} from "./GameTest.sol";
import {ToySource} from "./ToySource.sol";

/// Code of an account that sends one transaction at fees of its choice: a transaction of a test
/// that isolates them has a base fee and a gas price of 0.
contract Relay {
    Vm private constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    receive() external payable {}

    /// @return used gas of the call with its cold account
    function send(uint256 fee, uint256 price, address to, uint256 value, bytes calldata data)
        external
        returns (uint256 used)
    {
        bytes memory sent = data;
        VM.fee(fee);
        VM.txGasPrice(price);
        bool ok;
        assembly {
            used := gas()
            ok := call(gas(), to, value, add(sent, 32), mload(sent), 0, 0)
            used := sub(used, gas())
            if iszero(ok) {
                returndatacopy(0, 0, returndatasize())
                revert(0, returndatasize())
            }
        }
    }
}

/// Cost of answers to their sender, each transaction on cold storage, compared with the repayment:
/// at least the cost, and at most a tenth more. By today's gas table.
/// forge-config: default.isolate = true
/// forge-config: slow.isolate = true
contract RepaymentTest is GameTest {
    uint256 internal constant BATCH = 10;
    uint256 internal constant TRANSACTION_GAS = 21_000;
    /// A transaction's own receiver is warm.
    uint256 internal constant COLD_ACCOUNT_GAS = 2_600;

    /// Kinds of questions.
    enum Question {
        Trace,
        Children,
        Leaf,
        Partials
    }

    ToySource internal source;
    uint256 internal fee;
    uint256 internal price;
    /// the node, leaf or element that is asked for
    uint256 internal op;
    uint256 internal height;
    uint256 internal index;
    uint256 internal element;
    bytes internal partials;
    address internal agent = makeAddr("agent");

    function setUp() public override {
        super.setUp();
        source = new ToySource(address(bonds), address(arena));
        vm.label(address(source), "source");
        Relay relay = new Relay();
        vm.etch(operator, address(relay).code);
        vm.etch(challenger, address(relay).code);
        vm.etch(rival, address(relay).code);
        vm.etch(agent, address(relay).code);
        vm.prank(operator);
        bonds.setAgent(agent, AgentRoles.DISPUTES);
        vm.deal(challenger, 100_000 ether);
    }

    function verifierName() internal pure override returns (string memory) {
        return "ToyVerifier.sol:ToyVerifierWithPartials";
    }

    function opening() internal pure override returns (bytes memory) {
        return "";
    }

    /* THE QUESTIONS */

    function test_openTrace_noChildren() public {
        OutputShape[] memory ops = new OutputShape[](1);
        ops[0] = OutputShape(1, 40, 0, 0);
        useProgram(ops, 2, 2);
        check(Question.Trace, "trace_0");
    }

    function test_openTrace_4() public {
        check(Question.Trace, "trace_4");
    }

    function test_openTrace_32() public {
        useProgram(manyOperations(), 2, 2);
        check(Question.Trace, "trace_32");
    }

    function manyOperations() private pure returns (OutputShape[] memory ops) {
        ops = new OutputShape[](40);
        for (uint256 i; i < 40; ++i) {
            ops[i] = OutputShape(1, 8, 0, 0);
        }
    }

    function test_reveal_2() public {
        (op, height, index) = (0, 1, 2);
        check(Question.Children, "children_2");
    }

    /// With padding among them, and none.
    function test_reveal_32() public {
        (op, height, index) = (0, 6, 0);
        check(Question.Children, "children_32_padded");
        OutputShape[] memory ops = smallProgram();
        ops[0].rowBytes = 16 * 1024;
        useProgram(ops, 2, 3);
        check(Question.Children, "children_32");
    }

    function test_reveal_above() public {
        useProgram(manyOperations(), 2, 2);
        (op, height, index) = (TOP, 1, 2);
        check(Question.Children, "children_top");
    }

    function test_revealLeaf_256zeros() public {
        OutputShape[] memory ops = smallProgram();
        ops[1] = OutputShape(0, 256, 0, 0);
        useProgram(ops, 2, 2);
        (op, height, index) = (1, 0, 1);
        check(Question.Leaf, "leaf_256_zeros");
    }

    function test_revealLeaf_1024random() public {
        (op, height, index) = (0, 0, 5);
        check(Question.Leaf, "leaf_1024");
    }

    /// Element 0 of a leaf, whose word is 0 until its partials are posted, costs most.
    function test_openPartials_1() public {
        (op, height, index) = (2, 0, 2);
        partials = randomPartials(1);
        for (element = 0; element < 4; element += 3) {
            check(Question.Partials, element == 0 ? "partials_1_first" : "partials_1");
        }
    }

    function test_openPartials_1024() public {
        OutputShape[] memory ops = smallProgram();
        ops[0] = OutputShape(1, 8, 0, 0);
        ops[1] = OutputShape(1, 8, 0, 0);
        useProgram(ops, 32_767, 2);
        (op, height, index) = (2, 0, 2 * 32_767);
        partials = randomPartials(1024);
        for (element = 0; element < 4; element += 3) {
            check(Question.Partials, element == 0 ? "partials_1024_first" : "partials_1024");
        }
    }

    /// Canonical floats without a zero byte; an index of the maximum in range.
    function randomPartials(uint256 n) private pure returns (bytes memory data) {
        data = new bytes(12 * n + 8 + 8 * ((n + 31) / 32));
        for (uint256 i; i < data.length; ++i) {
            bytes1 random = bytes1(uint8(uint256(keccak256(abi.encode(i)))) | 1);
            data[i] = i % 4 == 3 ? bytes1(0x3f) : random;
        }
        for (uint256 i; i < 4; ++i) {
            data[12 * n + 4 + i] = 0;
        }
    }

    /* WHAT IS CHECKED */

    /// Alone and ten at once, at four base fees, with a tip, without, and with a larger one.
    function check(Question q, string memory name) private {
        uint256[4] memory fees = [uint256(0.01 gwei), 1 gwei, 10 gwei, 500 gwei];
        uint256 clean = vm.snapshotState();
        for (uint256 i; i < fees.length; ++i) {
            for (uint256 count = 1; count <= BATCH; count += BATCH - 1) {
                fee = fees[i];
                price = fee + TIP;
                bytes[] memory calls = prepare(q, count);
                uint256 ready = vm.snapshotState();
                for (uint256 tip; tip <= 2 * TIP; tip += TIP) {
                    price = fee + tip;
                    checkRepaid(calls, i == 0 && tip == TIP ? name : "");
                    vm.revertToState(ready);
                }
                vm.revertToState(clean);
            }
        }
        checkWorst(q);
        vm.revertToState(clean);
    }

    /// An agent that was never credited, alone, at the base fee of the question: the prepayment is
    /// at least its cost, once without what is kept for dearer blocks.
    function checkWorst(Question q) private {
        fee = 10 gwei;
        price = fee + TIP;
        bytes[] memory calls = prepare(q, 1);
        (uint256 spent, uint256 repaid) = send(agent, calls[0]);
        emit log_named_uint("    repaid an agent", repaid);
        assertGe(repaid, spent, "agent: repaid less than it spent");
        assertLe(repaid, gasOf(q), "costs more than the question prepays");
    }

    function gasOf(Question q) private view returns (uint256) {
        if (q == Question.Trace) return TRACE_GAS;
        if (q == Question.Children) return CHILDREN_GAS;
        if (q == Question.Leaf) return LEAF_GAS;
        uint256 row = index / 2 ** truth.bits(truth.chunks(op));
        return PARTIALS_GAS + (row / 32 + 1) * PARTIALS_CHUNK_GAS;
    }

    /// @return spent gas of the transaction
    /// @return repaid to its sender, as gas
    function send(address who, bytes memory call) private returns (uint256 spent, uint256 repaid) {
        uint256 before = arena.credit(who);
        uint256 used = Relay(payable(who)).send(fee, price, address(arena), 0, call);
        spent = transactionGas(call, used);
        // Beyond a tip of 1 gwei the sender pays its own.
        repaid = (arena.credit(who) - before) / (price > fee + TIP ? fee + TIP : price);
    }

    function checkRepaid(bytes[] memory calls, string memory name) private {
        bytes memory call = calls.length == 1 ? calls[0] : abi.encodeCall(arena.multicall, (calls));
        (uint256 spent, uint256 repaid) = send(operator, call);
        if (bytes(name).length != 0) {
            emit log_named_uint(string.concat(name, " x"), calls.length);
            emit log_named_uint("    spent each", spent / calls.length);
            emit log_named_uint("    repaid each", repaid / calls.length);
        }
        assertGe(repaid, spent, "repaid less than it spent");
        assertLe(repaid, spent + spent / 10, "repaid over a tenth more");
    }

    /// Gas of a transaction by today's table (EIP-2028, EIP-7623).
    function transactionGas(bytes memory call, uint256 used) private pure returns (uint256) {
        uint256 tokens;
        for (uint256 i; i < call.length; ++i) {
            tokens += call[i] == 0 ? 1 : 4;
        }
        uint256 inside = used - COLD_ACCOUNT_GAS + 4 * tokens;
        return TRANSACTION_GAS + (inside > 10 * tokens ? inside : 10 * tokens);
    }

    /* COPIED ANSWERS */

    /// Ten reveals, each copied from the pool and sent ahead of the operator's batch. The copier
    /// gets nothing. The operator is credited what the answers cost the copier, at the copier's
    /// price, and pays for a batch that changes nothing: where the copier pays the same price, and
    /// where it pays the base fee alone and that is some gwei, it ends no poorer than before.
    function test_copied_oneByOne_operatorIsWhole() public {
        uint256[3] memory fees = [uint256(0.01 gwei), 10 gwei, 500 gwei];
        for (uint256 i; i < fees.length; ++i) {
            (uint256 credited, uint256 lost) = copied(fees[i], TIP, false);
            assertGe(credited, lost);
        }
    }

    function test_copied_inOneBatch_operatorIsWhole() public {
        (uint256 credited, uint256 lost) = copied(10 gwei, TIP, true);
        assertGe(credited, lost);
        (credited, lost) = copied(10 gwei, 0, true);
        assertGe(credited, lost);
    }

    /// Where the base fee is far below the tip, a copier without one gives less than the batch
    /// costs: then the operator is out of pocket by at most its own transaction, which changes
    /// nothing.
    function test_copied_withoutTip_costsTheNoOpsAtMost() public {
        (uint256 credited, uint256 lost) = copied(0.01 gwei, 0, true);
        assertGt(credited, 0);
        assertGt(lost, credited);
        assertLt(lost, BATCH * 60_000 * (0.01 gwei + TIP));
    }

    /// @return credited to the operator
    /// @return lost what it paid for its batch, which came too late
    function copied(uint256 fee_, uint256 tip, bool atOnce)
        private
        returns (uint256 credited, uint256 lost)
    {
        uint256 clean = vm.snapshotState();
        (op, height, index) = (0, 6, 0);
        (fee, price) = (fee_, fee_ + TIP);
        bytes[] memory calls = prepare(Question.Children, BATCH);
        bytes memory batch = abi.encodeCall(arena.multicall, (calls));
        uint256 before = arena.credit(operator);
        price = fee_ + tip;
        for (uint256 i; i < (atOnce ? 1 : BATCH); ++i) {
            bytes memory call = atOnce ? batch : calls[i];
            Relay(payable(rival)).send(fee, price, address(arena), 0, call);
        }
        assertEq(arena.credit(rival), 0, "a copier is repaid");
        credited = arena.credit(operator) - before;
        price = fee_ + TIP;
        (uint256 spent, uint256 repaid) = send(operator, batch);
        assertEq(repaid, 0, "repaid twice");
        lost = spent * price;
        vm.revertToState(clean);
    }

    /// Bytes behind a call's arguments are the sender's own affair.
    function test_padding_isNotRepaid() public {
        (op, height, index) = (0, 6, 0);
        (fee, price) = (10 gwei, 11 gwei);
        bytes[] memory calls = prepare(Question.Children, 1);
        uint256 ready = vm.snapshotState();
        (, uint256 repaid) = send(operator, calls[0]);
        vm.revertToState(ready);
        bytes memory junk = new bytes(5000);
        for (uint256 i; i < junk.length; ++i) {
            junk[i] = 0xff;
        }
        (uint256 spent, uint256 padded) = send(operator, bytes.concat(calls[0], junk));
        assertGt(spent, repaid + 50_000);
        assertLe(padded, repaid + 1_000);
    }

    /* DISPUTES */

    /// So many disputes that all await an answer of one kind, and the calls that answer them. Of
    /// traces each is of a claim of its own.
    function prepare(Question q, uint256 count) private returns (bytes[] memory calls) {
        calls = new bytes[](count);
        theirs = copyOfTruth();
        cutShort();
        if (q == Question.Leaf && truth.lengthOf(op, index) == 256) {
            theirs.changeLeaf(op, index, new bytes(256));
        }
        for (uint256 i; i < count; ++i) {
            if (i == 0 || q == Question.Trace) putClaim(bytes32(i + 1));
            bytes32 id = challengeAt(bytes32(i));
            if (q == Question.Trace) {
                calls[i] = answerCall(id);
                continue;
            }
            if (i == 0) answerAt(answerCall(id));
            if (op != TOP && height < truth.heightOf(op) && height != 0) {
                pickAt(id, truth.heightOf(op), 0);
                answerAt(answerCall(id));
            }
            pickAt(id, height, index);
            if (q == Question.Partials) {
                answerAt(answerCall(id));
                demandAt(id);
                calls[i] = abi.encodeCall(arena.openPartials, (disputes[id], partials));
            } else {
                calls[i] = answerCall(id);
            }
        }
    }

    /// Keeps the hashing of a large tree to the path that is gone: all beside it is made up.
    function cutShort() private {
        if (truth.promptCount() < 1000) return;
        uint256 tall = truth.heightOf(op);
        for (uint256 h; h < tall; ++h) {
            uint256 beside = (index >> h) ^ 1;
            if (truth.present(op, h, beside)) {
                theirs.force(op, h, beside, keccak256(abi.encode(h)));
            }
        }
    }

    function putClaim(bytes32 name) private {
        facts.promptCount = uint32(truth.promptCount());
        facts.tokenCount = uint32(truth.tokenCount());
        theClaim = source.put(name, operator, STAKE, modelId, facts);
        claimId = keccak256(abi.encode(theClaim));
    }

    function challengeAt(bytes32 salt) private returns (bytes32 id) {
        uint88 bond = 10 ether;
        Dispute memory d = Dispute(theClaim, challenger, bond, salt);
        id = arena.disputeIdOf(d);
        disputes[id] = d;
        bytes memory call = abi.encodeCall(
            arena.challenge, (theClaim.source, theClaim.name, "", model, bond, salt)
        );
        ask(call, bond + TRACE_GAS * 2 * (fee + TIP));
    }

    function pickAt(bytes32 id, uint256 h, uint256 i) private {
        DisputeView memory v = view_(id);
        bytes32[] memory path = theirs.path(op, h, i, v.op, v.height);
        bytes32 node = theirs.node(op, h, i);
        bytes memory call =
            abi.encodeCall(arena.pick, (disputes[id], uint16(op), uint8(h), uint32(i), node, path));
        ask(call, CHILDREN_GAS * 2 * (fee + TIP));
    }

    function demandAt(bytes32 id) private {
        bytes memory call = abi.encodeCall(arena.demandPartials, (disputes[id], uint32(element)));
        ask(call, 1_000_000 * 2 * (fee + TIP));
    }

    /// With ether enough; what is too much becomes credit.
    function ask(bytes memory call, uint256 value) private {
        Relay(payable(challenger)).send(fee, price, address(arena), value, call);
    }

    function answerAt(bytes memory call) private {
        Relay(payable(operator)).send(fee, price, address(arena), 0, call);
    }
}
