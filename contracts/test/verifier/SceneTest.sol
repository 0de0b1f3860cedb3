// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {StepVerifier} from "../../src/StepVerifier.sol";
import {StepVerifierExtension} from "../../src/StepVerifierExtension.sol";
import {IStepVerifier, Opening} from "../../src/interfaces/IStepVerifier.sol";
import {Scene, Scenes} from "./Scene.sol";

/// Runs hand-made scenes: a function makes one for a unit, with one bit of the disputed chunk
/// flipped, or none.
abstract contract SceneTest is Test {
    using Scenes for Scene;

    uint256 internal constant NONE = type(uint256).max;

    StepVerifier internal verifier = new StepVerifier(address(new StepVerifierExtension()));

    /* VERDICTS */

    function isWrong(Scene memory s, bytes memory partials) internal view returns (bool) {
        return verifier.isWrong(s.facts, s.traceRoot, s.model, s.witness, partials);
    }

    function verdict(Scene memory s) internal view returns (bool) {
        s.finish();
        return isWrong(s, "");
    }

    /// The honest chunk is not wrong; each flipped bit in [from, to) is.
    function checkBits(
        function(uint256, uint256) internal view returns (Scene memory) make,
        uint256 unit,
        uint256 from,
        uint256 to
    ) internal view {
        assertFalse(verdict(make(unit, NONE)), "an honest unit");
        uint256 free = freeMemory();
        for (uint256 bit = from; bit < to; ++bit) {
            if (!verdict(make(unit, bit))) {
                revert(string.concat("flipped bit ", vm.toString(bit), " shows nothing"));
            }
            giveBack(free);
        }
    }

    /// Reverts with an error of the interface, and with nothing else.
    function mustRevert(Scene memory s, bytes memory partials, string memory what) internal view {
        uint256 free = freeMemory();
        (bool ok, bytes memory reason) = address(verifier)
            .staticcall(
                abi.encodeCall(
                    IStepVerifier.isWrong, (s.facts, s.traceRoot, s.model, s.witness, partials)
                )
            );
        assertFalse(ok, what);
        bytes4 error = bytes4(reason);
        assertTrue(
            error == IStepVerifier.BadOpening.selector || error == IStepVerifier.WrongRoot.selector
                || error == IStepVerifier.BadUnit.selector
                || error == IStepVerifier.MalformedProgram.selector,
            what
        );
        giveBack(free);
    }

    function freeMemory() internal pure returns (uint256 free) {
        assembly ("memory-safe") {
            free := mload(0x40)
        }
    }

    /// Frees what was allocated since: nothing of it may be used any more.
    function giveBack(uint256 free) internal pure {
        assembly {
            mstore(0x40, free)
        }
    }

    /* SPOILT WITNESSES */

    /// Every opening with another length, byte, sibling or place, one too few and one too many,
    /// another unit: each reverts.
    function checkSpoilt(Scene memory s, bytes memory partials) internal view {
        checkSpoiltOpenings(s, partials);
        spoilUnit(s, partials);
        s.traceRoot ^= bytes32(uint256(1));
        mustRevert(s, partials, "another trace");
        s.traceRoot ^= bytes32(uint256(1));
    }

    /// Spoils openings of units that read nothing of the trace: their verdict is the same at many
    /// places.
    function checkSpoiltOpenings(Scene memory s, bytes memory partials) internal view {
        s.finish();
        isWrong(s, partials);
        Opening[] memory all = s.witness.openings;
        for (uint256 i; i < all.length; ++i) {
            spoilData(s, partials, all[i]);
            spoilPath(s, partials, all[i]);
        }
        s.witness.openings = new Opening[](all.length - 1);
        for (uint256 i; i + 1 < all.length; ++i) {
            s.witness.openings[i] = all[i];
        }
        mustRevert(s, partials, "an opening too few");
        s.witness.openings = new Opening[](all.length + 1);
        for (uint256 i; i < all.length; ++i) {
            s.witness.openings[i] = all[i];
        }
        s.witness.openings[all.length] = all[all.length - 1];
        mustRevert(s, partials, "an opening too many");
        s.witness.openings = all;
        s.model.programRoot ^= bytes32(uint256(1));
        mustRevert(s, partials, "another program");
        s.model.programRoot ^= bytes32(uint256(1));
    }

    function spoilData(Scene memory s, bytes memory partials, Opening memory o) internal view {
        bytes memory data = o.data;
        for (uint256 i; i < 2; ++i) {
            o.data = bytes.concat(data);
            o.data[i == 0 ? 0 : data.length - 1] ^= 0x10;
            mustRevert(s, partials, "another byte");
        }
        o.data = bytes.concat(data, hex"00");
        mustRevert(s, partials, "a byte too many");
        o.data = Scenes.slice(data, 0, data.length - 1);
        mustRevert(s, partials, "a byte too few");
        o.data = "";
        mustRevert(s, partials, "no data");
        o.data = data;
    }

    function spoilPath(Scene memory s, bytes memory partials, Opening memory o) internal view {
        bytes32[] memory path = o.path;
        for (uint256 i; i < path.length; ++i) {
            path[i] ^= bytes32(uint256(1) << (i % 256));
            mustRevert(s, partials, "another sibling");
            path[i] ^= bytes32(uint256(1) << (i % 256));
            if (i == 0) continue;
            (path[i - 1], path[i]) = (path[i], path[i - 1]);
            mustRevert(s, partials, "two siblings exchanged");
            (path[i - 1], path[i]) = (path[i], path[i - 1]);
        }
        o.path = new bytes32[](path.length + 1);
        for (uint256 i; i < path.length; ++i) {
            o.path[i] = path[i];
        }
        mustRevert(s, partials, "a sibling too many");
        if (path.length > 0) {
            bytes32[] memory less = new bytes32[](path.length - 1);
            for (uint256 i; i < less.length; ++i) {
                less[i] = path[i];
            }
            o.path = less;
            mustRevert(s, partials, "a sibling too few");
        }
        o.path = path;
    }

    /// Another place than the openings'.
    function spoilUnit(Scene memory s, bytes memory partials) private view {
        uint32 leaf = s.witness.leaf;
        for (uint256 bit; bit < 32; ++bit) {
            s.witness.leaf = leaf ^ uint32(1 << bit);
            mustRevert(s, partials, "another leaf");
        }
        s.witness.leaf = leaf;
        uint32 op = s.witness.op;
        for (uint256 bit; bit < 32; ++bit) {
            s.witness.op = op ^ uint32(1 << bit);
            mustRevert(s, partials, "another operation");
        }
        s.witness.op = op;
        uint32 prompt = s.facts.promptCount;
        s.facts.promptCount = 0;
        mustRevert(s, partials, "no prompt");
        s.facts.promptCount = prompt;
    }

    /* ROWS */

    /// Bits of the float32 of an integer below 2^24.
    function f32(int256 i) internal pure returns (uint256) {
        if (i == 0) return 0;
        uint256 m = uint256(i < 0 ? -i : i);
        uint256 e = 150;
        while (m < 2 ** 23) (m, e) = (2 * m, e - 1);
        return (i < 0 ? 2 ** 31 : 0) + (e << 23) + (m - 2 ** 23);
    }

    function le32(uint256 word) internal pure returns (bytes memory b) {
        b = new bytes(4);
        Scenes.put32(b, 0, word);
    }

    function floats(int256[] memory values) internal pure returns (bytes memory row) {
        row = new bytes(4 * values.length);
        for (uint256 i; i < values.length; ++i) {
            Scenes.put32(row, 4 * i, f32(values[i]));
        }
    }

    function bytesOf(int256[] memory values) internal pure returns (bytes memory row) {
        row = new bytes(values.length);
        for (uint256 i; i < values.length; ++i) {
            row[i] = bytes1(uint8(int8(values[i])));
        }
    }

    /// One entry and the values.
    function a8(int256 d, uint256 index, int256[] memory values)
        internal
        pure
        returns (bytes memory)
    {
        return bytes.concat(le32(f32(d)), le32(index), bytesOf(values));
    }

    /// A Q8_0 row of scale 1.
    function q8(int256[] memory values) internal pure returns (bytes memory row) {
        for (uint256 i; i < values.length; i += 32) {
            int256[] memory part = new int256[](32);
            for (uint256 j; j < 32; ++j) {
                part[j] = values[i + j];
            }
            row = bytes.concat(row, hex"003c", bytesOf(part));
        }
    }

    /// 32 values, all 0 but the first.
    function only(int256 first) internal pure returns (int256[] memory values) {
        values = new int256[](32);
        values[0] = first;
    }

    function flipped(bytes memory row, uint256 bit) internal pure returns (bytes memory) {
        if (bit != NONE) row[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        return row;
    }
}
