// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {Deploy} from "../script/Deploy.s.sol";
import {DisputeGame} from "../src/DisputeGame.sol";
import {InferenceOracle} from "../src/InferenceOracle.sol";
import {OperatorBonds} from "../src/OperatorBonds.sol";
import {GameParameters, IDisputeGame} from "../src/interfaces/IDisputeGame.sol";
import {IInferenceOracle, OracleParameters} from "../src/interfaces/IInferenceOracle.sol";
import {IInferenceCallback} from "../src/interfaces/IInferenceCallback.sol";

contract DeployTest is Test {
    Deploy internal script = new Deploy();

    function test_deploy_wiresContracts_succeeds() public {
        string[2] memory names = ["mainnet", "devnet"];
        for (uint256 i; i < names.length; ++i) {
            (InferenceOracle front, DisputeGame game) =
                script.deploy(names[i], makeAddr("deployer"));
            IInferenceOracle oracle = IInferenceOracle(address(front));
            OperatorBonds bonds = OperatorBonds(oracle.bonds());
            assertEq(bonds.oracle(), address(oracle));
            assertGt(oracle.registry().code.length, 0);
            assertEq(oracle.disputeGame(), address(game));
            assertGt(front.extension().code.length, 0);
            assertEq(game.oracle(), address(oracle));
            assertGt(game.verifier().code.length, 0);
            OracleParameters memory p = oracle.parameters();
            Deploy.Parameters memory wanted = script.parameters(names[i]);
            assertEq(abi.encode(p), abi.encode(wanted.oracle));
            GameParameters memory g = IDisputeGame(address(game)).parameters();
            assertEq(abi.encode(g), abi.encode(wanted.game));
            // The delay outlasts the longest window and the longest dispute.
            uint256 longest = 2 * uint256(g.budget) + 24 * uint256(g.floor);
            assertGt(bonds.withdrawalDelay(), oracle.maxWindow() + longest);
        }
    }

    /// Clocks whose end costs an operator money are not short on mainnet.
    function test_deploy_mainnetClocks() public view {
        OracleParameters memory p = script.parameters("mainnet").oracle;
        assertGe(p.minClaimPeriod, 10 minutes);
        assertGe(p.minReplicaClaimPeriod, 1 hours);
        assertGe(p.revealPeriod, 2 hours);
        assertGe(p.minWindow, 12 hours);
        assertLe(p.fillPeriod, 10 minutes);
    }

    /// Mainnet's parameters on another chain, such as a layer 2.
    function test_deploy_uncheckedChain_reverts() public {
        vm.chainId(42_161);
        vm.expectRevert(abi.encodeWithSelector(Deploy.UncheckedChain.selector, 42_161));
        script.requireChecked(0);
        vm.expectRevert(abi.encodeWithSelector(Deploy.UncheckedChain.selector, 42_161));
        script.requireChecked(1);
        script.requireChecked(42_161);
        vm.chainId(1);
        script.requireChecked(0);
    }

    function test_deploy_unknownParameters_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(Deploy.UnknownParameters.selector, "testnet"));
        script.parameters("testnet");
    }

    /// EIP-170 and EIP-3860.
    function test_deploy_sizes_fit() public view {
        string[8] memory names = [
            "InferenceOracle",
            "InferenceOracleExtension",
            "OperatorBonds",
            "ModelRegistry",
            "DisputeGame",
            "DisputeGameExtension",
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
    /// function of a contract that trusts the oracle has it.
    function test_callbackSelector_isNobodyElses() public view {
        bytes4 selector = IInferenceCallback.onInference.selector;
        string[6] memory names = [
            "IInferenceOracle",
            "IClaims",
            "IOperatorBonds",
            "IModelRegistry",
            "IDisputeGame",
            "IStepVerifier"
        ];
        for (uint256 i; i < names.length; ++i) {
            string memory path = string.concat("out/", names[i], ".sol/", names[i], ".json");
            string memory json = vm.readFile(path);
            string[] memory functions = vm.parseJsonKeys(json, ".methodIdentifiers");
            assertGt(functions.length, 0);
            for (uint256 k; k < functions.length; ++k) {
                string memory key = string.concat(".methodIdentifiers['", functions[k], "']");
                bytes memory other = vm.parseBytes(vm.parseJsonString(json, key));
                assertTrue(bytes4(other) != selector, functions[k]);
            }
        }
    }
}
