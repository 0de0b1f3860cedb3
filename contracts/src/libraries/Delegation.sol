// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Runs the current call with another contract's code on this contract's storage.
library Delegation {
    /// Returns or reverts with what that code does; nothing after it runs.
    function run(address code) internal {
        assembly {
            // SAFETY: all of memory is free, since the call ends here.
            calldatacopy(0, 0, calldatasize())
            let ok := delegatecall(gas(), code, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            switch ok
            case 0 { revert(0, returndatasize()) }
            default { return(0, returndatasize()) }
        }
    }
}
