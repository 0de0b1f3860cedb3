// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {Deploy} from "../script/Deploy.s.sol";
import {DisputeGame} from "../src/DisputeGame.sol";
import {InferenceOracle} from "../src/InferenceOracle.sol";
import {OperatorBonds} from "../src/OperatorBonds.sol";
import {StepVerifier} from "../src/StepVerifier.sol";
import {GameParameters} from "../src/interfaces/IDisputeGame.sol";
import {IInferenceOracle, OracleParameters} from "../src/interfaces/IInferenceOracle.sol";
import {IOperatorBonds} from "../src/interfaces/IOperatorBonds.sol";
import {IInferenceCallback} from "../src/interfaces/IInferenceCallback.sol";

contract DeployTest is Test {
    Deploy internal script = new Deploy();

    function test_deploy_wiresContracts_succeeds() public {
        string[2] memory names = ["mainnet", "devnet"];
        for (uint256 i; i < names.length; ++i) {
            (InferenceOracle oracle, DisputeGame game) =
                script.deploy(names[i], makeAddr("deployer"));
            OperatorBonds bonds = OperatorBonds(oracle.bonds());
            assertEq(bonds.oracle(), address(oracle));
            assertGt(oracle.registry().code.length, 0);
            assertEq(oracle.disputeGame(), address(game));
            assertEq(game.oracle(), address(oracle));
            assertGt(StepVerifier(game.verifier()).extension().code.length, 0);
            OracleParameters memory p = oracle.parameters();
            Deploy.Parameters memory wanted = script.parameters(names[i]);
            assertEq(abi.encode(p), abi.encode(wanted.oracle));
            GameParameters memory g = game.parameters();
            assertEq(abi.encode(g), abi.encode(wanted.game));
            // The delay outlasts the longest window and the longest dispute.
            assertGt(bonds.withdrawalDelay(), p.maxWindow + 2 * g.budget + 24 * g.floor);
        }
    }

    function test_deploy_unknownParameters_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(Deploy.UnknownParameters.selector, "testnet"));
        script.parameters("testnet");
    }

    /// EIP-170 and EIP-3860.
    function test_deploy_sizes_fit() public view {
        string[6] memory names = [
            "InferenceOracle",
            "OperatorBonds",
            "ModelRegistry",
            "DisputeGame",
            "StepVerifier",
            "StepVerifierExtension"
        ];
        for (uint256 i; i < names.length; ++i) {
            string memory artifact = string.concat(names[i], ".sol:", names[i]);
            assertLt(vm.getDeployedCode(artifact).length, 24_576, names[i]);
            assertLt(vm.getCode(artifact).length, 49_152, names[i]);
        }
    }

    /// The oracle calls whatever address a request names, with the selector of the callback: no
    /// function that trusts the oracle has it.
    function test_callbackSelector_isNobodyElses() public pure {
        bytes4 s = IInferenceCallback.onInference.selector;
        assertTrue(s != IOperatorBonds.lock.selector && s != IOperatorBonds.unlock.selector);
        assertTrue(s != IOperatorBonds.seize.selector && s != IOperatorBonds.burn.selector);
        assertTrue(s != IOperatorBonds.deposit.selector && s != IOperatorBonds.withdraw.selector);
    }
}
