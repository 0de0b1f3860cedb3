// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Script} from "forge-std/Script.sol";
import {console} from "forge-std/console.sol";
import {DisputeGame} from "../src/DisputeGame.sol";
import {DisputeGameExtension} from "../src/DisputeGameExtension.sol";
import {InferenceOracle} from "../src/InferenceOracle.sol";
import {InferenceOracleExtension} from "../src/InferenceOracleExtension.sol";
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
    /// The parameters are for another chain: see "Other chains" in docs/DISPUTES.md, and name the chain's
    /// id in LOCKSTEP_CHECKED_CHAIN when every line of that list holds.
    error UncheckedChain(uint256 chainId);

    /// Ethereum, and its test networks Sepolia and Hoodi.
    uint256 internal constant MAINNET = 1;
    uint256 internal constant SEPOLIA = 11_155_111;
    uint256 internal constant HOODI = 560_048;

    function run() external {
        string memory name = vm.envOr("LOCKSTEP_PARAMETERS", string("mainnet"));
        if (isMainnets(name)) requireChecked(vm.envOr("LOCKSTEP_CHECKED_CHAIN", uint256(0)));
        deploy(name, msg.sender);
    }

    function isMainnets(string memory name) private pure returns (bool) {
        return keccak256(bytes(name)) == keccak256("mainnet");
    }

    /// Reverts on a chain that mainnet's parameters were not made for, above all on a layer 2, unless
    /// whoever deploys says that it went through the list.
    function requireChecked(uint256 checked) public view {
        uint256 id = block.chainid;
        if (id != MAINNET && id != SEPOLIA && id != HOODI && id != checked) {
            revert UncheckedChain(id);
        }
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
        // Bonds, oracle and game name each other before they exist: they are the next contracts,
        // each after its extension. The constructors check that they are.
        uint256 nonce = vm.getNonce(deployer);
        address bonds = vm.computeCreateAddress(deployer, nonce);
        address predicted = vm.computeCreateAddress(deployer, nonce + 4);
        new OperatorBonds(vm.computeCreateAddress(deployer, nonce + 2), p.withdrawalDelay);
        address half =
            address(new InferenceOracleExtension(address(registry), bonds, predicted, p.oracle));
        oracle = new InferenceOracle(address(registry), bonds, predicted, half, p.oracle);
        half = address(new DisputeGameExtension(address(oracle), address(verifier), p.game));
        game = new DisputeGame(address(oracle), address(verifier), half, p.game);
        vm.stopBroadcast();
        report(oracle, game, startBlock);
    }

    /// The tables of docs/DISPUTES.md.
    function parameters(string memory name) public pure returns (Parameters memory) {
        if (isMainnets(name)) {
            return Parameters({
                oracle: OracleParameters({
                    minStake: 1 ether,
                    minWindow: 12 hours,
                    maxWindow: 7 days,
                    minAcceptPeriod: 5 minutes,
                    maxAcceptPeriod: 30 days,
                    minClaimPeriod: 10 minutes,
                    minReplicaClaimPeriod: 1 hours,
                    maxClaimPeriod: 6 hours,
                    fillPeriod: 10 minutes,
                    revealPeriod: 2 hours
                }),
                // More than the longest window with reveals and the longest dispute of any program,
                // 26 moves: 7 d + 2 h + 24 h + 24 * 2 h.
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
                    minReplicaClaimPeriod: 10,
                    maxClaimPeriod: 6 hours,
                    fillPeriod: 60,
                    revealPeriod: 60
                }),
                // As above: 600 s + 60 s + 240 s + 24 * 60 s.
                withdrawalDelay: 40 minutes,
                // Time for two re-runs on two slow cores that share them with the chain and with
                // other programs.
                game: GameParameters({budget: 120, floor: 60, minBond: 0.05 ether})
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
