// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {UnitKind} from "../interfaces/IStepVerifier.sol";

/// @title What a dispute must know of a unit's kind.
library UnitKinds {
    /// Whether the unit is about partials that the operator posted for an attention element.
    function isPartial(UnitKind kind) internal pure returns (bool) {
        return kind >= UnitKind.PartialChunk && kind <= UnitKind.PartialFinal;
    }
}
