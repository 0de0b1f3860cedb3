// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ModelCommitment} from "../../src/interfaces/IModelRegistry.sol";
import {
    ClaimFacts,
    IStepVerifier,
    Opening,
    OutputShape,
    UnitKind,
    Witness
} from "../../src/interfaces/IStepVerifier.sol";
import {Partials} from "../../src/verifier/Partials.sol";
import {ToyTrace} from "./ToyTrace.sol";

/// Knows a true trace, and finds wrong whatever opens to the root and differs from it.
contract ToyVerifier is IStepVerifier {
    ToyTrace public truth;
    /// hash of the facts that every call must bring; 0: any
    bytes32 public wantedFacts;
    mapping(uint32 op => bool) public malformed;
    /// finds everything wrong, whatever the witness
    bool public always;

    function setTruth(ToyTrace truth_) external {
        truth = truth_;
    }

    function setAlways() external {
        always = true;
    }

    function setMalformed(uint32 op) external {
        malformed[op] = true;
    }

    function setFacts(ClaimFacts memory facts) external {
        wantedFacts = keccak256(abi.encode(facts));
    }

    function isWrong(
        ClaimFacts calldata facts,
        bytes32 root,
        ModelCommitment calldata,
        Witness calldata w,
        bytes calldata partials
    ) external view returns (bool) {
        require(wantedFacts == 0 || keccak256(abi.encode(facts)) == wantedFacts, "facts");
        if (always) return true;
        if (w.op >= truth.opCount() || !truth.present(w.op, 0, w.leaf)) revert BadUnit();
        if (isPartial(w.kind)) return partialsWrong(w, partials);
        uint256 length = truth.lengthOf(w.op, w.leaf);
        if (w.openings.length != 1 || w.openings[0].data.length != length) revert BadOpening();
        if (climb(w) != root) revert WrongRoot();
        return keccak256(w.openings[0].data) != keccak256(truth.trueLeaf(w.op, w.leaf));
    }

    function isPartial(UnitKind kind) private pure returns (bool) {
        return kind >= UnitKind.PartialChunk && kind <= UnitKind.PartialFinal;
    }

    /// True partials are zero but for their first byte, which is 1; `place` names the byte that a
    /// witness is about.
    function partialsWrong(Witness calldata w, bytes calldata partials)
        private
        pure
        returns (bool)
    {
        if (w.place >= partials.length) revert BadUnit();
        return uint8(partials[w.place]) != (w.place == 0 ? 1 : 0);
    }

    function climb(Witness calldata w) private view returns (bytes32 hash) {
        hash = keccak256(abi.encodePacked(uint8(8), w.openings[0].data));
        bytes32[] calldata path = w.openings[0].path;
        uint256 inside = truth.heightOf(w.op);
        if (path.length != inside + truth.heightOf(truth.TOP())) revert BadOpening();
        uint256 index = w.leaf;
        for (uint256 i; i < path.length; ++i) {
            if (i == inside) index = w.op;
            (bytes32 l, bytes32 r) = index % 2 == 0 ? (hash, path[i]) : (path[i], hash);
            uint256 height = i < inside ? i + 1 : i - inside + 1;
            hash =
                keccak256(abi.encodePacked(i < inside ? uint8(9) : uint8(10), uint8(height), l, r));
            index /= 2;
        }
    }

    function checkPartials(uint32 position, bytes calldata partials)
        external
        pure
        virtual
        returns (bool)
    {
        uint256 n = position / 32 + 1;
        return partials.length == 12 * n + 8 + 8 * ((n + 31) / 32) && partials[0] != 0xff;
    }

    function isMalformed(ModelCommitment calldata, uint32 op, Opening[] calldata)
        external
        view
        returns (bool)
    {
        return malformed[op];
    }

    function shapeOf(ModelCommitment calldata, uint32 op, Opening calldata)
        external
        view
        returns (OutputShape memory)
    {
        if (op >= truth.opCount()) revert BadUnit();
        return truth.shape(op);
    }
}

/// The same with the true format of partials, whose check an answer pays for.
contract ToyVerifierWithPartials is ToyVerifier {
    function checkPartials(uint32 position, bytes calldata partials)
        external
        pure
        override
        returns (bool)
    {
        return Partials.areValid(position, partials);
    }
}
