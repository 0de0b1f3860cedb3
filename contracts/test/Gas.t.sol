// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Request, RequestParams} from "../src/interfaces/IInferenceOracle.sol";
import {Listener} from "./mocks/Callbacks.sol";
import {BaseTest} from "./BaseTest.sol";

/// Gas of each call as a transaction of its own, on cold storage, kept in snapshots/gas.json. A
/// difference fails the test.
/// `tools/gas-report --update` writes the file anew.
/// forge-config: default.isolate = true
/// forge-config: slow.isolate = true
contract GasTest is BaseTest {
    uint256 internal constant CLAIM_LIMIT = 100_000;

    function test_gas_claimPath() public {
        (Request memory r,) = ask(params());
        snapshot("request_3_tokens");
        accept(r, 0);
        snapshot("accept");

        uint64 seed = seedOf(r);
        bytes memory call = abi.encodeCall(oracle.claim, (r, seed, answer(), ""));
        vm.prank(operators[0]);
        oracle.claim(r, seed, answer(), "");
        snapshot("claim_32_tokens_with_calldata");
        uint256 withoutCalldata = vm.lastCallGas().gasTotalUsed - calldataGas(call);
        vm.snapshotValue("gas", "claim_32_tokens", withoutCalldata);
        assertLe(withoutCalldata, CLAIM_LIMIT);

        skip(WINDOW + 1);
        oracle.finalize(r, "");
        snapshot("finalize");
        vm.prank(operators[0]);
        oracle.withdraw(payable(operators[0]));
        snapshot("withdraw");
    }

    /// The second time the credit's slot is there.
    function test_gas_finalizeAgain() public {
        for (uint256 i; i < 2; ++i) {
            (Request memory r,) = askAndClaim(params());
            skip(WINDOW + 1);
            oracle.finalize(r, "");
            if (i == 1) snapshot("finalize_again");
            vm.prank(operators[0]);
            oracle.withdraw(payable(operators[0]));
        }
    }

    /// The first acceptance brings a header, the second finds the seed.
    function test_gas_sampled() public {
        RequestParams memory p = sampled();
        p.replicas = 2;
        (Request memory r,) = ask(p);
        snapshot("request_3_tokens_sampled");
        accept(r, 0);
        snapshot("accept_with_header");
        accept(r, 1);
        snapshot("accept_last_of_2");
    }

    function test_gas_agent() public {
        vm.prank(operators[0]);
        bonds.setAgent(stranger, 1);
        snapshot("setAgent");
        (Request memory r,) = ask(params());
        vm.prank(stranger);
        oracle.accept(r, operators[0], "");
        snapshot("accept_by_agent");
    }

    function test_gas_secondRequest() public {
        ask(params());
        ask(params());
        snapshot("request_3_tokens_again");
    }

    function test_gas_longPrompt() public {
        RequestParams memory p = params();
        p.prompt = new bytes(4 * 4000);
        ask(p);
        snapshot("request_4000_tokens");
    }

    function test_gas_verdict() public {
        RequestParams memory p = params();
        (p.allowed, p.maxTokens) = (pack(10, 20), 1);
        (p.callback, p.callbackGas) = (address(new Listener()), 300_000);
        (Request memory r,) = askAndFill(p);
        uint64 seed = seedOf(r);
        vm.prank(operators[0]);
        oracle.claim(r, seed, pack(20), p.allowed);
        snapshot("claim_verdict");
        skip(WINDOW + 1);
        oracle.finalize(r, pack(20));
        snapshot("finalize_verdict_with_callback");
    }

    function test_gas_longAnswer() public {
        RequestParams memory p = params();
        p.maxTokens = 1000;
        (Request memory r,) = askAndFill(p);
        uint32[] memory ids = new uint32[](1000);
        for (uint32 i; i < 1000; ++i) {
            ids[i] = i % 900 + 3;
        }
        claim(r, 0, pack(ids));
        snapshot("claim_1000_tokens");
    }

    function test_gas_replicas() public {
        (Request memory r,) = askAndFill(paramsOf(3));
        for (uint8 i; i < 3; ++i) {
            commit(r, i, answer());
        }
        snapshot("commitClaim_last_of_3");
        for (uint8 i; i < 3; ++i) {
            reveal(r, i, answer());
        }
        snapshot("revealClaim_last_of_3");
        skip(REVEAL_PERIOD + WINDOW + 1);
        oracle.finalize(r, "");
        snapshot("finalize_3_agree");
    }

    function test_gas_missed() public {
        vm.fee(1 gwei);
        (Request memory r,) = askAndFill(params());
        skip(CLAIM_PERIOD + 1);
        oracle.missed(r, 0);
        snapshot("missed");
        accept(r, 1);
        snapshot("accept_second_round");
    }

    function test_gas_ends() public {
        (Request memory r,) = ask(params());
        cancel(r);
        snapshot("cancel");
        vm.prank(requester);
        oracle.withdrawOf(r, payable(requester));
        snapshot("withdrawOf");
        (r,) = ask(paramsOf(3));
        accept(r, 0);
        accept(r, 1);
        skip(FILL_PERIOD + 1);
        oracle.freeSeats(r);
        snapshot("freeSeats_2_of_3");
        skip(ACCEPT_PERIOD);
        oracle.expire(r);
        snapshot("expire");
    }

    function test_gas_disputeHooks() public {
        (Request memory r,) = askAndClaim(params());
        bytes32 name = nameOf(r, 1, 0);
        vm.prank(game);
        oracle.disputed(name, openingOf(r));
        snapshot("disputed");
        vm.prank(game);
        oracle.settled(name);
        snapshot("settled");
        convict(r, 1, 0);
        snapshot("convict");
    }

    function test_gas_bonds() public {
        bonds.deposit{value: 1 ether}(stranger);
        snapshot("deposit");
        vm.startPrank(stranger);
        bonds.queueWithdrawal(1 ether);
        snapshot("queueWithdrawal");
        skip(WITHDRAWAL_DELAY);
        bonds.withdraw(payable(stranger));
        snapshot("withdraw_bond");
    }

    function test_gas_register() public {
        registry.register(commitment(), 0, "https://example.org/model.gguf");
        snapshot("register_again");
    }

    function snapshot(string memory name) private {
        vm.snapshotGasLastCall("gas", name);
    }

    /// Gas of calldata, as long as the floor of EIP-7623 does not decide.
    function calldataGas(bytes memory data) private pure returns (uint256 gas) {
        for (uint256 i; i < data.length; ++i) {
            gas += data[i] == 0 ? 4 : 16;
        }
    }
}
