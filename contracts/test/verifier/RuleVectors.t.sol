// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Calldata} from "../../src/verifier/Calldata.sol";
import {Op, Program} from "../../src/verifier/Program.sol";
import {Limits, Rules} from "../../src/verifier/Rules.sol";
import {VectorFiles} from "./VectorFiles.sol";

contract RuleHarness {
    error Mismatch(uint256 record, bool malformed);

    uint256 private constant RECORD = 20 + 5 * 256 + 4;

    /// Also counts, so that neither verdict is rare.
    function malformed(bytes calldata part) external pure returns (uint256 cases) {
        uint256 at;
        assembly ("memory-safe") {
            at := part.offset
        }
        uint256 bad;
        for (; RECORD * cases < part.length; ++cases) {
            bool isMalformed = judge(at);
            if (isMalformed != (Calldata.u32(at + RECORD - 4) == 1)) {
                revert Mismatch(cases, isMalformed);
            }
            if (isMalformed) ++bad;
            at += RECORD;
        }
        require(bad > cases / 4 && bad < cases * 3 / 4, "both verdicts");
    }

    function judge(uint256 at) private pure returns (bool) {
        uint256 index = Calldata.u32(at);
        Limits memory m = Limits(
            Calldata.u32(at + 4), Calldata.u32(at + 8), Calldata.u32(at + 12), Calldata.u32(at + 16)
        );
        (Op memory op, bool well) = Program.decode(at + 20);
        Op[4] memory inputs;
        for (uint256 k; k < 4; ++k) {
            if (op.inputs[k] < index) (inputs[k],) = Program.decode(at + 276 + 256 * k);
        }
        return !(well && Rules.isOwnWell(op, index, m) && Rules.areInputsWell(op, inputs));
    }
}

/// The rules of well-formed programs, on operations of every kind with words changed, as C judges
/// them.
contract RuleVectorsTest is VectorFiles {
    RuleHarness internal harness = new RuleHarness();

    function test_isMalformed_isThatOfC() public {
        check(harness.malformed, "rules", 13 * operationCases());
    }
}
