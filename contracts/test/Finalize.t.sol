// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {InferenceOracle} from "../src/InferenceOracle.sol";
import {
    IInferenceOracle,
    Request,
    RequestParams,
    RequestStatus
} from "../src/interfaces/IInferenceOracle.sol";
import {IOperatorBonds} from "../src/interfaces/IOperatorBonds.sol";
import {
    GasEater,
    GreedyReceiver,
    Listener,
    Reentrant,
    Refuser,
    ReturnBomb,
    Reverter
} from "./mocks/Callbacks.sol";
import {BaseTest} from "./BaseTest.sol";

contract FinalizeTest is BaseTest {
    function test_finalize_paysAndUnlocks_succeeds() public {
        (Request memory r, bytes32 id) = askAndClaim(params());
        skip(WINDOW + 1);
        bytes32 name = nameOf(r, 1, 0);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Finalized(id, name, 32);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Credited(operators[0], name, FEE);
        vm.expectEmit(address(bonds));
        emit IOperatorBonds.Released(operators[0], name, address(oracle), STAKE, 0, 0);
        vm.prank(stranger);
        oracle.finalize(r, "");

        (RequestStatus status, uint32 count, bytes32 hash, uint32 first) = oracle.result(id);
        assertTrue(status == RequestStatus.Final);
        assertEq(count, 32);
        assertEq(hash, tokensHash(answer()));
        assertEq(first, 100);
        assertEq(oracle.credit(operators[0]), FEE);
        assertEq(lockedOf(0), 0);
        assertEq(freeOf(0), 10 ether);
        assertFalse(oracle.standing(name));
        assertEq(oracle.seatOf(id, 1, 0).value, tokensHash(answer()));
    }

    /// A result needs no opening, and says nothing for requests that have none.
    function test_result_afterEveryEnd() public {
        (Request memory r, bytes32 id) = ask(params());
        cancel(r);
        expectNoResult(id, RequestStatus.Refunded);
        expectNoResult(keccak256("unknown"), RequestStatus.None);
        (r, id) = askAndClaim(params());
        expectNoResult(id, RequestStatus.Claimed);
        convict(r, 1, 0);
        expectNoResult(id, RequestStatus.Open);
        accept(r, 1);
        expectNoResult(id, RequestStatus.Accepted);
        claim(r, 1, answer(300));
        skip(WINDOW + 1);
        oracle.finalize(r, "");
        (RequestStatus status, uint32 count, bytes32 hash, uint32 first) = oracle.result(id);
        assertTrue(status == RequestStatus.Final);
        assertEq(count, 32);
        assertEq(hash, tokensHash(answer(300)));
        assertEq(first, 300);
    }

    function expectNoResult(bytes32 id, RequestStatus wanted) private view {
        (RequestStatus status, uint32 count, bytes32 hash, uint32 first) = oracle.result(id);
        assertTrue(status == wanted);
        assertTrue(count == 0 && hash == 0 && first == 0);
    }

    function test_finalize_inWindow_reverts() public {
        (Request memory r,) = askAndClaim(params());
        skip(WINDOW);
        expect(IInferenceOracle.TooEarly.selector);
        oracle.finalize(r, "");
    }

    function test_finalize_notClaimed_reverts() public {
        (Request memory r,) = askAndFill(params());
        skip(1 days);
        expectStatus(RequestStatus.Accepted);
        oracle.finalize(r, "");
    }

    function test_finalize_twice_reverts() public {
        (Request memory r,) = askAndClaim(params());
        skip(WINDOW + 1);
        oracle.finalize(r, "");
        expectStatus(RequestStatus.Final);
        oracle.finalize(r, "");
    }

    function test_finalize_freeRequest_paysNothing() public {
        (Request memory r,) = ask(params(), 0);
        accept(r, 0);
        claim(r, 0, answer());
        skip(WINDOW + 1);
        oracle.finalize(r, "");
        assertEq(oracle.credit(operators[0]), 0);
        assertEq(freeOf(0), 10 ether);
    }

    /* CALLBACK */

    function test_callback_toldAfterFinal_succeeds() public {
        Listener listener = new Listener();
        (Request memory r, bytes32 id) = claimed(address(listener), 300_000);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.CallbackResult(id, true);
        oracle.finalize(r, answer());
        assertEq(listener.requestId(), id);
        assertEq(listener.tokens(), answer());
        assertTrue(listener.statusSeen() == RequestStatus.Final);
        assertGt(listener.gasSeen(), 299_000);
    }

    function test_callback_otherTokens_reverts() public {
        (Request memory r,) = claimed(address(new Listener()), 300_000);
        expect(IInferenceOracle.WrongTokens.selector);
        oracle.finalize(r, answer(101));
        expect(IInferenceOracle.WrongTokens.selector);
        oracle.finalize(r, "");
    }

    function test_callback_reverts_settles() public {
        settlesWithout(address(new Reverter()), 100_000);
    }

    function test_callback_outOfGas_settles() public {
        settlesWithout(address(new GasEater()), 500_000);
    }

    function test_callback_noCode_settles() public {
        settlesWithout(stranger, 100_000);
    }

    /// No function of the deployment can be made to run by naming it as a callback.
    function test_callback_ownContracts_settles() public {
        settlesWithout(address(bonds), 100_000);
    }

    function test_callback_registry_settles() public {
        settlesWithout(address(registry), 100_000);
    }

    function test_callback_otherHalf_settles() public {
        settlesWithout(InferenceOracle(payable(address(oracle))).extension(), 100_000);
    }

    function test_callback_oracleItself_settles() public {
        settlesWithout(address(oracle), 100_000);
    }

    /// A large result costs the sender no more than the gas that the request named.
    function testFuzz_callback_returnBomb_costsNoMore(bool reverts) public {
        (Request memory r, bytes32 id) = claimed(address(new ReturnBomb(reverts)), 500_000);
        uint256 before = gasleft();
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.CallbackResult(id, !reverts);
        oracle.finalize(r, answer());
        assertLt(before - gasleft(), 700_000);
        assertEq(oracle.credit(operators[0]), FEE);
    }

    /// With any amount of gas the call either reverts or gives the callback all that the request
    /// named.
    function testFuzz_callback_gasIsThere(uint256 gasGiven, uint32 callbackGas) public {
        callbackGas = uint32(bound(callbackGas, 250_000, 500_000));
        gasGiven = bound(gasGiven, 150_000, 1_000_000);
        Listener listener = new Listener();
        (Request memory r, bytes32 id) = claimed(address(listener), callbackGas);
        bytes memory data = abi.encodeCall(oracle.finalize, (r, answer()));
        (bool ok,) = address(oracle).call{gas: gasGiven}(data);
        assertEq(ok, statusOf(id) == RequestStatus.Final);
        // A few hundred gas go to the dispatch before the first line of the callback.
        if (ok) assertGt(listener.gasSeen(), callbackGas - 500);
        else assertEq(listener.requestId(), 0);
    }

    /// The least gas that does not revert is found by bisection: there the callback still gets all.
    function test_callback_leastGas_isEnough() public {
        Listener listener = new Listener();
        (Request memory r,) = claimed(address(listener), 400_000);
        bytes memory data = abi.encodeCall(oracle.finalize, (r, answer()));
        (uint256 low, uint256 high) = (100_000, 1_000_000);
        while (high - low > 1) {
            uint256 middle = (low + high) / 2;
            uint256 snapshot = vm.snapshotState();
            (bool ok,) = address(oracle).call{gas: middle}(data);
            vm.revertToState(snapshot);
            if (ok) high = middle;
            else low = middle;
        }
        (bool succeeded,) = address(oracle).call{gas: high}(data);
        assertTrue(succeeded);
        assertGt(listener.gasSeen(), 399_500);
        assertLt(listener.gasSeen(), 400_000);
    }

    function test_callback_tooLittleGas_reverts() public {
        (Request memory r,) = claimed(address(new Listener()), 500_000);
        expect(IInferenceOracle.InsufficientGas.selector);
        oracle.finalize{gas: 600_000}(r, answer());
    }

    function test_callback_reentrant_gainsNothing() public {
        Reentrant attacker = new Reentrant();
        (Request memory r, bytes32 id) = claimed(address(attacker), 500_000);
        attacker.arm(r, answer());
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.CallbackResult(id, true);
        oracle.finalize(r, answer());
        assertEq(attacker.tries(), 8);
        assertEq(attacker.successes(), 0);
        assertEq(oracle.credit(operators[0]), FEE);
        assertEq(address(oracle).balance, FEE);
    }

    /* WITHDRAW */

    function test_withdraw_paysOnce_succeeds() public {
        (Request memory r,) = askAndClaim(params());
        skip(WINDOW + 1);
        oracle.finalize(r, "");
        vm.startPrank(operators[0]);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.Withdrawn(operators[0], stranger, FEE);
        oracle.withdraw(payable(stranger));
        assertEq(stranger.balance, FEE);
        assertEq(oracle.credit(operators[0]), 0);
        expect(IInferenceOracle.NothingToWithdraw.selector);
        oracle.withdraw(payable(stranger));
        vm.stopPrank();

        (r,) = askAndClaim(params());
        skip(WINDOW + 1);
        oracle.finalize(r, "");
        vm.prank(operators[0]);
        oracle.withdraw(payable(stranger));
        assertEq(stranger.balance, 2 * FEE);
        assertEq(oracle.credit(operators[0]), 0);
        assertEq(address(oracle).balance, 0);
    }

    function test_withdraw_nothing_reverts() public {
        expect(IInferenceOracle.NothingToWithdraw.selector);
        vm.prank(stranger);
        oracle.withdraw(payable(stranger));
    }

    function test_withdraw_receiverRefuses_keepsCredit() public {
        (Request memory r,) = askAndClaim(params());
        skip(WINDOW + 1);
        oracle.finalize(r, "");
        address refuser = address(new Refuser());
        expect(IInferenceOracle.TransferFailed.selector);
        vm.prank(operators[0]);
        oracle.withdraw(payable(refuser));
        assertEq(oracle.credit(operators[0]), FEE);
    }

    /// The oracle holds the fee of another request, which a second withdrawal would take.
    function test_withdraw_reentered_paysOnce() public {
        GreedyReceiver attacker = new GreedyReceiver();
        operators[0] = address(attacker);
        bonds.deposit{value: STAKE}(address(attacker));
        (Request memory r,) = askAndClaim(params());
        ask(params());
        skip(WINDOW + 1);
        oracle.finalize(r, "");
        attacker.take(oracle);
        assertEq(attacker.received(), FEE);
        assertTrue(attacker.refused());
        assertEq(address(oracle).balance, FEE);
    }

    function test_receive_fromOthers_reverts() public {
        vm.deal(stranger, 1 ether);
        vm.prank(stranger);
        (bool ok, bytes memory reason) = address(oracle).call{value: 1}("");
        assertFalse(ok);
        assertEq(reason, abi.encodeWithSelector(IInferenceOracle.NotBonds.selector));
    }

    function claimed(address callback, uint32 callbackGas)
        private
        returns (Request memory r, bytes32 id)
    {
        RequestParams memory p = params();
        (p.callback, p.callbackGas) = (callback, callbackGas);
        (r, id) = askAndClaim(p);
        skip(WINDOW + 1);
    }

    function settlesWithout(address callback, uint32 callbackGas) private {
        (Request memory r, bytes32 id) = claimed(callback, callbackGas);
        vm.expectEmit(address(oracle));
        emit IInferenceOracle.CallbackResult(id, false);
        oracle.finalize(r, answer());
        assertTrue(statusOf(id) == RequestStatus.Final);
        assertEq(oracle.credit(operators[0]), FEE);
        assertEq(freeOf(0), 10 ether);
        assertEq(address(oracle).balance, FEE);
    }
}
