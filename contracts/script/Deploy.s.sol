// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Script} from "forge-std/Script.sol";
import {console} from "forge-std/console.sol";
import {DisputeGame} from "../src/DisputeGame.sol";
import {InferenceOracle} from "../src/InferenceOracle.sol";
import {ModelRegistry} from "../src/ModelRegistry.sol";
import {OperatorBonds} from "../src/OperatorBonds.sol";
import {StepVerifier} from "../src/StepVerifier.sol";
import {StepVerifierExtension} from "../src/StepVerifierExtension.sol";
import {GameParameters} from "../src/interfaces/IDisputeGame.sol";
import {OracleParameters} from "../src/interfaces/IInferenceOracle.sol";

/// Deploys registry, verifier, bonds, oracle and dispute game and prints `deployment: {chainId,
/// registry, verifier, bonds, oracle, game, block}`, block being the first to scan for events. The
/// same line goes to out/deployments/<chainId>.json.
///
/// contracts/tools/forge script Deploy --rpc-url URL --broadcast --keystore FILE --password-file
/// FILE LOCKSTEP_PARAMETERS is `mainnet` (default) or `devnet`.
contract Deploy is Script {
    struct Parameters {
        OracleParameters oracle;
        uint64 withdrawalDelay;
        GameParameters game;
    }

    error UnknownParameters(string name);

    function run() external {
        deploy(vm.envOr("LOCKSTEP_PARAMETERS", string("mainnet")), msg.sender);
    }

    function deploy(string memory name, address deployer)
        public
        returns (InferenceOracle oracle, DisputeGame game)
    {
        Parameters memory p = parameters(name);
        uint256 startBlock = block.number;
        vm.startBroadcast(deployer);
        ModelRegistry registry = new ModelRegistry();
        StepVerifier verifier = new StepVerifier(address(new StepVerifierExtension()));
        // The bonds name the oracle and the oracle the game before they exist: they are the next
        // contracts. The constructors check that they are.
        uint256 nonce = vm.getNonce(deployer);
        OperatorBonds bonds =
            new OperatorBonds(vm.computeCreateAddress(deployer, nonce + 1), p.withdrawalDelay);
        address predicted = vm.computeCreateAddress(deployer, nonce + 2);
        oracle = new InferenceOracle(address(registry), address(bonds), predicted, p.oracle);
        game = new DisputeGame(address(oracle), address(verifier), p.game);
        vm.stopBroadcast();
        report(oracle, game, startBlock);
    }

    /// The tables of docs/DISPUTES.md.
    function parameters(string memory name) public pure returns (Parameters memory) {
        if (keccak256(bytes(name)) == keccak256("mainnet")) {
            return Parameters({
                oracle: OracleParameters({
                    minStake: 1 ether,
                    minWindow: 12 hours,
                    maxWindow: 7 days,
                    minAcceptPeriod: 1 minutes,
                    maxAcceptPeriod: 1 days,
                    minClaimPeriod: 1 minutes,
                    maxClaimPeriod: 6 hours,
                    revealPeriod: 2 hours
                }),
                // More than the longest window and the longest dispute of any program, 26 moves: 7
                // d + 24 h + 24 * 2 h.
                withdrawalDelay: 14 days,
                game: GameParameters({budget: 12 hours, floor: 2 hours, minBond: 0.05 ether})
            });
        }
        if (keccak256(bytes(name)) == keccak256("devnet")) {
            return Parameters({
                oracle: OracleParameters({
                    minStake: 0.1 ether,
                    minWindow: 10,
                    maxWindow: 10 minutes,
                    minAcceptPeriod: 10,
                    maxAcceptPeriod: 1 days,
                    minClaimPeriod: 10,
                    maxClaimPeriod: 6 hours,
                    revealPeriod: 10
                }),
                // As above: 600 s + 240 s + 24 * 10 s.
                withdrawalDelay: 20 minutes,
                // Time for two re-runs on two slow cores that share them with the chain.
                game: GameParameters({budget: 120, floor: 10, minBond: 0.05 ether})
            });
        }
        revert UnknownParameters(name);
    }

    function report(InferenceOracle oracle, DisputeGame game, uint256 startBlock) private {
        string memory key = "deployment";
        vm.serializeUint(key, "chainId", block.chainid);
        vm.serializeAddress(key, "registry", oracle.registry());
        vm.serializeAddress(key, "bonds", oracle.bonds());
        vm.serializeAddress(key, "oracle", address(oracle));
        vm.serializeAddress(key, "verifier", game.verifier());
        vm.serializeAddress(key, "game", address(game));
        string memory json = vm.serializeUint(key, "block", startBlock);
        vm.createDir("out/deployments", true);
        vm.writeFile(
            string.concat("out/deployments/", vm.toString(block.chainid), ".json"),
            string.concat(json, "\n")
        );
        console.log("deployment:", json);
    }
}
