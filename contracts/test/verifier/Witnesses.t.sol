// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test, Vm, console} from "forge-std/Test.sol";
import {StepVerifier} from "../../src/StepVerifier.sol";
import {StepVerifierExtension} from "../../src/StepVerifierExtension.sol";
import {ClaimFacts, Witness} from "../../src/interfaces/IStepVerifier.sol";
import {ModelCommitment} from "../../src/interfaces/IModelRegistry.sol";

/// Whole witnesses of small models, with the verdict of C: out/vectors/witnesses/*.bin, made by
/// `tools/step-vectors`. A record is the length (u32, big-endian) of abi.encode(ClaimFacts,
/// bytes32 traceRoot, ModelCommitment, Witness, bytes partials), that encoding, and a byte: 0
/// right, 1 wrong, 2 must revert.
contract WitnessesTest is Test {
    string internal constant FOLDER = "out/vectors/witnesses";

    StepVerifier internal verifier = new StepVerifier(address(new StepVerifierExtension()));

    function test_witnesses_haveTheVerdictsOfC() public {
        require(
            vm.exists(FOLDER), "out/vectors/witnesses is missing: run contracts/tools/step-vectors"
        );
        uint256[3] memory verdicts;
        uint256 files;
        Vm.DirEntry[] memory entries = vm.readDir(FOLDER);
        for (uint256 i; i < entries.length; ++i) {
            uint256[3] memory found = this.readFile(entries[i].path);
            for (uint256 k; k < 3; ++k) {
                verdicts[k] += found[k];
            }
            ++files;
        }
        console.log("count witnesses_right", verdicts[0]);
        console.log("count witnesses_wrong", verdicts[1]);
        console.log("count witnesses_reverting", verdicts[2]);
        for (uint256 k; k < 3; ++k) {
            assertGt(verdicts[k], 0, "a verdict that never comes");
        }
    }

    /// In a call of its own, which gives its memory back.
    function readFile(string memory file) external view returns (uint256[3] memory verdicts) {
        bytes memory data = vm.readFileBinary(file);
        uint256 at;
        uint256 record;
        while (at < data.length) {
            uint256 size;
            assembly ("memory-safe") {
                size := shr(224, mload(add(add(data, 0x20), at)))
            }
            uint8 wanted = uint8(data[at + 4 + size]);
            uint8 got = this.verdictOf(slice(data, at + 4, at + 4 + size));
            if (got != wanted) {
                revert(
                    string.concat(
                        file, ": record ", vm.toString(record), " has verdict ", vm.toString(got)
                    )
                );
            }
            ++verdicts[wanted];
            at += size + 5;
            ++record;
        }
    }

    function verdictOf(bytes calldata encoded) external view returns (uint8) {
        (
            ClaimFacts memory facts,
            bytes32 root,
            ModelCommitment memory model,
            Witness memory witness,
            bytes memory partials
        ) = abi.decode(encoded, (ClaimFacts, bytes32, ModelCommitment, Witness, bytes));
        try verifier.isWrong(facts, root, model, witness, partials) returns (bool wrong) {
            return wrong ? 1 : 0;
        } catch {
            return 2;
        }
    }

    function slice(bytes memory data, uint256 from, uint256 to)
        private
        pure
        returns (bytes memory out)
    {
        out = new bytes(to - from);
        assembly ("memory-safe") {
            mcopy(add(out, 0x20), add(add(data, 0x20), from), sub(to, from))
        }
    }
}
