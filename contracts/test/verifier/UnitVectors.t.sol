// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {stdJson} from "forge-std/StdJson.sol";
import {StepVerifier} from "../../src/StepVerifier.sol";
import {StepVerifierExtension} from "../../src/StepVerifierExtension.sol";
import {ModelCommitment} from "../../src/interfaces/IModelRegistry.sol";
import {
    ClaimFacts,
    IStepVerifier,
    Opening,
    UnitKind,
    Witness
} from "../../src/interfaces/IStepVerifier.sol";

/// The witnesses of the second implementation of docs/SPEC.md (tests/vectors/units/): the verdict
/// must be its.
contract UnitVectorsTest is Test {
    using stdJson for string;

    StepVerifier internal verifier;

    function setUp() public {
        verifier = new StepVerifier(address(new StepVerifierExtension()));
    }

    function test_llama() public {
        _check("llama", 22);
    }

    function test_others() public {
        _check("others", 9);
    }

    function test_types() public {
        _check("types", 8);
    }

    function test_special() public {
        _check("special", 11);
    }

    function test_partials() public {
        _check("partials", 10);
    }

    function test_tokens() public {
        _check("tokens", 10);
    }

    function test_unlisted() public {
        _check("unlisted", 42);
    }

    function test_refused() public {
        _check("refused", 15);
    }

    function _check(string memory name, uint256 count) private {
        string memory json = vm.readFile(string.concat("../tests/vectors/units/", name, ".json"));
        for (uint256 i; i < count; ++i) {
            _case(json, string.concat(".cases[", vm.toString(i), "]"));
        }
        assertFalse(vm.keyExistsJson(json, string.concat(".cases[", vm.toString(count), "]")));
    }

    function _case(string memory json, string memory at) private view {
        bytes memory partials;
        if (vm.keyExistsJson(json, string.concat(at, ".partials"))) {
            partials = json.readBytes(string.concat(at, ".partials"));
        }
        (bool ok, bytes memory result) = address(verifier)
            .staticcall(
                abi.encodeCall(
                    IStepVerifier.isWrong,
                    (
                        _facts(json, string.concat(at, ".facts.")),
                        _hash(json, at, ".facts.traceRoot"),
                        _commitment(json, string.concat(at, ".commitment.")),
                        _witness(json, string.concat(at, ".")),
                        partials
                    )
                )
            );
        string memory expected = json.readString(string.concat(at, ".expected"));
        assertEq(_verdict(ok, result), expected, json.readString(string.concat(at, ".what")));
    }

    function _verdict(bool ok, bytes memory result) private pure returns (string memory) {
        if (ok) return abi.decode(result, (bool)) ? "wrong" : "right";
        if (bytes4(result) == IStepVerifier.BadOpening.selector) return "BadOpening";
        if (bytes4(result) == IStepVerifier.WrongRoot.selector) return "WrongRoot";
        if (bytes4(result) == IStepVerifier.BadUnit.selector) return "BadUnit";
        return "another error";
    }

    function _witness(string memory json, string memory at)
        private
        pure
        returns (Witness memory w)
    {
        w.kind = UnitKind(_number(json, at, "kind"));
        w.op = uint32(_number(json, at, "op"));
        w.leaf = uint32(_number(json, at, "leaf"));
        w.unit = uint32(_number(json, at, "unit"));
        w.place = uint32(_number(json, at, "place"));
        bytes[] memory data = json.readBytesArray(string.concat(at, "data"));
        bytes[] memory paths = json.readBytesArray(string.concat(at, "paths"));
        w.openings = new Opening[](data.length);
        for (uint256 i; i < data.length; ++i) {
            w.openings[i] = Opening(data[i], _hashes(paths[i]));
        }
    }

    function _hashes(bytes memory joined) private pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](joined.length / 32);
        for (uint256 i; i < hashes.length; ++i) {
            bytes32 hash;
            assembly ("memory-safe") {
                hash := mload(add(add(joined, 0x20), shl(5, i)))
            }
            hashes[i] = hash;
        }
    }

    function _facts(string memory json, string memory at)
        private
        pure
        returns (ClaimFacts memory f)
    {
        f.promptCount = uint32(_number(json, at, "promptCount"));
        f.promptHash = _hash(json, at, "promptHash");
        f.tokenCount = uint32(_number(json, at, "tokenCount"));
        f.tokensHash = _hash(json, at, "tokensHash");
        f.temperature = uint32(_number(json, at, "temperature"));
        f.minP = uint32(_number(json, at, "minP"));
        f.seed = uint64(_number(json, at, "seed"));
        f.allowedCount = uint32(_number(json, at, "allowedCount"));
        f.allowedHash = _hash(json, at, "allowedHash");
    }

    function _commitment(string memory json, string memory at)
        private
        pure
        returns (ModelCommitment memory c)
    {
        c.arithmeticVersion = 1;
        c.weightsRoot = _hash(json, at, "weightsRoot");
        c.programRoot = _hash(json, at, "programRoot");
        c.tokenizerHash = _hash(json, at, "tokenizerHash");
        c.ropeRoot = _hash(json, at, "ropeRoot");
        c.opCount = uint32(_number(json, at, "opCount"));
        c.tensorCount = uint32(_number(json, at, "tensorCount"));
        c.samplerOp = uint32(_number(json, at, "samplerOp"));
        c.vocabSize = uint32(_number(json, at, "vocabSize"));
        c.contextLength = uint32(_number(json, at, "contextLength"));
        c.maxPositions = uint32(_number(json, at, "maxPositions"));
    }

    function _number(string memory json, string memory at, string memory member)
        private
        pure
        returns (uint256)
    {
        return json.readUint(string.concat(at, member));
    }

    function _hash(string memory json, string memory at, string memory member)
        private
        pure
        returns (bytes32)
    {
        return json.readBytes32(string.concat(at, member));
    }
}
