// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test, console} from "forge-std/Test.sol";

/// The files of records that `tools/step-vectors` writes: out/vectors/NAME.0.bin, NAME.1.bin, ...
/// Each part is read in a call of its own, so that the memory it takes is given back.
abstract contract VectorFiles is Test {
    /// Whatever reads part `part` of a file, and returns the number of its records.
    function check(
        function(bytes memory) external returns (uint256) reader,
        string memory name,
        uint256 least
    ) internal {
        uint256 cases;
        uint256 parts;
        for (; vm.exists(path(name, parts)); ++parts) {
            cases += this.readPart(reader, path(name, parts));
        }
        if (parts == 0) {
            revert(string.concat(path(name, 0), " is missing: run contracts/tools/step-vectors"));
        }
        console.log("count", name, cases);
        assertGe(
            cases,
            least,
            "too few cases: run contracts/tools/step-vectors, with --slow in the slow profile"
        );
    }

    function readPart(function(bytes memory) external returns (uint256) reader, string memory file)
        external
        returns (uint256)
    {
        return reader(vm.readFileBinary(file));
    }

    function path(string memory name, uint256 part) internal pure returns (string memory) {
        return string.concat("out/vectors/", name, ".", vm.toString(part), ".bin");
    }

    /// Cases that a file of an operation, and one of a float32 operation, must have.
    function operationCases() internal view returns (uint256) {
        return isSlow() ? 10_000 : 500;
    }

    function floatCases() internal view returns (uint256) {
        return isSlow() ? 1_000_000 : 20_000;
    }

    function isSlow() internal view returns (bool) {
        return keccak256(bytes(vm.envOr("FOUNDRY_PROFILE", string("default")))) == keccak256("slow");
    }
}
