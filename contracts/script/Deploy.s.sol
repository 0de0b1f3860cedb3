// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Script} from "forge-std/Script.sol";
import {console} from "forge-std/console.sol";
import {InferenceOracle} from "../src/InferenceOracle.sol";
import {ModelRegistry} from "../src/ModelRegistry.sol";
import {OperatorBonds} from "../src/OperatorBonds.sol";
import {OracleParameters} from "../src/interfaces/IInferenceOracle.sol";

/// Deploys registry, bonds and oracle and prints `deployment: {chainId, registry, bonds, oracle, block}`, block being the first to scan for
/// events. The same line goes to out/deployments/<chainId>.json.
///
/// contracts/tools/forge script Deploy --rpc-url URL --broadcast --keystore FILE --password-file FILE
/// LOCKSTEP_PARAMETERS is `mainnet` (default) or `devnet`.
contract Deploy is Script {
    error UnknownParameters(string name);

    function run() external {
        deploy(vm.envOr("LOCKSTEP_PARAMETERS", string("mainnet")), msg.sender);
    }

    function deploy(string memory name, address deployer) public returns (InferenceOracle oracle) {
        (OracleParameters memory p, uint64 withdrawalDelay) = parameters(name);
        uint256 startBlock = block.number;
        vm.startBroadcast(deployer);
        ModelRegistry registry = new ModelRegistry();
        // The bonds name the oracle before it exists: it is the contract after them. Its constructor checks that they name it.
        address predicted = vm.computeCreateAddress(deployer, vm.getNonce(deployer) + 1);
        OperatorBonds bonds = new OperatorBonds(predicted, withdrawalDelay);
        oracle = new InferenceOracle(address(registry), address(bonds), address(0), p);
        vm.stopBroadcast();
        report(address(registry), address(bonds), address(oracle), startBlock);
    }

    /// The tables of docs/SPEC.md.
    function parameters(string memory name) public pure returns (OracleParameters memory, uint64 withdrawalDelay) {
        if (keccak256(bytes(name)) == keccak256("mainnet")) {
            return (
                OracleParameters({
                    minStake: 1 ether,
                    minWindow: 12 hours,
                    maxWindow: 7 days,
                    minAcceptPeriod: 1 minutes,
                    maxAcceptPeriod: 1 days,
                    minClaimPeriod: 1 minutes,
                    maxClaimPeriod: 6 hours,
                    revealPeriod: 2 hours
                }),
                14 days
            );
        }
        if (keccak256(bytes(name)) == keccak256("devnet")) {
            return (
                OracleParameters({
                    minStake: 0.1 ether,
                    minWindow: 10,
                    maxWindow: 10 minutes,
                    minAcceptPeriod: 10,
                    maxAcceptPeriod: 1 days,
                    minClaimPeriod: 10,
                    maxClaimPeriod: 6 hours,
                    revealPeriod: 10
                }),
                15 minutes
            );
        }
        revert UnknownParameters(name);
    }

    function report(address registry, address bonds, address oracle, uint256 startBlock) private {
        string memory key = "deployment";
        vm.serializeUint(key, "chainId", block.chainid);
        vm.serializeAddress(key, "registry", registry);
        vm.serializeAddress(key, "bonds", bonds);
        vm.serializeAddress(key, "oracle", oracle);
        string memory json = vm.serializeUint(key, "block", startBlock);
        vm.createDir("out/deployments", true);
        vm.writeFile(string.concat("out/deployments/", vm.toString(block.chainid), ".json"), string.concat(json, "\n"));
        console.log("deployment:", json);
    }
}
